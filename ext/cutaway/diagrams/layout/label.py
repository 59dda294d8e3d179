"""The words in a box: its code, shortened to fit, and its shape."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from ..graph.graph import Node
from ..graph.quote import DOTS

_OPERATOR = re.compile(r" (?=(?:@|\*\*?|//?|\+|-|and|or|if|else|==|<=?|>=?) )")


@dataclass(frozen=True)
class Size:
    """Where a size, or the letter of its axis, stands in a box: row, first column, end column."""

    row: int
    start: int
    end: int
    axis: str


@dataclass(frozen=True)
class Label:
    lines: tuple[str, ...]
    sizes: tuple[Size, ...] = ()
    code: int = 1  # how many of the lines are code
    broken: bool = False  # a word had to be broken amid

    @property
    def width(self) -> int:
        return max(map(len, self.lines))


def label(node: Node, width: int, rows: int = 2) -> Label:
    """What stands in the box of a node, at most ``width`` columns wide, its code in about ``rows`` lines."""
    code, broken = fit(node.code, width, rows)
    if node.kind == "again":
        often = f", × {node.times}" if node.times else ""
        code += wrap(f"{', '.join(node.names)}: again{often}", width)[0]
    elif node.times > 1:
        mark = f"  × {node.times}"
        code = [*code[:-1], code[-1] + mark] if len(code[-1] + mark) <= width else [*code, mark.strip()]
    rule = _rule(node.rule, width)
    if node.shape is None:
        return Label((*code, *rule), (), len(code), broken)
    shape, sizes = _shape(node, width)
    short = not rule and len(code) == 1 and len(shape) == 1 and node.kind in ("input", "output")
    if short and len(code[0]) + 3 + len(shape[0]) <= width:
        indent = len(code[0]) + 3
        return Label(
            (code[0] + "   " + shape[0],),
            tuple(Size(0, s.start + indent, s.end + indent, s.axis) for s in sizes),
        )
    below = tuple(Size(s.row + len(code) + len(rule), s.start, s.end, s.axis) for s in sizes)
    return Label((*code, *rule, *shape), below, len(code), broken)


def _rule(rule: str, width: int) -> list[str]:
    """Each rule of a box from a line of its own on."""
    return [line for part in rule.split("; ") for line in textwrap.wrap(part, width, subsequent_indent="  ")]


def _shape(node: Node, width: int) -> tuple[list[str], list[Size]]:
    """``(1, 3, 11, 16)  B H T D``, or the letters under their sizes where that is too wide."""
    assert node.shape is not None
    axes = node.axes or ("",) * len(node.shape)
    start = f"{len(node.names)} × (" if len(node.names) > 1 else "("
    text, sizes = start, []
    for i, (size, axis) in enumerate(zip(node.shape, axes, strict=True)):
        text += ", " if i else ""
        sizes.append(Size(0, len(text), len(text) + len(size), axis))
        text += size
    text += ")"
    letters = " ".join(axis or "?" for axis in axes)
    if len(text) > width:
        return wrap(text, width)[0], []
    if not any(axes):
        return [text], sizes
    if len(text) + 2 + len(letters) <= width:
        column = len(text) + 2
        for axis in axes:
            sizes.append(Size(0, column, column + len(axis or "?"), axis))
            column += len(axis or "?") + 1
        return [f"{text}  {letters}"], sizes
    below = ""
    for place, axis in zip(list(sizes), axes, strict=True):
        column = max(place.start, len(below) + 1 if below else 0)
        below = below.ljust(column) + axis
        sizes.append(Size(1, column, column + len(axis), axis))
    return ([text, below], sizes) if len(below) <= width else ([text], sizes[: len(axes)])


def fit(code: str, width: int, rows: int) -> tuple[list[str], bool]:
    """Code in at most ``rows`` lines of ``width``: whole if it fits, else with dots for inner arguments.

    >>> fit("q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)", 22, 2)
    (['q.view(B, T, …)', '  .transpose(1, 2)'], False)
    """
    while True:
        lines, broken = wrap(code, width)
        longest = max(_arguments(code), default=None)
        if (len(lines) <= rows and not broken) or longest is None:
            return lines, broken
        _, _, start, end = longest
        code = re.sub(r"…(, …)+", DOTS, code[:start] + DOTS + code[end:])


def _arguments(code: str) -> Iterator[tuple[int, int, int, int]]:
    """What may be left out: depth, length, start and end of everything between brackets and commas."""
    opened: list[int] = []
    for i, character in enumerate(_masked(code)):
        if character in ")]}," and opened:
            start = opened.pop()
            start += len(code[start:i]) - len(code[start:i].lstrip())
            if i - start > len(DOTS) + 1 or (DOTS in code[start:i] and i - start > 1):
                yield len(opened), i - start, start, i
        if character in "([{,":
            opened.append(i + 1)


def wrap(code: str, width: int) -> tuple[list[str], bool]:
    """Break a line where that hurts least: at the outermost operator, method or comma. If there is none,
    anywhere: then the second result is True."""
    lines, indent, broken = [], "", False
    while len(indent + code) > width:
        room = width - len(indent)
        places = list(_breaks(code, room))
        broken = broken or not places
        _, place = min(places, default=(0, -room))
        lines.append(indent + code[:-place].rstrip())
        code, indent = code[-place:].lstrip(), "  " if width > 16 else ""
    return [*lines, indent + code], broken


def _breaks(code: str, room: int) -> Iterator[tuple[int, int]]:
    """Depth and negated position of each place where a line may end, at most ``room`` from its start."""
    masked, depth = _masked(code), 0
    for i, character in enumerate(masked[: room + 1]):
        if i > 2 and (_OPERATOR.match(masked, i) or (character == "." and masked[i - 1] in ")]…")):
            yield depth, -i
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "," and i < room and masked[i + 1 : i + 2] == " ":
            yield depth, -(i + 1)


def _masked(code: str) -> str:
    """The code with the inside of its strings blotted out: a bracket there is no bracket."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", lambda found: "'" * len(found[0]), code)
