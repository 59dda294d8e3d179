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
from .still import SIZE, built, picture, write


def draw(book: Book, name: str, path: Path, theme: str, size: tuple[int, int] = SIZE) -> str:
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
    graph = graph_of(trace, head.partition(".")[2] or PASS)
    node = _node(graph, Names({run: trace}, places_of_last_build(book)), name) if inside else None
    seen, found = built(graph)
    write(picture(seen, found, theme, size, node), path)
    cells = sum(block.cells[0] * block.cells[1] for block in found.blocks)
    return f"{path}: {graph.name}, {len(found.blocks)} blocks, {cells:,} cells"


def _node(graph: Graph, names: Names, name: str) -> int:
    value = names.resolve(name).value
    record = next((one for one in graph.records if one.value is value), None)
    node = graph.node_of(record) if record else None
    if node is None:
        raise UnknownName(f"'{name}': no operation of the graph of {graph.name} gave it; name a tensor of that pass")
    return node
