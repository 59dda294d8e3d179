"""A recording from its first frame to its last as pictures, each with the time that it stays. No Manim.

What stands still behind all that moves is drawn once: from shot to shot only what is in front of it is drawn anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import cairo
import numpy as np

from .painter import Painter, rgba


class Shot(NamedTuple):
    """A picture (height, width, RGBA) and for how many frames it stays."""

    pixels: np.ndarray
    lasts: int


def shots(painter: Painter, size: tuple[int, int], fps: int) -> Iterator[Shot]:
    """The whole recording at ``fps`` frames a second; a frame that changes nothing lengthens the one before."""
    objects, ratio = painter.recording["objects"], painter.recording["fps"] / fps
    frames = [int(k * ratio) for k in range(max(1, round(painter.recording["frames"] / ratio)))]
    hindmost = _hindmost(painter.recording)
    # For each frame but the first: how many objects, counted from behind, look as they did at the one before.
    still = [int(hindmost[a + 1 : b + 1].min(initial=_NOTHING)) for a, b in itertools.pairwise(frames)]
    firsts = [0, *(k for k, count in enumerate(still, 1) if count < _NOTHING)]
    behind, count, whole = painter.ground(size), 0, painter.ground(size)
    for first, end in zip(firsts, [*firsts[1:], len(frames)], strict=True):
        if first and still[first - 1] < count:
            behind, count = painter.ground(size), 0
        lasting = still[end - 1] if end < len(frames) else 0
        if lasting > count:
            painter.draw(behind, frames[first], objects[count:lasting])
            count = lasting
        _copy(behind, whole)
        painter.draw(whole, frames[first], objects[count:])
        yield Shot(rgba(whole), end - first)


_NOTHING = 10**9  # more than a recording has objects


def _hindmost(recording: dict[str, Any]) -> np.ndarray:
    """For each frame the number of the first object that differs from the frame before: what is before it stands.

    0 where a camera moves, ``_NOTHING`` where nothing does.
    """
    found = np.full(recording["frames"], _NOTHING)
    order = itertools.repeat(0) if recording["turns"] else itertools.count()  # in space the hindmost may be any
    objects = zip(order, (spans for spans, *_ in recording["objects"]))  # noqa: B905 - the order has no end
    numbered = [(0, recording["camera"]), (0, recording["turns"]), *objects]
    for number, spans in numbered:
        for span, (end, *_) in itertools.pairwise([*spans, [recording["frames"]]]):
            changed = slice(span[0], end if len(span) > 2 else span[0] + 1)
            found[changed] = np.minimum(found[changed], number)
    return found


def _copy(surface: cairo.ImageSurface, target: cairo.ImageSurface) -> None:
    target.get_data()[:] = surface.get_data()
    target.mark_dirty()
