"""What may change in every frame at little cost: numbers in fixed digit slots, places along a curve.

A new ``Text`` in each frame is laid out, written to an SVG file and read again; ``point_from_proportion``
measures its whole curve again. These two look the same, and only look something up.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from manim import Text, VGroup, VMobject

CHARACTERS = "0123456789−.∞"
SAMPLES = 8  # chords that stand for one curve of a track


def number_text(value: float, digits: int = 2) -> str:
    """``−0.50`` with a true minus sign, ``−∞`` for minus infinity; a rounded zero has no sign."""
    if np.isinf(value):
        return "−∞" if value < 0 else "∞"
    return f"{round(float(value), digits) + 0.0:.{digits}f}".replace("-", "−")


class Glyphs(NamedTuple):
    """The outlines of numbers, each in the same box, from its lower left corner."""

    outlines: dict[str, np.ndarray]
    size: tuple[float, float]  # of the box, Manim units
    advance: float  # from a character to the next


@cache
def glyphs(font: str, font_size: float) -> Glyphs:
    """Measured on a text that holds every character, in a face whose characters are equally wide."""
    text = Text(CHARACTERS + CHARACTERS[0], font=font, font_size=font_size)
    step = (text[-1].get_center() - text[0].get_center()) / len(CHARACTERS)
    outlines = [glyph.points - i * step for i, glyph in enumerate(text[:-1])]
    together = np.concatenate(outlines)
    corner, (width, height, _) = together.min(0), np.ptp(together, axis=0)
    named = {character: points - corner for character, points in zip(CHARACTERS, outlines, strict=True)}
    named[" "] = np.zeros((4, 3))  # a point: animations give paths without points a place of their own
    return Glyphs(named, (width, height), step[0])


class Digits(VGroup):
    """A number that changes: ``digits.add_updater(lambda d: d.set_value(tracker.get_value()))``.

    It looks as the text of the number, but each character keeps its slot, counted from the right: digits don't
    jitter. There are as many slots as the ``widest`` number needs. It may be moved, scaled and turned between
    two values, and takes no other room when its value changes.
    """

    def __init__(
        self, value: float, font: str, font_size: float, color: str, digits: int = 2, widest: float | None = None
    ) -> None:
        self.font, self.glyphs, self.digits = font, glyphs(font, font_size), digits
        self.room = max(len(number_text(number, digits)) for number in (value, value if widest is None else widest))
        (width, height), advance = self.glyphs.size, self.glyphs.advance
        self.size = width + advance * (self.room - 1), height
        # Corners that move with the rest and tell where it is; each by itself encloses nothing, so no style shows them.
        self.frame = VMobject(stroke_width=0, fill_opacity=0)
        self.frame.set_points(np.repeat([[0, 0, 0], [self.size[0], 0, 0], [0, height, 0], [*self.size, 0]], 4, axis=0))
        self.slots = [VMobject(fill_color=color, fill_opacity=1, stroke_width=0) for _ in range(self.room)]
        super().__init__(self.frame, *self.slots)
        self.center().set_value(value)

    def set_value(self, value: float) -> "Digits":
        """Show ``value``; ValueError where it needs more characters than the widest number."""
        text = number_text(value, self.digits).rjust(self.room)
        if len(text) > self.room:
            raise ValueError(f"{text} needs {len(text)} characters, there is room for {self.room}: widest={value:g}")
        corner, right, top = self.frame.points[[0, 4, 8]]
        across, up = (right - corner) / self.size[0], (top - corner) / self.size[1]
        for i, (slot, character) in enumerate(zip(self.slots, text, strict=True)):
            x, y, _ = self.glyphs.outlines[character].T
            slot.set_points(corner + np.outer(x + i * self.glyphs.advance, across) + np.outer(y, up))
        self.text = text
        return self


class Track:
    """Places along a curve, measured once: ``dot.add_updater(lambda d: d.move_to(track.at(tracker.get_value())))``.

    ``curve`` is a path of Manim or an array of points (n, 3). A path that is moved later needs a new track.
    """

    def __init__(self, curve: VMobject | np.ndarray) -> None:
        self.points = sampled(curve.points) if isinstance(curve, VMobject) else np.asarray(curve, float)
        steps = np.linalg.norm(np.diff(self.points, axis=0), axis=1)
        self.shares = np.concatenate([[0.0], np.cumsum(steps)]) / (steps.sum() or 1.0)

    def at(self, share: float) -> np.ndarray:
        """The place after this share (0..1, clipped) of the curve's length."""
        return np.array([np.interp(share, self.shares, axis) for axis in self.points.T])


def sampled(points: np.ndarray) -> np.ndarray:
    """Points (4 n, 3) of cubic curves as those of a polyline."""
    curves = points.reshape(-1, 4, 3)
    t = np.linspace(0, 1, SAMPLES + 1)[:, None, None]
    along = (1 - t) ** 3 * curves[:, 0] + 3 * t * (1 - t) ** 2 * curves[:, 1]
    along = along + 3 * t**2 * (1 - t) * curves[:, 2] + t**3 * curves[:, 3]
    return along.swapaxes(0, 1).reshape(-1, 3)
