"""Outlines: Manim's points of cubic curves as the path strings of a recording.

A path is relative to its first point, so that equal shapes are one path wherever they stand. Two paths that
morph into each other must have the same commands: they share a :class:`Form`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

STRAIGHT = 0.5  # units that a curve may leave its chord and still be written as a line


class Form(NamedTuple):
    """The commands of a path: ``ends`` of its subpaths as curve numbers, which of them are ``closed``, and which
    curves are ``lines`` (bytes of booleans)."""

    ends: tuple[int, ...]
    closed: tuple[bool, ...]
    lines: bytes


def subpaths(points: np.ndarray, unit: float) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Where Manim begins a new subpath among ``points`` (4 n, 2 or 3), and which it closes; ``unit`` is Manim's 1.

    As in Manim a curve goes on from the one before where its start is that one's end within 1e-6.
    """
    curves = points.reshape(-1, 4, points.shape[1]) / unit
    apart = ~np.isclose(curves[:-1, 3], curves[1:, 0], rtol=1e-5, atol=1e-6).all(axis=1)
    ends = (*(int(i) + 1 for i in np.flatnonzero(apart)), len(curves))
    begins = (0, *ends[:-1])
    near = np.isclose(curves[list(begins), 0], curves[[end - 1 for end in ends], 3], rtol=1e-5, atol=1e-6)
    return ends, tuple(bool(all(parts)) for parts in np.atleast_2d(near))


def straight(points: np.ndarray, evenly: bool) -> np.ndarray:
    """Which curves of ``points`` (4 n, 2) are lines; ``evenly``: with their handles at thirds, so that between
    two such lines there are lines as well."""
    a, b, c, d = (points[k::4] for k in range(4))
    if evenly:
        off = np.maximum(np.abs(a + (d - a) / 3 - b), np.abs(a + (d - a) * 2 / 3 - c)).max(axis=1)
        return np.asarray(off <= STRAIGHT)
    chord = d - a
    length = np.maximum(np.hypot(chord[:, 0], chord[:, 1]), 1e-9)

    def beside(point: np.ndarray) -> np.ndarray:
        along = ((point - a) * chord).sum(axis=1) / length
        across = np.abs((point - a)[:, 0] * chord[:, 1] - (point - a)[:, 1] * chord[:, 0]) / length
        return np.asarray(across + np.maximum(0, -along) + np.maximum(0, along - length))

    return np.asarray(np.maximum(beside(b), beside(c)) <= STRAIGHT)


def form(points: np.ndarray, unit: float) -> Form:
    """The form of an outline that stays as it is."""
    return Form(*subpaths(points, unit), straight(points, evenly=False).tobytes())


def common_form(one: np.ndarray, other: np.ndarray, between: tuple[tuple[int, ...], tuple[bool, ...]]) -> Form:
    """The form of two outlines that morph into each other; ``between``: the subpaths on the way."""
    lines = straight(one, evenly=True) & straight(other, evenly=True)
    return Form(*between, lines.tobytes())


def path(points: np.ndarray, form: Form, fineness: int) -> str:
    """The path string of ``points`` (4 n, 2 or 3), relative to their object's place, to 1 / ``fineness`` of a unit.

    >>> square = np.array([[0, 0], [1, 0], [2, 0], [3, 0], [3, 0], [3, 1], [3, 2], [3, 3]]) * 10.0
    >>> path(square, form(square, 1350.0), 1)
    'M0 0l30 0l0 30'
    """
    rounded = np.rint(points * fineness).astype(np.int64).reshape(-1, 4, points.shape[1])
    lines = np.frombuffer(form.lines, dtype=bool)
    parts, begin = ["S"] if points.shape[1] == 3 else [], 0
    for end, closed in zip(form.ends, form.closed, strict=True):
        parts.append("M" + _numbers(rounded[begin, 0], fineness))
        for steps, line in zip(_steps(rounded[begin:end], closed), lines[begin:end], strict=True):
            parts.append(("l" if line else "c") + _numbers((steps[2:] if line else steps).ravel(), fineness))
        parts.append("z" if closed else "")
        begin = end
    return "".join(parts)


def _steps(curves: np.ndarray, closed: bool) -> np.ndarray:
    """The handles and the end of each curve (n, 3, 2 or 3), relative to where it begins.

    Of a curve as short as what is rounded away the direction is lost, and a line with a corner there would show a
    thorn. So such a curve stays where it is, and the next one goes all the way.
    """
    ends, start = curves[:, 3].copy(), curves[0, 0]
    for i in np.flatnonzero(_small(curves[:, 1:] - curves[:, :1])):
        here = ends[i - 1] if i else start
        if np.abs(curves[i, 1:] - here).max() <= 1:
            ends[i] = here
    if closed:
        ends[-1] = start
        for end in ends[-2::-1]:
            if np.abs(end - start).max() > 1:
                break
            end[:] = start
    begins = np.concatenate([start[None], ends[:-1]])
    steps = np.stack([curves[:, 1], curves[:, 2], ends], axis=1) - begins[:, None]
    steps[_small(steps)] = 0
    return steps


def _small(steps: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(steps).max(axis=(1, 2)) <= 1)


def _numbers(values: np.ndarray, fineness: int) -> str:
    if fineness == 1:
        text = " ".join(map(str, values.tolist()))
    else:
        text = " ".join(f"{value / fineness:.10g}" for value in values.tolist())
    return text.replace(" -", "-")
