"""The colours of a walk's cells, from the palette: one ramp for signed numbers, one for shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..theme.palette import BY_NAME, rgb

STRONG = 2.5  # times the root mean square of a tensor: a number so large has the ramp's last colour
QUIET = 0.4  # of a learned weight's colour is the panel's
FAR = 0.5  # of a block's colour from far away is the hue of its kind, the rest the mean of its cells


@dataclass(frozen=True)
class Paints:
    """A theme's colours as arrays of RGB, 0 to 1."""

    ground: np.ndarray
    panel: np.ndarray
    line: np.ndarray
    signed: np.ndarray  # stops of the ramp, (7, 3)
    shares: np.ndarray  # (5, 3)
    hues: dict[str, np.ndarray]  # by kind of block


def paints(theme: str) -> Paints:
    found = BY_NAME[theme]
    signed, shares = (np.array([rgb(stop) for stop in stops]) for stops in (found.signed, found.weights))
    hues = {"value": found.blue, "weight": found.muted, "share": found.yellow, "input": found.ink}
    ground, panel, line = (np.array(rgb(one)) for one in (found.ground, found.panel, found.line))
    return Paints(ground, panel, line, signed, shares, {kind: np.array(rgb(hue)) for kind, hue in hues.items()})


def from_far(paint: Paints, shown: np.ndarray, kind: str) -> np.ndarray:
    """The colour of a block whose cells are too small to be seen."""
    hue: np.ndarray = paint.hues[kind] * (1 - QUIET) + paint.panel * QUIET if kind == "weight" else paint.hues[kind]
    return shown.mean(0) * (1 - FAR) + hue * FAR


def along(stops: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Colours (n, 3) at places (n) in 0..1 along a ramp."""
    scaled = np.clip(place, 0, 1) * (len(stops) - 1)
    low = np.minimum(scaled.astype(int), len(stops) - 2)
    part = (scaled - low)[:, None]
    return stops[low] * (1 - part) + stops[low + 1] * part


def strength(numbers: np.ndarray) -> float:
    """The number whose colour is the ramp's last one."""
    finite = numbers[np.isfinite(numbers)].astype("f8")
    return float(STRONG * np.sqrt((finite**2).mean())) or 1.0 if finite.size else 1.0


def cells(paint: Paints, numbers: np.ndarray, most: float, kind: str) -> np.ndarray:
    """Colours (n, 3) of numbers (n). What is not finite has the ground's."""
    held = np.where(np.isfinite(numbers), numbers, 0.0)
    is_share = kind == "share"
    found = along(paint.shares, held) if is_share else along(paint.signed, (held / most + 1) / 2)
    if kind == "weight":
        found = found * (1 - QUIET) + paint.panel * QUIET
    return np.where(np.isfinite(numbers)[:, None], found, paint.ground)
