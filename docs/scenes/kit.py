"""Shared shapes of the book's clips: a stage of 1920 by 1080, an 8 px grid, five sizes of text, tensors as
cells.

Lengths are pixels of that stage (``px``, ``at``); text sizes are the height of a line of type in the same
pixels, so that the smallest is 11 CSS px where the stage is 360 px wide. A tensor has its positions (T)
across and its channels down, and stands in the same place from clip to clip.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cache

import numpy as np
from manim import (
    LEFT,
    PI,
    RIGHT,
    Animation,
    FadeIn,
    FadeOut,
    Line,
    Mobject,
    Rectangle,
    Text,
    VGroup,
    config,
)

from cutaway import RecordedScene
from cutaway.theme import fonts
from scenes.moving import Digits, number_text
from scenes.moving import Track as Track

STAGE = (1920, 1080)
SMALL, NORMAL, LARGE, TITLE, HUGE = 60, 64, 72, 80, 112  # the five sizes of type
FONT_UNITS = 48 / 90  # Manim's font_size for one pixel of type
EASE = 0.6  # seconds of a movement
REST = 0.8  # seconds of stillness after a beat
HAIRLINE, ACCENT_LINE = 2, 6  # widths in Manim's unit
CELL, GAP = 56, 4
GRID_AT = (192, 264)  # corner of the tensor on the left
FOCUS_AT = (944, 264)  # corner of the numbers in focus, on the right


def px(length: float) -> float:
    """Manim units of a length in pixels of the stage."""
    return float(length * config.frame_width / STAGE[0])


def at(x: float, y: float) -> np.ndarray:
    """The point ``x`` pixels from the left and ``y`` from the top of the stage."""
    return np.array([px(x - STAGE[0] / 2), px(STAGE[1] / 2 - y), 0.0])


@cache
def _text(text: str, face: str, units: float, color: str, weight: str) -> Text:
    """A text, made once: its copies cost a tenth, and the same letters and numbers come again and again."""
    return Text(text, font=face, font_size=units, color=color, weight=weight)


class Cells(VGroup):
    """A matrix as coloured cells: ``cell(row, column)``, ``row(i)``, ``column(j)``."""

    def __init__(
        self,
        values: np.ndarray,
        corner: tuple[float, float],
        paint: Callable[[float], str],
        size: tuple[float, float] = (CELL, CELL),
    ) -> None:
        self.rows, self.columns = values.shape
        self.corner, self.size = corner, size
        width, height = (px(length - GAP) for length in size)
        super().__init__(
            *(
                Rectangle(paint(values[i, j]), height, width, stroke_width=0, fill_opacity=1).move_to(
                    self.center_of(i, j)
                )
                for i in range(self.rows)
                for j in range(self.columns)
            )
        )

    def center_of(self, row: float, column: float) -> np.ndarray:
        return at(self.corner[0] + (column + 0.5) * self.size[0], self.corner[1] + (row + 0.5) * self.size[1])

    def cell(self, row: int, column: int) -> Rectangle:
        return self[row * self.columns + column]

    def row(self, row: int) -> VGroup:
        return VGroup(*(self.cell(row, j) for j in range(self.columns)))

    def column(self, column: int) -> VGroup:
        return VGroup(*(self.cell(i, column) for i in range(self.rows)))

    def behind(self) -> VGroup:
        """The cells up to the diagonal: what a token may look at."""
        return VGroup(*(self.cell(i, j) for i in range(self.rows) for j in range(i + 1)))

    def ahead(self) -> VGroup:
        """The cells above the diagonal: what comes later than the token that looks."""
        return VGroup(*(self.cell(i, j) for i in range(self.rows) for j in range(i + 1, self.columns)))


class Stage(RecordedScene):
    """A scene in the book's look: words, numbers and cells in the theme's colours."""

    def setup(self) -> None:
        self.camera.background_color = self.theme.ground
        self.shown_title: Text | None = None

    # Type

    def words(self, text: str, size: int = SMALL, color: str | None = None, weight: str = "NORMAL") -> Text:
        return _text(text, fonts.sans().family, size * FONT_UNITS, color or self.theme.ink, weight).copy()

    def code(self, text: str, size: int = SMALL, color: str | None = None) -> Text:
        return _text(text, fonts.mono().family, size * FONT_UNITS, color or self.theme.ink, "NORMAL").copy()

    def number(self, value: float, digits: int = 2, size: int = SMALL, color: str | None = None) -> Text:
        return self.code(number_text(value, digits), size, color)

    def digits(
        self,
        value: float,
        digits: int = 2,
        size: int = SMALL,
        color: str | None = None,
        widest: float | None = None,
    ) -> Digits:
        """A number that an updater may set in every frame; ``widest`` needs the most characters."""
        face, units = fonts.mono().family, size * FONT_UNITS
        return Digits(value, face, units, color or self.theme.ink, digits, widest)

    def letter(self, dimension: str, role: str = "") -> VGroup:
        """A dimension's letter in its colour, and what the axis stands for."""
        letter = self.words(dimension, color=self.theme.dimension(dimension), weight="BOLD")
        rest = [self.words(role, color=self.theme.muted)] if role else []
        return VGroup(letter, *rest).arrange(RIGHT, buff=px(24))

    def upright(self, dimension: str, role: str) -> VGroup:
        """The letter of an axis that runs down, and its role, read from below."""
        return self.letter(dimension, role).rotate(PI / 2)

    def tokens(self, name: str = "idx") -> list[str]:
        """The letters of the run's input, or of its targets: the sort model's token 0 is A."""
        return [chr(ord("A") + int(token)) for token in self.value(name)[0]]

    # Tensors

    def tensor(self, cells: VGroup, name: str, part: tuple[int | slice, ...], transposed: bool = False) -> VGroup:
        """Tag cells or numbers as those of ``self.value(name)[part]``, row by row: who points at one is told its index
        and the recorded value."""
        shape = self.value(name).shape
        places = np.arange(math.prod(shape)).reshape(shape)[part]
        order = (places.T if transposed else places).flat
        indices = [tuple(int(i) for i in np.unravel_index(place, shape)) for place in order]
        self.tag(cells, name, list(zip(cells, indices, strict=True)))
        return cells

    def signed(
        self,
        values: np.ndarray,
        corner: tuple[float, float],
        size: tuple[float, float] = (CELL, CELL),
        most: float | None = None,
    ) -> Cells:
        """Cells of signed numbers; ``most`` is the magnitude at the ends of the ramp."""
        top = most or float(np.abs(values[np.isfinite(values)]).max()) or 1.0
        return Cells(values, corner, lambda v: self.theme.sign(v / top), size)

    def weights(
        self, values: np.ndarray, corner: tuple[float, float], size: tuple[float, float] = (CELL, CELL)
    ) -> Cells:
        """Cells of weights from 0 to 1."""
        return Cells(values, corner, self.theme.weight, size)

    def empty(self, cells: Iterable[Mobject]) -> VGroup:
        """Turn cells into outlines: nothing there, or not yet."""
        return VGroup(*(c.set_fill(self.theme.ground).set_stroke(self.theme.line, HAIRLINE).scale(0.94) for c in cells))

    def across(self, cells: Cells, labels: Sequence[str], role: str = "") -> VGroup:
        """A label above each column, and above them the letter of the axis."""
        top = cells.corner[1]
        marks = self._labels(labels, [(cells.center_of(0, j)[0], at(0, top - 36)[1]) for j in range(cells.columns)])
        if not role:
            return VGroup(marks)
        return VGroup(marks, self.letter("T", role).move_to([marks.get_x(), at(0, top - 104)[1], 0]))

    def down(self, cells: Cells, labels: Sequence[str], role: str = "") -> VGroup:
        """A label left of each row, and left of them the letter of the axis."""
        left = cells.corner[0]
        marks = self._labels(labels, [(at(left - 36, 0)[0], cells.center_of(i, 0)[1]) for i in range(cells.rows)])
        if not role:
            return VGroup(marks)
        return VGroup(marks, self.upright("T", role).move_to([at(left - 116, 0)[0], marks.get_y(), 0]))

    def _labels(self, labels: Sequence[str], places: Sequence[tuple[float, float]]) -> VGroup:
        marks = (self.words(text, color=self.theme.muted) for text in labels)
        return VGroup(*(mark.move_to([x, y, 0]) for mark, (x, y) in zip(marks, places, strict=True)))

    def focus(self, *mobjects: Mobject) -> Rectangle:
        """The frame in the accent colour around what is happening now."""
        group = VGroup(*mobjects)
        frame = Rectangle(width=group.width + px(GAP), height=group.height + px(GAP))
        return frame.set_stroke(self.theme.accent, ACCENT_LINE).move_to(group).set_z_index(1)

    # Numbers in focus

    def column(
        self, values: Sequence[float], right: float, live: int | None = None, top: float = FOCUS_AT[1]
    ) -> VGroup:
        """Numbers below each other, ``right`` being their right edge; only the first ``live`` ones count."""
        count = len(values) if live is None else live
        return VGroup(
            *(
                self.number(value, color=self.theme.ink if i < count else self.theme.muted).move_to(
                    at(right, top + (i + 0.5) * CELL), aligned_edge=RIGHT
                )
                for i, value in enumerate(values)
            )
        )

    def head(self, text: str, right: float) -> Text:
        """What a column of numbers holds."""
        return self.words(text, color=self.theme.muted).move_to(at(right, FOCUS_AT[1] - 36), aligned_edge=RIGHT)

    def rule(self, left: float, right: float, y: float) -> Line:
        return Line(at(left, y), at(right, y)).set_stroke(self.theme.line, HAIRLINE * 2)

    # Beats

    def beat(
        self,
        title: str,
        *animations: Animation,
        say: str,
        away: Sequence[Mobject] = (),
        rest: float = REST,
        run_time: float = EASE,
    ) -> None:
        """One thing happens: its title, its animations, its caption for who reads, and a rest.

        What is ``away`` leaves with the title before, so that nothing ever stands on top of what it makes room for.
        """
        new = self.words(title, TITLE, weight="MEDIUM").move_to(at(GRID_AT[0], 68), aligned_edge=LEFT)
        began = self.time
        if self.shown_title is not None:
            self.play(FadeOut(self.shown_title, *away), run_time=EASE / 2)
        self.play(FadeIn(new), run_time=EASE / 2)
        self.shown_title = new
        if animations:
            self.play(*animations, run_time=run_time)
        self.wait(rest)
        self.add_subcaption(say, duration=self.time - began, offset=began - self.time)
