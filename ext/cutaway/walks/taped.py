"""A pass that torch can't export, or that is too large: the recorded tensors, and which were made of which by the tape.

Each is a node without an operation that could be computed again. A tensor whose numbers the trace does not keep, or
that is larger than a page should hold, is a shape alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from ..computing.graph import INPUT, WEIGHT, Graph, Node
from ..trace.reading import Record, Trace, TraceError, Value
from .panels import RECORDED

LARGEST, ROOM = 8 << 20, 64 << 20  # bytes of a tensor, and of all tensors, whose numbers a page gets
WITHIN = ("weight", "bias")


class Taped(Graph):
    """The recorded tensors of a pass as a graph. ``hollow``: nodes of which only the shape is shown."""

    def __init__(self, trace: Trace, pass_: str) -> None:
        self.trace, self.pass_ = trace, pass_
        self.name = f"{trace.run}.{pass_}.{RECORDED}"  # beside the graph of the pass, if pages compute that
        self.reads: Mapping[str, Any] = {}
        self.nodes = []
        self.held: list[Value] = []  # of each node
        self._records_of: dict[int, Record] = {}
        self._build()
        if not self._records_of:
            raise TraceError(f"the pass '{pass_}' of the run '{trace.run}' recorded no tensor: there is nothing to see")
        self.T = next((value.shape[1] for value in self._given if value.shape and len(value.shape) > 1), 0)
        self.least = self.most = self.T

    def _build(self) -> None:
        entries = self._entries()
        number_of: dict[int, int] = {}
        weights: dict[str, int] = {}
        reached = _Reached(self.trace.tape, set(entries))
        for entry, record in entries.items():
            is_given = entry in self.trace.given and entry not in self.trace.strange
            if is_given:
                node = Node(INPUT, [len(self._given), list(record.value.shape or ())], {"name": record.site.name or ""},
                            "", 0, record.value.digest)  # fmt: skip
            else:
                before = [f"%{number_of[one]}" for one in reached.before(entry) if one in number_of]
                own = [f"%{self._weight(name, weights)}" for name in self._weights_of(record)]
                line = record.site.span.line
                path = record.callee or record.call.module_path
                node = Node(RECORDED, [*before, *own], {}, path, line, record.value.digest)
            number_of[entry] = self._add(node, record.value)
            self._records_of[number_of[entry]] = record

    def _entries(self) -> dict[int, Record]:
        """By the tape's entry, what was recorded of it first, in the order of the tape; several lines may name one."""
        found: dict[int, Record] = {}
        params = {value.digest for value in self.trace.params.values()}
        for record in self.records:
            if len(record.origins) == 1 and record.value.digest not in params and record.value.shape is not None:
                found.setdefault(record.origins[0], record)
        return dict(sorted(found.items()))

    def _weights_of(self, record: Record) -> Iterator[str]:
        """The learned arrays of a library's module that was called, ``c_fc.weight``."""
        callee = next((one.callee for one in self._alike[record.origins] if one.callee), "")
        for name in self.trace.params if callee else ():
            if name.rpartition(".")[0] == callee and name.rpartition(".")[2] in WITHIN:
                yield name

    def _weight(self, name: str, known: dict[str, int]) -> int:
        if name not in known:
            value = self.trace.params[name]
            known[name] = self._add(Node(WEIGHT, [], {"name": name}, "", 0, value.digest), value)
        return known[name]

    def _add(self, node: Node, value: Value) -> int:
        self.nodes.append(node)
        self.held.append(value)
        return len(self.nodes) - 1

    @property
    def _given(self) -> list[Value]:
        return [value for value, node in zip(self.held, self.nodes, strict=True) if node.op == INPUT]

    @cached_property
    def hollow(self) -> frozenset[int]:
        sizes = {number: _bytes(value) for number, value in enumerate(self.held)}
        is_much = sum(sizes.values()) > ROOM
        return frozenset(n for n, size in sizes.items() if is_much or size > LARGEST or not self.held[n].kept)

    @cached_property
    def values(self) -> list[np.ndarray]:
        """What each node holds; of a hollow one, nothing of this shape."""
        return [
            np.broadcast_to(np.float32(np.nan), value.shape or ()) if number in self.hollow else value.array()
            for number, value in enumerate(self.held)
        ]

    @cached_property
    def weights(self) -> dict[int, np.ndarray]:
        """Every array, since none is computed."""
        return dict(enumerate(self.values))

    @cached_property
    def inputs(self) -> list[np.ndarray]:
        return [self.values[number] for number, node in enumerate(self.nodes) if node.op == INPUT]

    @cached_property
    def found(self) -> dict[int, int]:
        by_digest: dict[str, int] = {}
        for number, node in enumerate(self.nodes):
            by_digest.setdefault(node.digest, number)
        own = {record.index: number for number, record in self._records_of.items()}
        others = {one.index: by_digest[one.value.digest] for one in self.records if one.value.digest in by_digest}
        return others | own

    @cached_property
    def where(self) -> dict[int, list[Record]]:
        found = super().where
        return {number: sorted(all, key=lambda one: one is not self._records_of.get(number)) for number, all in
                found.items()}  # fmt: skip

    def label(self, number: int) -> str:
        record = self._records_of.get(number)
        if record is None:
            return super().label(number)
        same = self._alike.get(record.origins, [])
        names = [one.site.name for one in same if one.site.name] + [one.callee.rpartition(".")[2] for one in same]
        return next(filter(None, names), f"line {record.site.span.line}")

    @cached_property
    def _alike(self) -> dict[tuple[int, ...], list[Record]]:
        """The records of one tensor, which several lines may hand on."""
        found: dict[tuple[int, ...], list[Record]] = {}
        for record in self.records:
            found.setdefault(record.origins, []).append(record)
        return found


class _Reached:
    """Which recorded entries an entry was made of, by way of those that nobody recorded."""

    def __init__(self, tape: list[list[int]], known: set[int]) -> None:
        self.tape, self.known = tape, known
        self._found: dict[int, dict[int, None]] = {}

    def before(self, entry: int) -> list[int]:
        pending = [entry]
        while pending:
            at = pending[-1]
            lacking = [one for one in self.tape[at] if one not in self.known and one not in self._found]
            if lacking:
                pending += lacking
                continue
            self._found[at] = {
                other: None
                for one in self.tape[at]
                for other in ([one] if one in self.known else self._found[one])
            }
            pending.pop()
        return list(self._found[entry])


def _bytes(value: Value) -> int:
    return 4 * int(np.prod(value.shape or (), dtype=float))
