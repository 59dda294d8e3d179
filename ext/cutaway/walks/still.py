"""A walk as a picture: the whole pass, or one stop of it, drawn by the ray caster."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from ..computing.graph import Graph
from ..computing.interpret import recorded
from ..store import replacing
from .beams import beamed
from .camera import Camera, framing
from .cast import cast
from .colours import paints
from .layout import LONE, Block, Layout, layout
from .panels import Seen
from .scene import boxes
from .taped import Taped

if TYPE_CHECKING:
    import numpy as np

SIZE = (960, 540)  # pixels
REACH = 140.0  # cells from a result to what it was made of, if the picture is to show both; as walk.js has it


def built(graph: Graph) -> tuple[Seen, Layout]:
    """The panels of a pass and where they stand, with what was recorded."""
    seen = Seen(graph, graph.values if isinstance(graph, Taped) else recorded(graph))
    return seen, layout(seen)


def picture(
    seen: Seen,
    found: Layout,
    theme: str,
    size: tuple[int, int] = SIZE,
    node: int | None = None,
    *,
    is_beamed: bool = False,
) -> np.ndarray:
    """(height, width, 3) of bytes. ``node``: look at what this operation made, of what, and not at the whole.

    ``is_beamed``: attention is drawn as beams between tokens.
    """
    paint = paints(theme)
    drawn = beamed(seen, found, paint) if is_beamed else boxes(seen, found, paint)
    return cast(drawn, _camera(seen, found, size, node), paint, size)


def _camera(seen: Seen, found: Layout, size: tuple[int, int], node: int | None) -> Camera:
    if node is None:
        return framing(*found.bounds, size[0] / size[1])
    near = _near(seen, found, seen.origin(node))
    low = [min(block.at[axis] for block in near) for axis in range(3)]
    high = [max(block.at[axis] + (*block.cells, LONE)[axis] for block in near) for axis in range(3)]
    return framing(low, high, size[0] / size[1])


def _near(seen: Seen, found: Layout, of: int) -> list[Block]:
    """What an operation made, with its weights, and what it takes unless that stands far away."""

    def middle(block: Block) -> tuple[float, float]:
        return block.at[0] + block.cells[0] / 2, block.at[1] + block.cells[1] / 2

    own = [block for block in found.blocks if of in (block.of, block.beside)]
    first, reach = middle(own[0]), max(REACH, *(1.5 * max(block.cells) for block in own))
    taken = {*seen.taken.get(of, [])}
    operands = [block for block in found.blocks if block.of in taken and block.kind != "weight"]
    return [*own, *(block for block in operands if math.dist(middle(block), first) < reach)]


def save(pixels: np.ndarray, path: Path) -> None:
    """The picture as a PNG, whatever the file's name."""
    from PIL import Image

    Image.fromarray(pixels).save(path, "PNG", optimize=True)


def write(pixels: np.ndarray, path: Path) -> None:
    """The picture as a PNG, whole or not at all."""
    with replacing(path) as temporary:
        save(pixels, temporary)
