"""Give every box of a graph its place: rows of boxes that fit the page, straight columns where possible.

``place(graph)`` decides, in this order: how wide each box is, how the boxes stand side by side, where the lanes run
between them, and at which columns values leave and enter. Layers that are too wide are split.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from dataclasses import dataclass, field

from .graph import Graph
from .label import Label, label
from .layers import Item, Lane, Layers, Net, layers

WIDTH = 78
GAP = 2  # blank columns between neighbours
PADDING = 4  # a box's two sides and the blanks inside them
LIMITS = range(52, 9, -1)  # columns of the words in a box, tried in turn
USUAL = 36  # width of a box that stands alone, if its words allow
SWEEPS = 3
BEND, FOREIGN = 4.0, 40.0  # costs, in columns, of a line that bends, and of one that meets another's column


class LayoutError(Exception):
    """The graph does not fit the width."""


class _TooWide(Exception):
    def __init__(self, layer: int) -> None:
        self.layer = layer


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


def place(graph: Graph) -> Layout:
    """Lay a graph out. Raises LayoutError if more values are alive side by side than there are columns."""
    capacity: dict[int, int] = {}
    while True:
        found = layers(graph, capacity)
        try:
            widths = [_sizes(found, i) for i in range(len(found.rows))]
        except _TooWide as error:
            boxes = sum(not isinstance(item, Lane) for item in found.rows[error.layer])
            if boxes < 2:
                raise LayoutError(
                    f"{len(found.rows[error.layer])} values of {graph.function} are alive side by side: "
                    f"they don't fit {WIDTH} columns"
                ) from None
            capacity[error.layer] = boxes - 1
            continue
        labels = {node: made for row in widths for node, made in row.items()}
        return _Placing(found, labels).layout()


def _sizes(found: Layers, i: int) -> dict[int, Label]:
    """Labels of a layer's boxes that fit beside each other and its lanes."""
    boxes = [item for item in found.rows[i] if not isinstance(item, Lane)]
    room = WIDTH - (len(found.rows[i]) - len(boxes)) - GAP * (len(found.rows[i]) - 1)
    for limit in LIMITS:
        labels = {node: label(found.graph.nodes[node], limit) for node in boxes}
        if len(boxes) > 1 and any(made.broken for made in labels.values()):
            break  # rather one below the other
        if sum(_width(found, node, made) for node, made in labels.items()) <= room:
            return labels
    raise _TooWide(i)


def _width(found: Layers, node: int, made: Label) -> int:
    """A box holds its words, and every value that enters or leaves it has room."""
    names = found.graph.nets(node)
    leaving = sum(len(name) + 3 for name in names) + 3
    entering = 2 * len({(e.source, e.name) for e in found.graph.incoming(node)}) + 3
    return max(made.width + PADDING, leaving, entering)


class _Placing:
    def __init__(self, found: Layers, labels: dict[int, Label]) -> None:
        self.found = found
        self.labels = labels
        self.width = {node: _width(found, node, made) for node, made in labels.items()}
        for row in found.rows:
            if len(row) == 1 and not isinstance(row[0], Lane):
                self.width[row[0]] = max(self.width[row[0]], USUAL)
        self.at: dict[int, int] = dict.fromkeys(labels, WIDTH // 2)  # centre columns of boxes
        self.lanes: dict[tuple[int, Net], int] = {}

    def layout(self) -> Layout:
        rows = range(len(self.found.rows))
        for _ in range(SWEEPS):
            for i in reversed(rows):
                self._line_up(i, self._children)
            for i in rows:
                self._line_up(i, self._parents)
        for net in dict.fromkeys(lane.net for row in self.found.rows for lane in row if isinstance(lane, Lane)):
            self._run(net)
        self._shift()
        layout = Layout(self.found, {node: self._placed(node) for node in self.at}, self.lanes)
        for i in rows:
            _widen(layout, i)
        for i in rows:
            _enter(layout, i)
            _leave(layout, i)
        return layout

    def _placed(self, node: int) -> Placed:
        centre, width = self.at[node], self.width[node]
        return Placed(self.labels[node], centre - width // 2, width, centre)

    def _boxes(self, i: int) -> list[int]:
        return [item for item in self.found.rows[i] if not isinstance(item, Lane)]

    def _parents(self, node: int, i: int) -> list[float]:
        return [self.at[item] for item, _ in self.found.above(node, i) if not isinstance(item, Lane)] if i else []

    def _children(self, node: int, i: int) -> list[float]:
        below = [item for net in self.found.nets(node) for item in self.found.below(net, i)]
        return [self.at[item] for item in below if not isinstance(item, Lane)]

    def _line_up(self, i: int, relatives: Callable[[int, int], list[float]]) -> None:
        """Move a layer's boxes as near to their relatives as their order and widths allow."""
        boxes = self._boxes(i)
        if not boxes:
            return
        wanted = []
        for node in boxes:
            near = relatives(node, i)
            wanted.append(sum(near) / len(near) if near else float(self.at[node]))
        row = self.found.rows[i]
        offsets = [self._before(row[: row.index(node)], node) for node in boxes]
        last = boxes[-1]
        after = self.width[last] - self.width[last] // 2 - 1 + sum(1 + GAP for _ in row[row.index(last) + 1 :])
        highest = WIDTH - 1 - after - offsets[-1]
        free = _isotonic([want - offset for want, offset in zip(wanted, offsets, strict=True)])
        for node, value, offset in zip(boxes, free, offsets, strict=True):
            self.at[node] = int(min(max(value, 0), highest)) + offset

    def _before(self, items: Sequence[Item], node: int) -> int:
        """The least column of a box's centre that leaves room for the items before it."""
        return sum((1 if isinstance(item, Lane) else self.width[item]) + GAP for item in items) + self.width[node] // 2

    def _run(self, net: Net) -> None:
        """Lead a value past the layers that it skips: as straight as possible, bending where it must."""
        rows = [i for i, row in enumerate(self.found.rows) if Lane(net) in row]
        column = self.at[net[0]]
        while rows:
            low, high, taken = 0, WIDTH, 0
            for i in rows:
                left, right = self._room(i, net)
                if max(low, left) > min(high, right):
                    break
                low, high, taken = max(low, left), min(high, right), taken + 1
            column = min(max(column, low), high)
            for i in rows[:taken]:
                self.lanes[i, net] = column
            rows = rows[taken:]

    def _room(self, i: int, net: Net) -> tuple[int, int]:
        """The columns that a lane may take in a layer, between what is placed there already."""
        row = self.found.rows[i]
        place = row.index(Lane(net))
        low, skipped = 0, 0
        for item in reversed(row[:place]):
            edge = self._edge(i, item, +1)
            if edge is not None:
                low = edge + 1 + GAP
                break
            skipped += 1
        low += skipped * (1 + GAP)
        high, skipped = WIDTH - 1, 0
        for item in row[place + 1 :]:
            edge = self._edge(i, item, -1)
            if edge is not None:
                high = edge - 1 - GAP
                break
            skipped += 1
        return low, high - skipped * (1 + GAP)

    def _edge(self, i: int, item: Item, side: int) -> int | None:
        if isinstance(item, Lane):
            return self.lanes.get((i, item.net))
        left = self.at[item] - self.width[item] // 2
        return left if side < 0 else left + self.width[item] - 1

    def _shift(self) -> None:
        """Begin at the left margin."""
        lefts = [at - self.width[node] // 2 for node, at in self.at.items()]
        least = min([*lefts, *self.lanes.values()], default=0)
        self.at = {node: at - least for node, at in self.at.items()}
        self.lanes = {key: column - least for key, column in self.lanes.items()}


def _isotonic(values: Sequence[float]) -> list[float]:
    """The nearest values (least squares) that don't decrease."""
    blocks: list[tuple[float, int]] = []
    for value in values:
        blocks.append((value, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (b, m), (a, n) = blocks.pop(), blocks.pop()
            blocks.append(((a * n + b * m) / (n + m), n + m))
    return [value for value, count in blocks for _ in range(count)]


def _widen(layout: Layout, i: int) -> None:
    """A box that stands alone and gives or takes several values reaches over all the boxes that it shares them with."""
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
            longest = max(len(name) for _, name in found.nets(node)) if found.nets(node) else 0
            left = max(0, min(box.left, min(centres) - 2))
            box.width = min(WIDTH, max(box.right + 1, max(centres) + longest + 4)) - left
            box.left = left


def _enter(layout: Layout, i: int) -> None:
    """Choose where values enter the boxes of a layer: straight down if possible, away from others' columns."""
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
    """One column for each cost, in order, each at least its step after the one before, so that the sum is least."""
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
