"""The card of a thing: 1200 by 630 pixels for who meets a link elsewhere, to be read at a third of that. No Sphinx."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

from PIL import Image

from ..theme.palette import DARK
from . import code, drawing
from .sheet import Sheet, cut, font, width_of, wrapped

SIZE = (1200, 630)
LIMIT = 110_000  # bytes: a third party's README is to carry it
MARGIN = 56
SMALL = 33  # pixels to the em: 11 where the card is shown 400 pixels wide
WORDS = 38
COLUMN = 340  # pixels of words beside a still
ALONE = (60, 54, 48, 44)  # of words without a picture
TITLES = (68, 62, 56, 50, 45)
TOP, BOTTOM = 128, SIZE[1] - 44  # of what stands below the line of kind, chapter and book


class Card(NamedTuple):
    """What a card says: the kind, title and chapter of a thing, what it is in words, and its picture, if any."""

    kind: str
    title: str
    chapter: str
    book: str
    words: str
    picture: dict[str, Any] | None = None


def draw(card: Card, still: Image.Image | None = None) -> Sheet:
    """Draw a card; ``still`` is that of a clip."""
    sheet, words, picture = Sheet(SIZE), _said(card), card.picture or {}
    right = SIZE[0] - MARGIN
    _line(sheet, card)
    y = _title(sheet, card, 1 if still or picture else 2)
    if still is not None:
        _still(sheet, still, words if card.kind == "section" else "", y)
    elif not picture:
        _words_alone(sheet, words, y)
    elif card.kind == "section":
        y = _words(sheet, words, y, 2, WORDS) + 4 if words else y
    if "rows" in picture:
        below = words if card.kind != "section" else ""
        kept = 116 if below and card.kind == "step" else 0  # for two lines of the note
        end = code.draw(sheet, (MARGIN, y, right, BOTTOM - kept), picture)
        _words(sheet, below, end + 18, int((BOTTOM + 12 - end - 18) // (WORDS * 1.4)), WORDS)
    elif "lines" in picture:
        drawing.draw_text(sheet, (MARGIN, y, right, SIZE[1] - 16), picture)
    return sheet


def _said(card: Card) -> str:
    """The words, if they say more than the title; without what marks code in a docstring."""
    words = card.words.replace("``", "")
    return "" if words.rstrip(".") == card.title or " " not in words else words


def _line(sheet: Sheet, card: Card) -> None:
    """Kind and chapter at the left, the book's name at the right."""
    kind, right = card.kind, SIZE[0] - MARGIN
    if card.kind == "section" and card.title == card.chapter:
        kind = "chapter"
    face, quiet = font("sans", "SemiBold", SMALL), font("sans", "Regular", SMALL)
    width = sheet.write((MARGIN, 82), kind.capitalize(), face, DARK.ink) + 24
    room = right - MARGIN - width
    book = cut(card.book, quiet, room if kind == "chapter" else room * 0.6)
    sheet.write((right, 82), book, quiet, DARK.muted, anchor="rs")
    if kind != "chapter":
        chapter = cut(card.chapter, quiet, room - width_of(book, quiet) - 32)
        sheet.write((MARGIN + width, 82), chapter, quiet, DARK.muted)


def _title(sheet: Sheet, card: Card, rows: int) -> float:
    """The title as large as it fits in one line, else in ``rows``; returns where what follows begins."""
    width, mono = SIZE[0] - 2 * MARGIN, card.kind in ("step", "listing")
    sizes = [round(size * 0.8) for size in TITLES] if mono else TITLES
    faces = [font("mono" if mono else "sans", "Bold", size) for size in sizes]
    face = next((face for face in faces if width_of(card.title, face) <= width), faces[-1])
    y = float(TOP)
    for line in wrapped(card.title, face, width, rows):
        sheet.write((MARGIN, y + face.size * 0.9), line, face)
        y += face.size * 1.18
    return y + 20


def _words(sheet: Sheet, words: str, y: float, rows: int, size: int, width: int = SIZE[0] - 2 * MARGIN) -> float:
    face = font("sans", "Regular", size)
    for line in wrapped(words, face, width, rows):
        sheet.write((MARGIN, y + size), line, face, DARK.muted)
        y += size * 1.4
    return y + size * 0.4


def _words_alone(sheet: Sheet, words: str, y: float) -> None:
    """The words as large as they fit."""
    width, room = SIZE[0] - 2 * MARGIN, BOTTOM - y
    for size in ALONE:
        rows = int(room // (size * 1.4))
        lines = wrapped(words, font("sans", "Regular", size), width, rows)
        if " ".join(lines) == " ".join(words.split()):
            break
    _words(sheet, words, y, rows, size)


def _still(sheet: Sheet, still: Image.Image, words: str, y: float) -> None:
    """What a clip shows, and at its left what the section says of it."""
    left = MARGIN - 32
    if words:
        left = MARGIN + COLUMN + 24
        _words(sheet, words, y, int((BOTTOM - y) // (WORDS * 1.4)), WORDS, COLUMN)
    drawing.draw_still(sheet, (left, y - 16, SIZE[0] - MARGIN + 32, SIZE[1] - 16), still)


def png(sheet: Sheet) -> bytes:
    """The card as a file, with fewer colours where it would be too large."""
    for colours in (128, 64, 32, 16):
        target = io.BytesIO()
        quantised = sheet.image.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        quantised.save(target, "png")
        if target.tell() <= LIMIT:
            break
    return target.getvalue()
