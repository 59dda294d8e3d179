"""Find the palette's name of a colour, so that one recording can be shown in the colours of either theme.

A scene is run once, in the dark theme, and draws with plain RGB. A colour that is an entry of that theme, or a
mix of two entries, has a twin in the other theme: the same entries, mixed with the same weight.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from .palette import RGB, Theme, hexadecimal, rgb
from .palette import entries as entries  # the names of places

TOLERANCE = 0.75 / 255  # of a channel: a mix that was rounded to eight bits is off by half a step
SHARPNESS = 255 * 16  # colours closer than this many parts of a channel are looked up once

Paint = str | tuple[str, str, float]


class _Lines(NamedTuple):
    """A theme's entries as points, and pairs of them as lines between points."""

    names: list[str]
    points: np.ndarray  # (entries, 3)
    starts: np.ndarray  # (pairs,) numbers of entries
    ends: np.ndarray
    neighbours: np.ndarray  # (pairs,) whether the two are next to each other on a ramp


def find(color: RGB, theme: Theme) -> Paint | None:
    """The place of a colour (sRGB, 0..1) in a theme, or None where it has none.

    ``"accent"``, or ``("weight-1", "weight-2", 0.25)``: a quarter of the way between two entries. An entry is
    preferred to a mix, two neighbouring stops of a ramp to any other two; among these the closest counts.
    """
    red, green, blue = (round(float(part) * SHARPNESS) for part in color)
    return _find((red, green, blue), theme)


def colour(paint: Paint, theme: Theme) -> str:
    """The colour of a place in a theme."""
    palette = entries(theme)
    if isinstance(paint, str):
        return palette[paint]
    one, other, weight = paint
    a, b = np.array(rgb(palette[one])), np.array(rgb(palette[other]))
    red, green, blue = a + (b - a) * weight
    return hexadecimal((red, green, blue))


@lru_cache(maxsize=65536)
def _find(steps: tuple[int, int, int], theme: Theme) -> Paint | None:
    point, lines = np.array(steps) / SHARPNESS, _lines(theme)
    off = np.abs(lines.points - point).max(1)
    if off.min() <= TOLERANCE:
        return lines.names[off.argmin()]
    start = lines.points[lines.starts]
    along = lines.points[lines.ends] - start
    weight = (((point - start) * along).sum(1) / (along**2).sum(1)).clip(0, 1)
    off = np.abs(start + along * weight[:, None] - point).max(1)
    for allowed in (lines.neighbours, ~lines.neighbours):
        best = np.where(allowed, off, np.inf).argmin()
        if off[best] <= TOLERANCE and allowed[best]:
            return lines.names[lines.starts[best]], lines.names[lines.ends[best]], float(weight[best])
    return None


def forget() -> None:
    """Look colours up anew: the palette has other letters now."""
    _find.cache_clear()
    _lines.cache_clear()


@cache
def _lines(theme: Theme) -> _Lines:
    palette = entries(theme)
    names, points = list(palette), np.array([rgb(colour) for colour in palette.values()])
    starts, ends = np.triu_indices(len(names), 1)
    apart = (points[starts] != points[ends]).any(1)  # two equal entries are no line
    starts, ends = starts[apart], ends[apart]
    ramps = [name.split("-")[0] if name[-1].isdigit() else name for name in names]
    neighbours = np.array([j == i + 1 and ramps[i] == ramps[j] for i, j in zip(starts, ends, strict=True)])
    return _Lines(names, points, starts, ends, neighbours)
