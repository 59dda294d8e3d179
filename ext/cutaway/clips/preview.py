"""A clip in the browser while its author works on it: recorded again whenever a save changes what it is made of.

A small server on this machine alone shows the page; the page asks it twice a second whether there is a newer one, and
stays at the frame that it was at.
"""

from __future__ import annotations

import html
import sys
import threading
import webbrowser
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ..runs.declared import RunError
from ..settings import Book
from ..source.find import SourceError
from ..theme.assets import page_files
from ..trace.reading import TraceError
from . import html as clip_html
from .directive import clip as clip_node
from .directive import shown_of
from .export import one_clip
from .finished import Clip
from .keys import KIND, source_key

LOOK_S = 0.4  # between two looks at the files
TYPES = {".js": "text/javascript", ".css": "text/css", ".png": "image/png", ".woff2": "font/woff2"}
TYPES |= {".mp4": "video/mp4", ".vtt": "text/vtt", ".html": "text/html"}
LOOK = "margin: 0 auto; max-width: 80rem; background: var(--cutaway-ground); color: var(--cutaway-ink)"
AGAIN = """
const range = document.querySelector(".cutaway-clip-range");
if (range && sessionStorage.frame) { range.value = sessionStorage.frame; range.dispatchEvent(new Event("input")); }
setInterval(async () => {
  const version = await fetch("/version").then((answer) => answer.text(), () => VERSION);
  if (version === VERSION) return;
  sessionStorage.frame = range ? range.value : "";
  location.reload();
}, 500);
"""


class Stage:
    """What the server shows now: a page, and the folders that its files are in."""

    def __init__(self, book: Book, scene: str, run: str | None) -> None:
        self.book, self.scene, self.run = book, scene, run
        self.version, self.page = "", "<p>recording …</p>"
        self.files = {path.name: path for path in page_files(book.store)}

    def look(self) -> bool:
        """Record the scene again if what it is made of has changed; whether it had."""
        try:
            version = source_key(self.book, self.scene)
        except (SourceError, OSError) as error:  # in the middle of an edit
            version = f"{error}"
        if version == self.version:
            return False
        try:
            page = self._page(one_clip(self.book, self.scene, self.run))
        except (SourceError, TraceError, RunError, LookupError, OSError) as error:
            page = f'<pre role="alert">{html.escape(str(error))}</pre>'
        self.page, self.version = page, version
        return True

    def _page(self, found: Clip) -> str:
        node = clip_node(alt=self.scene, ids=["clip"], language="en")
        node["shown"] = shown_of(found, {})
        self.files |= {found.file(suffix): self.book.store.path(KIND, found.key, suffix) for suffix in found.suffixes}
        return clip_html.figure(node, {suffix: f"/{found.file(suffix)}" for suffix in found.suffixes})

    def whole_page(self) -> str:
        styles = "".join(f'<link rel="stylesheet" href="/{name}">' for name in self.files if name.endswith(".css"))
        ours = (name for name in self.files if name.startswith("cutaway-") and name.endswith(".js"))
        scripts = "".join(f'<script defer src="/{name}"></script>' for name in ours)
        again = f"<script>const VERSION = {self.version!r};addEventListener('load', () => {{{AGAIN}}})</script>"
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(self.scene)}</title>'
            f'<meta name="viewport" content="width=device-width">{styles}{scripts}'
            f'<body style="{LOOK}">{self.page}{again}</html>'
        )


class Answer(BaseHTTPRequestHandler):
    """Answers with the page, its version, or one of its files; nothing else of the disk can be had."""

    def __init__(self, stage: Stage, *rest: object) -> None:
        self.stage = stage
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        name = self.path.split("?")[0].lstrip("/")
        if name in ("", "version"):
            text = self.stage.version if name else self.stage.whole_page()
            self._send(text.encode(), "text/plain" if name else "text/html; charset=utf-8")
        elif name in self.stage.files:
            self._send(self.stage.files[name].read_bytes(), TYPES.get(Path(name).suffix, "application/octet-stream"))
        else:
            self.send_error(404)

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet: what matters is said where the scene is recorded."""


def preview(
    book: Book,
    scene: str,
    run: str | None = None,
    show: Callable[[str], object] = webbrowser.open,
    stop: threading.Event | None = None,
) -> None:
    """Show a scene and record it again whenever it is saved, until Ctrl-C (or ``stop``)."""
    stage = Stage(book, scene, run)
    stage.look()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Answer, stage))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    print(f"{scene}: {address} (Ctrl-C ends it)", file=sys.stderr)
    show(address)
    try:
        stop = stop or threading.Event()
        while not stop.wait(LOOK_S):
            stage.look()
    finally:
        server.shutdown()
        server.server_close()
