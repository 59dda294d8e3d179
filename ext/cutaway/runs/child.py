"""One stage of a run, in a process of its own: ``python -m cutaway.runs.child`` with a request on standard input.

Progress and errors go to the parent as lines of JSON on the real standard output. What the explained code prints is
dropped (a model that announces its size is no news), its errors come back with the traceback of the code's own frames.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from ..store import Store, Unkept, digest
from .importer import author_s_class, install
from .keeping import thin, write_arrays
from .reads import listen
from .recorder import Recorder, to_array

HERE = str(Path(__file__).parents[1])


class Log:
    """What training reports: ``log(step, loss=0.3)`` keeps a point of each series; ``log.fact(accuracy=1.0)``."""

    def __init__(self, send: Callable[[dict[str, str]], None]) -> None:
        self.series: dict[str, list[list[float]]] = {}
        self.facts: dict[str, Any] = {}
        self._send = send
        self._last = 0.0

    def __call__(self, step: int, **values: float) -> None:
        for name, value in values.items():
            self.series.setdefault(name, []).append([step, float(value)])
        if time.monotonic() - self._last > 1:  # the parent thins it further
            self._last = time.monotonic()
            self._send({"moved": f"step {step}, " + ", ".join(f"{k} {v:.4f}" for k, v in values.items())})

    def fact(self, **facts: bool | int | float | str) -> None:
        self.facts.update(facts)


def main() -> int:
    return serve({"train": _train, "trace": _trace})


def serve(stages: Mapping[str, Callable[[Mapping[str, Any], TextIO], None]]) -> int:
    """Do what the request on standard input asks for; the exit code."""
    channel, request = _channel(), json.loads(io.FileIO(0, closefd=False).readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        stages[request["stage"]](request, channel)
    except BaseException as error:  # SystemExit and KeyboardInterrupt of the explained code included
        send(channel, {"error": _own_frames(error)})
        return 1
    return 0


def _end_with_parent() -> None:
    """Nobody waits for the result of a builder that was killed: end with it, and whatever was started here."""
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


def _listen(request: Mapping[str, Any]) -> Callable[[], list[Path]]:
    """Note which files are read from now on, of the author's."""
    return listen([Path(request["out"]).parents[1], Path(HERE)])


def _train(request: Mapping[str, Any], channel: TextIO) -> None:
    read = _listen(request)
    install(request["beside"])
    install(request["sources"])
    log = Log(lambda message: send(channel, message))
    given = {run: read_arrays(Path(path)) for run, path in request["given"].items()}
    weights = {name: to_array(value)[0] for name, value in declared_run(request).train(log, **given).items()}
    _check_numbers({f"weights {name!r}": array for name, array in weights.items()})
    _check_numbers({f"log {name!r}": [value for _, value in rows] for name, rows in log.series.items()})
    _check_numbers({f"fact {name!r}": value for name, value in log.facts.items()})
    content = {"digest": digest({name: array.tobytes() for name, array in weights.items()})}
    _save(Path(request["out"]), weights, {"log": log.series, "facts": log.facts, **content})
    send(channel, {"read": [str(path) for path in read()]})


def _check_numbers(found: Mapping[str, Any]) -> None:
    """A training that went astray is a failure, not a book full of NaN."""
    for what, values in found.items():
        array = np.asarray(values)
        if array.dtype.kind == "f" and np.isnan(array).any():
            raise ValueError(f"{what}: {int(np.isnan(array).sum())} of {array.size} values are not a number (NaN)")


def _trace(request: Mapping[str, Any], channel: TextIO) -> None:
    recorder, read = Recorder(), _listen(request)
    install(request["beside"])
    install(request["sources"], recorder, recorder.sites, request["recorded"])
    weights = Path(request["weights"])
    declared_run(request).trace(read_arrays(weights), recorder)
    if not recorder.passes:
        raise ValueError(
            f"the run {request['run']!r} recorded no pass: use `with record(NAME, model):` in its trace method"
        )
    recorder.name_axes()
    _check_numbers({f"fact {name!r}": value for name, value in recorder.facts.items()})
    for notice in recorder.notices:
        send(channel, {"progress": notice})
    trained = json.loads(weights.with_suffix(".json").read_text("utf-8"))
    arrays = thin(recorder)
    _save(Path(request["out"]), arrays, _content(request["run"], recorder, trained))
    send(channel, {"read": [str(path) for path in read()], "warnings": recorder.warnings})


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _content(run: str, recorder: Recorder, trained: Mapping[str, Any]) -> dict[str, Any]:
    from ..trace.reading import FORMAT

    return {
        "format": FORMAT,
        "run": run,
        "facts": {**trained["facts"], **recorder.facts},
        "log": trained["log"],
        "passes": recorder.passes,
        "live": recorder.live_passes,
        "parameters": recorder.parameters,
        "functions": recorder.sites.functions,
        "sites": recorder.sites.rows,
        "calls": recorder.calls,
        "records": recorder.records,
        "values": recorder.values,
        "tape": recorder.tape.entries,
        "given": recorder.tape.given,
        "strange": recorder.tape.strange,
        "read": recorder.tape.read,
    }


def declared_run(request: Mapping[str, Any]) -> Any:
    return author_s_class(request["file"], request["cls"])()


def _save(out: Path, arrays: Mapping[str, np.ndarray], content: Mapping[str, Any]) -> None:
    """The arrays, then the JSON that vouches for them: its being there is the sign that the artifact is whole."""
    store, kind = Store(out.parents[1]), out.parent.name
    store.write(kind, out.stem, ".npz", lambda path: write_arrays(path, arrays))
    store.vouch(kind, out.stem, [".npz"], **content)


def _channel() -> TextIO:
    """The parent's pipe; standard output leads nowhere from now on."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8")
    return channel


def send(channel: TextIO, message: Mapping[str, Any]) -> None:
    channel.write(json.dumps(message) + "\n")
    channel.flush()


def _own_frames(error: BaseException) -> str:
    """The traceback as the explained code's author knows it: without the recorder's and the importer's frames."""
    if isinstance(error, Unkept):
        return str(error.strerror)
    summary: traceback.TracebackException | None = traceback.TracebackException.from_exception(error)
    chain: list[traceback.TracebackException] = []
    while summary is not None and summary not in chain:
        chain.append(summary)
        kept = [f for f in summary.stack if not f.filename.startswith((HERE, "<frozen"))]
        summary.stack = traceback.StackSummary.from_list(kept)
        summary = summary.__cause__ or summary.__context__
    if not any(part.stack for part in chain):  # it is ours to say, as of a full disk
        return "".join(chain[0].format_exception_only()).rstrip()
    return "".join(chain[0].format()).rstrip()


if __name__ == "__main__":
    sys.exit(main())
