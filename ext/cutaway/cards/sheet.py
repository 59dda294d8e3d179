"""A sheet to draw a card on: text that fits, in the book's faces; it remembers where text was drawn. No Sphinx."""

from __future__ import annotations

import functools
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from ..theme import fonts
from ..theme.palette import DARK

Box = tuple[float, float, float, float]  # left, top, right, bottom
ELLIPSIS = "…"


@functools.cache
def font(face: str, weight: str, size: int) -> Any:
    """A face ("sans" or "mono") in a weight, or its boldest below that, ``size`` pixels to the em.

    On a machine without any of the book's typefaces it is Pillow's own.
    """
    files = dict(getattr(fonts, face)().files)
    if not files:
        return ImageFont.load_default(size)
    path = files.get(weight) or files.get("Bold" if weight == "SemiBold" else "Regular") or files["Regular"]
    # Code shows no ligatures: "!=" must not read as another character.
    engine = ImageFont.Layout.BASIC if face == "mono" else None
    return ImageFont.truetype(str(path), size, layout_engine=engine)


@functools.cache
def width_of(text: str, face: Any) -> float:
    """The width of a text in a face; asked again and again for the same words."""
    return float(face.getlength(text))


def cut(text: str, face: Any, width: float) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    if width_of(text, face) <= width:
        return text
    low, high = 0, len(text)
    while low < high:  # the longest beginning that fits
        middle = (low + high + 1) // 2
        if width_of(text[:middle].rstrip() + ELLIPSIS, face) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip(" ,;:.") + ELLIPSIS


def wrapped(text: str, face: Any, width: float, rows: int) -> list[str]:
    """The text in at most ``rows`` lines, broken between words; the last is cut where there is more."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < rows:
        count = 1
        while count < len(words) and width_of(" ".join(words[: count + 1]), face) <= width:
            count += 1
        if len(lines) == rows - 1:
            count = len(words)
        lines.append(cut(" ".join(words[:count]), face, width))
        words = words[count:]
    return lines


class Sheet:
    """An opaque picture in the dark theme's colours; ``written`` are the boxes of its text, ``sizes`` its sizes."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.image = Image.new("RGB", size, DARK.ground)
        self.draw = ImageDraw.Draw(self.image)
        self._texts: list[tuple[tuple[float, float], str, Any, str]] = []
        self.sizes: set[int] = set()

    def write(
        self, place: tuple[float, float], text: str, face: Any, colour: str = DARK.ink, anchor: str = "ls"
    ) -> float:
        """Write from the left end of a baseline (or another anchor of Pillow's); returns the width."""
        if text.strip():
            self.sizes.add(face.size)
            self.draw.text(place, text, fill=colour, font=face, anchor=anchor)
            self._texts.append((place, text, face, anchor))
        return width_of(text, face)

    @property
    def written(self) -> list[Box]:
        """The boxes of its text. Measured when they are asked for, which no card does."""
        return [
            self.draw.textbbox(place, text, font=face, anchor=anchor) for place, text, face, anchor in self._texts
        ]

    def panel(self, box: Box, colour: str = DARK.panel) -> None:
        self.draw.rounded_rectangle(box, 14, fill=colour)

    def fade(self, box: Box, colour: str, down: bool = True) -> None:
        """Let what lies in a box melt away, downwards or to the right: it goes on."""
        left, top, right, bottom = (round(side) for side in box)
        size = (max(1, right - left), max(1, bottom - top))
        length = size[1] if down else size[0]
        ramp = Image.new("L", (1, length) if down else (length, 1))
        ramp.putdata([round(255 * (step + 1) / length) for step in range(length)])
        self.image.paste(Image.new("RGB", size, colour), (left, top), ramp.resize(size))
