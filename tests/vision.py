"""How far apart two colours look, to every kind of eye."""

from __future__ import annotations

from itertools import combinations

from cutaway.theme.palette import DIMENSIONS, RGB, Theme, linear

# Machado, Oliveira and Fernandes 2009, severity 1.0; they act on linear RGB.
VISIONS: dict[str, tuple[RGB, RGB, RGB]] = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}
# Björn Ottosson's Oklab: linear RGB to cone responses, their cube roots to lightness and opponent axes.
CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
OPPONENT = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def difference(one: str, other: str, vision: str = "normal") -> float:
    """How far apart two colours look: Euclidean distance in Oklab, times 100 (2 is just noticeable)."""
    a, b = (_apply(OPPONENT, _cube_roots(_apply(CONES, _seen(colour, vision)))) for colour in (one, other))
    return 100 * sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5


def separation(theme: Theme, vision: str) -> dict[str, float]:
    """``{"BT": 20.1, ...}``: the difference of each pair of dimensions, for eyes of this ``vision``."""
    return {a + b: difference(theme.dimension(a), theme.dimension(b), vision) for a, b in combinations(DIMENSIONS, 2)}


def _seen(colour: str, vision: str) -> RGB:
    red, green, blue = (min(1.0, max(0.0, part)) for part in _apply(VISIONS[vision], linear(colour)))
    return red, green, blue


def _apply(matrix: tuple[RGB, ...], vector: RGB) -> RGB:
    one, two, three = (sum(m * v for m, v in zip(row, vector, strict=True)) for row in matrix)
    return one, two, three


def _cube_roots(vector: RGB) -> RGB:
    one, two, three = (part ** (1 / 3) for part in vector)
    return one, two, three
