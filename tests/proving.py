"""Prove a drawing by intervention: change what one box gives, run again, and see which other boxes give something else.

It must be the boxes to which the drawing's arrows lead, one after another, and no others. The oracle knows nothing of
names or tapes: it only compares what was recorded at the boxes' places in two runs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from recorded import compiled

from cutaway.diagrams.graph.flow import flow
from cutaway.diagrams.graph.graph import Graph
from cutaway.runs.child import _content
from cutaway.runs.recorder import Recorder
from cutaway.runs.tape import tensors_of
from cutaway.source.find import Source, Span
from cutaway.trace.reading import Arrays, Trace

Run = Callable[[dict[str, Any]], Any]


class Changing(Recorder):
    """A recorder that hands back another value than it was given, of the expression at one place of one function."""

    def __init__(self, function: str, span: Span | None, in_place: bool) -> None:
        super().__init__()
        self.function, self.span, self.in_place = function, span, in_place
        self.seen: dict[tuple[str, Span, str], list[str]] = defaultdict(list)  # kind, place and name -> what was there

    def result(self, call: Any, site: int, value: Any) -> Any:
        return super().result(call, site, self._changed(site, value))

    def op(self, call: Any, site: int, value: Any) -> Any:
        return super().op(call, site, self._changed(site, value))

    def _changed(self, site: int, value: Any) -> Any:
        function, _, span, _ = self.sites.rows[site]
        if (span, self.sites.functions[function]) != (self.span, self.function):
            return value
        with self.tape.paused(), torch.no_grad():
            return changed(value, self.in_place)

    def _record(self, call: Any, site: int, value: Any, callee: str = "") -> None:
        super()._record(call, site, value, callee)
        function, kind, span, name = self.sites.rows[site]
        if self.sites.functions[function] == self.function and self.calls[call.index][1] == function:
            with self.tape.paused():
                held = [str(tensor.detach().tolist()) for tensor in tensors_of(value)]
            self.seen[kind, span, name or ""].append(" ".join(held))


def changed(value: Any, in_place: bool) -> Any:
    """Another value of the same shape; what holds no floating-point tensor stays."""
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        noise = torch.linspace(0.3, 0.7, value.numel(), dtype=value.dtype).view(value.shape)
        return value.add_(noise) if in_place else value.detach() + noise
    if isinstance(value, tuple | list):
        return type(value)(changed(item, in_place) for item in value)
    return value


def given(recorder: Changing, graph: Graph) -> dict[int, list[str]]:
    """What each box gave: what was recorded at its place, or of the variables that it names."""
    found = {}
    for node in graph.nodes:
        lines = {span[0] for span in node.spans}
        found[node.id] = [
            text
            for (kind, span, name), texts in recorder.seen.items()
            if (span in node.spans and kind != "test") or (kind == "bind" and name in node.names and span[0] in lines)
            for text in texts
        ]
    return found


def downstream(graph: Graph, node: int) -> set[int]:
    """The boxes to which arrows lead from one, directly or through others."""
    reached, pending = set[int](), [node]
    while pending:
        more = {edge.target for edge in graph.outgoing(pending.pop())} - reached
        reached |= more
        pending += more
    return reached


def disagreements(folder: Path, code: str, run: Run, name: str = "f") -> tuple[int, list[str]]:
    """How many boxes could be changed, and where the drawing and what happened then differ."""

    def again(span: Span | None, in_place: bool = False) -> Changing:
        recorder = Changing(f"m.code.{name}", span, in_place)
        _, names = compiled(folder, code, recorder)
        torch.manual_seed(0)
        with recorder("forward", names["model"]):
            run(names)
        return recorder

    first = again(None)
    trace = Trace(_content("test", first, {"facts": {}, "log": {}}), Arrays(folder / "code.py"))
    obj = Source({"m": [folder]}).find(f"m.code.{name}")
    graph = flow(obj, trace, trace.calls(obj.dotted)[0])
    before, wrong, moved = given(first, graph), [], 0
    for node in graph.nodes:
        if node.kind in ("input", "output", "again"):
            continue
        after = given(again(node.spans[0], bool(re.search(r"\w_\(|out=", node.code))), graph)
        if after[node.id] == before[node.id]:
            continue  # nothing that can be changed, such as indices
        moved += 1
        seen = {other for other in before if before[other]}  # a part of a tuple that is returned is not recorded
        reached = downstream(graph, node.id) & seen
        felt = {other for other in seen if other != node.id and before[other] != after[other]}
        codes = {other.id: other.code for other in graph.nodes}
        wrong += [f"{node.code!r} changes {codes[other]!r} without an arrow" for other in sorted(felt - reached)]
        wrong += [f"{node.code!r} leads to {codes[other]!r}, which stays" for other in sorted(reached - felt)]
    return moved, wrong
