"""What is drawn of a layout: boxes with their numbers and colours, the same for the page and for a picture."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from .colours import Paints, cells, from_far, strength
from .layout import LONE, Layout
from .panels import Seen

THICK = 1.0  # of a wire, in cells
BEHIND, AROUND = 8.0, 6.0  # cells from the blocks to the wall behind a layer, and how far it reaches beyond them


@dataclass(frozen=True)
class Box:
    """A block, a piece of wire, or a beam. ``numbers`` are (across, down), None of a wire; ``mean``: the far colour.

    Of a beam: how many cells further right its lower end is, and how much of what is behind it is hidden, 0 to 1.
    """

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    kind: str
    cells: tuple[int, int]
    mean: np.ndarray
    most: float = 1.0
    numbers: np.ndarray | None = None
    slant: float = 0.0
    dense: float = 1.0

    @property
    def has_cells(self) -> bool:
        return self.kind not in ("wire", "wall", "beam")


def boxes(seen: Seen, found: Layout, paint: Paints, empty: Collection[int] = ()) -> list[Box]:
    """All boxes of a walk in the colours of a theme. ``empty``: nodes whose cells are drawn without their numbers."""
    most: dict[int, float] = {}
    drawn = []
    for block in found.blocks:
        high = (block.at[0] + block.cells[0], block.at[1] + block.cells[1], block.at[2] + LONE)
        if block.node in seen.hollow:
            drawn.append(Box(block.at, high, block.kind, block.cells, from_far(paint, paint.panel[None], block.kind)))
            continue
        if block.node in empty:
            drawn.append(Box(block.at, high, block.kind, block.cells, paint.panel))
            continue
        flat = np.asarray(seen.values[block.node], "f8").reshape(-1)
        most.setdefault(block.node, strength(flat))
        columns, rows = block.cells
        across, down = block.grid.strides
        numbers = flat[block.grid.offset + np.arange(columns)[:, None] * across + np.arange(rows) * down]
        kind = "share" if block.kind == "value" and seen.kind(block.of) == "softmax" else block.kind
        mean = from_far(paint, cells(paint, numbers.reshape(-1), most[block.node], kind), kind)
        drawn.append(Box(block.at, high, kind, block.cells, mean, most[block.node], numbers))
    back = min(block.at[2] for block in found.blocks) - BEHIND
    for name, left, top, right, bottom in found.columns:
        if name:
            low, high = (left - AROUND, top - AROUND, back - THICK), (right + AROUND, bottom + AROUND, back)
            drawn.append(Box(low, high, "wall", (1, 1), paint.panel))
    for wire in found.wires:
        for one, other in zip(wire.points, wire.points[1:], strict=False):
            pair = np.array([one, other])
            low, top = (pair.min(0) - THICK / 2).tolist(), (pair.max(0) + THICK / 2).tolist()
            drawn.append(Box(tuple(low), tuple(top), "wire", (1, 1), paint.line))
    return drawn
