"""The way back through a call: the same boxes, the arrows turned, each with the rule by which a gradient goes through.

Which boxes a gradient reached, and what torch did there, was recorded (``runs/gradients.py``); the way is the tape's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...runs.gradients import RULES
from ...source.find import Span
from ...trace.reading import Call, Record, Trace
from .graph import Edge, Graph, Node
from .rules import BROADCASTING, MOVES, rule_of

MOST = 3  # parameters that a box names


def turned(graph: Graph, trace: Trace, call: Call) -> Graph:
    """The way back through the call of which ``graph`` is the flow. LookupError where its pass has no gradients, or
    none reached the call."""
    if call.pass_ + RULES not in trace.passes:
        there = [name.removesuffix(RULES) for name in trace.passes if name.endswith(RULES)]
        known = f"those with gradients are {', '.join(there)}" if there else "no pass of this run has gradients"
        raise LookupError(
            f"'{trace.run}.{call.pass_}' was recorded without gradients: {known}; name another in :run:, or record them"
            " by cutaway.runs.gradients"
        )
    place = trace.calls(call.function, call.pass_).index(call)
    again = trace.calls(call.function, call.pass_ + RULES)[place]
    back = _Back(graph, trace, call, trace.records(again))
    if not back.edges:
        raise LookupError(f"no gradient went through {graph.function} in '{trace.run}.{call.pass_}'")
    return back.graph_of()


@dataclass(frozen=True)
class _Back:
    graph: Graph
    trace: Trace
    call: Call
    rules: list[Record]  # of the call: what torch did, in words

    @property
    def edges(self) -> list[Edge]:
        """The arrows of the flow along which a gradient came back."""
        reached = self._reached()
        return [edge for edge in self.graph.edges if not edge.thin and {edge.source, edge.target} <= reached]

    def graph_of(self) -> Graph:
        """The boxes in the opposite order, and the arrows between them the other way."""
        edges = self.edges
        reached = {node for edge in edges for node in (edge.source, edge.target)}
        order = {old: new for new, old in enumerate(sorted(reached, reverse=True))}
        turned = sorted(self._turned(edge, edges, order) for edge in edges)
        nodes = tuple(replace(self._through(self.graph.nodes[old], edges), id=new) for old, new in order.items())
        back = [edge for edge in self.graph.back if {edge.source, edge.target} <= reached]
        again = tuple(Edge(order[edge.target], order[edge.source], edge.name) for edge in back)
        return Graph(self.graph.function, nodes, tuple(dict.fromkeys(turned)), again, is_backward=True)

    def _reached(self) -> set[int]:
        """The boxes to which a gradient was recorded and arrows lead from a result that has one."""
        recorded = {node.id for node in self.graph.nodes if node.kind == "again" or any(self._records(node))}
        begun = [n for n in recorded if self.graph.nodes[n].kind == "output"]
        begun = [n for n in begun if self._is_used_outside(n)]
        found, pending = set(begun), list(begun)
        while pending:
            for edge in self.graph.incoming(pending.pop()):
                if not edge.thin and edge.source in recorded - found:
                    found.add(edge.source)
                    pending.append(edge.source)
        return found

    def _is_used_outside(self, output: int) -> bool:
        """Whether what a call returns has a gradient from outside, too: an operation after the call has taken it, or it
        is the result itself. Logits that are returned beside a loss got theirs from inside."""
        own = {entry for edge in self.graph.incoming(output) for entry in self._origins(self.graph.nodes[edge.source])}
        end = max((entry for record in self.trace.records(self.call) for entry in record.origins), default=0)
        takers = [entry for entry, inputs in enumerate(self.trace.tape) if not own.isdisjoint(inputs)]
        return not takers or max(takers) > end

    def _origins(self, node: Node) -> tuple[int, ...]:
        """The tape's entries of what a box gave last."""
        here = [each.origins for each in self.trace.records(self.call) if each.site.span in node.spans]
        return here[-1] if here else ()

    def _records(self, node: Node) -> Iterator[Record]:
        """The records of a box; of what is returned beside other values, that of all of them."""
        for record in self.rules:
            at, is_return = record.site.span, record.site.kind == "return"
            if node.kind == "output":
                fits = is_return and any(at.contains(span) for span in node.spans)
            else:
                fits = any(span.contains(at) for span in node.spans)
            if fits:
                yield record

    def _turned(self, edge: Edge, edges: list[Edge], order: dict[int, int]) -> Edge:
        """The arrow the other way, with the name of what it is the gradient by where a box gives several."""
        given = {self._by(other) for other in edges if other.target == edge.target}
        return Edge(order[edge.target], order[edge.source], self._by(edge) if len(given) > 1 else "")

    def _by(self, edge: Edge) -> str:
        names = self.graph.nodes[edge.source].names
        return edge.name or (names[0] if len(names) == 1 else "")

    def _through(self, node: Node, edges: list[Edge]) -> Node:
        """A box of the flow as one of the way back."""
        if node.kind == "output":
            value = node.code.removeprefix("return").strip() or "the result"
            return replace(node, kind="input", code=f"gradient by {value}")
        uses = max(Counter(edge.name for edge in edges if edge.source == node.id).values(), default=0)
        parts = [f"sum over its {uses} uses"] if uses > 1 else []
        if node.kind == "input":
            return replace(node, kind="output", code=f"gradient by {node.code}", rule="; ".join(parts))
        if node.kind == "again":
            return replace(node, rule="from the last round to the first")
        if node.function:
            return replace(node, rule="; ".join([*parts, "its own way back"]))
        told = [word for record in self._own(node) for word in str(record.value.scalar or "").split()]
        operations = [word for word in told if not word.startswith("=")]
        parts += [rule_of(operations) or "g as it is"]
        pointwise = BROADCASTING.intersection(operations) and set(operations) <= BROADCASTING | MOVES
        if pointwise and self._is_broadcast(node, edges):
            parts += ["summed where it was broadcast"]
        weights = list(dict.fromkeys(word[1:] for word in told if word.startswith("=")))
        weights.sort(key=lambda name: -len(self.trace.params[name].shape or ()))  # matrices first
        parts += [self._weight(name, node) for name in weights[:MOST]]
        parts += [f"and by {len(weights) - MOST} parameters more"] if len(weights) > MOST else []
        return replace(node, rule="; ".join(parts))

    def _is_broadcast(self, node: Node, edges: list[Edge]) -> bool:
        """Whether a box took something that it repeated: of another shape than what it gave."""
        taken = [self.graph.nodes[edge.source].shape for edge in edges if edge.target == node.id]
        return any(shape is not None and shape != node.shape for shape in taken)

    def _own(self, node: Node) -> list[Record]:
        """The records of a box but for those of boxes inside of it, as a gradient meets them."""
        spans = [span for other in self.graph.nodes for span in other.spans if _is_inside(span, node)]
        own = [each for each in self._records(node) if not any(span.contains(each.site.span) for span in spans)]
        return own[::-1]

    def _weight(self, name: str, node: Node) -> str:
        """A parameter's gradient and its shape; its path is left out where it is the box's or the function's own."""
        paths = [f"{path}." for path in (node.module_path, self.call.module_path) if path]
        short = next((name.removeprefix(path) for path in paths if name.startswith(path)), name)
        return f"{short}.grad: ({', '.join(map(str, self.trace.params[name].shape or ()))})"


def _is_inside(span: Span, node: Node) -> bool:
    return any(own.contains(span) and own != span for own in node.spans)
