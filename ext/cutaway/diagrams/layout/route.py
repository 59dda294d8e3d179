"""Lead lines through the channel between two layers: at right angles, one net per line, crossings always
straight.

A line comes in at its net's ``top`` column and leaves at its ``bottoms``. In between it runs along horizontal
``Track``s. Two nets never share a piece of a line, and where they share a column one ends above the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations


class RouteError(Exception):
    """The channel has no free column left."""


@dataclass(frozen=True)
class Line:
    """One net in a channel: the column where it enters and those where it leaves."""

    top: int
    bottoms: tuple[int, ...]


@dataclass(frozen=True)
class Track:
    """A horizontal piece of line number ``line``; it meets vertical ones at ``columns``."""

    line: int
    columns: frozenset[int]

    @property
    def span(self) -> tuple[int, int]:
        return min(self.columns), max(self.columns)


def route(lines: Sequence[Line], width: int) -> list[tuple[int, Track]]:
    """The tracks of a channel, each with its row from 0."""
    tracks = [track for number, line in enumerate(lines) for track in _tracks(number, line)]
    while True:
        order = _hard(lines, tracks)
        loop = _cycle(order, len(tracks))
        if loop is None:
            break
        tracks = _detour(lines, tracks, loop, width)
    _prefer(lines, tracks, order)
    return _rows(tracks, order)


def _tracks(number: int, line: Line) -> list[Track]:
    """A line that goes straight on and to both sides has two tracks: a joint of four looks crossed."""
    left = {b for b in line.bottoms if b < line.top}
    right = {b for b in line.bottoms if b > line.top}
    sides = [left, right] if left and right and line.top in line.bottoms else [left | right]
    return [Track(number, frozenset({line.top} | side)) for side in sides if side]


def _hard(lines: Sequence[Line], tracks: Sequence[Track]) -> set[tuple[int, int]]:
    """Pairs (upper, lower): where a column is one line's top and another's bottom."""
    return {
        (i, j)
        for i, upper in enumerate(tracks)
        for j, lower in enumerate(tracks)
        if upper.line != lower.line
        and (top := lines[upper.line].top) in upper.columns
        and top in lower.columns
        and top in lines[lower.line].bottoms
    }


def _cycle(order: set[tuple[int, int]], count: int) -> int | None:
    """A track that has to be above itself, if there is one."""
    return next((i for i in range(count) if _reaches(order, i, i)), None)


def _reaches(order: set[tuple[int, int]], start: int, goal: int) -> bool:
    pending, seen = [start], set()
    while pending:
        here = pending.pop()
        for upper, lower in order:
            if upper == here and lower not in seen:
                if lower == goal:
                    return True
                seen.add(lower)
                pending.append(lower)
    return False


def _detour(lines: Sequence[Line], tracks: Sequence[Track], number: int, width: int) -> list[Track]:
    """Split a track in two that meet in a column of their own."""
    track = tracks[number]
    taken = {c for t in tracks for c in t.columns} | {c for line in lines for c in (line.top, *line.bottoms)}
    low, high = track.span
    free = [c for c in range(width) if c not in taken]
    if not free:
        raise RouteError(f"no column of {width} is free for a detour")
    column = min(free, key=lambda c: (max(low - c, c - high, 0), abs(2 * c - low - high), c))
    top = lines[track.line].top
    first = Track(track.line, frozenset({top, column}))
    second = Track(track.line, frozenset({column} | (track.columns - {top})))
    return [*tracks[:number], first, second, *tracks[number + 1 :]]


def _prefer(lines: Sequence[Line], tracks: Sequence[Track], order: set[tuple[int, int]]) -> None:
    """Of two tracks that overlap, let that one be above which makes fewer crossings so."""
    for i, j in combinations(range(len(tracks)), 2):
        a, b = tracks[i], tracks[j]
        if a.line == b.line or a.span[1] < b.span[0] or b.span[1] < a.span[0]:
            continue
        up, down = (i, j), (j, i)
        if _crossings(lines, b, a) < _crossings(lines, a, b):
            up, down = down, up
        for pair in (up, down):
            if not _reaches(order, pair[1], pair[0]):
                order.add(pair)
                break


def _crossings(lines: Sequence[Line], upper: Track, lower: Track) -> int:
    def inside(column: int, track: Track) -> bool:
        return track.span[0] <= column <= track.span[1]

    falling = [c for c in upper.columns if c in lines[upper.line].bottoms]
    return sum(inside(c, lower) for c in falling) + inside(lines[lower.line].top, upper)


def _rows(tracks: Sequence[Track], order: set[tuple[int, int]]) -> list[tuple[int, Track]]:
    placed: dict[int, int] = {}
    while len(placed) < len(tracks):
        number = next(
            i for i in range(len(tracks))
            if i not in placed and all(upper in placed for upper, lower in order if lower == i)
        )  # fmt: skip
        row = max((placed[upper] + 1 for upper, lower in order if lower == number), default=0)
        while any(at == row and _touch(tracks[other], tracks[number]) for other, at in placed.items()):
            row += 1
        placed[number] = row
    return [(placed[i], track) for i, track in enumerate(tracks)]


def _touch(a: Track, b: Track) -> bool:
    """Whether two tracks would touch in one row; a blank between them is wanted, too."""
    return a.span[0] <= b.span[1] + 1 and b.span[0] <= a.span[1] + 1
