"""A number and its operands in words: for the terminal, for cells, and in a sentence to be heard."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .formulas import formula, said, shown, spelled
from .graph import Graph
from .naming import CellNames, written
from .terms import Cell, Term, Why
from .why import why

MOST = 16  # operands that are told
HEADINGS = {"softmax": "the row", "norm": "the row"}
# What an axis is called; one without a letter, or the last two of one letter, are row and column.
AXES = {"B": "sequence", "H": "head", "T": "position", "V": "token"}


def told(
    graph: Graph, values: Sequence[Any], node: int, index: Sequence[int], names: CellNames, line: Callable[[int], str]
) -> str:
    """All that is known of a number, in lines. ``line``: file, number and text of the line that made a node."""
    asked = why(graph, values, node, index)
    found = followed(graph, values, asked)
    lines = [f"{called(graph, asked.cell)} = {shown(asked.cell.value)}", f"  {_where(graph, asked.cell, names)}"]
    if found.cell.node != asked.cell.node:
        lines += ["", f"the same number as {called(graph, found.cell)}", f"  {_where(graph, found.cell, names)}"]
    place = line(found.cell.node)
    lines += [f"  {place}"] if place and found.kind not in ("weight", "input") else []
    return "\n".join([*lines, "", *_reason(graph, found, names)])


def sentence(graph: Graph, values: Sequence[Any], node: int, index: Sequence[int]) -> str:
    """A number and how it was made, in one sentence."""
    asked = why(graph, values, node, index)
    found = followed(graph, values, asked)
    place = ", ".join(filter(None, (graph.label(node), in_words(graph, asked.cell))))
    return f"{place} is {shown(asked.cell.value)}: {said(graph, found)}."


def followed(graph: Graph, values: Sequence[Any], found: Why) -> Why:
    """The operation that made a number, behind those that only moved it."""
    while found.kind == "same":
        cell = found.terms[0].cell
        found = why(graph, values, cell.node, cell.index)
    return found


def called(graph: Graph, cell: Cell) -> str:
    """``att[0,0,5,2]``."""
    return f"{graph.label(cell.node)}{written(cell.index)}"


def in_letters(graph: Graph, cell: Cell) -> str:
    """``B=0, H=0, T=5, T=2``."""
    named = zip(graph.axes(cell.node) or (), cell.index, strict=False)
    return ", ".join(f"{axis}={i}" for axis, i in named if axis and not axis.isdigit())


def in_words(graph: Graph, cell: Cell) -> str:
    """``head 0, row 5, column 2``; axes of one are left out."""
    rank = len(cell.index)
    axes = graph.axes(cell.node) or (None,) * rank
    sizes = graph.recorded(cell.node).shape if cell.node in graph.where else (0,) * rank
    words = []
    for at, (axis, i, size) in enumerate(zip(axes, cell.index, sizes, strict=True)):
        is_plain = axis is None or (at >= rank - 2 > -1 and axes[-1] == axes[-2])
        plain = {rank - 1: "column", rank - 2: "row"}.get(at, "place") if rank > 1 else "place"
        words += [] if size == 1 and rank > 1 else [f"{plain if is_plain else AXES.get(axis or '', 'channel')} {i}"]
    return ", ".join(words)


def _where(graph: Graph, cell: Cell, names: CellNames) -> str:
    letters = in_letters(graph, cell)
    return names.name(cell) + (f"   ({letters})" if letters else "")


def _reason(graph: Graph, found: Why, names: CellNames) -> Iterator[str]:
    """What was done, in words and in a formula; then the operands, the largest of many first."""
    yield said(graph, found)
    is_sum = found.kind in ("product", "mean")
    lines = [] if is_sum else [formula(found)]
    single, many = _operands(found)
    lines += _rows(single, names)
    if many:
        lines += [f"{HEADINGS[found.kind]}:"] if found.kind in HEADINGS else []
        lines += [*_rows(many[:MOST], names, found), *_rest(found, many[MOST:])]
    lines += [formula(found)] if is_sum else []
    yield from (f"  {line}" for line in lines if line)


def _operands(found: Why) -> tuple[list[Term], list[Term]]:
    """Those of one kind each, and those of which there may be many; of a sum, what adds nothing is left out."""
    if found.kind in ("product", "mean", "softmax"):
        single, many = [], [term for term in found.terms if term.part]
    elif found.kind == "norm":
        single = [term for term in found.terms if term.role != "row"]
        many = [Term(term.role, term.cell, term.cell.value) for term in found.terms if term.role == "row"]
    else:
        single, many = list(found.terms), []
    return single, sorted(many, key=lambda term: -abs(term.part or 0.0))


def _rest(found: Why, rest: list[Term]) -> list[str]:
    together = f", {shown(math.fsum(term.part or 0.0 for term in rest))} together" if found.kind != "norm" else ""
    return [f"... and {len(rest)} more{together}"] if rest else []


def _rows(terms: Sequence[Term], names: CellNames, found: Why | None = None) -> Iterator[str]:
    """Of each operand what it adds, and by which name one asks on."""
    computed = [spelled(term, found) for term in terms]
    width = max(map(len, computed), default=0)
    for term, text in zip(terms, computed, strict=True):
        by = [names.name(cell) for cell in (term.cell, term.by) if cell and cell.node >= 0]
        yield f"{text:<{width}}   {' * '.join(by)}".rstrip()
