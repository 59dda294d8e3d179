"""``python -m cutaway walk NAME --still FILE.png``: any recorded pass as a picture, without a page."""

from __future__ import annotations

import sys
from pathlib import Path

from .. import runs
from ..computing.asking import run_of
from ..computing.graph import Graph, graph_of
from ..settings import Book, places_of_last_build
from ..trace.names import PASS, Names, UnknownName
from ..trace.reading import load as load_trace
from .cases import case_of
from .still import SIZE, picture, write


def draw(
    book: Book, name: str, path: Path, theme: str, size: tuple[int, int] = SIZE, *, is_beamed: bool = False
) -> str:
    """Draw a pass, ``sort.forward``, or what made one of its values, and return a line about it.

    LookupError where there is no such run, UnknownName or TraceError where the run has no such pass or value.
    """
    if path.suffix.lower() != ".png":
        raise UnknownName(f"'{path}': a still is a PNG; name a file that ends in .png")
    run = run_of(name)
    outcomes = runs.ensure(book, lambda line: print(line, file=sys.stderr), [run])
    if run not in outcomes:
        known = ", ".join(found.name for found in runs.declared(book.runs)) or "none"
        raise LookupError(f"no run {run!r} in '{name}'; there is {known}")
    if outcomes[run].error:
        raise RuntimeError(outcomes[run].error)
    trace = load_trace(Path(outcomes[run].trace))
    head, _, inside = name.partition("/")
    pass_ = head.partition(".")[2] or PASS
    if pass_ not in trace.passes:
        graph_of(trace, pass_)  # says what there is
    shown = case_of(trace, pass_, outcomes[run].warnings)
    seen, found, graph = shown.seen, shown.found, shown.seen.graph
    node = _node(graph, Names({run: trace}, places_of_last_build(book)), name) if inside else None
    write(picture(seen, found, theme, size, node, is_beamed=is_beamed), path)
    cells = sum(block.cells[0] * block.cells[1] for block in found.blocks)
    return f"{path}: {graph.name}, {len(found.blocks)} blocks, {cells:,} cells: {shown.said}"


def _node(graph: Graph, names: Names, name: str) -> int:
    value = names.resolve(name).value
    record = next((one for one in graph.records if one.value is value), None)
    node = graph.node_of(record) if record else None
    if node is None:
        raise UnknownName(f"'{name}': no operation of the graph of {graph.name} gave it; name a tensor of that pass")
    return node
