"""One layer of a walk: the rows of its panels, the spine at x = 0, and the wires between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..computing.graph import INPUT
from .grids import Grid, Panel
from .panels import Seen

GAP = 6.0  # between rows, and between a weight and what it makes
APART = 12.0  # between panels of a row
DEEP = 16.0  # from one grid of a panel to the one behind it
LONE = 3.0  # how thick a grid is
CHAIN = 5  # operations that keep the shape and stand in one row; further ones begin another


@dataclass(frozen=True)
class Block:
    """One grid of cells in space. ``at`` is its left, upper, far corner; ``cells`` its size in x, y and z."""

    node: int
    of: int
    kind: str  # value, weight, input
    at: tuple[float, float, float]
    cells: tuple[int, int]
    grid: Grid
    slice: int = 0  # of a panel with several grids
    of_slices: int = 1
    beside: int = -1  # of a weight: the operation it belongs to
    axes: tuple[int | None, int | None] = (None, None)


@dataclass(frozen=True)
class Wire:
    """The stream between two panels of the spine, or into and out of a branch: corners in space."""

    points: tuple[tuple[float, float, float], ...]


class Column:
    """One layer: its blocks with the spine at x = 0, and how far it reaches to the left."""

    def __init__(self, seen: Seen, spine: Sequence[int], numbers: Sequence[int], is_plain: bool = False) -> None:
        self.is_plain = is_plain  # no layer: what keeps the stream's shape goes on to the right
        self.seen, self.numbers, self.own = seen, list(numbers), set(numbers)
        inputs = [number for number in numbers if seen.graph.nodes[number].op == INPUT]
        begins = [number for number in inputs if any(number in seen.taken[one] for one in spine[:1])]
        self.spine = [*begins[:1], *(number for number in numbers if number in set(spine))]
        self.panels = {number: self._panels(number) for number in numbers}
        self.blocks: list[Block] = []
        self.wires: list[Wire] = []
        level = self._levels()
        self._place(level)
        self._wire(level)
        self.reach = -min((block.at[0] for block in self.blocks), default=0.0)
        self.right = max((block.at[0] + block.cells[0] for block in self.blocks), default=0.0)
        self.bottom = max((block.at[1] + block.cells[1] for block in self.blocks), default=0.0)

    def _panels(self, number: int) -> list[Panel]:
        if self.seen.graph.nodes[number].op == INPUT:
            size = int(self.seen.values[number].size)
            last = max(0, self.seen.values[number].ndim - 1)
            return [Panel(number, number, "input", size, 1, (Grid(0, (1, 0)),), (last, None))]
        return self.seen.panels(number)

    def _levels(self) -> dict[int, int]:
        """The row of each operation."""
        level: dict[int, int] = {}
        chain: dict[int, int] = {}  # how many operations before stand in its row, and led to it
        stream = -1  # the row of the last operation on the spine
        for number in self.numbers:
            before = [one for one in self.seen.taken.get(number, []) if one in self.own]
            branches = [level[one] for one in before if one not in self.spine]
            if number in self.spine:
                goes_on = self.is_plain and before and before == self.spine[self.spine.index(number) - 1 :][:1]
                is_like = goes_on and self._keeps(number, before[0])
                level[number] = stream if is_like else max([stream + 1, *branches])
                stream = level[number]
                chain[number] = 0
                continue
            stays = {one: self._stays(number, one) and chain[one] < CHAIN for one in before}
            level[number] = max([*(level[one] + (not stays[one]) for one in before), stream + 1])
            beside = [one for one in before if stays[one] and level[one] == level[number]]
            chain[number] = 1 + max((chain[one] for one in beside), default=0)
        return level

    def _stays(self, number: int, before: int) -> bool:
        """Whether an operation stands in the row of what it takes: it keeps the shape, and sums nothing up."""
        if before in self.spine or self.seen.graph.nodes[before].op == INPUT:
            return False
        return self._keeps(number, before)

    def _keeps(self, number: int, before: int) -> bool:
        one, other = self.panels[number][0], self.panels[before][0]
        is_like = (one.across, one.down, len(one.grids)) == (other.across, other.down, len(other.grids))
        return is_like and self.seen.kind(number) not in ("product", "pick")

    def _place(self, level: dict[int, int]) -> None:
        rows: dict[int, list[int]] = defaultdict(list)
        for number in self.numbers:
            rows[level[number]].append(number)
        width = max((self.panels[number][0].across for number in self.spine), default=0)
        top = 0.0
        for at in sorted(rows):
            tall, beside = 1, -width / 2 - APART
            for number in reversed(rows[at]):
                if number not in self.spine:
                    tall = max(tall, self._stand(number, top, beside))
                    beside = self._left(number) - APART
            edge: float | None = None
            for number in (one for one in rows[at] if one in self.spine):
                right: float | None = None if edge is None else edge + APART + self.panels[number][-1].across
                tall = max(tall, self._stand(number, top, right))
                edge = max(block.at[0] + block.cells[0] for block in self.blocks if block.of == number)
            top += tall + GAP

    def _wire(self, level: dict[int, int]) -> None:
        """The stream down the spine, and where branches leave it, go on and come back."""
        for one, other in zip(self.spine, self.spine[1:], strict=False):
            (left, top, right, bottom), under = self.outline(one), self.outline(other)
            if level[one] == level[other]:
                self._line((right, (top + bottom) / 2), (under[0], (top + bottom) / 2))
            else:
                self._line(((left + right) / 2, bottom), ((under[0] + under[2]) / 2, under[1]))
        last = self._last(level)
        for number in self.numbers:
            left, top, right, bottom = self.outline(number)
            for before in self.seen.taken.get(number, []):
                if before not in self.own:
                    continue
                is_last = last[level[number]] == number
                if before in self.spine and number not in self.spine and is_last and right < 0:
                    self._line((right, (top + bottom) / 2), (0.0, (top + bottom) / 2))
                elif number in self.spine and before == last[level[number]]:
                    own = self.outline(before)
                    y = (max(own[1], top) + min(own[3], bottom)) / 2
                    self._line((own[2], y), (left, y))
                elif is_last and level[before] == level[number] - 1 and before == last[level[before]]:
                    own = self.outline(before)
                    x = (max(own[0], left) + min(own[2], right)) / 2
                    self._line((x, own[3]), (x, top))

    def _last(self, level: dict[int, int]) -> dict[int, int]:
        """By row, the operation of a branch that stands nearest to the spine; -1 where there is none."""
        branches = [number for number in self.numbers if number not in self.spine]
        return {
            row: max((one for one in branches if level[one] == row), key=lambda one: self.outline(one)[2], default=-1)
            for row in level.values()
        }

    def _line(self, one: tuple[float, float], other: tuple[float, float]) -> None:
        if one != other:
            self.wires.append(Wire(((*one, LONE / 2), (*other, LONE / 2))))

    def outline(self, number: int) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of an operation's own panels."""
        own = [block for block in self.blocks if block.of == number and block.kind != "weight"]
        left, top = (min(block.at[axis] for block in own) for axis in (0, 1))
        right, bottom = (max(block.at[axis] + block.cells[axis] for block in own) for axis in (0, 1))
        return left, top, right, bottom

    def _left(self, number: int) -> float:
        """The left edge of an operation's panels and weights."""
        return min(block.at[0] for block in self.blocks if number in (block.of, block.beside))

    def _stand(self, number: int, top: float, right: float | None) -> int:
        """Put an operation's panels in a row, from the right edge leftwards; without one in the middle of the spine."""
        tall = 0
        edge = right
        for panel in reversed(self.panels[number]):
            x = -panel.across / 2 if edge is None else edge - panel.across
            self._grids(panel, x, top, -1)
            tall = max(tall, panel.down)
            x -= GAP / 2
            for weight in reversed(panel.weights):
                x -= weight.across
                self._grids(weight, x, top, number)
                tall = max(tall, weight.down)
                x -= GAP / 3
            edge = x - (APART / 2 if edge is not None else APART)
        return tall

    def _grids(self, panel: Panel, x: float, y: float, beside: int) -> None:
        count, size = len(panel.grids), (panel.across, panel.down)
        for at, grid in enumerate(panel.grids):
            z = ((count - 1) / 2 - at) * DEEP
            place = (x, y, z)
            self.blocks.append(
                Block(panel.node, panel.of, panel.kind, place, size, grid, at, count, beside, panel.axes)
            )
