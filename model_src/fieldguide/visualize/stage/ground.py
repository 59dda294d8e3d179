"""The ground that the scenes stand on: 1920 by 1080 pixels, the book's typefaces, sizes of type, and colours."""

import textwrap
from collections.abc import Sequence
from functools import cache

import numpy as np
from manim import LEFT, RIGHT, Animation, FadeIn, FadeOut, Line, Mobject, Rectangle, Text, VGroup, VMobject, config

from cutaway import RecordedScene
from cutaway.theme import fonts

from .drawing import GIVEN

STAGE = (1920, 1080)
SMALL, NORMAL, TITLE, HUGE = 60, 64, 80, 112  # the book's sizes of type, in pixels
FONT_UNITS = 48 / 90  # Manim's font_size for one pixel of type
EASE, REST = 0.6, 0.8  # seconds of a movement, and of the stillness after it
HAIRLINE, ACCENT_LINE = 2, 6
LEFT_EDGE, RIGHT_EDGE = 192, 1800
LINE, ROW = 84, 54  # pixels from line to line, characters in one
CHARACTERS = "0123456789−.∞, "


def px(length: float) -> float:
    """Manim units of a length in pixels of the stage."""
    return float(length * config.frame_width / STAGE[0])


def at(x: float, y: float) -> np.ndarray:
    """The point ``x`` pixels from the left and ``y`` from the top of the stage."""
    return np.array([px(x - STAGE[0] / 2), px(STAGE[1] / 2 - y), 0.0])


def number_text(value: float, digits: int = 2) -> str:
    """``−0.50`` with a true minus sign and commas; a rounded zero has no sign."""
    return f"{round(float(value), digits) + 0.0:,.{digits}f}".replace("-", "−")


def short(count: float) -> str:
    """A count in a few characters: 950, 12.3 K, 124 M."""
    for unit, name in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if count >= unit:
            return f"{count / unit:.3g} {name}" if count / unit < 999.5 else f"{count / unit:.0f} {name}"
    return f"{count:,.0f}"


@cache
def typed(text: str, face: str, units: float, color: str, weight: str) -> Text:
    """A text, made once: its copies cost a tenth."""
    return Text(text, font=face, font_size=units, color=color, weight=weight)


class Counter(VGroup):
    """A number that an updater may set in every frame; its characters keep their slots, counted from the right."""

    def __init__(self, widest: float, digits: int, face: str, units: float, color: str) -> None:
        marks = typed("8" + CHARACTERS.replace(" ", "") + "8", face, units, color, "NORMAL")
        self.advance = (marks[-1].get_center() - marks[0].get_center())[0] / (len(marks) - 1)
        corner = np.array([marks.get_left()[0], marks.get_bottom()[1], 0])
        self.outlines = {" ": np.zeros((4, 3))}
        for place, mark in enumerate(marks[1:-1], 1):
            self.outlines[CHARACTERS.replace(" ", "")[place - 1]] = mark.points - corner - [place * self.advance, 0, 0]
        self.digits, self.room = digits, len(number_text(widest, digits))
        size = (self.advance * self.room, marks.height)
        self.frame = Rectangle(width=size[0], height=size[1], stroke_width=0, fill_opacity=0)
        self.slots = [VMobject(fill_color=color, fill_opacity=1, stroke_width=0) for _ in range(self.room)]
        super().__init__(self.frame, *self.slots)
        self.set_value(widest)

    def set_value(self, value: float) -> "Counter":
        """Show a value that is no wider than the widest."""
        corner = np.array([self.frame.get_left()[0], self.frame.get_bottom()[1], 0])
        text = number_text(value, self.digits).rjust(self.room)[-self.room :]
        for i, (slot, mark) in enumerate(zip(self.slots, text, strict=True)):
            slot.set_points(self.outlines[mark] + corner + [i * self.advance, 0, 0])
        return self


class Ground(RecordedScene):
    """A scene that shows ``self.given``, what ``fieldguide visualize`` took from the reader's file."""

    def setup(self) -> None:
        self.camera.background_color = self.theme.ground
        self.given = GIVEN
        self.shown_title: Text | None = None

    def words(self, text: str, size: int = SMALL, color: str | None = None, weight: str = "NORMAL") -> Text:
        """A text in the book's sans."""
        return typed(text or "-", fonts.sans().family, size * FONT_UNITS, color or self.theme.ink, weight).copy()

    def code(self, text: str, size: int = SMALL, color: str | None = None) -> Text:
        """A name or a number in the book's mono."""
        return typed(text or "-", fonts.mono().family, size * FONT_UNITS, color or self.theme.ink, "NORMAL").copy()

    def counter(self, widest: float, digits: int = 2, size: int = SMALL, color: str | None = None) -> Counter:
        """A number that changes."""
        return Counter(widest, digits, fonts.mono().family, size * FONT_UNITS, color or self.theme.ink)

    def level(self, y: float, left: float = LEFT_EDGE, right: float = RIGHT_EDGE) -> Line:
        """A thin line across."""
        return Line(at(left, y), at(right, y)).set_stroke(self.theme.line, HAIRLINE)

    def box(self, left: float, top: float, width: float, height: float, color: str) -> Rectangle:
        """A filled rectangle by its upper left corner, in pixels."""
        shape = Rectangle(color, px(max(height, 2)), px(max(width, 2)), stroke_width=0, fill_opacity=1)
        return shape.move_to(at(left + max(width, 2) / 2, top + max(height, 2) / 2))

    def path(self, points: Sequence[np.ndarray], color: str, width: float) -> VMobject:
        """A line through points."""
        return VMobject().set_points_as_corners(points).set_stroke(color, width)

    def fit(self, mobject: Mobject, width: float) -> Mobject:
        """The object, made narrower where it would be wider than so many pixels."""
        return mobject.scale_to_fit_width(px(width)) if mobject.width > px(width) else mobject

    def paragraph(self, text: str, top: float, left: float = LEFT_EDGE, most: int = 3) -> VGroup:
        """A sentence in up to so many lines."""
        lines = textwrap.wrap(text, ROW) or ["-"]
        if len(lines) > most:
            lines = [*lines[: most - 1], textwrap.shorten(" ".join(lines[most - 1 :]), ROW, placeholder=" …")]
        shown = (self.words(line).move_to(at(left, top + i * LINE), LEFT) for i, line in enumerate(lines))
        return VGroup(*shown)

    def beat(
        self, title: str, *animations: Animation, say: str, away: Sequence[Mobject] = (), rest: float = REST,
        run_time: float = EASE,
    ) -> None:  # fmt: skip
        """One thing happens: its title, its animations, its caption for who reads, and a rest."""
        new = self.words(title, TITLE, weight="MEDIUM")
        new = self.fit(new, STAGE[0] - 2 * LEFT_EDGE + 72).move_to(at(LEFT_EDGE, 84), aligned_edge=LEFT)
        began = self.time
        if self.shown_title is not None:
            self.play(FadeOut(self.shown_title, *away), run_time=EASE / 2)
        self.play(FadeIn(new), run_time=EASE / 2)
        self.shown_title = new
        if animations:
            self.play(*animations, run_time=run_time)
        self.wait(rest)
        self.add_subcaption(say, duration=self.time - began, offset=began - self.time)

    def right_of(self, text: str, x: float, y: float, color: str | None = None, size: int = SMALL) -> Text:
        """A name or number whose right edge is at ``x``."""
        return self.code(text, size, color).move_to(at(x, y), aligned_edge=RIGHT)

    def left_of(self, text: str, x: float, y: float, color: str | None = None, size: int = SMALL) -> Text:
        """Words whose left edge is at ``x``."""
        return self.words(text, size, color).move_to(at(x, y), aligned_edge=LEFT)
