"""Where values leave boxes and where they enter the next: columns that keep lines straight and apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from ..graph.graph import Net
from .label import Label
from .layers import Item, Lane, Layers

WIDTH = 78
BEND, FOREIGN = 4.0, 40.0  # costs, in columns, of a line that bends, and of one that meets another's column


@dataclass
class Placed:
    """A box: its words, the columns it takes, and where each value leaves and enters it."""

    label: Label
    left: int
    width: int
    centre: int
    out: dict[Net, int] = field(default_factory=dict)
    into: dict[Net, int] = field(default_factory=dict)

    @property
    def right(self) -> int:
        return self.left + self.width - 1


@dataclass
class Layout:
    layers: Layers
    boxes: dict[int, Placed]
    lanes: dict[tuple[int, Net], int]  # column of a net's lane in a layer

    def top(self, net: Net, layer: int) -> int:
        """The column in which a value enters the channel below a layer."""
        return self.lanes[layer, net] if (layer, net) in self.lanes else self.boxes[net[0]].out[net]


def choose(layout: Layout) -> None:
    """Settle the columns of every box of a layout whose boxes and lanes have their places."""
    rows = range(len(layout.layers.rows))
    for i in rows:
        _widen(layout, i)
    for i in rows:
        _enter(layout, i)
        _leave(layout, i)


def _widen(layout: Layout, i: int) -> None:
    """A box alone in its layer reaches over all the boxes that it gives several to, or takes from."""
    found = layout.layers
    if len(found.rows[i]) > 1 or isinstance(found.rows[i][0], Lane):
        return
    (node,) = [item for item in found.rows[i] if not isinstance(item, Lane)]
    box = layout.boxes[node]
    below = {item for net in found.nets(node) for item in found.below(net, i)}
    above = {item for item, _ in found.above(node, i)} if i else set()
    for relatives, several in ((below, len(found.nets(node)) > 1), (above, len(above) > 1)):
        centres = [layout.boxes[item].centre for item in relatives if not isinstance(item, Lane)]
        if several and centres:
            longest = max((len(net.name) for net in found.nets(node)), default=0)
            left = max(0, min(box.left, min(centres) - 2))
            box.width = min(WIDTH, max(box.right + 1, max(centres) + longest + 4)) - left
            box.left = left


def _enter(layout: Layout, i: int) -> None:
    """Choose where values enter a layer's boxes: straight down if possible, away from others' columns."""
    if i == 0:
        return
    found = layout.layers
    tops = {layout.top(net, i - 1): net for item in found.rows[i - 1] for net in found.nets(item)}
    for node in [item for item in found.rows[i] if not isinstance(item, Lane)]:
        box = layout.boxes[node]
        nets = sorted({net for _, net in found.above(node, i)}, key=lambda net: layout.top(net, i - 1))
        costs = []
        for net in nets:
            top = layout.top(net, i - 1)
            others = {column for column, other in tops.items() if other != net}
            costs.append(partial(_cost_in, top, others, box.centre if len(nets) == 1 else top))
        columns = _spread(costs, [2] * len(nets), range(box.left + 1, box.right))
        box.into = dict(zip(nets, columns, strict=True))


def _cost_in(top: int, others: set[int], aim: int, column: int) -> float:
    if column == top:
        return 0.0
    return BEND + 0.1 * abs(column - aim) + (FOREIGN if column in others else 0.0)


def _leave(layout: Layout, i: int) -> None:
    """Choose where values leave the boxes of a layer, over where they go to."""
    found = layout.layers
    for node in [item for item in found.rows[i] if not isinstance(item, Lane)]:
        box, nets = layout.boxes[node], [net for net in found.nets(node) if found.below(net, i)]
        costs, steps = [], []
        together = len({item for net in nets for item in found.below(net, i)}) == 1
        for k, net in enumerate(nets, 1):
            goals = [_extent(layout, item, i + 1) for item in found.below(net, i)]
            if together:  # side by side into the same box
                aim = goals[0][0] + k * (goals[0][1] - goals[0][0]) / (len(nets) + 1)
            else:
                aim = sum(low + high for low, high in goals) / (2 * len(goals))
            costs.append(partial(_cost_out, goals, aim if len(nets) > 1 else box.centre))
            steps.append(len(net[1]) + 3 if net[1] else 2)
        last = steps[-1] - 3 if steps and nets[-1][1] else 0
        columns = _spread(costs, steps, range(box.left + 2, box.right - 1 - last))
        box.out = dict(zip(nets, columns, strict=True))


def _cost_out(goals: Sequence[tuple[int, int]], aim: float, column: int) -> float:
    bent = [max(low - column, column - high) for low, high in goals if not low <= column <= high]
    return sum(BEND + 0.1 * distance for distance in bent) + 0.2 * abs(column - aim)


def _extent(layout: Layout, item: Item, i: int) -> tuple[int, int]:
    """The columns at which an item can be reached straight from above."""
    if isinstance(item, Lane):
        column = layout.lanes[i, item.net]
        return column, column
    box = layout.boxes[item]
    return box.left + 1, box.right - 1


def _spread(costs: Sequence[Callable[[int], float]], steps: Sequence[int], columns: range) -> list[int]:
    """A column for each cost, in order, each at least its step after the one before, at the least sum."""
    best: list[dict[int, tuple[float, list[int]]]] = [{}]
    for k, cost in enumerate(costs):
        reached: dict[int, tuple[float, list[int]]] = {}
        running: tuple[float, list[int]] | None = (0.0, []) if k == 0 else None
        for column in columns:
            if k and (before := best[-1].get(column - steps[k - 1])) and (running is None or before[0] < running[0]):
                running = before
            if running is not None:
                reached[column] = (running[0] + cost(column), [*running[1], column])
        best.append(reached)
    return min(best[-1].values())[1] if costs else []
