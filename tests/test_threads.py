"""Threads of the recorded code are told apart: each has its calls under way, and the tape hears them all."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import recorded

from cutaway.trace.reading import Trace

CODE = """
    import threading
    from concurrent.futures import ThreadPoolExecutor

    meet = threading.Barrier(2)

    def f(x):
        with ThreadPoolExecutor(2) as pool:
            a, b = pool.map(outer, (x, -x))
        return a + b

    def outer(x):
        meet.wait(20)
        y = inner(x)
        meet.wait(20)
        return y * 2

    def inner(x):
        meet.wait(20)
        z = x * 3
        meet.wait(20)
        return z
"""


POOL = "a, b = pool.map(outer, (x, -x))"


def test_calls_of_two_threads_that_run_at_once_are_each_in_its_own(tmp_path: Path) -> None:
    import torch

    _, trace = recorded.record(tmp_path, CODE, lambda names: names["f"](torch.arange(3.0) + 1))
    inner = trace.calls("m.code.inner")
    assert [call.caller and call.caller.function for call in inner] == ["m.code.outer"] * 2
    assert inner[0].caller != inner[1].caller
    for call in inner:
        given, got = (named(trace, one) for one in (call.caller, call))
        assert given["x"] == got["x"] and given["y"] == got["z"]
    assert len({named(trace, call)["x"] for call in inner}) == 2


def named(trace: Trace, call: Any) -> dict[str, str]:
    """The digest of what each name of a call holds."""
    records = [record for record in trace.records(call) if record.site.kind in ("param", "bind")]
    return {record.site.name or "": record.value.digest for record in records}


def test_the_tape_hears_what_runs_in_threads(tmp_path: Path) -> None:
    import torch

    graph = recorded.graph(tmp_path, CODE, lambda names: names["f"](torch.arange(3.0) + 1))
    codes = [node.code for node in graph.nodes]
    found = {(codes[edge.source], codes[edge.target]) for edge in graph.edges}
    assert found == {("x", POOL), (POOL, "a + b"), ("a + b", "return")}


def test_the_recorder_goes_on_after_a_thread_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    code = """
    from threading import Thread

    def f(x):
        thread = Thread(target=fails, args=(x,))
        thread.start()
        thread.join()
        return works(x)

    def fails(x):
        return works(x.no_such_thing)

    def works(x):
        y = x * 2
        return y
    """
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    _, trace = recorded.record(tmp_path, code, lambda names: names["f"](torch.ones(2)))
    [call] = trace.calls("m.code.works")
    [f] = trace.calls("m.code.f")
    assert call.caller == f
