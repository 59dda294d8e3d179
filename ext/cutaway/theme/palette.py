"""The book's colours: one per dimension, and what stands behind them. Data, and pure functions of it.

Pages (:func:`css`), plots (:func:`mpl_style`) and scenes read this module, so a dimension has the same colour
in the prose, in a listing, in a diagram and in a clip. Each colour has a dark and a light twin. Six colours
of equal strength cannot all stay apart for every eye (tests/vision.py measures which do not), hence the rule:
a colour never comes without its letter.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    """What is not a dimension. ``accent`` marks what is happening now, and nothing else; it is never text.

    A colour must tell its place, so in the dark theme no entry lies on a ramp and no two ramps meet. Both
    themes' ramps change from dark to light at about the same value, so that one ink reads in both (``on``).
    """

    name: str
    ground: str
    panel: str
    ink: str
    muted: str
    line: str
    accent: str
    blue: str  # four hues for what a book tells apart, each with a word beside it
    green: str
    red: str
    yellow: str
    weights: tuple[str, ...]  # stops of the ramp for 0..1
    signed: tuple[str, ...]  # stops of the ramp for -1..1, zero in the middle

    def dimension(self, letter: str) -> str:
        """The colour of a dimension; KeyError says which there are."""
        if letter not in DIMENSIONS:
            known = ", ".join(DIMENSIONS)
            raise KeyError(f"no dimension {letter!r}; there is {known}; conf.py's cutaway_dimensions adds others")
        return str(getattr(DIMENSIONS[letter], self.name))

    def weight(self, value: float) -> str:
        """Colour of a weight from 0 (melts into the panel) to 1 (ink)."""
        return ramp(self.weights, value)

    def sign(self, value: float) -> str:
        """Colour of a signed number from -1 (indigo) over 0 (panel) to 1 (yellow)."""
        return ramp(self.signed, (value + 1) / 2)

    def on(self, ground: str) -> str:
        """The ink to print on ``ground``: this theme's, or its ground's colour where that reads better.

        A recording is shown in both themes, so the worse of the two decides where ``ground`` is of the palette.
        """
        from . import paints  # not above: it reads this module

        place = paints.find(rgb(ground), self)
        grounds = {t: paints.colour(place, t) for t in BY_NAME.values()} if place else {self: ground}

        def worse(ink: str) -> float:
            return min(contrast(getattr(theme, ink), colour) for theme, colour in grounds.items())

        return str(getattr(self, max(("ink", "ground"), key=worse)))


DARK = Theme(
    name="dark",
    ground="#0f0f23",
    panel="#1a1a3a",
    ink="#ecebf9",
    muted="#a5a4c6",
    line="#3b3a68",
    accent="#da7756",
    blue="#5a9bff",
    green="#8bd450",
    red="#ff5c6c",
    yellow="#ffd84d",
    weights=("#21213e", "#666490", "#a5a3c4", "#cfcde3", "#f5f4fd"),
    signed=("#838eff", "#6670f0", "#4a53c4", "#23234a", "#71601a", "#ad941e", "#f2d52f"),
)
LIGHT = Theme(
    name="light",
    ground="#fbfbfe",
    panel="#f7f7fc",
    ink="#1b1b33",
    muted="#56557a",
    line="#cfcee4",
    accent="#c8502b",
    blue="#1f5fd0",
    green="#3a7511",
    red="#c0142b",
    yellow="#7d6000",
    weights=("#ebebf5", "#8c8aad", "#716f96", "#444269", "#1b1a35"),
    signed=("#2733a8", "#4653cc", "#848ff0", "#efeff8", "#bea224", "#806906", "#665300"),
)
BY_NAME = {theme.name: theme for theme in (DARK, LIGHT)}


PARTS = ("ground", "panel", "ink", "muted", "line", "accent", "blue", "green", "red", "yellow")


def entries(theme: Theme) -> dict[str, str]:
    """The theme's colours by name: ``{"ground": "#0f0f23", ..., "dim-B": ..., "weight-0": ..., "signed-6": ...}``."""
    return {
        **{part: str(getattr(theme, part)) for part in PARTS},
        **{f"dim-{letter}": theme.dimension(letter) for letter in DIMENSIONS},
        **{f"weight-{i}": colour for i, colour in enumerate(theme.weights)},
        **{f"signed-{i}": colour for i, colour in enumerate(theme.signed)},
    }


def rgb(colour: str) -> RGB:
    """``"#ff8000"`` -> (1.0, 0.5, 0.0), sRGB."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def hexadecimal(colour: RGB) -> str:
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, part))):02x}" for part in colour)


def linear(colour: str) -> RGB:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb(colour))
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


FONTS_CSS = {
    "sans": '"Inter", "DejaVu Sans", system-ui, sans-serif',
    "mono": '"JetBrains Mono", "DejaVu Sans Mono", ui-monospace, monospace',
}


# How themes mark a page as dark, and as one that follows the reader's system. pydata's and the book's mark <html> with
# what is shown; furo marks <body>, with "auto" as well.
_MARKS = '[data-theme="dark"], [data-color-scheme="dark"], [data-md-color-scheme="slate"], .dark'
_MARKED_DARK = f":is(html, body):is({_MARKS})"
_AUTO = 'body[data-theme="auto"]'
_UNMARKED = "html:not([data-theme], :has(> body[data-theme]))"
FOLLOWING = ("furo", "pydata_sphinx_theme", "sphinx_book_theme")  # dark without a mark where the reader's system is


def scheme_of(theme: str) -> str:
    """What a page of a Sphinx theme is that carries no mark: ``auto``, as the reader's system, or ``light``."""
    return "auto" if theme in FOLLOWING else "light"


def css(unmarked: str = "auto") -> str:
    """CSS variables of both themes: dark where the page is, by its theme's mark or, without one, as ``unmarked`` says.

    ``unmarked`` is ``light``, ``dark`` or ``auto``, as the reader's system. Print is always light. Nothing of the page
    is changed: ``--cutaway-scheme`` is for our own elements, ``--cutaway-in-dark`` and ``-in-light`` for twins.
    """
    fonts = "".join(f"  --cutaway-{name}: {stack};\n" for name, stack in FONTS_CSS.items())
    marked = f"{_MARKED_DARK}, {_UNMARKED}" if unmarked == "dark" else _MARKED_DARK
    system = "".join(f"  --cutaway-dim-{letter}: CanvasText;\n" for letter in DIMENSIONS)
    by_system = f"{_AUTO}, {_UNMARKED}" if unmarked == "auto" else _AUTO
    return (
        f":root, body[data-theme] {{\n{_variables(LIGHT)}}}\n:root {{\n{fonts}}}\n"
        f"@media not print {{\n{marked} {{\n{_variables(DARK)}}}\n}}\n"
        f"@media screen and (prefers-color-scheme: dark) {{\n{by_system} {{\n{_variables(DARK)}}}\n}}\n"
        + "".join(f".cutaway-dim-{letter} {{ color: var(--cutaway-dim-{letter}); }}\n" for letter in DIMENSIONS)
        + f"@media (forced-colors: active) {{\n.cutaway-clip {{\n{system}}}\n}}\n"
    )


def _variables(theme: Theme) -> str:
    shown = {f"in-{name}": "block" if name == theme.name else "none" for name in THEMES}
    values = {"scheme": theme.name, **shown, **entries(theme)}
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
