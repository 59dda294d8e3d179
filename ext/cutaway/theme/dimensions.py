"""An author's own letters, ``cutaway_dimensions = {"N": "rows", "E": ("experts", "#0b6a99", "#5cc8f5")}``.

A letter without colours gets some: of a circle of hues the one that is furthest from all letters that there are, in
both themes, and reads on their panels. Distances are those of Oklab (Ottosson 2020, bottosson.github.io/posts/oklab).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np

from . import paints, palette
from .palette import DARK, DIMENSIONS, LIGHT, Dimension, Theme, contrast, hexadecimal, linear

LEAST_CONTRAST = 4.5  # WCAG 2, of text
HUES = 72
CHROMA = 0.13
LIGHTNESS = {"dark": (0.72, 0.8, 0.88), "light": (0.38, 0.44, 0.5)}
# Oklab's two matrices: of linear sRGB to the responses of cones, and of their cube roots to lightness and two hues.
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
BUILT_IN = dict(DIMENSIONS)


class DimensionError(ValueError):
    """A letter, a name or a colour that can't be one."""


def adopt(setting: Mapping[str, Any]) -> None:
    """Make these letters, beside the six built in, those of this process: of its stylesheet, shapes and scenes."""
    known = dict(BUILT_IN)
    given = {letter: _read(letter, value) for letter, value in setting.items()}
    known |= {letter: found for letter, found in given.items() if found.dark}
    for letter, found in given.items():
        if not found.dark:
            others = [one for other, one in known.items() if other != letter]
            known[letter] = Dimension(letter, found.name, _furthest(DARK, others), _furthest(LIGHT, others))
    if known != DIMENSIONS:
        DIMENSIONS.clear()
        DIMENSIONS.update(known)
        paints.forget()


def _read(letter: str, value: Any) -> Dimension:
    where = f"cutaway_dimensions[{letter!r}] = {value!r}"
    if not re.fullmatch("[A-Z]", str(letter)):
        raise DimensionError(f"{where}: a dimension is one capital letter, A to Z")
    name, *colours = [value] if isinstance(value, str) else list(value) if isinstance(value, tuple | list) else [None]
    if not isinstance(name, str) or len(colours) not in (0, 2):
        raise DimensionError(f'{where}: write a name, or ("name", "#rrggbb", "#rrggbb"), for light pages and for dark')
    shown = [str(colour) for colour in colours]
    for colour, theme in zip(shown, (LIGHT, DARK), strict=False):
        if not re.fullmatch("#[0-9a-fA-F]{6}", colour):
            raise DimensionError(f"{where}: {colour!r} is no colour; write it as #rrggbb")
        if (found := contrast(colour, theme.panel)) < LEAST_CONTRAST:
            on = f"has a contrast of {found:.1f} on {theme.name} panels ({theme.panel})"
            raise DimensionError(f"{where}: {colour} {on}; letters need {LEAST_CONTRAST}")
    light, dark = [colour.lower() for colour in shown] or ("", "")
    return Dimension(letter, name, dark, light)


def _furthest(theme: Theme, others: Iterable[Dimension]) -> str:
    """The colour that is furthest from the nearest of the others."""
    taken = [oklab(str(getattr(one, theme.name))) for one in others] + [oklab(theme.ink), oklab(theme.accent)]
    return max(_circle(theme), key=lambda colour: min(math.dist(oklab(colour), one) for one in taken))


@cache
def _circle(theme: Theme) -> list[str]:
    """Colours of all hues that read on the theme's panels."""
    turns = [2 * math.pi * step / HUES for step in range(HUES)]
    colours = [_colour(light, turn) for light in LIGHTNESS[theme.name] for turn in turns]
    return [colour for colour in colours if contrast(colour, theme.panel) >= LEAST_CONTRAST]


def _colour(lightness: float, turn: float) -> str:
    """The colour of a hue, of the highest chroma up to ``CHROMA`` that sRGB has."""
    for chroma in np.linspace(CHROMA, 0.02, 12):
        lab = np.array([lightness, chroma * math.cos(turn), chroma * math.sin(turn)])
        rgb = np.linalg.solve(CONES, np.linalg.solve(LAB, lab) ** 3)
        if rgb.min() >= 0 and rgb.max() <= 1:
            break
    red, green, blue = (_encoded(part) for part in rgb.clip(0, 1))
    return hexadecimal((red, green, blue))


def _encoded(linear: float) -> float:
    """A channel as sRGB writes it (IEC 61966-2-1)."""
    return float(12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055)


@cache
def oklab(colour: str) -> tuple[float, float, float]:
    """Lightness, green to red, blue to yellow."""
    lightness, red, yellow = LAB @ np.cbrt(CONES @ np.array(linear(colour)))
    return float(lightness), float(red), float(yellow)


def plain() -> dict[str, list[str]]:
    """The letters of this process as a setting that another one can adopt."""
    return {one.letter: [one.name, one.light, one.dark] for one in palette.DIMENSIONS.values()}
