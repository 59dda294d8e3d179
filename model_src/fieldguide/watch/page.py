"""The state as a page on this machine: no script, nothing from elsewhere, drawn here and loaded again by itself."""

import html
import socket
import threading
from collections.abc import Callable

from fieldguide import sketches
from fieldguide.report import UsageProblem, escaped
from fieldguide.sketches import Series
from fieldguide.watch.state import State, Watch

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
STYLESHEET = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}
svg{width:100%;height:auto;font:12px system-ui,sans-serif}
svg text{fill:currentColor}
svg text.a{fill:#7fa6cf}
svg text.b{fill:#2f76b5}
svg text.c{fill:#c96b12}
polyline{fill:none;stroke-width:1.5}
.grid{stroke:currentColor;opacity:.15}
.mark{stroke:#d33;stroke-dasharray:3 3}
polyline.a{stroke:#7fa6cf}
polyline.b{stroke:#2f76b5;stroke-width:2}
polyline.c{stroke:#c96b12;stroke-width:2}
dl{display:grid;grid-template-columns:max-content auto;gap:.2rem 1.5rem}
dd{margin:0;font-variant-numeric:tabular-nums}
"""


def shown(text: str) -> str:
    """Text of a log, for a page: neither markup nor control characters."""
    return html.escape(escaped(text), quote=True)


def series_of(watch: Watch, state: State) -> list[Series]:
    """The loss, its smoothed course, and the validation's."""
    curves = watch.follower.log.curves
    found = []
    if state.name:
        steps, values = curves[state.name].course()
        smooth, mean, weight = [], 0.0, 0.0
        for value in values:
            mean, weight = 0.9 * mean + 0.1 * float(value), 0.9 * weight + 0.1
            smooth.append(mean / weight)
        found = [Series(state.name, steps.tolist(), values.tolist(), "a")]
        found.append(Series("smoothed", steps.tolist(), smooth, "b"))
    if "val_loss" in curves and state.name != "val_loss":
        steps, values = curves["val_loss"].course()
        found.append(Series("val_loss", steps.tolist(), values.tolist(), "c"))
    return found


def page(watch: Watch, state: State, every: float) -> str:
    """The whole page."""
    cells = [("log", str(watch.follower.path)), *state.facts()]
    listed = "".join(f"<dt>{shown(name)}</dt><dd>{shown(value)}</dd>" for name, value in cells)
    alerts = "".join(f"<li><strong>{shown(each.level)}</strong> {shown(each.what)} {shown(each.evidence)}</li>"
                     for each in watch.alerts)  # fmt: skip
    marks = [first for first, _ in watch.seen]
    drawing = sketches.svg(f"{state.name or 'loss'} by step", series_of(watch, state), marks)
    title = f"step {state.step:,}" + (f" of {state.steps:,}" if state.steps else "")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="refresh" content="{max(1, round(every))}"><link rel="stylesheet" href="/style.css">'
        f"<title>{title}</title></head><body><main><h1>{title}</h1>{drawing}<dl>{listed}</dl>"
        f"<h2>Alerts</h2><ul>{alerts or '<li>none</li>'}</ul></main></body></html>"
    )


def build(latest: Callable[[], str]) -> object:
    """The application, for requests to this machine by its own names."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, Response
    from starlette.routing import Route

    async def show(request: Request) -> Response:
        return HTMLResponse(latest(), headers=HEADERS)

    async def style(request: Request) -> Response:
        return Response(STYLESHEET, media_type="text/css", headers=HEADERS)

    # A site whose name points here (DNS rebinding) asks for its own name, and is refused.
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)
    return Starlette(routes=[Route("/", show), Route("/style.css", style)], middleware=[hosts])


class Server:
    """Serves the page from a thread of its own until it is closed."""

    def __init__(self, port: int) -> None:
        import uvicorn

        self.text = ""
        try:
            self.socket = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            raise UsageProblem(f"--page {port}: the port can't be had ({error.strerror}); 0 takes any") from error
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        config = uvicorn.Config(
            build(lambda: self.text), log_level="warning", ws="none", server_header=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)
        self.thread.start()

    def close(self) -> None:
        """End in good order."""
        self.server.should_exit = True
        self.thread.join(5)
        self.socket.close()
