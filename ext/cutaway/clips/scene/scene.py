"""A scene that reads a recorded run. Imported where scenes run, never by Sphinx: it needs Manim.

A scene of a book is ordinary Manim; based on ``RecordedScene`` it can ask for values by the names that facts
use::

    class CausalMask(RecordedScene):
        def construct(self):
            scores = self.value("attention-forward-scale")    # numpy array, (B, H, T, T)
            self.tag(grid, "attention-forward-mask")          # this object stands for that step

``theme`` holds the colours to draw with: they are recorded by their names, so that a reader's theme can put
its own in their place. What was read is noted, with its digest, so that the clip is recorded again exactly
when one of the values changes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NamedTuple

import numpy as np
from manim import Mobject, Scene

from ...theme.palette import DARK, Theme
from ...trace.names import Found, Names
from ..readings import digest_of, why_unknown


class NoValue(Exception):
    """A name stands for another kind of value than was asked: a number for a tensor, or the reverse."""


class Tag(NamedTuple):
    """What an object on the stage stands for: a step or value, and of a tensor's cell its index and value."""

    name: str
    where: str = ""
    value: str = ""

    def __deepcopy__(self, memo: object) -> Tag:
        return self  # Manim copies objects all the time, and a tag never changes


@dataclass
class Reading:
    """What a scene may read, and what it has read: ``reads`` maps names to digests."""

    names: Names
    reads: dict[str, str] = field(default_factory=dict)
    notices: dict[str, str] = field(default_factory=dict)  # file:line -> message

    def find(self, name: str) -> Found:
        found = self.names.resolve(name)
        self.reads[name] = found.digest
        return found

    def note_tag(self, name: str, place: str) -> None:
        self.reads["tag " + name] = digest_of(self.names, "tag " + name)
        unknown = why_unknown(self.names, name)
        if unknown:
            self.notices[place] = f"tag: {unknown}"


class RecordedScene(Scene):
    """Base of scenes that read a run; drawn once in each theme."""

    theme: Theme = DARK
    reading: Reading = Reading(Names({}, {}))

    def value(self, name: str) -> np.ndarray:
        """The tensor of that name, read-only."""
        found = self.reading.find(name)
        if found.value is None or found.value.type != "tensor" or found.scalar is not None:
            raise NoValue(f"'{name}' is no tensor{_instead(name, found)}")
        return found.value.array()

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of the tensor of that name; the clip then depends on the shape alone."""
        found = self.reading.find(name.removesuffix(".shape") + ".shape")
        assert found.value is not None and found.value.shape is not None
        return found.value.shape

    def fact(self, name: str) -> Any:
        """The number or word of that name: ``"n_params"``, ``"attention-forward-mask[0, 2, 5, 3]"``."""
        found = self.reading.find(name)
        number = found.scalar if found.value is None or found.scalar is not None else found.value.scalar
        if number is None:
            raise NoValue(f"'{name}' is no single number; self.value({name!r}) gives a tensor")
        return number

    def tag(
        self, mobject: Mobject, name: str, cells: Iterable[tuple[Mobject, tuple[int, ...]]] = ()
    ) -> Mobject:
        """Note that ``mobject`` stands for the step or tensor of that name; an unknown name is a warning.

        ``cells`` are parts of it that show one number each, with the number's index in the tensor: whoever
        points at one sees the index and the value that was recorded.
        """
        self.reading.note_tag(name, self._line())
        for part in mobject.get_family():
            part.cutaway_tag = Tag(name)
        cells = list(cells)
        values = self.value(name) if cells else np.zeros(0)
        for cell, index in cells:
            tag = Tag(name, ", ".join(map(str, index)), shown(values[index]))
            for part in cell.get_family():
                part.cutaway_tag = tag
        return mobject

    def _line(self) -> str:
        """Where the scene's own file is being run: ``file:line``, of the call that led here."""
        own = sys.modules[type(self).__module__].__file__
        found = sys._getframe(2)
        frame: FrameType | None = found
        while frame is not None and frame.f_code.co_filename != own:
            frame = frame.f_back
        found = frame or found
        return f"{found.f_code.co_filename}:{found.f_lineno}"


def _instead(name: str, found: Found) -> str:
    """What to write for something that is no tensor."""
    if found.value is None and found.scalar is not None:
        return f" but a fact, {found.scalar!r}: self.fact({name!r}); a variable of that name is 'RUN/{name}'"
    if found.value is not None and found.value.items:
        return f" but {len(found.value.items)} values: write '{name}[0]' for the first"
    return f"; self.fact({name!r}) gives a number or word"


def shown(value: float) -> str:
    """A recorded number as it is shown to who points at it: ``−0.4821``, ``−∞``."""
    return f"{value:.4g}".replace("-", "−").replace("inf", "∞")
