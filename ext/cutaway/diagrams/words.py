"""A drawing in words, for those who don't see it: a sentence for each box, in the order in which they ran."""

from __future__ import annotations

from .graph.graph import Edge, Graph, Node
from .graph.quote import DOTS

BACKWARD = (
    "The way back: g is the gradient by what a box gave on the way forward, and has its shape; "
    "an arrow carries the gradient by what stands beside it, or else by what the next box gave."
)


def describe(graph: Graph) -> list[str]:
    """Sentences, numbered from 1 as the steps that they refer to.

    >>> describe(graph)[:2]
    ['x comes in: 1 by 11 by 48 (B, T, C).',
     'self.c_attn(x) takes x from step 1 and gives 1 by 11 by 144 (B, T, 3C).']
    """
    return [(_back if graph.is_backward else _sentence)(graph, node) for node in graph.nodes]


def _back(graph: Graph, node: Node) -> str:
    """A sentence for a box of the way back."""
    shape = _shape(node) or "a value"
    if node.kind == "input":
        return f"The {node.code} comes in: {shape}."
    rule = f"; {node.rule}" if node.rule else ""
    origins = _list([f"step {edge.source + 1}" for edge in graph.incoming(node.id)])
    if node.kind == "output":
        return f"Out goes the {node.code}, from {origins}: {shape}{rule}."
    often = f" It is done {node.times} times, from the last round to the first." if node.times > 1 else ""
    return f"{node.code}: the gradient g by what it gave, {shape}, comes from {origins}{rule}.{often}"


def _sentence(graph: Graph, node: Node) -> str:
    taken = [_origin(graph, edge) for edge in graph.incoming(node.id)]
    shape = _shape(node)
    if node.kind == "input":
        return f"{node.code} comes in: {shape}." if shape else f"{node.code} comes in."
    if node.kind == "output":
        return f"Out goes {_list(taken) or 'a value'}: {shape or 'no single shape'}."
    if node.kind == "again":
        often = f"{node.times} times" if node.times else "several times"
        return (
            f"{node.code}: all from step {_first_of_loop(graph, node)} on is done {often}, "
            f"each time with {_list(taken)}."
        )
    code = node.code
    unnamed = [e.source + 1 for e in graph.incoming(node.id) if not graph.nodes[e.source].names]
    if code.count(DOTS) == 1 and len(unnamed) == 1:
        code = code.replace(f"({DOTS})", DOTS).replace(DOTS, f"(step {unnamed[0]})")
    takes = f"takes {_list(taken)} and gives" if taken else "gives"
    each = f"{_list(list(node.names))}, each " if len(node.names) > 1 else ""
    often = f" It is done {node.times} times, each time with what the last gave." if node.times > 1 else ""
    return f"{code} {takes} {each}{shape or 'a value'}.{often}"


def _origin(graph: Graph, edge: Edge) -> str:
    source = graph.nodes[edge.source]
    name = edge.name or (source.names[0] if len(source.names) == 1 else "")
    return f"{name} from step {edge.source + 1}" if name else f"the result of step {edge.source + 1}"


def _first_of_loop(graph: Graph, node: Node) -> int:
    """The first step inside the loop that a node ends, told from where they stand in the source."""
    inside = [other.id for other in graph.nodes if other.id < node.id and _within(other, node)]
    return min(inside, default=node.id) + 1


def _within(node: Node, loop: Node) -> bool:
    return any(span[:2] >= loop.spans[0][:2] for span in node.spans) and node.kind != "input"


def _shape(node: Node) -> str:
    if node.shape is None:
        return ""
    if not node.shape:
        return "a single number"
    sizes = " by ".join(size.replace("..", " to ") for size in node.shape)
    letters = [axis for axis in node.axes or () if axis]
    return f"{sizes} ({', '.join(letters)})" if letters and len(letters) == len(node.shape) else sizes


def _list(words: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
