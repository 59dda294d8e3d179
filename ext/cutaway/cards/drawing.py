"""A drawing in text, or a clip's still, on a card: a part of it that can be read rather than all of it. No Sphinx."""

from __future__ import annotations

import itertools
from typing import Any

from PIL import Image, ImageChops

from ..theme.palette import DARK
from ..theme.shapes import dimension
from .sheet import Box, Sheet, font

SIZES = (44, 40, 36, 33, 30)  # pixels to the em
CROPPED = 33  # from this size on, the lower part may be left out to have the whole width
PITCH = 1.2  # of lines: less than a glyph of a box is high, so that lines meet
LARGEST = 1.3  # times a still's own size
EDGE = 10  # pixels of ground that stay around what a still shows


def draw_text(sheet: Sheet, box: Box, picture: dict[str, Any]) -> float:
    """Draw the drawing, or as much of its upper part as can be read; returns where it ends."""
    left, top, right, bottom = box
    lines = picture["lines"]
    size, columns, rows = _fitting(lines, right - left, bottom - top)
    column = _first_column(picture, columns, rows)
    face, advance, pitch = _metrics(size)
    seen = [line[column : column + columns] for line in lines[:rows]]
    across = max(len(line.rstrip()) for line in seen) * advance
    x = left + max(0.0, (right - left - across) / 2)
    coloured = {(r, c): axis for r, start, end, axis in picture["sizes"] for c in range(start, end)}
    for i, line in enumerate(seen):
        for start, end, axis in _runs(line, i, column, coloured):
            letter = dimension(axis)
            colour = DARK.dimension(letter or "B") if axis else DARK.ink
            place = (x + start * advance, top + (i + 0.8) * pitch)
            sheet.write(place, line[start:end], face, colour)
    below = top + len(seen) * pitch
    if rows < len(lines):
        sheet.fade((left, below - 1.4 * pitch, right + 1, below + 8), DARK.ground)
    if any(len(line) > column + columns for line in lines[:rows]):
        sheet.fade((right - 3 * advance, top, right + 2, below + 8), DARK.ground, down=False)
    return below


def _metrics(size: int) -> tuple[Any, float, int]:
    face = font("mono", "Regular", size)
    return face, face.getlength("│"), round(size * PITCH)


def _fitting(lines: list[str], width: float, height: float) -> tuple[int, int, int]:
    """The largest size at which the whole fits, else the smallest, and how many columns and rows there are then."""
    for size in SIZES:
        _, advance, pitch = _metrics(size)
        columns, rows = int(width / advance), int(height / pitch)
        whole = len(lines) <= rows or size <= CROPPED
        if whole and max(map(len, lines)) <= columns:
            break
    return size, columns, rows


def _first_column(picture: dict[str, Any], columns: int, rows: int) -> int:
    """First column of the part that is shown from the top: the one with most whole boxes, of those the first."""
    boxes = [box for box in picture["boxes"] if box[0] + box[2] <= rows]
    starts = range(max(1, max(map(len, picture["lines"])) - columns + 1))
    return max(starts, key=lambda start: sum(start <= c and c + w <= start + columns for _, c, _, w in boxes))


def _runs(line: str, row: int, column: int, coloured: dict[tuple[int, int], str]) -> list[tuple[int, int, str]]:
    """Stretches of a line with one colour each, blanks left out: start, end, axis or nothing."""
    axes = [coloured.get((row, column + i), "") for i in range(len(line))]
    starts = [i for i in range(len(line)) if i == 0 or axes[i] != axes[i - 1] or line[i - 1] == " " != line[i]]
    return [(a, b, axes[a]) for a, b in itertools.pairwise([*starts, len(line)]) if line[a:b].strip()]


def draw_still(sheet: Sheet, box: Box, image: Image.Image) -> float:
    """Draw what a still shows, without the empty ground around it, as large as it fits; returns where it ends."""
    left, top, right, bottom = box
    image = image.convert("RGB")
    ground = Image.new("RGB", image.size, image.getpixel((0, 0)))
    shown = ImageChops.difference(image, ground).getbbox() or (0, 0, *image.size)
    whole = (max(0, shown[0] - EDGE), max(0, shown[1] - EDGE),
             min(image.width, shown[2] + EDGE), min(image.height, shown[3] + EDGE))  # fmt: skip
    cut = image.crop(whole)
    scale = min((right - left) / cut.width, (bottom - top) / cut.height, LARGEST)
    drawn = cut.resize((round(cut.width * scale), round(cut.height * scale)), Image.Resampling.LANCZOS)
    x = left + (right - left - drawn.width) / 2
    y = top + (bottom - top - drawn.height) / 2
    sheet.image.paste(drawn, (round(x), round(y)))
    return y + drawn.height
