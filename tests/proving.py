"""Prove the drawing of a few lines of code by intervention, in this process instead of a run's child."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from recorded import compiled, record

from cutaway.diagrams.graph.flow import flow
from cutaway.diagrams.proof.changing import Changing, Over
from cutaway.diagrams.proof.proving import Proof, prove
from cutaway.runs.instrument import Sites

Run = Callable[[dict[str, Any]], Any]


def proof(folder: Path, code: str, run: Run, name: str = "f") -> Proof:
    """What came of the drawing of the first call of ``m.code.NAME``."""
    source, trace = record(folder, code, run)
    obj = source.find(f"m.code.{name}")
    [call, *_] = trace.calls(obj.dotted)
    found: list[Proof] = []
    judge = lambda again: found.append(prove(flow(obj, trace, call), obj, again))  # noqa: E731
    recorder = Changing(Sites(), {call.index: judge})
    _, names = compiled(folder, code, recorder)
    with suppress(Over), recorder("forward", names["model"]):
        run(names)
    return found[0]
