"""Matplotlib plots in cells: drawn once for each theme, so that a plot follows the reader's choice.

    from cutaway.plots import plot

    def draw(axes):
        axes.plot(steps, losses, label="training")

    plot(draw, alt="The loss falls, steeply at first.")    # the last line of a cell
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable
from typing import Any

from .palette import THEMES, mpl_style

SIZE = (6.0, 3.4)  # inches: with type of 12 points, legible on a telephone
FIXED = {"svg.fonttype": "path", "svg.hashsalt": "cutaway", "figure.constrained_layout.use": True}


class Plot:
    """One drawing in both themes, and what it shows in words."""

    def __init__(self, pictures: dict[str, str], alt: str) -> None:
        self.pictures, self.alt = pictures, alt

    def __repr__(self) -> str:
        return self.alt

    def _repr_html_(self) -> str:
        """Two pictures, of which the page's theme shows one."""
        return "".join(
            f'<img class="only-{theme}" alt="{html.escape(self.alt)}" '
            f'src="data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}">'
            for theme, picture in self.pictures.items()
        )


def plot(draw: Callable[[Any], object], alt: str, size: tuple[float, float] = SIZE) -> Plot:
    """Let ``draw`` draw on the axes of a figure of ``size`` inches, once for each theme.

    ``alt`` says in words what the plot shows, for those who can't see it.
    """
    if not alt.strip():
        raise ValueError("plot(draw, alt): say in words what the plot shows")
    return Plot({theme: _svg(draw, theme, size) for theme in THEMES}, alt)


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
    return file.getvalue()
