"""Where the panels of a pass stand: columns of rows, one column for each repeated layer.

The spine of a column is what everything flows through (the residual stream); it runs down at x = 0. Branches stand left
of it, in rows by how far they are from the spine; within a row, operations that keep the shape stand side by side.
Weights stand left of what they make. Nothing here knows what a GPT is.

Lengths are in cells; x grows to the right, y downwards, z towards the viewer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..computing.graph import INPUT, Graph
from .column import APART, GAP, LONE, Block, Column, Wire
from .panels import Seen

LAYERS = re.compile(r"^(?:.*?\.)??[^\W\d]\w*\.\d+(?=\.|$)")
LARGE = 0.6  # of a layer's height: what comes before the first or after the last gets a column of its own


@dataclass(frozen=True)
class Layout:
    blocks: tuple[Block, ...]
    wires: tuple[Wire, ...]
    columns: tuple[tuple[str, float, float, float, float], ...]  # name, left, top, right, bottom
    spine: tuple[int, ...]

    @property
    def bounds(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        low = tuple(min(block.at[axis] for block in self.blocks) for axis in range(3))
        high = tuple(max(block.at[axis] + (*block.cells, LONE)[axis] for block in self.blocks) for axis in range(3))
        return low, high  # type: ignore[return-value]


def layout(seen: Seen) -> Layout:
    """The whole pass in space."""
    spine = _spine(seen)
    groups = _columns(seen, spine, _groups(seen))
    blocks: list[Block] = []
    wires: list[Wire] = []
    columns = []
    left = 0.0
    before: tuple[float, float] | None = None  # where the stream leaves the column before
    for name, numbers in groups:
        column = Column(seen, spine, numbers, not name)
        shift = left + column.reach
        blocks += [_moved(block, shift) for block in column.blocks]
        wires += [Wire(tuple((x + shift, y, z) for x, y, z in wire.points)) for wire in column.wires]
        if column.spine:
            first, last = column.outline(column.spine[0]), column.outline(column.spine[-1])
            begin, end = (first[0] + first[2]) / 2 + shift, (last[0] + last[2]) / 2 + shift
            if before is not None:
                turn, (x, y) = left - 1.5 * APART, before
                way = ((x, y), (x, y + GAP), (turn, y + GAP), (turn, -GAP), (begin, -GAP), (begin, first[1]))
                wires.append(Wire(tuple((*point, LONE / 2) for point in way)))
            before = (end, last[3])
        columns.append((name, left, 0.0, shift + column.right, column.bottom))
        left = shift + column.right + 3 * APART
    return Layout(tuple(blocks), tuple(wires), tuple(columns), tuple(spine))


def _moved(block: Block, by: float) -> Block:
    x, y, z = block.at
    return replace(block, at=(x + by, y, z))


def _groups(seen: Seen) -> list[tuple[str, list[int]]]:
    """Operations by layer: ``h.0`` and so on; what comes before the first and after the last is "" at first.

    An input stands where it is first taken.
    """
    names = {number: _layer(seen.graph, number) for number in seen.shown}
    layered = [number for number in seen.shown if names[number]]
    first, last = (layered[0], layered[-1]) if layered else (len(names), -1)
    groups: list[tuple[str, list[int]]] = [("", [])]
    known: set[int] = set()
    for number in seen.shown:
        name = "" if not first <= number <= last else names[number] or groups[-1][0]
        if name != groups[-1][0]:
            groups.append((name, []))
        inputs = [one for one in seen.taken[number] if seen.graph.nodes[one].op == INPUT and one not in known]
        known.update(inputs)
        groups[-1][1].extend([*inputs, number])
    return [(name, numbers) for name, numbers in groups if numbers]


def _columns(seen: Seen, spine: Sequence[int], groups: list[tuple[str, list[int]]]) -> list[tuple[str, list[int]]]:
    """The groups with little before the first layer and after the last joined to these."""
    layers = [Column(seen, spine, numbers, not name).bottom for name, numbers in groups if name]
    tall = LARGE * max(layers, default=0.0)
    joined = list(groups)
    if len(joined) > 1 and not joined[0][0] and Column(seen, spine, joined[0][1], True).bottom < tall:
        joined[:2] = [(joined[1][0], joined[0][1] + joined[1][1])]
    if len(joined) > 1 and not joined[-1][0] and Column(seen, spine, joined[-1][1], True).bottom < tall:
        joined[-2:] = [(joined[-2][0], joined[-2][1] + joined[-1][1])]
    return joined


def _layer(graph: Graph, number: int) -> str:
    found = LAYERS.match(graph.nodes[number].module)
    return found[0] if found else ""


def _spine(seen: Seen) -> list[int]:
    """What everything that leads to the result flows through, in order; inputs and weights aside.

    An operation is on it if no flow goes around it: of those that ran before it, none is taken later but by way of it.
    """
    shown = seen.shown
    last_use = {number: number for number in shown}
    for number in shown:
        for one in seen.taken[number]:
            if one in last_use:
                last_use[one] = max(last_use[one], number)
    fed = _fed(seen)
    spine, reach = [], -1
    for number in shown:
        if number not in fed:
            continue
        if reach <= number:  # nothing before it is used after it
            spine.append(number)
        reach = max(reach, last_use[number])
    return spine


def _fed(seen: Seen) -> set[int]:
    """The operations that the first input reaches, and that reach the result."""
    graph = seen.graph
    first = next((n for n, node in enumerate(graph.nodes) if node.op == INPUT), -1)
    reached = {first}
    for number in seen.shown:
        if reached & {*seen.taken[number]}:
            reached.add(number)
    leading = {seen.shown[-1]}
    for number in reversed(seen.shown):
        if number in leading:
            leading |= {*seen.taken[number]}
    return reached & leading - {first}


def overlapping(blocks: Sequence[Block]) -> list[tuple[Block, Block]]:
    """Pairs of blocks that share space."""

    def apart(one: Block, other: Block) -> bool:
        pairs = (((one.at[axis], size(one)[axis]), (other.at[axis], size(other)[axis])) for axis in range(3))
        return any(a + along <= b + 1e-9 or b + other_along <= a + 1e-9 for (a, along), (b, other_along) in pairs)

    def size(block: Block) -> tuple[float, float, float]:
        return (*block.cells, LONE)

    return [(one, other) for i, one in enumerate(blocks) for other in blocks[:i] if not apart(one, other)]
