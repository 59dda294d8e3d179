"""A drawing as HTML: real text, in which the code in a box is a link and sizes have their dimension's colour.

A screen reader hears the links and the description in words; the lines and corners are hidden from it.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..theme.shapes import dimension
from .layout.canvas import SizeMark

_DRAWN = re.compile("[─-╿▲▶▼▽◀](?:[─-╿▲▶▼▽◀ ]*[─-╿▲▶▼▽◀])?")  # lines, borders and arrows with the blanks between


@dataclass(frozen=True)
class Anchor:
    """A link on a line of the drawing, from one column to another; ``box``, which is around it, is a row, a
    column, a height and a width. ``steps`` stand in the box; ``name`` is the drawing's, empty where it has none."""

    row: int
    start: int
    end: int
    href: str
    title: str
    box: tuple[int, int, int, int] | None = None
    first: bool = True  # of its box: the others can be clicked, but not reached by keyboard
    steps: tuple[str, ...] = ()
    name: str = ""


def address(drawing: str, step: str) -> str:
    """The id of the box in which a step stands."""
    return f"{drawing}-{step}"


def markup(lines: Sequence[str], anchors: Sequence[Anchor] = (), sizes: Sequence[SizeMark] = ()) -> str:
    """What stands inside ``<pre>``."""
    on_row: dict[int, list[Anchor]] = defaultdict(list)
    for anchor in anchors:
        on_row[anchor.row].append(anchor)
    marks: dict[int, list[SizeMark]] = defaultdict(list)
    for size in sizes:
        marks[size.row].append(size)
    parts = ['<span aria-hidden="true">']
    for row, line in enumerate(lines):
        column = 0
        for anchor in sorted(on_row[row], key=lambda a: a.start):
            parts.append(_coloured(line, column, anchor.start, marks[row]))
            inside = _coloured(line, anchor.start, anchor.end, marks[row])
            parts.append(f'</span>{_link(anchor, inside)}<span aria-hidden="true">')
            column = anchor.end
        parts.append(_coloured(line, column, len(line), marks[row]) + "\n")
    return "".join([*parts, "</span>"])


def _link(anchor: Anchor, inside: str) -> str:
    attributes = {"href": anchor.href, "title": anchor.title}
    marks = ""
    if anchor.steps:
        attributes["data-step"] = " ".join(anchor.steps)
    if anchor.steps and anchor.name and anchor.first:
        attributes["id"], *others = (address(anchor.name, step) for step in anchor.steps)
        marks = "".join(
            f'<span id="{html.escape(id)}" data-step="{html.escape(step)}"></span>'
            for id, step in zip(others, anchor.steps[1:], strict=True)
        )
    if anchor.box and anchor.first:
        row, column, height, width = anchor.box
        attributes["data-box"] = f"{anchor.start - column} {anchor.row - row} {width} {height}"
    if not anchor.first:
        attributes |= {"tabindex": "-1", "aria-hidden": "true"}
    written = "".join(f' {key}="{html.escape(value)}"' for key, value in attributes.items())
    return f"<a{written}>{marks}{inside}</a>"


def _coloured(line: str, start: int, end: int, sizes: Sequence[SizeMark]) -> str:
    parts, column = [], start
    for size in sorted(sizes, key=lambda s: s.start):
        letter = dimension(size.axis)
        if letter and start <= size.start and size.end <= end:
            parts.append(_plain(line[column : size.start]))
            text = html.escape(line[size.start : size.end])
            parts.append(f'<span class="cutaway-dim cutaway-dim-{letter}">{text}</span>')
            column = size.end
    return "".join([*parts, _plain(line[column:end])])


def _plain(text: str) -> str:
    """Text with what is drawn set apart from what is said."""
    return _DRAWN.sub(r"<i>\g<0></i>", html.escape(text, quote=False))
