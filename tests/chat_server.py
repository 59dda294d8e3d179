"""Chat servers for tests: an engine that says what it is told to, behind a real server on a free port."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from nanochat.chat.line import Line
from nanochat.chat.turns import Speaker
from nanochat.cli import web
from nanochat.tokenizer import RustBPETokenizer

CONTEXT = 40_000  # more than all characters that are allowed
HELLO = "hello wörld 🙂"
Json = dict[str, Any]


def small_tokenizer() -> RustBPETokenizer:
    return RustBPETokenizer.train_from_iterator(["hello world, hello hello"] * 4, 280)


@dataclass
class Script:
    """An engine that says what it is told to; with a gate it waits there before each token."""

    tokenizer: RustBPETokenizer
    ids: list[int]
    gate: threading.Semaphore | None = None
    error: Exception | None = None
    asked: list[tuple[list[int], Json]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    written: int = 0

    def generate(self, tokens: list[int], num_samples: int, **options: Any) -> Iterator[tuple[list[int], list[int]]]:
        self.asked.append((tokens, options))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            for id in self.ids[: options["max_tokens"]]:
                if self.gate is not None:
                    assert self.gate.acquire(timeout=60)
                self.written += 1
                yield [id], [1]
            if self.error is not None:
                raise self.error
        finally:
            self.at_once -= 1


@dataclass
class Served:
    """A server and how to ask it."""

    port: int
    script: Script
    line: Line

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def send(self, body: Any, headers: Json | None = None, method: str = "POST") -> http.client.HTTPResponse:
        """A response whose body is still to be read; that done, or ``close`` called, nothing stays open."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        usual = {"Content-Type": "application/json", "Connection": "close"}
        connection = self.connect()
        connection.request(method, "/chat/completions", data, {**usual, **(headers or {})})
        return connection.getresponse()

    def ask(self, *contents: Any, **options: Any) -> list[Json]:
        """The events of a conversation."""
        response = self.send(conversation(*contents, **options))
        assert response.status == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        return list(events(response))

    def get(self, path: str, **headers: str) -> tuple[int, Json, bytes]:
        connection = self.connect()
        connection.request("GET", path, headers={"Connection": "close", **headers})
        response = connection.getresponse()
        return response.status, dict(response.headers.items()), response.read()

    def stats(self) -> Json:
        return json.loads(self.get("/stats")[2])


def conversation(*contents: Any, **options: Any) -> Json:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[i % 2], "content": text} for i, text in enumerate(contents)], **options}


def events(response: http.client.HTTPResponse) -> Iterator[Json]:
    for line in response:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


def said(found: list[Json]) -> str:
    return "".join(event.get("token", "") for event in found)


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it didn't happen"
        time.sleep(0.005)


@contextmanager
def serving(speaker: Speaker, places: int = 8, host: str = "127.0.0.1") -> Iterator[Served]:
    chat = web.Chat(speaker, places)
    with web.listen("127.0.0.1", 0) as listening:
        config = uvicorn.Config(
            web.build_app(chat, host), log_level="warning", ws="none", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        until(lambda: server.started)
        try:
            yield Served(listening.getsockname()[1], speaker.engine, chat.line)
        finally:
            server.should_exit = True
            thread.join(10)
            assert not thread.is_alive()


def hello(tokenizer: RustBPETokenizer) -> Script:
    """An engine that always says ``HELLO``."""
    return Script(tokenizer, [*tokenizer.encode(HELLO), tokenizer.encode_special("<|assistant_end|>")])
