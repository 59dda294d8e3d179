"""Matplotlib plots in cells: drawn once for each theme, so that a plot follows the reader's choice.

In a cell::

    from cutaway.plots import plot

    def draw(axes):
        axes.plot(steps, losses, label="training")

    plot(draw, alt="The loss falls, steeply at first.")    # the last line of a cell

:mod:`cutaway.plots.interactive` draws series, and gives a figure to play with beside the picture.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from ..theme.palette import THEMES, mpl_style

SIZE = (6.0, 3.4)  # inches: with type of 12 points, legible on a telephone
FIGURE = '<figure class="cutaway-plot">'
INLINE = "data:image/svg+xml,"
PLAIN = "!$()*+,-./:;=?@_~"  # what a URL in an attribute may hold as it is; packed, this is half of base64
OUTLINE = re.compile(r' d="[^"]*"')
DIGITS = re.compile(r"-?\d+\.\d{3,}(?!e)")
FIXED = {"svg.fonttype": "path", "svg.hashsalt": "cutaway", "figure.constrained_layout.use": True}


class Plot:
    """One drawing in both themes, what it shows in words, and HTML that the page's script makes more of."""

    def __init__(self, pictures: dict[str, str], alt: str, size: tuple[float, float], more: str = "") -> None:
        self.pictures, self.alt, self.size, self.more = pictures, alt, size, more

    def __repr__(self) -> str:
        return self.alt

    def _repr_markdown_(self) -> str:
        """Two pictures, of which the page's theme shows one. (As HTML, the theme would give both a light ground.)"""
        width, height = (round(96 * inches) for inches in self.size)
        images = "".join(
            f'<img class="cutaway-plot-{theme}" alt="{html.escape(self.alt)}" width="{width}" height="{height}" '
            f'loading="lazy" src="{INLINE}{quote(picture, safe=PLAIN)}">'
            for theme, picture in self.pictures.items()
        )
        return f"{FIGURE}{images}{self.more}</figure>"


def plot(draw: Callable[[Any], object], alt: str, size: tuple[float, float] = SIZE) -> Plot:
    """Let ``draw`` draw on the axes of a figure of ``size`` inches, once for each theme.

    ``alt`` says in words what the plot shows, for those who can't see it.
    """
    if not alt.strip() or "\n" in alt:
        raise ValueError(f"plot(draw, alt={alt!r}): say in words what the plot shows, in one line")
    return Plot({theme: _svg(draw, theme, size) for theme in THEMES}, alt, size)


def _svg(draw: Callable[[Any], object], theme: str, size: tuple[float, float]) -> str:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context({**mpl_style(theme), **FIXED}):
        figure = Figure(figsize=size)
        FigureCanvasSVG(figure)
        draw(figure.subplots())
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return OUTLINE.sub(_shortened, file.getvalue())


def _shortened(outline: re.Match[str]) -> str:
    """An outline as exact as a screen is: matplotlib's six digits, a line for each point, are half of its weight."""
    text = DIGITS.sub(lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), outline[0])
    text = re.sub(r"(?<=\d)\s+(?=[-\d])", ",", re.sub(r"\s*([MLCQz])\s*", r"\1", text))
    return text if {"C", "Q"} & set(text) else text.replace("L", ",")  # without curves, all that follows are lines
