"""Give every box of a graph its place: rows of boxes that fit the page, straight columns where possible.

``place(graph)`` decides, in this order: how wide each box is, how the boxes stand side by side, where the
lanes run between them, and at which columns values leave and enter. Layers that are too wide are split.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..graph.graph import Graph, Net
from .label import Label, label
from .layers import Item, Lane, Layers, layers
from .ports import WIDTH, Layout, Placed, choose

GAP = 2  # blank columns between neighbours
PADDING = 4  # a box's two sides and the blanks inside them
LIMITS = range(52, 9, -1)  # columns of the words in a box, tried in turn
USUAL = 36  # width of a box that stands alone, if its words allow
SWEEPS = 3


class LayoutError(Exception):
    """The graph does not fit the width."""


class _TooWide(Exception):
    def __init__(self, layer: int) -> None:
        self.layer = layer


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
            if capacity.get(error.layer, boxes) < boxes:  # it was no help: layers that were emptied have gone
                capacity = {i: min(boxes - 1, capacity.get(i, boxes)) for i in range(len(graph.nodes))}
            else:
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
    leaving = sum(len(net.name) + 3 for net in found.graph.nets(node)) + 3
    entering = 2 * len({edge.net for edge in found.graph.incoming(node)}) + 3
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
        choose(layout)
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
