"""Lines of code on a card: wrapped, the quotation marked, the recorded shapes beside them. No Sphinx."""

from __future__ import annotations

import functools
import itertools
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..theme.palette import DARK, mix
from ..theme.shapes import dimension
from .sheet import Box, Sheet, font, width_of

SIZES = (56, 50, 46, 42, 38, 34)  # pixels to the em; the smallest is 11 where a card is shown 400 wide
PITCH = 1.38  # of lines
PADDING = 26
MARK = mix(DARK.panel, DARK.accent, 0.4)
FAINT_MARK = mix(DARK.panel, DARK.accent, 0.2)  # where many are
MUTED = mix(DARK.muted, DARK.panel, 0.12)
SMALL = 0.8  # the letter of an axis beside its size


class Cell(NamedTuple):
    """A character of code, its manner, and whether it is quoted."""

    text: str
    manner: str
    quoted: bool


@dataclass(frozen=True)
class Row:
    """What stands on one line of the card; ``shapes`` stand at its right end."""

    cells: tuple[Cell, ...] = ()
    shapes: tuple[Any, ...] = ()
    about: bool = True


MORE = Row((Cell("⋮", "", False),), (), False)


def draw(sheet: Sheet, box: Box, picture: dict[str, Any]) -> float:
    """Draw as many lines as there is room for; returns where the panel ends."""
    left, top, right, bottom = box
    size, rows = _fitting(picture, right - left - 2 * PADDING, bottom - top - PADDING)
    pitch = round(size * PITCH)
    room = int((bottom - top - PADDING) // pitch)
    if len(rows) > room:
        rows = [*rows[: room - 1], MORE]
    end = top + PADDING + pitch * len(rows)
    sheet.panel((left, top, right, end))
    baseline = top + PADDING / 2 + pitch * 0.76
    for row in rows:
        _write(sheet, left + PADDING, right - PADDING, baseline, row, size, MARK if picture["about"] else FAINT_MARK)
        baseline += pitch
    return end


def _fitting(picture: dict[str, Any], width: float, height: float) -> tuple[int, list[Row]]:
    """With as much around the lines that matter as there is room for, the largest size at which none is wrapped; else
    the smallest size, wrapped."""
    every = _lines(picture)
    kept = [number for number, line in enumerate(every) if line.about]
    for wraps in (False, True):
        for around, size in itertools.product((3, 2, 1, 0), SIZES[-1:] if wraps else SIZES):
            columns = int(width / _advance(size))
            lines = _as_far_left(every[max(0, kept[0] - around) : kept[-1] + 1 + max(0, around - 1)])
            rows = [row for line in lines for row in _wrapped(line, columns, size)]
            whole = wraps or sum(map(_has_code, rows)) == len(lines)
            if whole and len(rows) * round(size * PITCH) <= height:
                return size, rows
    return size, rows


@functools.cache
def _advance(size: int) -> float:
    """The width of a character."""
    return width_of("0", font("mono", "Regular", size))


def _has_code(row: Row) -> bool:
    return bool(row.cells)


def _lines(picture: dict[str, Any]) -> list[Row]:
    """The lines of a picture, without what is merely remarked."""
    first, last = picture["about"] or (0, sys.maxsize)
    marks: dict[int, list[Any]] = {}
    for line, start, end in picture["quoted"]:
        marks.setdefault(line, []).append((start, end))
    found = []
    for number, pieces in picture["rows"]:
        text = "".join(text for text, _ in pieces)
        indent = len(text) - len(text.lstrip())
        quoted = [
            range(indent if start is None else start, len(text) if end is None else end)
            for start, end in marks.get(number, [])
        ]
        manners = [manner for text, manner in pieces for _ in text]
        every = (Cell(c, m, any(i in q for q in quoted)) for i, (c, m) in enumerate(zip(text, manners, strict=True)))
        cells = _trimmed(cell for cell in every if cell.quoted or cell.manner != "aside")
        about = first <= number <= last
        shapes = tuple(picture["beside"].get(str(number), ())) if about else ()
        if cells:
            found.append(Row(cells, shapes, about))
    return found


def _as_far_left(rows: list[Row]) -> list[Row]:
    blanks = min((_indent(row.cells) for row in rows), default=0)
    return [Row(row.cells[blanks:], row.shapes, row.about) for row in rows]


def _trimmed(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Cells without blanks at their end."""
    kept = tuple(cells)
    return kept[: max((number + 1 for number, cell in enumerate(kept) if cell.text.strip()), default=0)]


def _indent(cells: tuple[Cell, ...]) -> int:
    return next((number for number, cell in enumerate(cells) if cell.text != " "), 0)


def _wrapped(line: Row, columns: int, size: int) -> list[Row]:
    """A line in rows of at most so many columns, the further ones further in; its shapes where there is room."""
    rest, rows, hang = line.cells, [], (Cell(" ", "", False),) * min(_indent(line.cells) + 4, columns // 2)
    while len(rest) > columns:
        least = len(hang) + 8
        spaces, brackets = ([i + 1 for i in range(least, columns) if rest[i].text in those] for those in (" ", "([."))
        at = (spaces if spaces and spaces[-1] > columns // 2 else brackets or [columns])[-1]
        rows.append(Row(_trimmed(rest[:at]), (), line.about))
        rest = hang + _stripped(rest[at:])
    rows.append(Row(rest, (), line.about))
    if not line.shapes:
        return rows
    needed = sum(_length(shape, size) for shape in line.shapes) / _advance(size)
    if len(rest) + needed + 2 <= columns:
        rows[-1] = Row(rest, line.shapes, line.about)
    else:
        rows.append(Row((), line.shapes, line.about))
    return rows


def _stripped(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    return cells[_indent(cells) :]


def _write(sheet: Sheet, left: float, right: float, baseline: float, row: Row, size: int, mark: str) -> None:
    advance = _advance(size)
    for start, end in _runs([cell.quoted for cell in row.cells]):
        if row.cells[start].quoted:
            box = (left + start * advance - 4, baseline - 0.98 * size, left + end * advance + 4, baseline + 0.32 * size)
            sheet.draw.rounded_rectangle(box, 6, fill=mark)
    for start, end in _runs([(cell.manner, cell.quoted) for cell in row.cells]):
        cell = row.cells[start]
        quiet = cell.manner == "aside" or not (row.about or cell.quoted)
        bold = cell.manner == "keyword" and row.about
        text = "".join(c.text for c in row.cells[start:end])
        face = font("mono", "Bold" if bold else "Regular", size)
        sheet.write((left + start * advance, baseline), text, face, MUTED if quiet else DARK.ink)
    x = right - sum(_length(shape, size) for shape in row.shapes)
    for shape in row.shapes:
        x = _write_shape(sheet, x, baseline, shape, size)


def _runs(values: list[Any]) -> list[tuple[int, int]]:
    """Start and end of each stretch of like values."""
    starts = [i for i, value in enumerate(values) if i == 0 or value != values[i - 1]]
    return list(itertools.pairwise([*starts, len(values)]))


def _parts(shape: Any) -> list[tuple[str, str, bool]]:
    """A shape as texts with their colour; True for the small letter of an axis."""
    names, sizes = shape
    parts = [(f" {names} ", DARK.muted, False), ("(", DARK.muted, False)]
    for number, (length, axis) in enumerate(sizes):
        letter = dimension(axis)
        named = axis not in (None, "1")
        colour = DARK.dimension(letter) if letter else DARK.dimension("B") if named else DARK.ink
        parts += [(", ", DARK.muted, False)] if number else []
        parts += [(str(length), colour, False)] + ([(axis, colour, True)] if named else [])
    return [*parts, (",)" if len(sizes) == 1 else ")", DARK.muted, False)]


def _length(shape: Any, size: int) -> float:
    return sum(width_of(text, _face(size, small)) for text, _, small in _parts(shape))


def _face(size: int, small: bool) -> Any:
    return font("mono", "SemiBold", round(size * (SMALL if small else 0.94)))


def _write_shape(sheet: Sheet, x: float, baseline: float, shape: Any, size: int) -> float:
    for text, colour, small in _parts(shape):
        x += sheet.write((x, baseline + (0.14 * size if small else 0)), text, _face(size, small), colour)
    return x
