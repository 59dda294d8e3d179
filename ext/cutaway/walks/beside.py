"""The weights beside what they make: a row of a matrix with the row of cells that it makes, by head where these are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..computing.graph import WEIGHT
from ..computing.interpret import given
from ..computing.operations import compute
from .grids import Grid, Panel

if TYPE_CHECKING:
    from .panels import Seen

PICKING = ("embedding", "index", "index_select")
LONG = 4  # times as many rows as columns


def beside(seen: Seen, panel: Panel, down: int | None, deep: Sequence[int]) -> Iterator[Panel]:
    """The learned weights of the operation, aligned: a row of a matrix with the row of cells that it makes."""
    for one in seen.references(panel.of):
        weight = seen.origin(one)
        if seen.graph.nodes[weight].op == WEIGHT and weight in seen.moving:
            yield _weight(seen, panel, weight, down, deep)


def _weight(seen: Seen, panel: Panel, weight: int, down: int | None, deep: Sequence[int]) -> Panel:
    shape = np.shape(seen.values[weight])
    if len(shape) == 1:
        rows = _rows(seen, panel, down, deep, shape[0])
        grids = rows or (Grid(0, (0, 1)),)
        return Panel(weight, weight, "weight", 1, panel.down if rows else shape[0], grids)
    if len(shape) != 2:
        return Panel(weight, weight, "weight", 1, int(np.prod(shape)), (Grid(0, (0, 1)),))
    rows_, columns = shape
    if seen.name(panel.of) in PICKING:  # a table: its columns are the vectors that are picked; a long one is turned
        if rows_ > LONG * columns:
            return Panel(weight, weight, "weight", columns, rows_, (Grid(0, (1, columns)),))
        return Panel(weight, weight, "weight", rows_, columns, (Grid(0, (columns, 1)),))
    rows = _rows(seen, panel, down, deep, rows_)
    if not rows:
        return Panel(weight, weight, "weight", columns, rows_, (Grid(0, (1, columns)),))
    grids = tuple(Grid(one.offset * columns, (1, one.strides[1] * columns)) for one in rows)
    return Panel(weight, weight, "weight", columns, panel.down, grids)


def _rows(seen: Seen, panel: Panel, down: int | None, deep: Sequence[int], rows: int) -> tuple[Grid, ...]:
    """Which rows of a weight made each grid of a panel; () where they don't run evenly."""
    whole = np.shape(seen.values[panel.of])
    if not whole or whole[-1] != rows or down is None:
        return ()
    place = _renamed(seen, panel.node, panel.of, np.broadcast_to(np.arange(float(rows)), whole))
    if place is None:
        return ()
    shape, found = np.shape(place), []
    for where in np.ndindex(*(shape[axis] for axis in deep)):
        index: list[Any] = [0] * len(shape)
        for axis, at in zip(deep, where, strict=True):
            index[axis] = at
        index[down] = slice(None)
        line = place[tuple(index)]
        step = int(line[1] - line[0]) if len(line) > 1 else 0
        if not np.array_equal(line, line[0] + step * np.arange(len(line))):
            return ()
        found.append(Grid(int(line[0]), (0, step)))
    return tuple(dict.fromkeys(found)) if len({*found}) == 1 else tuple(found)


def _renamed(seen: Seen, node: int, of: int, places: np.ndarray) -> np.ndarray | None:
    """What the renamings from ``of`` to ``node`` make of other numbers in the place of its own."""
    if node == of:
        return places
    way = [node]
    while way[-1] != of:
        way.append(seen.renames[way[-1]])
    held: Any = places
    for at in reversed(way[:-1]):
        one = seen.graph.nodes[at]
        keywords = {name: given(value, seen.values) for name, value in one.kwargs.items()}
        held = compute(one.op, [held, *given(one.args[1:], seen.values)], keywords)
    return np.asarray(held)
