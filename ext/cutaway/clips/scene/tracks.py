"""The track of one object: its samples, frame by frame, and the spans that they make. Pure numpy.

A :class:`Track` takes a sample whenever its object looks different from the frame before. At the end of each
play its samples become spans: still, or on the way from one look to another along a straight line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .lines import stretches

UNITS = 19200  # width of the stage: a tenth of a pixel where it is 1920 wide
DEEP = 9  # added to the pen of what is sorted by its distance
TOLERANCE = 0.5  # units of place (a twentieth of a pixel), or steps of 1/255 of a colour


class Look(NamedTuple):
    """What an object looks like: ``points`` (4 n, 2) of its outline in units, and the numbers of its ``style``.

    The style is the widths of stroke and background stroke in units, the line of a gradient (x0, y0, x1, y1) if there
    is one, and the colours of fill, stroke and background stroke, each red, green, blue, opacity of 255. ``kind``
    counts the points, these colours and the numbers of the line, and has the pen: looks of one kind can be mixed.

    What stands in space has an ``anchor``, its five numbers the last of the kind: its place, and how far aside on the
    stage it is seen. Points and line are relative to the place, of three numbers each unless the object is upright.
    """

    kind: tuple[Any, ...]
    points: np.ndarray
    style: np.ndarray

    @property
    def widths(self) -> np.ndarray:
        return self.style[:2]

    @property
    def line(self) -> np.ndarray:
        return self.style[2 : 2 + self.kind[4]]

    @property
    def pen(self) -> int:
        return int(self.kind[5])

    @property
    def anchor(self) -> np.ndarray:
        """Where in space it stands and how far aside, in units; empty for what is flat."""
        return self.style[2 + self.kind[4] :][: self.kind[6]]

    def coat(self, number: int) -> np.ndarray:
        """Colours (n, 4) of the fill (0), the stroke (1) or the background stroke (2)."""
        start = 2 + self.kind[4] + self.kind[6] + 4 * sum(self.kind[1 : 1 + number])
        return self.style[start : start + 4 * self.kind[1 + number]].reshape(-1, 4)

    @property
    def numbers(self) -> np.ndarray:
        return np.concatenate([self.points.ravel(), self.style])


class Span(NamedTuple):
    """From frame ``start`` on: hidden (no ``a``), still, or from ``a`` to ``b`` with a weight for each frame.

    The last weight of a movement is that of the frame after it, where the next span begins.
    """

    start: int
    a: Look | None = None
    b: Look | None = None
    weights: tuple[int, ...] = ()


class Seen(NamedTuple):
    """A new look at a frame; ``after``: how the object was left behind after its last frame."""

    frame: int
    look: Look
    after: bool = False


@dataclass(eq=False)
class Track:
    """One object on the stage, as long as it keeps its place among the others in the order of painting."""

    tag: Any = None
    spans: list[Span] = field(default_factory=list)
    raw: tuple[Any, ...] = ()  # what the object was when it was last looked at: quick to compare
    _seen: list[Seen] = field(default_factory=list)

    def see(self, frame: int, look: Look) -> None:
        self._seen.append(Seen(frame, look))

    def leave(self, frame: int, look: Look) -> None:
        """The look that an object is left with when a play ends: where its movement was heading."""
        self._seen.append(Seen(frame, look, after=True))

    def hide(self, frame: int) -> None:
        self.settle()
        self._put(Span(frame))

    def moved_at(self, frame: int) -> bool:
        """Whether the newest look is of that frame."""
        return bool(self._seen) and self._seen[-1].frame == frame

    def settle(self) -> None:
        """Make spans of all that was seen since the last time."""
        seen, self._seen = self._seen, []
        for run in _runs(seen):
            before = self._look_before(run)
            joined = before is not None and self.spans[-1].start == run[0].frame - 1  # it never rested
            for span in _spans(run, before, joined):
                self._put(span)

    def _look_before(self, run: list[Seen]) -> Look | None:
        """The look that the object had until the run began, if it is one that can be mixed with the run's."""
        if not self.spans:
            return None
        last = self.spans[-1]
        stood = last.b is None and last.a is not None and last.start < run[0].frame
        return last.a if stood and last.a is not None and last.a.kind == run[0].look.kind else None

    def _put(self, span: Span) -> None:
        if self.spans and self.spans[-1].start >= span.start:
            self.spans.pop()
        if span.a is None and (not self.spans or self.spans[-1].a is None):
            return  # hidden, and it was
        self.spans.append(span)


def _runs(seen: list[Seen]) -> Iterator[list[Seen]]:
    """Looks of successive frames and of one kind."""
    run: list[Seen] = []
    for new in seen:
        if run and (new.frame != run[-1].frame + 1 or new.look.kind != run[-1].look.kind):
            yield run
            run = []
        run.append(new)
    if run:
        yield run


def _spans(run: list[Seen], before: Look | None, joined: bool) -> Iterator[Span]:
    """The spans of a run. It sets out from the look before it, which keeps its own frame unless the run is joined to
    what ended there."""
    looks = [*([before] if before is not None else []), *(seen.look for seen in run)]
    first = run[0].frame - (len(looks) - len(run))  # the frame of looks[0]
    if len(looks) == 1:
        yield Span(first, looks[0])
        return
    for stretch in stretches(np.array([look.numbers for look in looks]), TOLERANCE):
        a, b = looks[stretch.first], looks[stretch.last]
        start = first + stretch.first
        weights = tuple(int(w) for w in np.rint(stretch.weights * 10000))
        if stretch.first == 0 and before is not None and not joined:
            start, weights = start + 1, weights[1:]
        if len(weights) > 1:
            yield Span(start, a) if not any(weights) else Span(start, a, b, weights)
    yield Span(run[-1].frame, looks[-1])
