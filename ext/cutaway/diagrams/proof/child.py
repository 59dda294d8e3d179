"""Prove drawings of one run, in a process of its own: ``python -m cutaway.diagrams.proof.child``, as runs.child."""

from __future__ import annotations

import dataclasses
import json
import random
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from ...runs.child import declared_run, read_arrays, send, serve
from ...runs.importer import install
from ...runs.instrument import Sites
from ...source.find import Source, SourceObject
from ...trace.names import Wanted
from ...trace.reading import load
from ..explain import chosen
from ..graph.flow import FlowError, flow
from ..graph.graph import Graph
from .changing import Changing, Judge, Over
from .proving import Again, ProofError, prove

NOT_AGAIN = {"error": "the run did not come to this call again: it differs from time to time"}


def _prove(request: Mapping[str, Any], channel: TextIO) -> None:
    """Write what came of each asked-for ``[function, of]``: a proof's fields, or why there is none."""
    source = Source({name: [Path(folder) for folder in all] for name, all in request["sources"].items()})
    trace, found = load(Path(request["trace"])), [NOT_AGAIN] * len(request["asked"])
    judges: dict[int, Judge] = {}
    for number, (function, of) in enumerate(request["asked"]):
        try:
            obj = source.find(function)
            _, call = chosen({trace.run: trace}, function, Wanted.read(of))
            graph = flow(obj, trace, call)
        except FlowError as error:
            found[number] = {"error": str(error)}
            continue
        judges[call.index] = _judge(graph, obj, found, number, channel)
    recorder = Changing(Sites(), judges)
    install(request["beside"])
    install(request["sources"], recorder, recorder.sites, request["recorded"])
    if judges:
        _seed()
        with suppress(Over):
            declared_run(request).trace(read_arrays(Path(request["weights"])), recorder)
    Path(request["result"]).write_text(json.dumps(found), "utf-8")


def _judge(graph: Graph, obj: SourceObject, found: list[dict[str, Any]], number: int, channel: TextIO) -> Judge:
    def judge(again: Again) -> None:
        send(channel, {"moved": f"proving {obj.dotted}"})
        try:
            found[number] = dataclasses.asdict(prove(graph, obj, again))
        except ProofError as error:
            found[number] = {"error": str(error)}

    return judge


def _seed() -> None:
    random.seed(0)
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


if __name__ == "__main__":
    sys.exit(serve({"prove": _prove}))
