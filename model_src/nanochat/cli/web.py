"""Chat with a trained model in the browser.

    python -m nanochat web CHECKPOINTS          and open http://127.0.0.1:8000

One model answers one conversation at a time; others wait for it in a line. ``POST /chat/completions`` takes
``{"messages": [{"role": "user", "content": "hi"}], "temperature": 0.8, "top_k": 50, "max_tokens": 512}`` and answers
with server-sent events: ``{"token": "He", "type": "text"}`` for each piece (types: ``conversation.PARTS``), at last
``{"done": true, "reason": "stop", "tokens": 1}`` or ``{"error": ...}``. An answer's content may come back as a list of
its parts, so that the model reads what it has written. ``GET /health`` and ``GET /stats`` say how it is.
"""

import argparse
import asyncio
import contextlib
import json
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from nanochat.chat import asked
from nanochat.chat.asked import Asked, Refusal
from nanochat.chat.conversation import render
from nanochat.chat.guard import Guard
from nanochat.chat.line import Line, LineFull, Ticket
from nanochat.chat.turns import Answer, Speaker
from nanochat.engine import Engine
from nanochat.training.loading import load

PAGE = Path(__file__).parents[1] / "chat/page"
BODY_SECONDS = 10  # in which a request must have arrived
PATIENCE = 5  # seconds without a token, after which a comment tells the client, and is told whether there still is one


def event(**fields: Any) -> str:
    """One server-sent event."""
    return f"data: {json.dumps(fields)}\n\n"


async def events(ticket: Ticket) -> AsyncIterator[str]:
    """An answer as events. What goes wrong is one, too: the status code was sent long ago."""
    try:
        async for piece in ticket.pieces(PATIENCE):
            yield event(token=piece.text, type=piece.kind) if piece else ": the model is at work\n\n"
    except Exception as error:
        yield event(error=f"the model failed ({type(error).__name__}: {error})")
    else:
        yield event(done=True, reason=ticket.answer.reason, tokens=len(ticket.answer.ids))


class Events(StreamingResponse):
    """The events of a ticket; a client that goes away leaves the line, however it goes."""

    media_type = "text/event-stream"

    def __init__(self, ticket: Ticket) -> None:
        super().__init__(events(ticket))
        self.ticket = ticket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with contextlib.suppress(ClientDisconnect):
                await super().__call__(scope, receive, send)
        finally:
            self.ticket.leave()


async def body_of(request: Request) -> bytes:
    """The body, which is never read beyond the limit, nor waited for beyond it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # which, moreover, no form of another site can send
        raise Refusal("Content-Type", f"found {kind[:100]!r}", "application/json is needed", 415)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > asked.MAX_BYTES:
                    allowed = f"at most {asked.MAX_BYTES:,} bytes are allowed"
                    raise Refusal("body", "found more", allowed, 413)
    except TimeoutError:
        found = f"found {len(body):,} bytes and no end"
        raise Refusal("body", found, f"it must be here in {BODY_SECONDS} s", 408) from None
    return bytes(body)


class Chat:
    """The pages and the model behind them."""

    def __init__(self, speaker: Speaker, places: int = 8) -> None:
        self.speaker = speaker
        self.line = Line(places)

    def answer(self, request: Asked) -> Answer:
        """The answer to a request, not begun yet. Refused where the conversation is longer than the context."""
        tokenizer = self.speaker.tokenizer
        ids, _ = render({"messages": request.messages}, tokenizer.encode, tokenizer.encode_special)
        ids.append(tokenizer.encode_special("<|assistant_start|>"))
        sampling = {"temperature": request.temperature, "top_k": request.top_k, "seed": secrets.randbits(31)}
        try:
            return self.speaker.answer(ids, request.max_tokens, **sampling)
        except ValueError as error:
            allowed = f"fewer than {self.speaker.context:,} are allowed, the model sees no more at once"
            raise Refusal("messages", f"found {len(ids):,} tokens", f"{allowed}: begin a new conversation") from error

    async def completions(self, request: Request) -> Response:
        """Answer a conversation."""
        wanted = asked.read(await body_of(request))
        answer = await asyncio.to_thread(self.answer, wanted)
        return Events(self.line.enter(answer))

    async def page(self, request: Request) -> Response:
        return FileResponse(PAGE / "index.html")

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def stats(self, request: Request) -> Response:
        return JSONResponse({**self.line.stats(), "context": self.speaker.context})

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        yield
        self.line.close()


async def refused(request: Request, error: Exception) -> Response:
    """What a request is told that isn't served."""
    if isinstance(error, Refusal):
        return JSONResponse(error.as_json(), error.status)
    if isinstance(error, LineFull):
        return JSONResponse({"error": str(error)}, 503, {"retry-after": str(error.seconds)})
    assert isinstance(error, HTTPException), error
    told = {"error": f"{request.method} {request.url.path[:100]}: {error.detail}"}
    return JSONResponse(told, error.status_code, error.headers)


def build_app(chat: Chat, host: str = "127.0.0.1") -> Starlette:
    """The server's application, for requests to localhost and to ``host``."""
    routes = [
        Route("/", chat.page),
        Route("/chat/completions", chat.completions, methods=["POST"]),
        Route("/health", chat.health),
        Route("/stats", chat.stats),
        Mount("/page", StaticFiles(directory=PAGE)),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, host=host)],
        exception_handlers={Refusal: refused, LineFull: refused, HTTPException: refused},
        lifespan=chat.lifespan,
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket at the address; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise OSError(f"port {port} of {host} can't be had ({error}): another --port or --host may do") from error


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m nanochat web", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="CHECKPOINTS", help="where the checkpoints are")
    parser.add_argument("--step", type=int, help="of which checkpoint (default: the last one)")
    parser.add_argument("--tokenizer", help="its folder (default: the one beside the checkpoint)")
    parser.add_argument("--port", type=int, default=8000, help="0: a free one (default: 8000)")
    host = "0.0.0.0: everybody who can reach this machine may come, without a password (default: 127.0.0.1)"
    parser.add_argument("--host", default="127.0.0.1", help=host)
    parser.add_argument("--places", type=int, default=8, help="in the line for the model (default: 8)")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps, or auto: the fastest that is here (default)")
    options = parser.parse_args(argv)
    if options.places < 0 or not 0 <= options.port < 65536:
        parser.error("--places is 0 or more, --port from 0 to 65535")
    return options


def run(options: argparse.Namespace) -> None:
    model, tokenizer = load(options.folder, options.step, options.tokenizer, options.device)
    speaker = Speaker(Engine(model, tokenizer), tokenizer, model.config.sequence_len)
    app = build_app(Chat(speaker, options.places), options.host)
    with listen(options.host, options.port) as server:
        name = f"[{options.host}]" if ":" in options.host else options.host
        print(f"http://{name}:{server.getsockname()[1]} (Ctrl-C ends)", flush=True)
        # Whoever still reads an answer at the end may do so for two seconds.
        config = uvicorn.Config(app, log_level="warning", ws="none", server_header=False, timeout_graceful_shutdown=2)
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn ends in good order, and then passes it on
            uvicorn.Server(config).run(sockets=[server])


def main(argv: list[str]) -> None:
    try:
        run(parse(argv))
    except (ValueError, AssertionError, OSError) as error:
        raise SystemExit(f"web: {error}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
