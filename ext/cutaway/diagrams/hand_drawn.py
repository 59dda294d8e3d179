"""Check a drawing made by hand: every corner's and branch's arm meets one of its neighbour, no tabs, not too
wide.

A line may end on a box's side, at an arrow head, or at a title in a border (``┌── training ──┐``).
Drawings in plain ASCII (``+--+``) are only checked for tabs and width: there a ``-`` may as well be a
hyphen.

After a blank line, ``label -> target`` makes the words ``label`` in the drawing a link.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from .layout.canvas import SizeMark
from .layout.ports import WIDTH

UP, DOWN, LEFT, RIGHT = (-1, 0), (1, 0), (0, -1), (0, 1)
Step = tuple[int, int]
_NAMES = {
    "UP": {UP},
    "DOWN": {DOWN},
    "LEFT": {LEFT},
    "RIGHT": {RIGHT},
    "VERTICAL": {UP, DOWN},
    "HORIZONTAL": {LEFT, RIGHT},
}
HEADS = {
    "▼": DOWN,
    "▽": DOWN,
    "▲": UP,
    "▶": RIGHT,
    "◀": LEFT,
    "▾": DOWN,
    "▴": UP,
    "▸": RIGHT,
    "◂": LEFT,
    "→": RIGHT,
    "←": LEFT,
    "↓": DOWN,
    "↑": UP,
}
_SIZE = re.compile(r"\d+(\.\.\d+)?")
_SHAPE = re.compile(r"(?<=[│× ] )\(\d[\d., ]*\)")
_LETTER = re.compile(r"(?<!\S)(?:\d?[A-Z](?:\*[A-Z])?|1|\?)(?!\S)")
_WORDS = {UP: "above", DOWN: "below", LEFT: "to its left", RIGHT: "to its right"}
MOST = 50_000  # characters of a drawing: what is larger is no drawing, and would take long to check


@dataclass(frozen=True)
class Problem:
    """What is wrong where; row and column count from 1."""

    row: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"row {self.row}, column {self.column}: {self.message}"


@dataclass(frozen=True)
class Link:
    """Words of the drawing that lead somewhere; ``row`` is that of the line that says so."""

    label: str
    target: str
    row: int


def split(lines: Sequence[str]) -> tuple[list[str], list[Link]]:
    """The drawing and the links after it; blank lines around the drawing are dropped."""
    end = len(lines)
    links: list[Link] = []
    while end and (not lines[end - 1].strip() or _link(lines[end - 1], end)):
        if found := _link(lines[end - 1], end):
            links.append(found)
        end -= 1
    start = next((i for i in range(end) if lines[i].strip()), end)
    return [line.rstrip() for line in lines[start:end]], links[::-1]


def _link(line: str, row: int) -> Link | None:
    """``label -> target``; no regular expression: on a long line of blanks it would try every split."""
    words = line.rsplit(maxsplit=2)
    return Link(words[0].strip(), words[2], row) if len(words) == 3 and words[1] == "->" else None


def check(lines: Sequence[str]) -> list[Problem]:
    """What is wrong with a drawing, in reading order."""
    problems = []
    for row, line in enumerate(lines):
        if "\t" in line:
            problems.append(Problem(row + 1, line.index("\t") + 1, "a tab; use spaces, tabs have no fixed width"))
        if len(line) > WIDTH:
            problems.append(Problem(row + 1, WIDTH + 1, f"the line is {len(line)} columns wide; at most {WIDTH} fit"))
        for column, character in enumerate(line):
            for arm in sorted(arms(character)):
                if not _meets(lines, row, column, arm):
                    problems.append(Problem(row + 1, column + 1, f"'{character}' meets no line {_WORDS[arm]}"))
            if character in HEADS and character in "▼▲▶◀" and not _at(lines, row, column, HEADS[character]).strip():
                problems.append(Problem(row + 1, column + 1, f"'{character}' points at nothing"))
    return problems


def arms(character: str) -> set[Step]:
    """The sides at which a box-drawing character goes on, read from its Unicode name; none for any other."""
    if not "─" <= character <= "╿":
        return set()
    words = unicodedata.name(character).removeprefix("BOX DRAWINGS ").replace("AND", "").split()
    return set().union(*(_NAMES.get(word, set()) for word in words))


def _meets(lines: Sequence[str], row: int, column: int, arm: Step) -> bool:
    there = _at(lines, row, column, arm)
    if (-arm[0], -arm[1]) in arms(there) or there in HEADS:
        return True
    here = arms(lines[row][column])
    straight = here in ({UP, DOWN}, {LEFT, RIGHT})
    if straight and arms(there) in ({UP, DOWN}, {LEFT, RIGHT}):
        return True  # a line that ends on a box's side
    return arm in (LEFT, RIGHT) and straight and _title(lines[row], column, arm[1])


def _title(line: str, column: int, step: int) -> bool:
    """Whether words stand between this piece of a border and its next: ``── training ──``."""
    rest = line[column + 1 :] if step > 0 else line[:column][::-1]
    return bool(re.match(r" [^─-╿]+ [─-╿]", rest))


def _at(lines: Sequence[str], row: int, column: int, arm: Step) -> str:
    y, x = row + arm[0], column + arm[1]
    return lines[y][x] if 0 <= y < len(lines) and 0 <= x < len(lines[y]) else " "


def sizes(lines: Sequence[str]) -> list[SizeMark]:
    """Sizes and letters that are written as in computed drawings, ``(5, 7, 12)  B T C``, or the letters below."""
    marks = []
    for row, line in enumerate(lines):
        below = lines[row + 1] if row + 1 < len(lines) else ""
        for shape in _SHAPE.finditer(line):
            places = [found.span() for found in _SIZE.finditer(line, *shape.span())]
            beside = _letters(line, shape.end() + 2, len(places)) if line[shape.end() :].startswith("  ") else []
            under = _letters(below, places[0][0], len(places))
            at, letters = (row, beside) if beside else (row + 1, under)
            for place, letter in zip(places, letters, strict=False):
                marks += [SizeMark(row, *place, letter[0]), SizeMark(at, *letter.span(), letter[0])]
    return marks


def _letters(line: str, start: int, count: int) -> list[re.Match[str]]:
    """So many letters, the first at a column, with nothing but blanks between; none otherwise."""
    found = list(_LETTER.finditer(line, start))[:count]
    is_so = len(found) == count and found[0].start() == start
    return found if is_so and set(line[start : found[-1].end()]) <= set("".join(one[0] for one in found) + " ") else []


def around(lines: Sequence[str], row: int, column: int) -> tuple[int, int, int, int] | None:
    """First row, first column, height and width of the innermost box around a place, if there is one."""
    line = lines[row]
    left = next((x for x in range(column, -1, -1) if {UP, DOWN} <= arms(line[x])), None)
    right = next((x for x in range(column, len(line)) if {UP, DOWN} <= arms(line[x])), None)
    if left is None or right is None:
        return None
    edges = []
    for step in (UP, DOWN):
        y = row
        while {UP, DOWN} <= arms(_at(lines, y, left, (0, 0))):
            y += step[0]
        edges.append(y)
    corners = [_at(lines, y, x, (0, 0)) for y in edges for x in (left, right)]
    if [arms(corner) for corner in corners] != [{DOWN, RIGHT}, {DOWN, LEFT}, {UP, RIGHT}, {UP, LEFT}]:
        return None
    return edges[0], left, edges[1] - edges[0] + 1, right - left + 1
