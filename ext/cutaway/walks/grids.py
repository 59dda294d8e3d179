"""What a walk is made of: panels, each a stack of grids of cells."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Grid:
    """One slice of a panel: a cell (x, y) is the number ``offset + x * strides[0] + y * strides[1]`` of its node."""

    offset: int
    strides: tuple[int, int]
    where: tuple[tuple[int, int], ...] = ()  # of a value: axes without direction, and a place on each


@dataclass(frozen=True)
class Panel:
    """A tensor as seen: ``grids`` of ``across`` by ``down`` cells, one behind the other.

    ``node`` has the numbers, ``of`` is the operation (or weight) that made them.
    """

    node: int
    of: int
    kind: str  # value, weight or input
    across: int
    down: int
    grids: tuple[Grid, ...]
    axes: tuple[int | None, int | None] = (None, None)  # of a value: which run across and down
    weights: tuple[Panel, ...] = field(default=(), compare=False)  # that stand beside it, from left to right
