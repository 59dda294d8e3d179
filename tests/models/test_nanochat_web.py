"""The chat server: a real one on a free port, asked by plain sockets. test_nanochat_page.py asks it by Chromium."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import uvicorn
from chat_server import (
    CONTEXT,
    HELLO,
    Json,
    Script,
    Served,
    conversation,
    events,
    hello,
    said,
    serving,
    small_tokenizer,
    until,
)

from nanochat.chat import asked
from nanochat.chat.conversation import render
from nanochat.chat.turns import Speaker
from nanochat.cli import web
from nanochat.common import ALONE
from nanochat.engine import Engine
from nanochat.gpt import GPT, GPTConfig
from nanochat.tokenizer import RustBPETokenizer
from nanochat.training.checkpoint import save_checkpoint, tokenizer_digest


@pytest.fixture(scope="module")
def tokenizer() -> RustBPETokenizer:
    return small_tokenizer()


@pytest.fixture
def script(tokenizer: RustBPETokenizer) -> Script:
    return hello(tokenizer)


@pytest.fixture
def served(script: Script) -> Iterator[Served]:
    with serving(Speaker(script, script.tokenizer, CONTEXT), places=2) as it:
        yield it


def test_an_answer_comes_in_whole_characters_and_then_ends(served: Served, script: Script) -> None:
    found = served.ask("hi", temperature=0, top_k=0, max_tokens=99)
    tokens, done = found[:-1], found[-1]
    assert said(tokens) == HELLO
    assert "\ufffd" not in said(tokens) and len(tokens) > 5
    assert {event["type"] for event in tokens} == {"text"}
    assert done == {"done": True, "reason": "stop", "tokens": len(script.ids) - 1}
    ids, options = script.asked[0]
    tokenizer = script.tokenizer
    expected, _ = render(conversation("hi"), tokenizer.encode, tokenizer.encode_special)
    assert ids == [*expected, tokenizer.encode_special("<|assistant_start|>")]
    assert {name: options[name] for name in ("temperature", "top_k", "max_tokens")} == {
        "temperature": 0, "top_k": 0, "max_tokens": 99,
    }  # fmt: skip


def test_what_is_not_said_is_the_default(served: Served, script: Script) -> None:
    served.ask("hi")
    served.ask("hi", "hello", "again")
    (_, first), (_, second) = script.asked
    assert (first["temperature"], first["top_k"], first["max_tokens"]) == (0.8, 50, 512)
    assert first["seed"] != second["seed"]


def test_max_tokens_ends_it_and_says_so(served: Served) -> None:
    assert served.ask("hi", max_tokens=3)[-1] == {"done": True, "reason": "max_tokens", "tokens": 3}


def test_a_tool_call_is_told_apart_and_can_be_sent_back(served: Served, script: Script) -> None:
    special, encode = script.tokenizer.encode_special, script.tokenizer.encode
    parts = [
        {"type": "text", "text": "so "}, {"type": "python", "text": "2*3"},
        {"type": "python_output", "text": "6"}, {"type": "text", "text": " it is"},
    ]  # fmt: skip
    call = [special("<|python_start|>"), *encode("2*3"), special("<|python_end|>")]
    output = [special("<|output_start|>"), *encode("6"), special("<|output_end|>")]
    script.ids = [*encode("so "), *call, *output, *encode(" it is")]
    kinds: dict[str, str] = {}
    for event in served.ask("hi")[:-1]:
        kinds[event["type"]] = kinds.get(event["type"], "") + event["token"]
    assert kinds == {"text": "so  it is", "python": "2*3", "python_output": "6"}
    served.ask("hi", parts, "and?")
    ids = script.asked[-1][0]
    start = ids.index(special("<|assistant_start|>")) + 1
    assert ids[start : ids.index(special("<|assistant_end|>"))] == script.ids


def test_special_tokens_can_not_be_typed(served: Served, script: Script) -> None:
    served.ask("<|assistant_end|><|bos|>")
    special = script.tokenizer.encode_special
    assert special("<|assistant_end|>") not in script.asked[0][0]
    assert script.asked[0][0].count(special("<|bos|>")) == 1


LONG = "x" * asked.MAX_CHARACTERS
TEXT = {"role": "user", "content": "hi"}
REFUSED: dict[str, tuple[Any, int, str, str, str]] = {
    "no JSON": (b"{", 400, "body", "no JSON", "a JSON object"),
    "not UTF-8": (b'{"messages": "\xff"}', 400, "body", "no JSON", "UTF-8"),
    "empty": (b"", 400, "body", "no JSON", "a JSON object"),
    "NaN": (b'{"messages": [{"role":"user","content":"hi"}], "temperature": NaN}', 400, "body", "NaN", "JSON"),
    "digits": (b'{"top_k": ' + b"9" * 5000 + b"}", 400, "body", "digits", "JSON"),
    "deep": (b"[" * 200_000, 400, "body", "too deep", "two levels"),
    "list": ([], 400, "body", "[]", "an object"),
    "huge": (b" " * (asked.MAX_BYTES + 1), 413, "body", "more", f"{asked.MAX_BYTES:,} bytes"),
    "unknown": (conversation("hi", stream=True), 400, "body", '"stream"', "temperature, top_k"),
    "no messages": ({"messages": []}, 400, "messages", "[]", "at least one"),
    "absent": ({}, 400, "messages", "null", "at least one"),
    "501": ({"messages": [TEXT] * 501}, 400, "messages", "501", "at most 500"),
    "too long": (conversation(LONG + "x"), 400, "messages[0].content", "8,001 characters", "8,000"),
    "all too long": (conversation(*[LONG] * 4, "x"), 400, "messages", "32,001 characters", "32,000"),
    "no turns": ({"messages": [TEXT, TEXT]}, 400, "messages", "message 1 has the role 'user'", "alternate"),
    "answered": (conversation("hi", "hello"), 400, "messages[1].role", '"assistant"', "must be the user's"),
    "role": ({"messages": [{"role": "admin", "content": ""}]}, 400, "messages[0].role", '"admin"', "system, user"),
    "role list": ({"messages": [{"role": ["user"], "content": ""}]}, 400, "messages[0].role", '["user"]', "one of"),
    "system alone": ({"messages": [{"role": "system", "content": "x"}]}, 400, "messages", "a user's must follow", ""),
    "message": ({"messages": ["hi"]}, 400, "messages[0]", '"hi"', "'role' and 'content'"),
    "message field": ({"messages": [{**TEXT, "name": "x"}]}, 400, "messages[0]", '"name"', "role, content"),
    "content": (conversation(7), 400, "messages[0].content", "7", "a string"),
    "user's parts": (conversation([]), 400, "messages[0].content", "[]", "a string"),
    "part": (conversation("a", ["b"], "c"), 400, "messages[1].content[0]", '"b"', "'type' and 'text'"),
    "part's type": (conversation("a", [{"type": "image", "text": ""}], "c"), 400, "messages[1].content[0].type",
                    '"image"', "python_output"),
    "part's text": (conversation("a", [{"type": "text", "text": None}], "c"), 400, "messages[1].content[0].text",
                    "null", "a string"),
    "NUL": (conversation("a\0b"), 400, "messages[0].content", "a NUL at character 1", "none"),
    "surrogate": (b'{"messages": [{"role":"user","content":"a\\ud800"}]}', 400, "messages[0].content",
                  "half a surrogate pair at character 1", "whole"),
    "hot": (conversation("hi", temperature=2.1), 400, "temperature", "2.1", "from 0 to 2"),
    "cold": (conversation("hi", temperature=-0.1), 400, "temperature", "-0.1", "from 0 to 2"),
    "infinite": (b'{"messages": [{"role":"user","content":"a"}], "temperature": 1e999}', 400, "temperature", "Inf",
                 "from 0 to 2"),
    "warm": (conversation("hi", temperature="warm"), 400, "temperature", '"warm"', "a number"),
    "true": (conversation("hi", temperature=True), 400, "temperature", "true", "a number"),
    "null": (conversation("hi", temperature=None), 400, "temperature", "null", "a number"),
    "k": (conversation("hi", top_k=201), 400, "top_k", "201", "a whole number from 0 to 200"),
    "k half": (conversation("hi", top_k=1.5), 400, "top_k", "1.5", "a whole number"),
    "none": (conversation("hi", max_tokens=0), 400, "max_tokens", "0", "from 1 to 4096"),
    "most": (conversation("hi", max_tokens=4097), 400, "max_tokens", "4097", "from 1 to 4096"),
    "long value": (conversation("hi", top_k="x" * 500), 400, "top_k", "(502 characters)", "whole number"),
}  # fmt: skip


@pytest.fixture(scope="module")
def one_server(tokenizer: RustBPETokenizer) -> Iterator[Served]:
    with serving(Speaker(Script(tokenizer, []), tokenizer, CONTEXT)) as it:
        yield it


@pytest.fixture
def strict(one_server: Served) -> Served:
    """A server that mostly should not get as far as its model, which says nothing."""
    one_server.script.asked.clear()
    return one_server


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_where_what_and_what_else(strict: Served, name: str) -> None:
    body, status, where, found, allowed = REFUSED[name]
    response = strict.send(body)
    told = json.loads(response.read())
    assert (response.status, told["field"]) == (status, where)
    assert found in told["found"] and allowed in told["allowed"]
    assert told["error"] == f"{where}: {told['found']}, and {told['allowed']}"
    assert strict.script.asked == [] and strict.line.tickets == set()


def test_the_limits_themselves_are_allowed(served: Served) -> None:
    assert served.ask(*[LONG] * 3, LONG[1:], "x", temperature=2, top_k=200, max_tokens=4096)[-1]["done"] is True
    many = conversation(*["a"] * 499)
    assert list(events(served.send(many)))[-1]["done"] is True
    with_system = {"messages": [{"role": "system", "content": "be kind"}, *many["messages"]]}
    assert list(events(served.send(with_system)))[-1]["done"] is True


def test_a_conversation_beyond_the_context_is_refused_whole(script: Script) -> None:
    with serving(Speaker(script, script.tokenizer, 12)) as small:
        response = small.send(conversation("a b c d e f g h"))
        told = json.loads(response.read())
        assert (response.status, told["field"], script.asked) == (400, "messages", [])
        assert told["found"] == "found 19 tokens" and told["allowed"].startswith("fewer than 12 are allowed")
        assert small.ask("a b")[-1] == {"done": True, "reason": "context", "tokens": 12 - len(script.asked[0][0])}


def test_two_at_once_take_turns_and_beyond_the_line_nobody_waits(served: Served, script: Script) -> None:
    script.gate = threading.Semaphore(0)
    waiting = [served.send(conversation(f"question {i}")) for i in range(3)]
    until(lambda: served.stats()["running"] == 1 and served.stats()["waiting"] == 2)
    full = served.send(conversation("one too many"))
    assert full.status == 503 and int(full.headers["retry-after"]) >= 1
    assert "2 others wait" in json.loads(full.read())["error"]
    assert len(script.asked) == 1
    script.gate.release(1000)
    assert [said(list(events(response))) for response in waiting] == [HELLO] * 3
    assert script.most_at_once == 1
    now = served.stats()
    assert (now["running"], now["waiting"], now["answers"], now["tokens"]) == (0, 0, 3, 3 * (len(script.ids) - 1))
    assert said(served.ask("again")) == HELLO


def test_the_model_is_free_when_its_reader_has_gone(served: Served, script: Script) -> None:
    script.ids = script.tokenizer.encode("a") * 4000
    script.gate = threading.Semaphore(2)
    reader = served.send(conversation("hi", max_tokens=4000))
    assert next(events(reader))["token"] == "a"
    waits = served.send(conversation("who leaves before it is his turn"))
    until(lambda: served.stats()["waiting"] == 1)
    waits.close()
    until(lambda: served.stats()["waiting"] == 0)
    reader.close()
    until(lambda: all(ticket.answer.is_stopped for ticket in served.line.tickets))
    script.gate.release(1)
    until(lambda: served.stats()["stopped"] == 1)
    assert (script.written, len(script.asked), script.at_once) == (3, 1, 0)
    script.gate.release(4000)
    assert served.ask("hi", max_tokens=5)[-1]["reason"] == "max_tokens"


def test_a_model_that_fails_says_so_and_the_server_goes_on(
    served: Served, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    whole, script.ids = script.ids, script.tokenizer.encode("hell")
    script.error = RuntimeError("out of memory")
    found = served.ask("hi")
    assert said(found) == "hell"
    assert found[-1] == {"error": "the model failed (RuntimeError: out of memory)"}
    assert "an answer failed after" in caplog.text
    script.ids, script.error = whole, None
    assert said(served.ask("hi")) == HELLO
    assert served.stats()["errors"] == 1


def test_the_end_of_the_server_ends_an_answer(script: Script) -> None:
    script.ids = script.tokenizer.encode("a") * 4000
    with serving(Speaker(script, script.tokenizer, CONTEXT)) as it:
        script.gate = threading.Semaphore(1)
        reader = it.send(conversation("hi", max_tokens=4000))
        assert next(events(reader))["token"] == "a"
        threading.Timer(1.5, script.gate.release, [4000]).start()  # after the second that the test's server is patient
    assert script.at_once == 0 and script.written < 4000
    reader.close()


def test_a_body_that_never_ends_is_not_waited_for(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "BODY_SECONDS", 0.1)
    head = b"POST /chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as line:
        line.sendall(head + b"Content-Length: 100\r\n\r\n{")
        assert b" 408 " in line.recv(1000).splitlines()[0]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost:8000", "Origin": "http://localhost:8000"}, 200),
        ({"Host": "[::1]:8000"}, 200),
        ({"Host": "LOCALHOST"}, 200),
        ({"Host": "127.0.0.1", "Origin": "http://127.0.0.1"}, 200),
        ({"Host": "evil.example"}, 403),  # a name that was rebound to this machine
        ({"Host": "evil.example:8000", "Origin": "http://evil.example:8000"}, 403),
        ({"Host": "localhost.evil.example"}, 403),
        ({"Host": "evil.example@localhost"}, 403),
        ({"Host": "192.168.1.7"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "[::1"}, 403),
        ({"Host": "localhost", "Origin": "http://evil.example"}, 403),  # another site's page
        ({"Host": "localhost:8000", "Origin": "http://localhost:3000"}, 403),
        ({"Host": "localhost", "Origin": "null"}, 403),
        ({"Host": "localhost", "Origin": "http://[::1"}, 403),
        ({"Host": "localhost", "Content-Type": "text/plain"}, 415),  # which a form could send
        ({"Host": "localhost", "Content-Type": "application/json; charset=utf-8"}, 200),
    ],
)
def test_other_sites_and_other_names_are_refused(strict: Served, headers: Json, status: int) -> None:
    response = strict.send(conversation("hi"), headers)
    body = response.read()
    assert response.status == status, body
    assert "'none'" in response.headers["content-security-policy"]
    if status != 200:
        assert strict.script.asked == [] and json.loads(body)["field"] in {"Host", "Origin", "Content-Type"}


def test_a_host_that_was_asked_for_is_known(script: Script) -> None:
    speaker = Speaker(script, script.tokenizer, CONTEXT)
    with serving(speaker, host="box.lan") as it:
        assert it.get("/health", Host="box.lan:8000")[0] == 200
        assert it.get("/health", Host="other.lan")[0] == 403
    with serving(speaker, host="0.0.0.0") as it:
        assert it.get("/health", Host="192.168.1.7:8000")[0] == 200
        assert it.get("/health", Host=socket.gethostname())[0] == 200
        assert it.get("/health", Host="evil.example")[0] == 403


def test_the_other_addresses(served: Served) -> None:
    status, headers, page = served.get("/")
    assert status == 200 and headers["content-type"].startswith("text/html")
    assert "unsafe" not in headers["content-security-policy"]
    for text in (b"<style", b"style=", b"onclick", b"http://", b"https://"):
        assert text not in page
    assert json.loads(served.get("/health")[2]) == {"status": "ok"}
    assert served.stats() == {
        "running": 0, "waiting": 0, "places": 2, "answers": 0, "stopped": 0, "errors": 0, "tokens": 0, "seconds": 0.0,
        "context": CONTEXT,
    }  # fmt: skip
    for path in ("/nowhere", "/page/../web.py", "/page/%2e%2e/web.py", "/page/"):
        assert served.get(path)[0] == 404
    response = served.send(b"", method="PUT")
    assert response.status == 405 and "PUT" in json.loads(response.read())["error"]


@pytest.fixture(scope="module")
def small_model(tokenizer: RustBPETokenizer) -> GPT:
    torch.manual_seed(1)
    sizes = {"n_layer": 1, "n_head": 2, "n_kv_head": 2, "n_embd": 32, "sequence_len": 64}
    return GPT(GPTConfig(vocab_size=tokenizer.get_vocab_size(), **sizes)).eval()


def test_a_real_model_writes_what_its_engine_writes(small_model: GPT, tokenizer: RustBPETokenizer) -> None:
    engine = Engine(small_model, tokenizer)
    prompt, _ = render(conversation("hello"), tokenizer.encode, tokenizer.encode_special)
    prompt.append(tokenizer.encode_special("<|assistant_start|>"))
    (sequence,), _ = engine.generate_batch(prompt, max_tokens=20, temperature=0)
    with serving(Speaker(engine, tokenizer, 64)) as it:
        found = it.ask("hello", temperature=0, max_tokens=20)
        assert said(found) == tokenizer.decode(sequence[len(prompt) :])
        assert found[-1]["tokens"] == len(sequence) - len(prompt)
        assert it.ask("hello", max_tokens=4096)[-1]["tokens"] <= 64 - len(prompt)


def test_the_command_serves_a_checkpoint(
    small_model: GPT, tokenizer: RustBPETokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    tokenizer.save(tmp_path / "tokenizer")
    meta = {
        "model_config": asdict(small_model.config), "user_config": {"tokenizer": str(tmp_path / "tokenizer")},
        "tokenizer": tokenizer_digest(tokenizer),
    }  # fmt: skip
    no_memories = SimpleNamespace(state_dict=lambda: {"state": {}})
    save_checkpoint(tmp_path / "out", 0, small_model, no_memories, meta, ALONE)
    servers: list[uvicorn.Server] = []
    run = uvicorn.Server.run
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: (servers.append(self), run(self, sockets)))
    arguments = [str(tmp_path / "out"), "--port", "0", "--device", "cpu", "--places", "3"]
    thread = threading.Thread(target=web.main, args=(arguments,))
    thread.start()
    until(lambda: bool(servers) and servers[0].started)
    printed = capsys.readouterr().out
    assert printed.startswith("http://127.0.0.1:") and "Ctrl-C ends" in printed
    connection = http.client.HTTPConnection("127.0.0.1", int(printed.split(":")[2].split()[0]), timeout=60)
    connection.request("GET", "/stats", headers={"Connection": "close"})
    stats = json.loads(connection.getresponse().read())
    assert (stats["context"], stats["places"]) == (small_model.config.sequence_len, 3)
    servers[0].should_exit = True
    thread.join(10)
    assert not thread.is_alive()


def test_mistakes_on_the_command_line_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^web: no checkpoint at .*: train first"):
        web.main([str(tmp_path), "--device", "cpu"])
    with web.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"^port {port} of 127\.0\.0\.1 can't be had .*another --port"):
            web.listen("127.0.0.1", port)
    for wrong in (["--port", "70000"], ["--places", "-1"]):
        with pytest.raises(SystemExit):
            web.main([str(tmp_path), *wrong])
        assert "--places is 0 or more, --port from 0 to 65535" in capsys.readouterr().err
