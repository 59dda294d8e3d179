"""A walk as data for the page: blocks, wires, columns and stops. ARCHITECTURE.md lists what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..computing.graph import INPUT
from .beams import looks
from .layout import Block, Layout
from .panels import Seen

KINDS = ("value", "weight", "share", "input")


def described(seen: Seen, found: Layout, steps: Mapping[int, str], texts: Mapping[str, str]) -> dict[str, Any]:
    """``steps``: by node, the step that explains it; ``texts``: by step, its note's first sentence."""
    order = stops(seen, found)
    number = {of: at for at, of in enumerate(order)}
    named = {of: step for of in order if (step := _step(found, of, steps))}
    return {
        "blocks": [_row(seen, block, number) for block in found.blocks],
        "wires": [[round(x, 1) for point in wire.points for x in point] for wire in found.wires],
        "columns": [[name, *(round(side, 1) for side in sides)] for name, *sides in found.columns],
        "stops": [[of, named.get(of, ""), [number[one] for one in seen.taken.get(of, [])]] for of in order],
        "looks": looks(seen, found),
        "texts": {step: texts.get(step, "") for step in dict.fromkeys(named.values())},
    }


def stops(seen: Seen, found: Layout) -> list[int]:
    """The inputs and operations in the order in which they ran: an input comes before what first takes it."""
    order: dict[int, None] = {}
    for number in seen.shown:
        order |= {one: None for one in seen.taken[number] if seen.graph.nodes[one].op == INPUT}
        order[number] = None
    drawn = {block.of for block in found.blocks}
    return [of for of in order if of in drawn]


def _step(found: Layout, of: int, steps: Mapping[int, str]) -> str:
    """The step of an operation, or of a form in which it is shown."""
    forms = [of, *(block.node for block in found.blocks if block.of == of)]
    return next((steps[node] for node in forms if node in steps), "")


def _row(seen: Seen, block: Block, number: Mapping[int, int]) -> list[Any]:
    is_share = block.kind == "value" and seen.kind(block.of) == "softmax"
    kind = KINDS.index("share" if is_share else block.kind)
    is_weight = block.kind == "weight"
    stop = number[block.beside if is_weight else block.of]
    axes = [-1 if axis is None else axis for axis in block.axes]
    fixed, free = [block.grid.offset, *block.grid.strides], [*axes, [list(pair) for pair in block.grid.where]]
    place = fixed if is_weight else free  # a page finds a value's numbers by its axes: with other input it is longer
    return [block.node, kind, stop, *(round(x, 1) for x in block.at), *block.cells, block.slice, block.of_slices, place]
