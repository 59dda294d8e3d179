"""A tensor's shape as text, as HTML and as nodes: each size in the colour of its dimension, with its letter."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from docutils import nodes

from ..trace.reading import Value
from .palette import DIMENSIONS

Axes = Sequence[str | None] | None


def text(shape: Sequence[int]) -> str:
    """``(1, 3, 11, 16)``, as Python prints it."""
    return str(tuple(shape))


def letters(axes: Axes) -> str:
    """``B H T D``; an axis of unknown or no meaning is a dot. Empty where no letter is known."""
    named = [axis if axis and axis != "1" else "·" for axis in axes or ()]
    return " ".join(named) if any(name != "·" for name in named) else ""


def markup(shape: Sequence[int | str], axes: Axes = None) -> str:
    """The shape as HTML; sizes (or ranges, "6..11") with a letter carry it as a subscript."""
    sizes = ", ".join(_size(size, axis) for size, axis in _pairs(shape, axes))
    comma = "," if len(shape) == 1 else ""
    return f'<span class="cutaway-shape-of">({sizes}{comma})</span>'


def _size(size: int | str, axis: str | None) -> str:
    letter = dimension(axis)
    if axis is None or axis == "1":
        return str(size)
    css = f"cutaway-dim-{letter}" if letter else "cutaway-dim-other"
    return f'<span class="cutaway-dim {css}">{size}<sub>{html.escape(axis)}</sub></span>'


def inline(shape: Sequence[int], axes: Axes = None) -> nodes.inline:
    """The shape as nodes, for prose in every builder."""
    result = nodes.inline(classes=["cutaway-shape-of"])
    for i, (size, axis) in enumerate(_pairs(shape, axes)):
        result += nodes.Text("(" if i == 0 else ", ")
        letter = dimension(axis)
        if axis is None or axis == "1":
            result += nodes.Text(str(size))
        else:
            css = f"cutaway-dim-{letter}" if letter else "cutaway-dim-other"
            result += nodes.inline("", str(size), nodes.subscript("", axis), classes=["cutaway-dim", css])
    result += nodes.Text("()" if not shape else ",)" if len(shape) == 1 else ")")
    return result


def dimension(axis: str | None) -> str | None:
    """The dimension whose colour an axis has: that of ``C`` for ``3C``; none for a product such as ``B*T``."""
    known = re.fullmatch(r"\d*([A-Z])", axis or "")
    return known[1] if known and known[1] in DIMENSIONS else None


def _pairs(shape: Sequence[int | str], axes: Axes) -> Iterator[tuple[int | str, str | None]]:
    return zip(shape, axes or [None] * len(shape), strict=True)


def summary(value: Value) -> str:
    """A value in a few characters: a tensor's shape, a number, a word."""
    if value.type == "tensor":
        return text(value.shape or ())
    if value.type == "scalar":
        return f"{value.scalar:.4g}" if isinstance(value.scalar, float) else repr(value.scalar)
    if value.type == "tuple":
        return "(" + ", ".join(summary(item) for item in value.items) + ")"
    return value.cls or value.type
