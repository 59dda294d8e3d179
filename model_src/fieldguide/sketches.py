"""Curves as a drawing (SVG, without a script or anything from elsewhere) and as text for a terminal."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 34  # around the plot
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a Braille character, row by row
MOST = 1000  # points that are drawn of a series


@dataclass(frozen=True)
class Series:
    """A curve with its name; ``kind`` is a class of the page's stylesheet."""

    name: str
    steps: Sequence[float]
    values: Sequence[float]
    kind: str = "a"


@dataclass(frozen=True)
class Frame:
    """What is drawn: the least and the most of both axes."""

    x0: float
    x1: float
    y0: float
    y1: float

    def at(self, step: float, value: float) -> tuple[float, float]:
        """Where a point stands, from 0 to 1, upwards."""
        return (step - self.x0) / (self.x1 - self.x0), (value - self.y0) / (self.y1 - self.y0)


def finite(series: Series) -> list[tuple[float, float]]:
    """The points that can be drawn, at most ``MOST`` of them."""
    pairs = zip(series.steps, series.values, strict=False)
    points = [(float(x), float(y)) for x, y in pairs if math.isfinite(x) and math.isfinite(y)]
    return points[:: max(1, math.ceil(len(points) / MOST))]


def frame_of(series: Sequence[Series]) -> Frame | None:
    """The axes that hold all points but the highest percent; None where there are no points."""
    points = [point for each in series for point in finite(each)]
    if not points:
        return None
    x, y = np.array(points).T
    low, high = float(y.min()), float(np.quantile(y, 0.99) if len(y) > 200 else y.max())
    room = 0.04 * (high - low) or max(0.5, 0.01 * abs(high))
    return Frame(float(x.min()), max(float(x.max()), float(x.min()) + 1), low - room, high + room)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers between two."""
    raw = (high - low) / count
    size = 10.0 ** math.floor(math.log10(raw))
    size *= next(factor for factor in (1, 2, 5, 10) if factor * size >= raw)
    first = math.ceil(low / size)
    return [k * size for k in range(first, math.floor(high / size) + 1)]


def place(frame: Frame, step: float, value: float) -> tuple[float, float]:
    """Where a point stands in the drawing; what is above the frame is drawn at its edge."""
    x, y = frame.at(step, value)
    y = min(max(y, 0.0), 1.0)
    return LEFT + x * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - y * (HEIGHT - TOP - BOTTOM)


def axes(frame: Frame) -> list[str]:
    """Lines and numbers."""
    parts = []
    for value in ticks(frame.y0, frame.y1):
        _, y = place(frame, frame.x0, value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.4g}</text>')
    for step in ticks(frame.x0, frame.x1):
        x, _ = place(frame, step, frame.y0)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 12}" text-anchor="middle">{step:,.0f}</text>')
    return parts


def svg(title: str, series: Sequence[Series], marks: Sequence[float] = (), standalone: bool = False) -> str:
    """The drawing; ``marks`` are steps with a line of their own. A file of its own brings its colours along."""
    frame = frame_of(series)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
    head += f'aria-label="{html.escape(title, quote=True)}">'
    if frame is None:
        return f'{head}<text x="{LEFT}" y="{HEIGHT // 2}">no values yet</text></svg>'
    parts = [head, *([f"<style>{STYLE}</style>"] if standalone else []), *axes(frame)]
    for step in marks:
        if frame.x0 <= step <= frame.x1:
            x, _ = place(frame, step, frame.y0)
            parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
    for i, each in enumerate(series):
        points = " ".join("{:.1f},{:.1f}".format(*place(frame, *point)) for point in finite(each))
        parts.append(f'<polyline class="{each.kind}" points="{points}"/>')
        name = html.escape(each.name)
        parts.append(f'<text class="{each.kind}" x="{WIDTH - RIGHT - 4}" y="{TOP + 14 + 16 * i}" '
                     f'text-anchor="end">{name}</text>')  # fmt: skip
    return "".join([*parts, "</svg>"])


STYLE = (
    "svg{font:12px system-ui,sans-serif;background:#fff}text{fill:#444}polyline{fill:none;stroke-width:1.5}"
    ".grid{stroke:#ddd}.mark{stroke:#c22;stroke-dasharray:3 3}polyline.a{stroke:#9bb8d8}text.a{fill:#5a7ea6}"
    "polyline.b{stroke:#14497f;stroke-width:2}text.b{fill:#14497f}polyline.c{stroke:#b25a00;stroke-width:2}"
    "text.c{fill:#b25a00}"
)


def text(series: Sequence[Series], columns: int = 60, rows: int = 10) -> str:
    """The curves in Braille dots, two across and four down in each character, all in one."""
    frame = frame_of(series)
    if frame is None:
        return "no values yet"
    cells = np.zeros((rows, columns), dtype=int)
    for each in series:
        for step, value in finite(each):
            x, y = frame.at(step, value)
            column = min(int(x * 2 * columns), 2 * columns - 1)
            row = min(int((1 - min(max(y, 0.0), 1.0)) * 4 * rows), 4 * rows - 1)
            cells[row // 4, column // 2] |= DOTS[row % 4][column % 2]
    lines = ["".join(chr(0x2800 + cell) for cell in line) for line in cells]
    labels = [f"{frame.y1:>9.4g} ", *[" " * 10] * (rows - 2), f"{frame.y0:>9.4g} "]
    below = f"{'':10}{frame.x0:<,.0f}".ljust(10 + columns - 8) + f"{frame.x1:>8,.0f}"
    return "\n".join([*(label + line for label, line in zip(labels, lines, strict=True)), below])
