"""The book's colours: one per dimension, and what stands behind them. Data, and pure functions of it.

Pages (:func:`css`), plots (:func:`mpl_style`) and scenes read this module, so a dimension has the same colour
in the prose, in a listing, in a diagram and in a clip. Each colour has a dark and a light twin. Six colours
of equal strength cannot all stay apart for every eye (:func:`separation` says which do not), hence the rule:
a colour never comes without its letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

RGB = tuple[float, float, float]
THEMES = ("dark", "light")


@dataclass(frozen=True)
class Dimension:
    letter: str
    name: str
    dark: str
    light: str


DIMENSIONS = {
    dimension.letter: dimension
    for dimension in (
        Dimension("B", "batch", "#9aa3b5", "#5b6477"),
        Dimension("T", "time: the positions of a sequence", "#f4a261", "#a84a12"),
        Dimension("C", "channels: the numbers of one token", "#5cc8f5", "#0b6a99"),
        Dimension("H", "heads", "#c4a7ff", "#6b3fc0"),
        Dimension("D", "channels of one head", "#4ade80", "#0f7a3d"),
        Dimension("V", "vocabulary", "#ff8fb3", "#b3205a"),
    )
}


@dataclass(frozen=True)
class Theme:
    """What is not a dimension. ``accent`` marks what is happening now, and nothing else; it is never text."""

    name: str
    ground: str
    panel: str
    ink: str
    muted: str
    line: str
    accent: str
    weights: tuple[str, ...]  # stops of the ramp for 0..1
    signed: tuple[str, ...]  # stops of the ramp for -1..1, zero in the middle

    def dimension(self, letter: str) -> str:
        return str(getattr(DIMENSIONS[letter], self.name))

    def weight(self, value: float) -> str:
        """Colour of a weight from 0 (melts into the panel) to 1 (ink)."""
        return ramp(self.weights, value)

    def sign(self, value: float) -> str:
        """Colour of a signed number from -1 (indigo) over 0 (panel) to 1 (yellow)."""
        return ramp(self.signed, (value + 1) / 2)

    def on(self, ground: str) -> str:
        """The ink to print on ``ground``: this theme's, or its ground's colour where that reads better."""
        return max((self.ink, self.ground), key=lambda ink: contrast(ink, ground))


DARK = Theme(
    name="dark",
    ground="#0f0f23",
    panel="#1a1a3a",
    ink="#ecebf7",
    muted="#a5a4c6",
    line="#3b3a68",
    accent="#da7756",
    weights=("#1f1f42", "#716f9b", "#a5a3c4", "#cfcde3", "#f5f4fd"),
    signed=("#838eff", "#6670f0", "#4a53c4", "#23234a", "#7a6715", "#b69c20", "#f2d52f"),
)
LIGHT = Theme(
    name="light",
    ground="#fbfbfe",
    panel="#f7f7fc",
    ink="#1b1b33",
    muted="#56557a",
    line="#cfcee4",
    accent="#c8502b",
    weights=("#ebebf5", "#a6a5c4", "#716f96", "#444269", "#1b1a35"),
    signed=("#2733a8", "#4653cc", "#848ff0", "#efeff8", "#c9ac2a", "#92780a", "#665300"),
)
BY_NAME = {theme.name: theme for theme in (DARK, LIGHT)}

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


def rgb(colour: str) -> RGB:
    """``"#ff8000"`` -> (1.0, 0.5, 0.0), sRGB."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def hexadecimal(colour: RGB) -> str:
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, part))):02x}" for part in colour)


def linear(colour: str) -> RGB:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb(colour)
    )
    return red, green, blue


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it, 0..1."""
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio, 1..21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mix(one: str, other: str, weight: float) -> str:
    """``one`` at weight 0, ``other`` at weight 1."""
    red, green, blue = (a + (b - a) * weight for a, b in zip(rgb(one), rgb(other), strict=True))
    return hexadecimal((red, green, blue))


def ramp(stops: tuple[str, ...], value: float) -> str:
    """Colour at ``value`` in 0..1 (clipped) along equally spaced stops."""
    place = min(1.0, max(0.0, value)) * (len(stops) - 1)
    index = min(int(place), len(stops) - 2)
    return mix(stops[index], stops[index + 1], place - index)


def difference(one: str, other: str, vision: str = "normal") -> float:
    """How far apart two colours look: Euclidean distance in Oklab, times 100 (2 is just noticeable)."""
    a, b = (_apply(OPPONENT, _cube_roots(_apply(CONES, _seen(colour, vision)))) for colour in (one, other))
    return 100 * sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5


def separation(theme: Theme, vision: str) -> dict[str, float]:
    """``{"BT": 20.1, ...}``: the difference of each pair of dimensions, for eyes of this ``vision``."""
    return {
        a + b: difference(theme.dimension(a), theme.dimension(b), vision)
        for a, b in combinations(DIMENSIONS, 2)
    }


def _seen(colour: str, vision: str) -> RGB:
    red, green, blue = (min(1.0, max(0.0, part)) for part in _apply(VISIONS[vision], linear(colour)))
    return red, green, blue


def _apply(matrix: tuple[RGB, ...], vector: RGB) -> RGB:
    one, two, three = (sum(m * v for m, v in zip(row, vector, strict=True)) for row in matrix)
    return one, two, three


def _cube_roots(vector: RGB) -> RGB:
    one, two, three = (part ** (1 / 3) for part in vector)
    return one, two, three


FONTS_CSS = {
    "sans": '"Inter", "DejaVu Sans", system-ui, sans-serif',
    "mono": '"JetBrains Mono", "DejaVu Sans Mono", ui-monospace, monospace',
}


def css() -> str:
    """CSS variables of both themes: light unless the page's ``data-theme`` or, without script, the system
    says dark.

    Print is always light.
    """
    fonts = "".join(f"  --cutaway-{name}: {stack};\n" for name, stack in FONTS_CSS.items())
    return (
        f":root {{\n  color-scheme: light;\n{fonts}{_variables(LIGHT)}}}\n"
        f'@media not print {{\nhtml[data-theme="dark"] {{\n  color-scheme: dark;\n{_variables(DARK)}}}\n}}\n'
        "@media screen and (prefers-color-scheme: dark) {\n"
        f"html:not([data-theme]) {{\n  color-scheme: dark;\n{_variables(DARK)}}}\n}}\n"
        + "".join(
            f".cutaway-dim-{letter} {{ color: var(--cutaway-dim-{letter}); }}\n" for letter in DIMENSIONS
        )
    )


def _variables(theme: Theme) -> str:
    values = {part: getattr(theme, part) for part in ("ground", "panel", "ink", "muted", "line", "accent")}
    values |= {f"dim-{letter}": theme.dimension(letter) for letter in DIMENSIONS}
    return "".join(f"  --cutaway-{name}: {value};\n" for name, value in values.items())


def mpl_style(theme: str) -> dict[str, Any]:
    """Matplotlib's rcParams for SVG plots on a page: ``with plt.rc_context(mpl_style("dark")): ...``."""
    colours = BY_NAME[theme]
    cycle = ", ".join(repr(colours.dimension(letter)) for letter in "CTDHVB")
    return {
        "svg.fonttype": "none",
        "font.family": ["Inter", "DejaVu Sans"],
        "font.size": 12,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.transparent": True,
        "text.color": colours.ink,
        "axes.edgecolor": colours.line,
        "axes.labelcolor": colours.muted,
        "axes.prop_cycle": f"cycler('color', [{cycle}])",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": colours.muted,
        "ytick.color": colours.muted,
        "grid.color": colours.line,
        "legend.frameon": False,
        "lines.linewidth": 2,
    }
