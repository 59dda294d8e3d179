"""Any frame of a recording as pixels, drawn by cairo: posters, stills, films, pictures for READMEs. No Manim."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import cairo
import numpy as np

from ...theme.paints import entries
from ...theme.palette import RGB, Theme, rgb
from ..scene.tracks import DEEP
from .eye import Eye

_TOKEN = re.compile(r"[Mlcz]|-?[\d.]+")
_JOINS = (cairo.LINE_JOIN_MITER, cairo.LINE_JOIN_ROUND, cairo.LINE_JOIN_BEVEL)
_CAPS = (cairo.LINE_CAP_BUTT, cairo.LINE_CAP_ROUND, cairo.LINE_CAP_SQUARE)
IDENTITY = (1, 0, 0, 1)
_POINTS = {"M": 1, "l": 1, "c": 3, "z": 0}  # that follow a command


class Path(NamedTuple):
    """The commands of a path, a letter each, and all their points (n, 2), or (n, 3) in space, none of them relative
    any more.

    So a subpath that is closed ends exactly where it began, however it is bent: a closing line of a millionth of
    a pixel would have a corner of its own.
    """

    commands: str
    points: np.ndarray

    @classmethod
    def read(cls, text: str) -> Path:
        tokens = _TOKEN.findall(text)
        commands = "".join(token for token in tokens if token in _POINTS)
        numbers = np.array([float(token) for token in tokens if token not in _POINTS])
        points = numbers.reshape(-1, 3 if text.startswith("S") else 2)
        i = 0
        for command in commands:
            count = _POINTS[command]
            if command in "lc":
                points[i : i + count] += points[i - 1]
            i += count
        return cls(commands, points)


Coat = tuple[float, list[tuple[float, ...]]]  # width, and red, green, blue, opacity of each stop


class State(NamedTuple):
    """A state with everything looked up: what is drawn at one frame."""

    path: Path
    place: np.ndarray  # of two numbers; in space of five, the last two on the stage
    matrix: np.ndarray
    line: np.ndarray
    coats: tuple[Coat | None, ...]  # fill, stroke, background stroke
    pen: int


class Painter:
    """Draws frames of ``recording`` in the colours of ``theme``."""

    def __init__(self, recording: dict[str, Any], theme: Theme) -> None:
        self.recording = recording
        self._colours = _colours(recording["paints"], theme)
        self._paths: dict[int, Path] = {}
        self._states: dict[int, State] = {}

    def pixels(self, frame: int, size: tuple[int, int]) -> np.ndarray:
        """Frame number ``frame`` in ``size`` (width, height): an array (height, width, 4) of RGBA, 0..255."""
        surface = self.ground(size)
        self.draw(surface, frame, self.recording["objects"])
        return rgba(surface)

    def ground(self, size: tuple[int, int]) -> cairo.ImageSurface:
        """A surface of ``size`` (width, height) with nothing but the background."""
        surface = cairo.ImageSurface(cairo.FORMAT_ARGB32, *size)
        context = cairo.Context(surface)
        context.set_source_rgb(*self._colours[self.recording["background"]])
        context.paint()
        return surface

    def draw(self, surface: cairo.ImageSurface, frame: int, objects: Iterable[Sequence[Any]]) -> None:
        """Draw ``objects``, rows of the recording's, over what is on ``surface``, as they are at ``frame``."""
        context = cairo.Context(surface)
        self._look_through_camera(context, frame, surface.get_width(), surface.get_height())
        states = [state for spans, *_ in objects if (state := self._state(spans, frame)) is not None]
        for state in self._seen(states, frame):
            _draw(context, state)
        surface.flush()

    def _seen(self, states: list[State], frame: int) -> list[State]:
        """What stands in space as it is seen on the stage; first what is sorted by its distance, from far to near."""
        eye = self._numbers_at("turns", "eyes", frame)
        if eye is None:
            return states
        seen = Eye.read(eye, self.recording["size"])
        deep = [state for state in states if state.pen >= DEEP]
        deep.sort(key=lambda state: seen.depth(state.place[:3]))
        return [_flat(state, seen) for state in [*deep, *(state for state in states if state.pen < DEEP)]]

    def _numbers_at(self, spans: str, rows: str, frame: int) -> np.ndarray | None:
        """What a camera is set to at a frame, if it is ever set."""
        span, weight = _at(self.recording[spans], self.recording["curves"], frame)
        if len(span) < 2:
            return None
        set_to = [np.array(self.recording[rows][number], float) for number in span[1:3]]
        return np.asarray(_mixed(set_to[0], set_to[-1], weight))

    def _look_through_camera(self, context: cairo.Context, frame: int, width: int, height: int) -> None:
        whole_width, whole_height = self.recording["size"]
        view = self._numbers_at("camera", "views", frame)
        x, y, seen = (whole_width / 2, whole_height / 2, whole_width) if view is None else view
        context.translate(width / 2, height / 2)
        context.scale(width / seen, width / seen)
        context.translate(-x, -y)

    def _state(self, spans: list[list[int]], frame: int) -> State | None:
        span, weight = _at(spans, self.recording["curves"], frame)
        if len(span) < 2:
            return None
        a = self._numbered(span[1])
        return a if len(span) == 2 else _between(a, self._numbered(span[2]), weight)

    def _numbered(self, number: int) -> State:
        if number not in self._states:
            self._states[number] = self._read(self.recording["states"][number])
        return self._states[number]

    def _read(self, row: Sequence[Any]) -> State:
        path, x, y, style, matrix, line = (*row, 0, 0)[:6]
        if path not in self._paths:
            self._paths[path] = Path.read(self.recording["paths"][path])
        fill, stroke, back, pen = (*self.recording["styles"][style], None, None, None, None)[:4]
        coats = (self._coat([0, *fill] if fill else None), self._coat(stroke), self._coat(back))
        corner = [*x, *y] if isinstance(x, list) else [x, y]
        place, matrix, line = (np.array(row, float) for row in (corner, matrix or IDENTITY, line or (0, 0, 0, 0)))
        return State(self._paths[path], place, matrix, line, coats, pen or 0)

    def _coat(self, row: Sequence[float] | None) -> Coat | None:
        if not row:
            return None
        width, *pairs = row
        return width, [
            (*self._colours[int(paint)], alpha) for paint, alpha in zip(pairs[::2], pairs[1::2], strict=True)
        ]


def _colours(paints: Iterable[Any], theme: Theme) -> list[RGB]:
    """The colour of each paint; one that is a mix comes after those that it mixes."""
    named = entries(theme)
    found: list[RGB] = []
    for paint in paints:
        if isinstance(paint, str):
            found.append(rgb(paint if paint.startswith("#") else named[paint]))
        else:
            one, other, weight = paint
            red, green, blue = _mixed(np.array(found[one]), np.array(found[other]), weight)
            found.append((red, green, blue))
    return found


def _at(spans: list[list[int]], curves: list[list[int]], frame: int) -> tuple[list[int], float]:
    """The span at a frame (empty before the first), and the weight of its second state."""
    number = bisect_right(spans, frame, key=lambda span: span[0]) - 1
    if number < 0:
        return [], 0.0
    span = spans[number]
    if len(span) < 4:
        return span, 0.0
    curve = curves[span[3]]
    return span, curve[min(frame - span[0], len(curve) - 1)] / 10000


def _mixed(one: Any, other: Any, weight: float) -> Any:
    return one + (other - one) * weight


def _between(a: State, b: State, weight: float) -> State:
    path = a.path if a.path is b.path else Path(a.path.commands, _mixed(a.path.points, b.path.points, weight))
    arrays = [_mixed(one, other, weight) for one, other in ((a.place, b.place), (a.matrix, b.matrix), (a.line, b.line))]
    coats = tuple(_mixed_coat(one, other, weight) for one, other in zip(a.coats, b.coats, strict=True))
    return State(path, arrays[0], arrays[1], arrays[2], coats, a.pen)


def _mixed_coat(one: Coat | None, other: Coat | None, weight: float) -> Coat | None:
    if one is None or other is None:
        return one or other
    stops = zip(one[1], other[1], strict=True)
    return _mixed(one[0], other[0], weight), [
        tuple(_mixed(p, q, weight) for p, q in zip(a, b, strict=True)) for a, b in stops
    ]


def _flat(state: State, eye: Eye) -> State:
    """What is seen on the stage of a state that stands in space."""
    if len(state.place) == 2:
        return state
    anchor, aside = np.split(state.place, [3])
    place = eye.project(anchor[None])[0]
    if state.path.points.shape[1] == 2:
        return state._replace(place=place + aside)
    points = eye.project(anchor + state.path.points) - place
    line = state.line if len(state.line) == 4 else eye.project(anchor + state.line.reshape(2, 3)) - place
    return state._replace(path=Path(state.path.commands, points), place=place + aside, line=np.ravel(line))


def rgba(surface: cairo.ImageSurface) -> np.ndarray:
    """Its pixels: an array (height, width, 4) of RGBA, 0..255."""
    bgra = np.ndarray((surface.get_height(), surface.get_width(), 4), np.uint8, surface.get_data())
    pixels = np.empty_like(bgra)
    for theirs, ours in enumerate((2, 1, 0, 3)):  # plane by plane: five times as fast as by index
        pixels[..., ours] = bgra[..., theirs]
    return pixels


def _draw(context: cairo.Context, state: State) -> None:
    fill, stroke, back = state.coats
    context.save()
    context.translate(*state.place)
    _trace(context, state.path.commands, state.path.points @ state.matrix.reshape(2, 2))
    if back:
        _stroke(context, state, back)
    if fill:
        _take_ink(context, state, fill)
        context.fill_preserve()
    if stroke:
        _stroke(context, state, stroke)
    context.new_path()
    context.restore()


def _trace(context: cairo.Context, commands: str, points: np.ndarray) -> None:
    places, i = points.tolist(), 0
    context.new_path()
    for command in commands:
        if command == "l":
            context.line_to(*places[i])
        elif command == "c":
            context.curve_to(*places[i], *places[i + 1], *places[i + 2])
        elif command == "M":
            context.move_to(*places[i])
        else:
            context.close_path()
        i += _POINTS[command]


def _stroke(context: cairo.Context, state: State, coat: Coat) -> None:
    if coat[0] <= 0:
        return
    _take_ink(context, state, coat)
    context.set_line_width(coat[0])
    context.set_line_join(_JOINS[state.pen % DEEP // 3])
    context.set_line_cap(_CAPS[state.pen % 3])
    context.stroke_preserve()


def _take_ink(context: cairo.Context, state: State, coat: Coat) -> None:
    stops = coat[1]
    if len(stops) == 1:
        context.set_source_rgba(*stops[0])
        return
    gradient = cairo.LinearGradient(*state.line)
    for number, stop in enumerate(stops):
        gradient.add_color_stop_rgba(number / (len(stops) - 1), *stop)
    context.set_source(gradient)
