"""Attention as beams: of weights between tokens, a line from each token that is looked at to the one that looks.

A block of such weights has its keys along the upper edge and its queries, one beneath the other, as rows. As beams, it
is a sheet: a beam runs from the column of the token that is looked at, at the upper edge, to the column of the token
that looks, at the lower one; the larger the weight, the wider and the denser. Its cells are left empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .colours import Paints
from .layout import LONE, Block, Layout
from .panels import Seen
from .scene import Box, boxes

LEAST = 0.02  # a smaller weight has no beam
THIN, WIDE = 0.1, 0.6  # cells: the width of a beam without weight, and what a weight of 1 adds
FAINT, DENSE = 0.1, 0.75  # of the beam's own colour, likewise
BEFORE = 0.4  # cells between a block's face and its beams


def looks(seen: Seen, found: Layout) -> list[int]:
    """The nodes that hold how much tokens look at tokens: of a softmax, with an axis of the tokens twice."""
    nodes = dict.fromkeys(block.node for block in found.blocks if _is_share(seen, block) and _is_square(seen, block))
    return list(nodes)


def beamed(seen: Seen, found: Layout, paint: Paints) -> list[Box]:
    """All boxes of a walk with its attention as beams, which come last."""
    between = {*looks(seen, found)} - seen.hollow
    plain = boxes(seen, found, paint, between)
    return [*plain, *(beam for block in found.blocks if block.node in between for beam in _beams(seen, block, paint))]


def _is_share(seen: Seen, block: Block) -> bool:
    return block.kind == "value" and seen.kind(block.of) == "softmax"


def _is_square(seen: Seen, block: Block) -> bool:
    (across, down), sizes = block.axes, block.cells
    if across is None or down is None or across != down + 1:
        return False
    letters = seen.letters(block.node)
    named = [letters[axis] for axis in (across, down) if letters[axis]]
    return len(set(sizes)) == 1 and (all(name.endswith("T") for name in named) if named else sizes[0] == seen.graph.T)


def _beams(seen: Seen, block: Block, paint: Paints) -> Iterator[Box]:
    flat, (across, down) = np.asarray(seen.values[block.node], "f8").reshape(-1), block.grid.strides
    columns, rows = block.cells
    for key, query in np.ndindex(columns, rows):
        weight = float(flat[block.grid.offset + key * across + query * down])
        if weight >= LEAST:
            yield _beam(block.at, rows, (key, query), weight, paint)


def _beam(at: Sequence[float], rows: int, ends: tuple[int, int], weight: float, paint: Paints) -> Box:
    (key, query), wide = ends, THIN + WIDE * weight
    low = (at[0] + key + (1 - wide) / 2, at[1], at[2] + LONE + BEFORE)
    high = (low[0] + wide, at[1] + rows, low[2] + wide)
    return Box(low, high, "beam", (1, 1), paint.hues["share"], slant=query - key, dense=FAINT + DENSE * weight)
