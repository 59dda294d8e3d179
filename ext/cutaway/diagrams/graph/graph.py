"""The data flow of one executed call, as plain data: boxes, and what flows between them.

Nodes stand in the order in which they ran; every edge leads from an earlier node to a later one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

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
    rule: str = ""  # of a drawing of the way back: how a gradient goes through it


class Net(NamedTuple):
    """A value that leaves a node, wherever it goes."""

    source: int
    name: str
    thin: bool = False


@dataclass(frozen=True, order=True)
class Edge:
    """A value on its way from the node that gives it to a node that takes it. ``thin``: it went as a number of
    Python's, as by ``item()`` or ``tolist()``."""

    source: int
    target: int
    name: str = ""
    thin: bool = False

    @property
    def net(self) -> Net:
        return Net(self.source, self.name, self.thin)


@dataclass(frozen=True)
class Graph:
    """The flow of one call of ``function``. ``back``: what a round of a loop takes from an earlier one. ``is_sketch``:
    no call was recorded, it is how the source reads; thin edges are then those that only a run can decide.
    ``is_backward``: the arrows are turned, and carry gradients."""

    function: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    back: tuple[Edge, ...] = ()
    is_sketch: bool = False
    is_backward: bool = False

    def outgoing(self, node: int) -> Iterator[Edge]:
        return (edge for edge in self.edges if edge.source == node)

    def incoming(self, node: int) -> Iterator[Edge]:
        return (edge for edge in self.edges if edge.target == node)

    def nets(self, node: int) -> list[Net]:
        """The values that leave a node, in the order in which it gives them."""
        leaving = {edge.net for edge in self.outgoing(node)}
        order = {name: place for place, name in enumerate(self.nodes[node].names)}
        return sorted(leaving, key=lambda net: (order.get(net.name, len(order)), net))
