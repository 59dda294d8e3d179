"""Put a graph's nodes into layers and each layer in order, so that lines are short and seldom cross.

A value (``Net``: the node that gives it, and its name) that skips layers has a ``Lane`` in each of them.
Ties are broken by the order in which nodes ran: a small edit of the code is a small edit of the drawing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..graph.graph import Graph, Net

SWEEPS = 4


@dataclass(frozen=True)
class Lane:
    """The place where a value passes a layer."""

    net: Net


Item = int | Lane  # a box, by its node, or a lane


@dataclass
class Layers:
    """``rows[i]``: what stands in layer i, from left to right."""

    graph: Graph
    layer: list[int]  # by node
    rows: list[list[Item]]

    def above(self, item: Item, layer: int) -> list[tuple[Item, Net]]:
        """The items of the layer before that values come from."""
        if isinstance(item, Lane):
            return [(self._carrier(item.net, layer - 1), item.net)]
        nets = dict.fromkeys(edge.net for edge in self.graph.incoming(item))
        return [(self._carrier(net, layer - 1), net) for net in nets]

    def below(self, net: Net, layer: int) -> list[Item]:
        """The items of the next layer that a value goes to."""
        targets = [e.target for e in self.graph.edges if e.net == net]
        found: list[Item] = [*sorted({t for t in targets if self.layer[t] == layer + 1})]
        return [*found, Lane(net)] if any(self.layer[t] > layer + 1 for t in targets) else found

    def nets(self, item: Item) -> list[Net]:
        """The values that leave an item downwards."""
        return [item.net] if isinstance(item, Lane) else self.graph.nets(item)

    def _carrier(self, net: Net, layer: int) -> Item:
        return net[0] if self.layer[net[0]] == layer else Lane(net)


def layers(graph: Graph, capacity: Mapping[int, int]) -> Layers:
    """Layers with at most ``capacity[i]`` boxes in layer i (any number where it is silent), ordered."""
    layer = _assign(graph, capacity)
    rows: list[list[Item]] = [[] for _ in range(max(layer, default=-1) + 1)]
    for node in graph.nodes:
        rows[layer[node.id]].append(node.id)
    for net in dict.fromkeys(edge.net for edge in graph.edges):
        last = max(layer[e.target] for e in graph.edges if e.net == net)
        for i in range(layer[net[0]] + 1, last):
            rows[i].append(Lane(net))
    found = Layers(graph, layer, rows)
    _order(found)
    return found


def _assign(graph: Graph, capacity: Mapping[int, int]) -> list[int]:
    """Each node as early as it can be, outputs last; what nothing flows into just before its first use."""
    layer: list[int] = []
    held: dict[int, int] = {}
    for node in graph.nodes:
        at = max((layer[edge.source] + 1 for edge in graph.incoming(node.id)), default=0)
        while held.get(at, 0) >= capacity.get(at, len(graph.nodes)):
            at += 1
        layer.append(at)
        held[at] = held.get(at, 0) + 1
    _outputs_last(graph, capacity, layer, held)
    for node in graph.nodes:
        uses = [layer[edge.target] for edge in graph.outgoing(node.id)]
        if uses and not any(True for _ in graph.incoming(node.id)):
            places = range(min(uses) - 1, layer[node.id], -1)
            late = next((at for at in places if held.get(at, 0) < capacity.get(at, len(graph.nodes))), layer[node.id])
            held[layer[node.id]] -= 1
            held[late] = held.get(late, 0) + 1
            layer[node.id] = late
    used = {at: i for i, at in enumerate(sorted(set(layer)))}
    return [used[at] for at in layer]


def _outputs_last(graph: Graph, capacity: Mapping[int, int], layer: list[int], held: dict[int, int]) -> None:
    """Move the outputs into one layer, if there is room."""
    outputs = [node.id for node in graph.nodes if node.kind == "output"]
    last = max((layer[output] for output in outputs), default=0)
    moved = [output for output in outputs if layer[output] != last]
    if len(moved) + held.get(last, 0) <= capacity.get(last, len(graph.nodes)):
        for output in moved:
            held[layer[output]] -= 1
            held[last] += 1
            layer[output] = last


def _order(found: Layers) -> None:
    """Barycentres, down and up in turns; of the orders that it meets the first with the fewest crossings."""
    for i in range(len(found.rows)):
        _sort_down(found, i)
    best, fewest = [list(row) for row in found.rows], _crossings(found)
    for _ in range(SWEEPS):
        for i in reversed(range(len(found.rows) - 1)):
            _sort_up(found, i)
        for i in range(1, len(found.rows)):
            _sort_down(found, i)
        crossings = _crossings(found)
        if crossings < fewest:
            best, fewest = [list(row) for row in found.rows], crossings
    found.rows = best


def _sort_down(found: Layers, i: int) -> None:
    """Each item under what flows into it; lanes to the right of the boxes of the same value."""
    if i == 0:
        return
    places = _places(found, i - 1)
    row = found.rows[i]
    now = {item: k for k, item in enumerate(row)}

    def key(item: Item) -> tuple[float, bool, int]:
        origins = [places[net] for _, net in found.above(item, i)]
        mean = sum(origins) / len(origins) if origins else float(len(row) + now[item])
        return mean, isinstance(item, Lane), now[item]

    row.sort(key=key)


def _sort_up(found: Layers, i: int) -> None:
    """Each item over what it flows into."""
    row, next_row = found.rows[i], found.rows[i + 1]
    now = {item: k for k, item in enumerate(row)}
    below = {item: k for k, item in enumerate(next_row)}

    def key(item: Item) -> tuple[float, int]:
        goals = [below[goal] for net in found.nets(item) for goal in found.below(net, i)]
        return (sum(goals) / len(goals) if goals else float(now[item])), now[item]

    row.sort(key=key)


def _places(found: Layers, i: int) -> dict[Net, float]:
    """Where in a layer each value starts: the item's place and, within it, the value's."""
    places: dict[Net, float] = {}
    for k, item in enumerate(found.rows[i]):
        nets = found.nets(item)
        places.update({net: k + j / (len(nets) + 1) for j, net in enumerate(nets)})
    return places


def _crossings(found: Layers) -> int:
    total = 0
    for i, (_, next_row) in enumerate(pairwise(found.rows)):
        places = _places(found, i)
        lines = [(places[net], k) for k, item in enumerate(next_row) for _, net in found.above(item, i + 1)]
        total += _inversions(lines)
    return total


def _inversions(lines: Sequence[tuple[float, int]]) -> int:
    return sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for k, a in enumerate(lines) for b in lines[k + 1 :])
