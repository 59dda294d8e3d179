"""Have drawings proven: what is asked of one run goes to one child."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from ...runs import RunError, declared
from ...runs.process import Report, execute
from ...settings import Book
from ...trace.names import Wanted
from ...trace.reading import Trace, load
from ..explain import chosen, explained_in, function_of
from ..graph.flow import flow
from .proving import Proof

CHILD = "cutaway.diagrams.proof.child"


def proofs(
    book: Book, report: Report, run: str, paths: Mapping[str, str], asked: Sequence[tuple[str, str]]
) -> list[Proof | str]:
    """What came of each ``(function, of)`` of a run whose ``paths`` are its "trace" and "weights", or why there is
    no drawing. Raises RunError."""
    [chosen_run] = [one for one in declared(book.runs) if one.name == run]
    with TemporaryDirectory() as folder:
        result = Path(folder) / "found" / "result.json"
        more = {**paths, "result": str(result), "asked": list(asked)}
        execute(book, chosen_run, "prove", result, more, report, Event(), CHILD)
        if not result.is_file():
            raise RunError(f"the run {run!r} ended without a result: does it call os._exit or end its own process?")
        found = json.loads(result.read_text("utf-8"))
    return [one["error"] if "error" in one else Proof(**one) for one in found]


def proof_of(book: Book, asked: str, of: str | None, report: Report) -> tuple[Proof, str]:
    """What came of the drawing that :func:`explain` prints, and where it was recorded: ``RUN.PASS/MODULE``."""
    dotted, of, outcomes = explained_in(book, asked, of, report)
    traces: dict[str, Trace] = {name: load(Path(outcome.trace)) for name, outcome in outcomes.items()}
    obj = function_of(book.source, dotted)
    trace, call = chosen(traces, obj.dotted, Wanted.read(of))
    flow(obj, trace, call)  # says what is wrong with it, before anything is run
    outcome = outcomes[trace.run]
    place = f"{trace.run}.{call.pass_}" + (f"/{call.module_path}" if call.module_path else "")
    paths = {"trace": outcome.trace, "weights": outcome.weights}
    [found] = proofs(book, report, trace.run, paths, [(obj.dotted, of or place)])
    if isinstance(found, str):
        raise RunError(found)
    return found, place
