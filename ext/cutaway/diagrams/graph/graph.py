"""The data flow of one executed call, as plain data: boxes, and what flows between them.

Nodes stand in the order in which they ran; every edge leads from an earlier node to a later one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...source.find import Span


@dataclass(frozen=True)
class Node:
    """A box. Its ``kind`` is ``input``, ``step`` (a statement), ``module`` (a call with its own inside),
    ``add``, ``again`` (the end of a loop) or ``output``."""

    id: int
    kind: str
    code: str  # what it does, as in the source, unabridged: "att = F.softmax(att, dim=-1)"
    names: tuple[str, ...] = ()  # variables it gives
    spans: tuple[Span, ...] = ()  # places in the source that it stands for
    shape: tuple[str, ...] | None = None  # sizes as text; "6..11" where rounds of a loop differ
    axes: tuple[str, ...] | None = None  # one letter (or product) per size: "B", "3C"
    module_path: str | None = None  # "transformer.h.0.attn"
    function: str | None = None  # the explained function that it runs: "nanogpt.model.Block.forward"
    times: int = 1


@dataclass(frozen=True, order=True)
class Edge:
    """A value on its way from the node that gives it to a node that takes it."""

    source: int
    target: int
    name: str = ""


@dataclass(frozen=True)
class Graph:
    """The flow of one call of ``function``."""

    function: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def outgoing(self, node: int) -> Iterator[Edge]:
        return (edge for edge in self.edges if edge.source == node)

    def incoming(self, node: int) -> Iterator[Edge]:
        return (edge for edge in self.edges if edge.target == node)

    def nets(self, node: int) -> list[str]:
        """The names under which a node's values leave it, in the order in which it gives them."""
        leaving = {edge.name for edge in self.outgoing(node)}
        given = [name for name in self.nodes[node].names if name in leaving]
        return given + sorted(leaving - set(given))
