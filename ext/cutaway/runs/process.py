"""Execute one stage of a run in a child process, under a time limit, and report its progress."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from threading import Event
from typing import Any

from ..progress import Moving
from ..settings import Book
from ..store import make_folder
from .declared import Declared, RunError
from .reads import Told

DOING = {"train": "training", "trace": "tracing", "prove": "proving"}
THREADS = 1  # in children: the bits of a sum depend on the number of threads
Report = Callable[[str], None]


def execute(
    book: Book, run: Declared, stage: str, out: Path, more: Mapping[str, Any], report: Report, stop: Event,
    module: str = "cutaway.runs.child",
) -> Told:  # fmt: skip
    """Run a stage in a child with a time limit; its progress is reported, its error raised as RunError."""
    request = {
        "stage": stage,
        "cls": run.cls,
        "run": run.name,
        "file": str(run.file),
        "sources": _texts({name: book.sources[name] for name in run.packages}),
        "recorded": list(run.sources),
        "beside": _texts(run.beside),
        "out": str(out),
        **more,
    }
    make_folder(out)
    _forget_compiled(run.file)
    threads = {name: str(THREADS) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    child = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **threads, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        start_new_session=True,
    )
    told = Told()
    try:
        error = _follow(child, json.dumps(request).encode(), run, report, stop, told)
    finally:
        _stop(child)
    if error:
        raise RunError(f"the run {run.name!r} failed while {DOING[stage]}:\n{error}")
    return told


def _forget_compiled(file: Path) -> None:
    """Remove what Python compiled of a file: it takes that for fresh if size and second of the source are the same."""
    with suppress(OSError):
        Path(cache_from_source(str(file))).unlink()


def _texts(packages: Mapping[str, Sequence[Path]]) -> dict[str, list[str]]:
    return {name: [str(folder) for folder in folders] for name, folders in packages.items()}


def _follow(
    child: subprocess.Popen[bytes], request: bytes, run: Declared, report: Report, stop: Event, told: Told
) -> str:
    """Pass the request on, report each line of progress until the child ends; the error's text, or nothing."""
    assert child.stdin and child.stdout
    child.stdin.write(request + b"\n")
    child.stdin.flush()  # it stays open: its end tells the child that we are gone
    deadline, pending, error = time.monotonic() + run.limit_s, b"", ""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if stop.is_set():
                return "it was stopped"
            if left <= 0:
                return f"it took longer than its limit_s = {run.limit_s:g} s and was stopped"
            if not selector.select(min(left, 1.0)):
                continue
            chunk = os.read(child.stdout.fileno(), 65536)
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                message = json.loads(line)
                error = message.get("error", error)
                told.read += message.get("read", [])
                told.warnings += message.get("warnings", [])
                if "progress" in message:
                    report(f"run {run.name}: {message['progress']}")
                if "moved" in message:
                    report(Moving(f"run {run.name}: {message['moved']}"))
            if not chunk:
                break
    code = child.wait()
    return error or (f"its process ended with {_ending(code)}" if code else "")


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _stop(child: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it started: Ctrl-C and time limits leave no process behind."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe:
            pipe.close()
