"""Draw a laid-out graph with box-drawing characters.

A line's arms always meet its neighbours' arms; ``┼`` is two lines that cross, each going straight on; ``├
┤ ┬ ┴`` are branches of one line. Arrows ``▼`` end on boxes. Thin lines, ``┊`` and ``┈`` to ``▽``, are Python's numbers.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from ..graph.graph import Graph, Net
from .layers import Lane
from .place import place
from .ports import WIDTH, Layout, Placed
from .route import Line, route

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
GLYPHS = {
    UP: "│", DOWN: "│", UP | DOWN: "│", LEFT | RIGHT: "─",
    DOWN | RIGHT: "┌", DOWN | LEFT: "┐", UP | RIGHT: "└", UP | LEFT: "┘",
    UP | DOWN | RIGHT: "├", UP | DOWN | LEFT: "┤", DOWN | LEFT | RIGHT: "┬", UP | LEFT | RIGHT: "┴",
}  # fmt: skip
THIN = {"│": "┊", "─": "┈"}  # what goes as a number of Python's
CROSSING, ARROW, THIN_ARROW = "┼", "▼", "▽"


@dataclass(frozen=True)
class Box:
    """Where a node's box stands on the drawing: first row and column, height and width; ``code`` of its lines
    are code."""

    node: int
    row: int
    column: int
    height: int
    width: int
    code: int = 1


@dataclass(frozen=True)
class SizeMark:
    """A size or the letter of its axis on the drawing, for colouring."""

    row: int
    start: int
    end: int
    axis: str


@dataclass(frozen=True)
class Drawing:
    """Lines of text, no blanks at their ends, and what stands where in them."""

    lines: tuple[str, ...]
    boxes: tuple[Box, ...] = ()
    sizes: tuple[SizeMark, ...] = ()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def draw(graph: Graph) -> Drawing:
    """The drawing of a graph, at most 78 columns wide."""
    return _Canvas(place(graph)).drawing()


class _Canvas:
    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.rows = layout.layers.rows
        self.words: dict[tuple[int, int], str] = {}  # characters that are no lines
        self.arms: dict[tuple[int, int], dict[Net, int]] = defaultdict(dict)
        self.boxes: list[Box] = []
        self.sizes: list[SizeMark] = []

    def drawing(self) -> Drawing:
        row = 0
        for i in range(len(self.rows)):
            height = self._layer(i, row)
            row = self._channel(i, row + height) if i + 1 < len(self.rows) else row + height
        cells = {**{place: _glyph(nets) for place, nets in self.arms.items()}, **self.words}
        lines = [[" "] * WIDTH for _ in range(row)]
        for (at, column), character in cells.items():
            lines[at][column] = character
        return Drawing(tuple("".join(line).rstrip() for line in lines), tuple(self.boxes), tuple(self.sizes))

    def _layer(self, i: int, row: int) -> int:
        """Draw a layer's boxes and lanes; lines go on to the layer's last row."""
        nodes = [item for item in self.rows[i] if not isinstance(item, Lane)]
        height = max(len(self.layout.boxes[node].label.lines) + 2 for node in nodes)
        for node in nodes:
            box = self.layout.boxes[node]
            self._box(node, box, row)
            bottom = row + len(box.label.lines) + 1
            for net, column in box.out.items():
                self.words[bottom, column] = "┬"
                self._down(net, column, bottom + 1, row + height)
                for k, letter in enumerate(net[1]):
                    self.words[bottom + 1, column + 2 + k] = letter
        for item in self.rows[i]:
            if isinstance(item, Lane):
                self._down(item.net, self.layout.lanes[i, item.net], row, row + height)
        return height

    def _box(self, node: int, box: Placed, row: int) -> None:
        inside = box.width - 2
        lines = box.label.lines
        self._write(row, box.left, "┌" + "─" * inside + "┐")
        for k, line in enumerate(lines, 1):
            self._write(row + k, box.left, "│ " + line.ljust(inside - 2) + " │")
        self._write(row + len(lines) + 1, box.left, "└" + "─" * inside + "┘")
        self.boxes.append(Box(node, row, box.left, len(lines) + 2, box.width, box.label.code))
        for size in box.label.sizes:
            start = box.left + 2
            self.sizes.append(SizeMark(row + 1 + size.row, start + size.start, start + size.end, size.axis))

    def _channel(self, i: int, row: int) -> int:
        """Draw the lines between a layer and the next; the row of the next layer."""
        found, layout = self.layout.layers, self.layout
        nets = [net for item in self.rows[i] for net in found.nets(item) if found.below(net, i)]
        lines = []
        for net in nets:
            bottoms = [self._goal(item, net, i + 1) for item in found.below(net, i)]
            lines.append(Line(layout.top(net, i), tuple(sorted(bottoms))))
        tracks = route(lines, WIDTH)
        first = row + any(net[1] and not isinstance(item, Lane) for item in self.rows[i] for net in found.nets(item))
        arrows = first + max((at + 1 for at, _ in tracks), default=0)
        for number, (net, line) in enumerate(zip(nets, lines, strict=True)):
            own = [(first + at, track) for at, track in tracks if track.line == number]
            for column in sorted({line.top, *line.bottoms, *(c for _, track in own for c in track.columns)}):
                meets = [at for at, track in own if column in track.columns]
                ends = [row - 1] * (column == line.top) + meets + [arrows] * (column in line.bottoms)
                self._down(net, column, min(ends), max(ends))
            for at, track in own:
                self._across(net, at, *track.span)
            for item in found.below(net, i):
                if not isinstance(item, Lane):
                    self.words[arrows, layout.boxes[item].into[net]] = THIN_ARROW if net.thin else ARROW
        return arrows + 1

    def _goal(self, item: int | Lane, net: Net, i: int) -> int:
        return self.layout.lanes[i, net] if isinstance(item, Lane) else self.layout.boxes[item].into[net]

    def _write(self, row: int, column: int, text: str) -> None:
        for k, character in enumerate(text):
            self.words[row, column + k] = character

    def _down(self, net: Net, column: int, first: int, last: int) -> None:
        """A vertical line from a row down to another."""
        for row in range(first, last):
            self._arm(net, row, column, DOWN)
            self._arm(net, row + 1, column, UP)

    def _across(self, net: Net, row: int, first: int, last: int) -> None:
        for column in range(first, last):
            self._arm(net, row, column, RIGHT)
            self._arm(net, row, column + 1, LEFT)

    def _arm(self, net: Net, row: int, column: int, arm: int) -> None:
        nets = self.arms[row, column]
        nets[net] = nets.get(net, 0) | arm


def _glyph(nets: dict[Net, int]) -> str:
    if len(nets) == 1:
        [(net, arms)] = nets.items()
        return THIN.get(GLYPHS[arms], GLYPHS[arms]) if net.thin else GLYPHS[arms]
    assert sorted(nets.values()) == [UP | DOWN, LEFT | RIGHT], f"lines run into each other: {nets}"
    return CROSSING
