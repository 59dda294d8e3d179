"""What an interactive plot is made of: lines, points, bands and levels; each draws itself and tells itself as data.

A wrong one raises ValueError where it is written, with its name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

ROWS = ("x", "y", "low", "high")  # the fields that hold numbers

Numbers = Iterable[float]


@dataclass
class Series:
    """Rows of numbers under a name. They become lists of floats; what is not finite, as ``nan``, is a gap."""

    name: str

    def __post_init__(self) -> None:
        who = f"{type(self).__name__}({self.name!r})"
        if not self.name.strip():
            raise ValueError(f"{who}: give it a name, by which readers find it and switch it off")
        for name, row in self.rows().items():
            setattr(self, name, _floats(row, f"{who}: {name}"))
        sizes = {name: len(row) for name, row in self.rows().items()}
        if len({*sizes.values()}) != 1 or 0 in sizes.values():
            told = ", ".join(f"{size} in {name}" for name, size in sizes.items())
            raise ValueError(f"{who}: {told}; there must be equally many in each, and at least one")

    def rows(self) -> dict[str, list[float]]:
        """The numbers, by field."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name in ROWS and getattr(self, field.name) is not None
        }

    def along(self, axis: str) -> list[float]:
        """All numbers that lie along the axis ``x`` or ``y``."""
        return [value for name, row in self.rows().items() if (name == "x") == (axis == "x") for value in row]

    def told(self) -> dict[str, Any]:
        """As JSON tells it: its kind and its settings, numbers with six digits."""
        rows = {name: [six(value) for value in row] for name, row in self.rows().items()}
        flags = {name: True for name in ("faint", "dashed") if getattr(self, name, False)}
        return {"kind": type(self).__name__.lower(), "name": self.name, **flags, **rows}

    def draw(self, axes: Any, colour: str, marker: str) -> None:
        """Draw it on matplotlib's ``axes``."""
        raise NotImplementedError


@dataclass
class Line(Series):
    """A line through points; ``faint`` for what trembles, ``dashed`` beside a solid twin."""

    x: Numbers
    y: Numbers
    faint: bool = False
    dashed: bool = False
    colour: int | None = None

    def draw(self, axes: Any, colour: str, marker: str) -> None:
        look = {"alpha": 0.35, "linewidth": 1} if self.faint else {}
        axes.plot(self.x, self.y, "--" if self.dashed else "-", color=colour, label=self.name, **look)


@dataclass
class Points(Series):
    """Single points; with ``low`` and ``high`` each has a bar from the one to the other: how sure it is."""

    x: Numbers
    y: Numbers
    low: Numbers | None = None
    high: Numbers | None = None
    colour: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.low is None) != (self.high is None):
            raise ValueError(f"Points({self.name!r}): low and high come together; a bar has two ends")

    def draw(self, axes: Any, colour: str, marker: str) -> None:
        axes.plot(self.x, self.y, marker, color=colour, label=self.name)
        if self.low is not None and self.high is not None:
            axes.vlines(self.x, self.low, self.high, color=colour, linewidth=1.5)


@dataclass
class Band(Series):
    """The area between two lines, such as what a fit leaves open."""

    x: Numbers
    low: Numbers
    high: Numbers
    colour: int | None = None

    def draw(self, axes: Any, colour: str, marker: str) -> None:
        axes.fill_between(self.x, self.low, self.high, color=colour, alpha=0.2, linewidth=0, label=self.name)


@dataclass
class Level(Series):
    """A dotted line at one height, with its name on it."""

    y: float | list[float]

    def rows(self) -> dict[str, list[float]]:
        return {"y": self.y if isinstance(self.y, list) else [self.y]}

    def draw(self, axes: Any, colour: str, marker: str) -> None:
        (height,) = self.rows()["y"]
        axes.axhline(height, linestyle=":", linewidth=1, color=colour)
        place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
        axes.annotate(self.name, (1, height), (0, 2), color=colour, fontsize="small", ha="right", **place)


def _floats(row: Any, who: str) -> list[float]:
    try:
        values = [float(value) for value in row]
    except (TypeError, ValueError):
        raise ValueError(f"{who} must be a row of numbers, it is {type(row).__name__}") from None
    return [value if math.isfinite(value) else math.nan for value in values]


def six(value: float) -> float | int | None:
    """As short as JSON can say it with six digits."""
    if math.isnan(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 1e15 else float(f"{value:.6g}")
