"""Plots to play with: the author gives series once; the page shows a picture of them and, if asked, a Plotly figure.

In a cell::

    from cutaway.plots.interactive import Band, Level, Line, Points, interactive

    interactive(                                       # the last line of a cell
        Line("each batch", steps, losses, faint=True, colour=0),
        Line("smoothed", steps, means, colour=0),      # the colour of its twin; else each series has its own
        Points("evaluated", at, measured),             # with low=, high=: error bars
        Band("95 % of the fits", sizes, low, high),
        Level("even guess", math.log(V)),
        x="step", y="loss, nats", log="y",             # log: "", "x", "y" or "xy"
        alt="The loss falls, steeply at first.",
    )

The picture is as :func:`cutaway.plots.plot` draws it: in light and dark, also without script and on paper. The series
stand beside it as JSON. "Play with it" opens a frame with Plotly, which nobody fetches before: zoom, values under the
pointer, series to switch off, logarithmic axes.

The frame is a page of its own (``static/plotly/frame.html``), because Plotly writes styles into the page that it draws
on. The policy of the book's pages forbids that; this page's allows it, there alone. The two talk by messages, which
works from a file, too. Plotly is what the Python package ``plotly`` brings: 4.8 MB, 1.5 MB packed.
"""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from . import SIZE, Plot, plot
from .series import Band, Level, Line, Points, Series, six

__all__ = ["Band", "Level", "Line", "Points", "interactive"]

FEW = 4  # names that find room among the lines; more stand below
GIVEN = 12  # different x up to which a short logarithmic axis has its ticks there; else at 1, 2 and 5 times 10, 100, …
LETTER, GAP = 0.03, 0.01  # of the axis: what a digit of a tick takes, on a telephone, and what stays free beside it
MOST = 20_000  # numbers of one plot: they are a part of the page
CYCLE = "CTDHVB"  # colour 0, 1, … is that of a dimension, as in matplotlib's cycle
MARKERS = "osD^"  # of the first points of a plot, the second, …; frame.js has the same
DATA = '<script type="application/json">'


def interactive(
    *series: Series, x: str, y: str, alt: str, log: str = "", size: tuple[float, float] = SIZE
) -> Plot:
    """A picture of the series, and what is needed to play with them.

    ``x`` and ``y`` name the axes, with their units; ``log`` says which are logarithmic at first (an ``x`` of less than
    two decades has its ticks at the given numbers); ``alt`` says in words what the plot shows. ValueError
    says what is wrong; ModuleNotFoundError, that the package ``plotly`` is missing.
    """
    bundle()
    _check(series, {"x": x, "y": y}, log)
    looks = list(_looks(series))
    named = sum(not isinstance(one, Level) for one in series)
    ticks = _ticks({x for one in series for x in one.along("x") if x > 0}) if "x" in log else {}

    def draw(axes: Any) -> None:
        axes.set(xlabel=x, ylabel=y, **{f"{axis}scale": "log" for axis in log})
        muted = axes.yaxis.label.get_color()
        for one, (colour, marker) in zip(series, looks, strict=True):
            one.draw(axes, muted if isinstance(one, Level) else f"C{colour}", MARKERS[marker % len(MARKERS)])
        if ticks:
            from matplotlib.ticker import NullFormatter

            axes.set_xticks(list(ticks), ticks.values())
            axes.xaxis.set_minor_formatter(NullFormatter())
        if named > FEW:
            axes.figure.legend(loc="outside lower center", ncols=2)
        elif named > 1:
            axes.legend()

    drawn = plot(draw, alt, size)
    told = [
        {**one.told(), "colour": f"dim-{CYCLE[colour % len(CYCLE)]}", "marker": marker}
        for one, (colour, marker) in zip(series, looks, strict=True)
    ]
    figure: dict[str, object] = {"x": x, "y": y, "log": log, "series": told}
    if ticks:
        figure["ticks"] = {"at": [six(value) for value in ticks], "text": [*ticks.values()]}
    drawn.more = f"{DATA}{_json(figure)}</script>"
    return drawn


def _check(series: Sequence[Series], axes: dict[str, str], log: str) -> None:
    """ValueError where the series can't be drawn together."""
    for axis, name in axes.items():
        if not name.strip():
            raise ValueError(f"interactive({axis}={name!r}): name the axis, with its unit")
    if log not in ("", "x", "y", "xy"):
        raise ValueError(f'interactive(log={log!r}): one of "", "x", "y" and "xy"')
    names = [one.name for one in series]
    if not names or len({*names}) < len(names):
        raise ValueError(f"interactive({', '.join(map(repr, names))}): give one series or more, each its own name")
    total = sum(len(row) for one in series for row in one.rows().values())
    if total > MOST:
        raise ValueError(f"interactive: {total:,} numbers, at most {MOST:,} fit into a page; give every n-th")
    for axis in log:
        for one in series:
            if bad := [value for value in one.along(axis) if value <= 0]:
                raise ValueError(f"{one.name!r}: a logarithmic axis {axis} has no place for {bad[0]:g}")


def _ticks(values: set[float]) -> dict[float, str]:
    """Ticks of a logarithmic axis that is shorter than two decades, with plain numbers; none for another axis.

    Matplotlib would write 3×10⁻¹ and 4×10⁻¹ over each other, Plotly a 3 for either of 0.3 and 3.
    """
    low, high = min(values, default=1), max(values, default=1)
    if not 1 < high / low < 100:
        return {}
    if len(values) > GIVEN:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
        values = {value for power in powers for digit in "125" if low <= (value := float(f"{digit}e{power}")) <= high}
    found: dict[float, str] = {}
    for value in sorted(values):
        text = f"{value:,.0f}" if value >= 1000 else f"{Decimal(f'{value:.3g}'):f}"
        if found:
            before, beside = [*found.items()][-1]
            if math.log(value / before, high / low) < LETTER * (len(beside) + len(text)) / 2 + GAP:
                continue
        found[value] = text
    return found if len(found) > 1 else {}


def _looks(series: Sequence[Series]) -> Iterator[tuple[int, int]]:
    """The place of each series in the cycle of colours, and in that of markers."""
    taken = {colour for one in series if (colour := getattr(one, "colour", None)) is not None}
    free = (colour for colour in count() if colour not in taken)
    markers = count()
    for one in series:
        colour = getattr(one, "colour", None)
        if colour is None:
            colour = 0 if isinstance(one, Level) else next(free)
        yield colour, next(markers) if isinstance(one, Points) else 0


def _json(value: Any) -> str:
    """JSON that can stand in a page: nothing in it ends the script or begins a comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def bundle() -> Path:
    """The script of the installed package ``plotly``; ModuleNotFoundError says what to do where it is missing."""
    spec = importlib.util.find_spec("plotly")  # it takes a second to import, and only its script is used
    for folder in (spec and spec.submodule_search_locations) or []:
        if (path := Path(folder) / "package_data/plotly.min.js").is_file():
            return path
    raise ModuleNotFoundError("an interactive plot needs plotly.min.js of the package plotly; `pip install plotly`")
