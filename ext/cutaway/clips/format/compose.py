"""From what was seen of a scene to its recording: plain data in a documented, versioned format.

The format is described in docs/recording.md. Everything that occurs twice is written once and named by its number:
paints, paths, styles, states, curves. The same scene gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...theme import paints
from ...theme.palette import Theme, hexadecimal
from ..scene.lines import affine
from ..scene.reel import Reel, captions_of, poster_of, sections_of
from ..scene.tracks import TOLERANCE, UNITS, Look, Span, Track
from . import paths as outline

FORMAT = 2
INVISIBLE = 1.0  # of 255 parts of opacity
EYE = np.array([0.001, 0.001, 0.001, 0.0001, 1, 1, 1, 1])  # degrees, the zoom, and units in a reel's numbers
STEEPEST = 1.5  # a path is not blown up further than this: its rounding would show


def compose(reel: Reel, fps: int, theme: Theme | None = None) -> dict[str, Any]:
    """The recording of a reel. Colours of ``theme`` become their names in it."""
    tables = _Tables(theme, reel.unit, _fineness(reel.view, reel.eye))
    objects = [entry for track in reel.tracks if (entry := tables.object(track, reel.frames))]
    views, camera = _camera(reel.view, tables, np.ones(3))
    if views == [[UNITS // 2, _decimal(reel.height / 2, 2), UNITS]]:
        views, camera = [], []  # the whole stage, all the time
    eyes, turns = _camera(reel.eye, tables, EYE)
    return {
        "format": FORMAT,
        "fps": fps,
        "frames": reel.frames,
        "size": [UNITS, reel.height],
        "background": tables.paint(np.array(reel.background[:3])),
        "paints": tables.paints.rows,
        "paths": tables.paths.rows,
        "styles": tables.styles.rows,
        "states": tables.states.rows,
        "curves": tables.curves.rows,
        "objects": objects,
        "views": views,
        "camera": camera,
        "eyes": eyes,
        "turns": turns,
        "sections": sections_of(reel),
        "captions": [list(caption) for caption in captions_of(reel)],
        "tags": [[name, cells.rows] for name, cells in tables.tags.items()],
        "poster": poster_of(reel),
    }


class _Table:
    """Rows that are written once; ``number`` finds a row's."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self._numbers: dict[Hashable, int] = {}

    def number(self, row: Any) -> int:
        key = json.dumps(row)
        if key not in self._numbers:
            self._numbers[key] = len(self.rows)
            self.rows.append(row)
        return self._numbers[key]


@dataclass
class _Tables:
    """The tables of a recording while it is written."""

    theme: Theme | None
    unit: float
    fineness: int
    paints: _Table = field(default_factory=_Table)
    paths: _Table = field(default_factory=_Table)
    styles: _Table = field(default_factory=_Table)
    states: _Table = field(default_factory=_Table)
    curves: _Table = field(default_factory=_Table)
    tags: dict[str, _Table] = field(default_factory=dict)

    def object(self, track: Track, frames: int) -> list[Any]:
        """An entry of the list of objects; empty for what is never seen."""
        spans = [span for span in track.spans if span.start < frames]
        if not any(_visible([look for look in span[1:3] if look is not None]) for span in spans):
            return []
        base = _Base()
        written = [self._span(span, base) for span in spans]
        if track.tag is None:
            return [written]
        cells = self.tags.setdefault(track.tag.name, _Table())
        number = list(self.tags).index(track.tag.name)
        cell = [cells.number([track.tag.where, track.tag.value])] if track.tag.where else []
        return [written, number, *cell]

    def _span(self, span: Span, base: _Base) -> list[int]:
        if span.a is None:
            return [span.start]
        looks = [span.a] if span.b is None else [span.a, span.b]
        states = [self.states.number(state) for state in self._states(looks, base)]
        curve = [] if span.b is None else [self.curves.number(list(span.weights))]
        return [span.start, *states, *curve]

    def _states(self, looks: list[Look], base: _Base) -> Iterable[list[Any]]:
        """The states of the looks of one span: of two, with paths and styles that can be mixed."""
        styles = self._styles(looks)
        for look, style, (path, matrix) in zip(looks, styles, self._outlines(looks, base), strict=True):
            corner = self._corner(look)
            where: list[Any] = self._round(corner)
            if len(look.anchor):
                where = [self._round(look.anchor[:3]), self._round(look.anchor[3:])]
            line = look.line - np.resize(corner, len(look.line))
            state = [path, *where, style, matrix, self._round(line) or 0]
            while len(state) > 4 and state[-1] == 0:
                state.pop()
            yield state

    def _corner(self, look: Look) -> np.ndarray:
        """What a look's points are counted from: its first point, or in space already its anchor."""
        is_counted = len(look.anchor) or not len(look.points)
        return np.zeros(look.points.shape[1]) if is_counted else look.points[0]

    def _outlines(self, looks: list[Look], base: _Base) -> list[tuple[int, Any]]:
        """Number of the path of each look and its matrix. Looks that are each other's images share a path."""
        own = [look.points - self._corner(look) for look in looks]
        if not len(own[0]):
            return [(self.paths.number(""), 0)] * len(looks)
        is_flat = own[0].shape[1] == 2  # no matrix is looked for in space
        matrices = base.matrices(own) if is_flat else None
        if matrices is None and is_flat:
            matrices = base.take(max(own, key=_extent)).matrices(own)
        if matrices is not None:
            if base.path is None:
                form = outline.form(base.points, self.unit)
                base.path = self.paths.number(outline.path(base.points, form, self.fineness))
            return [(base.path, _matrix(matrix)) for matrix in matrices]
        between = outline.subpaths(0.4 * own[0] + 0.6 * own[-1], self.unit)  # halfway all might meet in one point
        form = outline.common_form(own[0], own[-1], between)
        return [(self.paths.number(outline.path(points, form, self.fineness)), 0) for points in own]

    def _styles(self, looks: list[Look]) -> list[int]:
        """Number of the style of each look; what neither of them shows is left out of both."""
        rows = []
        for look in looks:
            coats: list[Any] = []
            for coat in range(3):
                if not _shows(looks, coat):
                    coats.append(None)
                    continue
                stops = [(self.paint(rgba[:3] / 255), _decimal(rgba[3] / 255, 3)) for rgba in look.coat(coat)]
                width = [_decimal(look.widths[coat - 1], 1)] if coat else []
                coats.append([*width, *(part for stop in stops for part in stop)])
            row: list[Any] = [*coats, look.pen]
            while row and not row[-1]:
                row.pop()
            rows.append(self.styles.number(row))
        return rows

    def paint(self, color: np.ndarray) -> int:
        """Number of the paint of an RGB colour, 0..1."""
        red, green, blue = (float(part) for part in color)
        found = paints.find((red, green, blue), self.theme) if self.theme else None
        if found is None:
            return self.paints.number(hexadecimal((red, green, blue)))
        if isinstance(found, str):
            return self.paints.number(found)
        one, other, weight = found
        return self.paints.number([self.paints.number(one), self.paints.number(other), _decimal(weight, 3)])

    def _round(self, values: np.ndarray) -> list[float]:
        return [_decimal(value, 0 if self.fineness == 1 else 3) for value in values]


class _Base:
    """The outline whose images an object's outlines are, for as long as they are."""

    def __init__(self) -> None:
        self.points = np.zeros((0, 2))
        self.path: int | None = None  # its number, once it is written

    def take(self, points: np.ndarray) -> _Base:
        self.points, self.path = points, None
        return self

    def matrices(self, outlines: list[np.ndarray]) -> list[np.ndarray] | None:
        """The matrix that makes each outline of the base; None where one is no image of it, or much larger."""
        found = []
        for points in outlines:
            matrix = affine(self.points, points, TOLERANCE)
            if matrix is None or np.linalg.norm(matrix, 2) > STEEPEST:
                return None
            found.append(matrix)
        return found


def _extent(points: np.ndarray) -> float:
    return float(np.ptp(points, axis=0).max())


def _matrix(matrix: np.ndarray) -> Any:
    """As canvas has it, column by column; 0 for the one that changes nothing."""
    numbers = [_decimal(value, 5) for value in matrix.T.ravel()]
    return 0 if numbers == [1, 0, 0, 1] else numbers


def _decimal(value: float, digits: int) -> float:
    """Rounded, and without a decimal point where there is nothing behind it."""
    rounded = round(float(value), digits)
    return int(rounded) if rounded == int(rounded) else rounded


def _shows(looks: list[Look], coat: int) -> bool:
    """Whether a fill (0), stroke (1) or background stroke (2) can be seen in these looks or on the way between
    them: a line that gets thinner while it appears is seen then alone."""
    opacity = max(look.coat(coat)[:, 3].max() for look in looks)
    return bool(opacity > INVISIBLE / 2) and (coat == 0 or max(look.widths[coat - 1] for look in looks) > 0)


def _visible(looks: list[Look]) -> bool:
    return any(len(look.points) for look in looks) and any(_shows(looks, coat) for coat in range(3))


def _fineness(view: Track, eye: Track) -> int:
    """Into how many parts a unit is divided: where the camera comes near, rounding must not show."""
    narrowest = min((look.style[2] for look in _looks(view)), default=UNITS)
    nearest = max((look.style[3] * EYE[3] for look in _looks(eye)), default=1.0)
    return int(2 ** max(0, np.ceil(np.log2(UNITS * nearest / narrowest))))


def _looks(track: Track) -> Iterable[Look]:
    return (look for span in track.spans for look in span[1:3] if isinstance(look, Look))


def _camera(track: Track, tables: _Tables, scales: np.ndarray) -> tuple[list[Any], list[Any]]:
    """The table of what a camera was set to, and the spans over it; ``scales``: how much a number counts for."""
    rows, spans = _Table(), []
    for span in track.spans:
        looks = [look for look in span[1:3] if look is not None]
        numbers = [rows.number([_decimal(part, 4) for part in look.style * scales]) for look in looks]
        curve = [tables.curves.number(list(span.weights))] if span.b is not None else []
        spans.append([span.start, *numbers, *curve])
    return rows.rows, spans
