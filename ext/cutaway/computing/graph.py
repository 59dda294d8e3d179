"""The graph of a pass, as the trace holds it, and which recorded values its nodes are.

A node is found by value: the digest of what it gave equals the digest of what was recorded. Where several nodes gave
the same numbers (dropout in ``eval`` changes nothing), the one of the same module and line counts, then the first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..trace.reading import Record, Trace, TraceError

if TYPE_CHECKING:
    import numpy as np

WEIGHT, INPUT = "weight", "input"


@dataclass(frozen=True)
class Node:
    """One operation. In its arguments ``%3`` is what node 3 gave."""

    op: str
    args: list[Any]
    kwargs: dict[str, Any]
    module: str
    line: int
    digest: str  # of the numbers that it gave; "" where it gave no tensor


class Graph:
    """A model's pass as operations, with its weights and what it was given.

    ``T``: tokens of the recorded input; ``least`` and ``most``: how many it takes, 0 where that is not known.
    """

    def __init__(self, trace: Trace, pass_: str) -> None:
        live = trace.live[pass_]
        self.trace, self.pass_ = trace, pass_
        self.name = f"{trace.run}.{pass_}"
        self.T, self.least, self.most = int(live["T"]), int(live["least"]), int(live["most"])
        self.reads: Mapping[str, Any] = live["reads"]
        self.nodes = [Node(*row) for row in live["nodes"]]

    @cached_property
    def weights(self) -> dict[int, np.ndarray]:
        """The arrays of the nodes that are weights, by the nodes' numbers."""
        found = ((number, node) for number, node in enumerate(self.nodes) if node.op == WEIGHT)
        return {number: self.trace.value(node.args[0]).array() for number, node in found}

    @cached_property
    def inputs(self) -> list[np.ndarray]:
        """The recorded arguments, in their order."""
        given = [number for number, node in enumerate(self.nodes) if node.op == INPUT]
        lacking = [self.nodes[number].kwargs["name"] for number in given if not self.where.get(number)]
        if lacking:
            raise TraceError(f"{self.name}: the recorded pass did not get what record.live got as {', '.join(lacking)}")
        return [self.where[number][0].value.array() for number in given]

    @cached_property
    def records(self) -> list[Record]:
        """The recorded tensors of the pass, in their order."""
        calls = self.trace.calls(pass_=self.pass_)
        found = [record for call in calls for record in self.trace.records(call) if record.value.type == "tensor"]
        return sorted(found, key=lambda record: record.index)  # a call comes before those that it makes

    @cached_property
    def found(self) -> dict[int, int]:
        """Recorded value to node, by the record's index; a value that no node gave is missing."""
        by_digest: dict[str, list[int]] = defaultdict(list)
        for number, node in enumerate(self.nodes):
            if node.digest:
                by_digest[node.digest].append(number)
        return {
            record.index: min(candidates, key=lambda number: self._distance(record, number))
            for record in self.records
            if (candidates := by_digest.get(record.value.digest))
        }

    def _distance(self, record: Record, number: int) -> tuple[bool, bool, int]:
        """How far a node is from where a value was recorded: another module, another line, its place."""
        node, span = self.nodes[number], record.site.span
        is_near = node.module in (record.call.module_path, record.callee)
        return not is_near, not span.line <= node.line <= span.end_line, number

    @cached_property
    def where(self) -> dict[int, list[Record]]:
        """Node to the recorded values that it is, in the order in which they were recorded."""
        places: dict[int, list[Record]] = defaultdict(list)
        for record in self.records:
            if record.index in self.found:
                places[self.found[record.index]].append(record)
        return dict(places)

    def node_of(self, record: Record) -> int | None:
        """The node that gave a recorded value."""
        return self.found.get(record.index)

    @cached_property
    def learned(self) -> frozenset[str]:
        """Digests of the model's parameters; other weights are constants, such as a mask."""
        return frozenset(value.digest for value in self.trace.params.values())

    def recorded(self, number: int) -> np.ndarray:
        """The numbers that were recorded of a node."""
        return self.where[number][0].value.array()

    def scale(self, number: int) -> float:
        """What a difference at a node is measured by: its largest number.

        Of a loss the largest of what it was computed from: of a sure answer it is what rounding leaves of a difference.
        """
        node = self.nodes[number]
        of = int(node.args[0][1:]) if node.op.startswith("cross_entropy") else number
        import numpy as np

        array = np.abs(self.recorded(of if of in self.where else number).astype("f8"))
        return float(array[np.isfinite(array)].max(initial=0)) or 1.0

    def label(self, number: int) -> str:
        """A short name: a weight's or an input's own, the variable that got the value, the module or what gave it."""
        node = self.nodes[number]
        if node.op in (WEIGHT, INPUT):
            return str(node.kwargs["name"])
        records = self.where.get(number, [])
        bound = [record.site.name for record in records if record.site.kind == "bind" and record.site.name]
        modules = [record.callee.rpartition(".")[2] for record in records if record.callee]
        passed = [record.site.name for record in records if record.site.name]
        return next(iter([*bound, *modules, *passed]), node.op.partition(".")[0])

    def axes(self, number: int) -> tuple[str | None, ...] | None:
        """A letter for each axis, where the recorded value has them."""
        return next((record.value.axes for record in self.where.get(number, []) if record.value.axes), None)


def graph_of(trace: Trace, pass_: str) -> Graph:
    """The graph of a pass; TraceError where its run does not say ``record.live``."""
    if pass_ not in trace.live:
        asked = f"record.live({pass_!r}, model, ...)"
        raise TraceError(f"the run '{trace.run}' keeps no graph of the pass '{pass_}': say {asked} in its trace method")
    return Graph(trace, pass_)
