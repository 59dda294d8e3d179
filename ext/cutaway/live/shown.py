"""What a figure shows: which nodes of a graph, of which modules, and the recorded numbers that stand there at first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from docutils import nodes

from ..computing.graph import Graph, graph_of
from ..trace.names import PASS, Names, UnknownName
from ..trace.reading import Record, Trace, Value
from ..walks.inside import opened

if TYPE_CHECKING:
    import numpy as np

SHOWS = ("grid", "bars", "lens", "ablation", "softmax", "probe", "plane", "cache", "walk", "input")
WALK = "walk"
MAPPED = ("probe", "plane")  # they show what a linear map gives
OF_A_PASS = ("input", "cache", "walk")  # they show no single value
WIDEST = 12  # rows and columns of a table that people read


@dataclass(frozen=True)
class Shown:
    """``layers``: node by module path, the one named among them. ``parts``: nodes of what can be left out, by name.
    ``probe``: what its numbers are called, and the matrix that gives them."""

    model: str
    show: str
    node: int | None = None
    layers: tuple[tuple[str, int], ...] = ()
    parts: tuple[tuple[str, tuple[int, ...]], ...] = ()
    value: Value | None = None
    probe: tuple[list[str], list[float]] | None = None

    def rows(self) -> np.ndarray | None:
        """The recorded numbers, the first head of several; None where they are too many to read."""
        if self.value is None or not self.value.shape:
            return None
        array = self.value.array()
        while array.ndim > 2:
            array = array[0]
        rows = array.reshape(-1, array.shape[-1])
        return rows if max(rows.shape) <= WIDEST else None

    def table(self) -> nodes.table | None:
        """The recorded numbers as nodes."""
        rows = self.rows()
        return None if rows is None else rows_of([[f"{number:.3g}" for number in row] for row in rows.tolist()])


@lru_cache(maxsize=8)
def graph(trace: Trace, pass_: str) -> Graph:
    """The graph of a pass, read once, its fused attention opened."""
    return opened(graph_of(trace, pass_))


def find(trace: Trace, names: Names, name: str, show: str) -> Shown:
    """What the name stands for in its pass's graph. UnknownName or TraceError say why nothing does."""
    head = name.partition("/")[0].partition("@")[0]
    held = graph(trace, head.partition(".")[2] or PASS)
    if show in OF_A_PASS:
        return Shown(held.name, show)
    value = names.resolve(name).value
    record = next((one for one in held.records if one.value is value), None)
    node = held.node_of(record) if record else None
    if record is None or node is None:
        raise UnknownName(f"no operation of the graph of {held.name} gave it: name a tensor of that pass")
    if show == "softmax" and not held.nodes[node].op.startswith("softmax"):
        raise UnknownName(f"{held.nodes[node].op} gave it, and no softmax: name the weights that a softmax gave")
    layers = tuple(_alike(held, record))
    if show == "lens":
        node = layers[-1][1]
    parts = (*_parts(held, record), *_others(held)) if show == "ablation" else ()
    return Shown(held.name, show, node, layers, parts, value)


def with_probe(shown: Shown, labels: Sequence[str], matrix: Sequence[float] | None) -> Shown:
    """The figure with the map that a cell fitted: a row for each number of the vector, and one that is added."""
    if shown.show == "plane" and len(labels) != 2:
        raise UnknownName(f"a plane has two :labels:, what is across and what is up; {len(labels)} were found")
    rows = shown.value.shape[-1] + 1 if shown.value is not None and shown.value.shape else 0
    if not labels or matrix is None or len(matrix) != rows * len(labels):
        asked = f"{rows} × {len(labels)} = {rows * len(labels)} numbers" if labels else ":labels: of its numbers"
        found = f"{len(matrix)} were found" if matrix is not None else "no :matrix: was named"
        raise UnknownName(f"a {shown.show} of it needs {asked}, row by row, the last row added; {found}")
    return replace(shown, probe=(list(labels), [float(number) for number in matrix]))


def _alike(graph: Graph, record: Record) -> list[tuple[str, int]]:
    """Module path and node of what the same place gave in each module."""
    found: dict[str, int] = {}
    for other in graph.records:
        node = graph.node_of(other)
        if other.site == record.site and node is not None:
            found.setdefault(other.call.module_path, node)
    return list(found.items())


def _others(graph: Graph) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The vectors of positions, looked up by a count, and what hides tokens, where the graph has them."""
    looked = [(at, node) for at, node in enumerate(graph.nodes) if node.op.startswith("embedding")]
    counted = [at for at, node in looked if graph.nodes[int(node.args[1][1:])].op.startswith("arange")]
    hiding = [int(node.args[1][1:]) for node in graph.nodes if node.op.startswith("masked_fill")]
    yield from ((name, tuple(nodes)) for name, nodes in (("position", counted), ("mask", hiding)) if nodes)


def _parts(graph: Graph, record: Record) -> list[tuple[str, tuple[int, ...]]]:
    """What the modules of each block give that is added to something: attention and MLP."""
    added = {int(one[1:]) for node in graph.nodes if node.op == "add.Tensor" for one in _references(node.args)}
    blocks = {path.rpartition(".")[0] for path, _ in _alike(graph, record)}
    found: dict[str, tuple[int, ...]] = {}
    for other in graph.records:
        node = graph.node_of(other)
        is_part = other.callee and other.callee.rpartition(".")[0] in blocks
        if is_part and node is not None and _is_added(graph, node, added):
            found.setdefault(other.callee, (node,))
    return list(found.items())


def _is_added(graph: Graph, node: int, added: set[int]) -> bool:
    """Whether a value is a summand, as it is or after operations that leave it as it is."""
    same = {number for number, other in enumerate(graph.nodes) if other.digest == graph.nodes[node].digest}
    return bool(same & added)


def _references(args: Sequence[object]) -> list[str]:
    return [one for one in args if isinstance(one, str) and one.startswith("%")]


def rows_of(rows: list[list[str]]) -> nodes.table:
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in rows[0]), cols=len(rows[0]))
    lines = (nodes.row("", *(nodes.entry("", nodes.paragraph("", one)) for one in row)) for row in rows)
    group += nodes.tbody("", *lines)
    return nodes.table("", group)
