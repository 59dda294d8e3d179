"""Compare a drawing's arrows with what boxes feel when another one gives other values."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field

from ...source.find import Module, SourceObject, Span
from ..graph.graph import Edge, Graph, Node
from .changing import HOW_MANY, Change, Seen

# Runs the call; what was seen, and whether a value was changed; None where it failed.
Again = Callable[[Change | None], tuple[Seen, bool] | None]
AT_ONE_PLACE_S = 30.0  # of a call that takes long, fewer values are tried
WRITES = re.compile(r"\w_\(|out=")


class ProofError(Exception):
    """A call can't be judged: why."""


@dataclass
class Proof:
    """What came of a drawing: how many boxes, and arrows, it has; which boxes could be changed; what then differed."""

    boxes: int
    arrows: int
    moved: list[str] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)  # one feels the other, and no arrow leads there
    surplus: list[tuple[str, str]] = field(default_factory=list)  # an arrow leads there, and it feels nothing
    closed: list[tuple[str, str]] = field(default_factory=list)  # others between feel it, and it itself does not
    unmoved: list[str] = field(default_factory=list)  # whose value could not be changed, or whose change broke the run
    unsteady: list[str] = field(default_factory=list)  # what gives another value each time it is run

    @property
    def holds(self) -> bool:
        return not self.missing and not self.surplus

    def lines(self) -> Iterator[str]:
        """What there is to say, a line each."""
        for one, other in self.missing:
            yield f"an arrow is missing: {one!r} changes {other!r}"
        for one, other in self.surplus:
            yield f"an arrow too many: {one!r} leads to {other!r}, which does not change"
        if self.closed:
            yield f"not felt from far, as a box between gives the same for all values tried: {len(self.closed)} pairs"
        if self.unsteady:
            yield f"not judged, as they differ from run to run: {', '.join(map(repr, self.unsteady))}"
        if self.unmoved:
            yield f"could not be changed: {', '.join(map(repr, self.unmoved))}"


def prove(graph: Graph, obj: SourceObject, again: Again) -> Proof:
    """Change what each box gives, one after another."""
    started = time.monotonic()
    first, second = again(None), again(None)
    tries = min(HOW_MANY, max(2, int(AT_ONE_PLACE_S / (time.monotonic() - started))))
    if first is None or second is None:
        raise ProofError(f"{obj.dotted} fails, or takes too long, when it is run again")
    before, repeated = given(graph, obj, first[0]), given(graph, obj, second[0])
    steady = {node for node in before if before[node] and before[node] == repeated[node]}
    proof = Proof(len(graph.nodes), len(graph.edges))
    proof.unsteady = [node.code for node in graph.nodes if before[node.id] != repeated[node.id]]
    for node in graph.nodes:
        if node.kind in ("output", "again") or node.id not in steady:
            continue
        reached = downstream(graph, node.id) & steady - {node.id}
        felt = _felt(graph, obj, node, reached, before, again, tries)
        codes = {other.id: other.code for other in graph.nodes}
        if felt is None:
            proof.unmoved.append(node.code)
            continue
        felt = felt & steady - {node.id}
        lasting = [edge for edge in (*graph.edges, *graph.back) if not _overwrites(graph, edge)]
        direct = {edge.target for edge in lasting if edge.source == node.id}
        unfelt = reached_by(lasting, node.id) & reached - felt
        proof.moved.append(node.code)
        proof.missing += [(node.code, codes[other]) for other in sorted(felt - reached)]
        proof.surplus += [(node.code, codes[other]) for other in sorted(unfelt & direct)]
        proof.closed += [(node.code, codes[other]) for other in sorted(unfelt - direct)]
    return proof


def _overwrites(graph: Graph, edge: Edge) -> bool:
    """Whether a box writes into what another gave, of which nothing may be left: ``losses[k] = loss``."""
    code = graph.nodes[edge.target].code
    names = graph.nodes[edge.source].names
    return any(code.startswith((f"{name}[", f"{name}.")) or f"out={name}" in code for name in names)


def _felt(
    graph: Graph, obj: SourceObject, node: Node, reached: set[int], before: dict[int, list[str]], again: Again,
    tries: int,
) -> set[int] | None:  # fmt: skip
    """The boxes that give something else when one does; None where it can't be made to."""
    felt: set[int] | None = None
    others = (other for other in graph.nodes if other.id != node.id and other.kind != "output")
    of_others = {span for other in others for span in other.spans}
    for place in places(obj, node, of_others):
        for how in range(tries):
            found = again(Change(place.spans, place.in_place, how))
            if found is None:
                continue  # a value that the code is not made for
            seen, is_changed = found
            if not is_changed:
                break
            after = given(graph, obj, seen)
            now = {other for other in after if after[other] != before[other]}
            if node.id in now:
                felt = (felt or set()) | now
            if felt is not None and reached <= felt:
                return felt
        if felt is not None:
            break
    return felt


def downstream(graph: Graph, node: int) -> set[int]:
    """The boxes to which arrows lead from one, directly or through others, and through rounds of loops."""
    return reached_by([*graph.edges, *graph.back], node)


def reached_by(edges: Sequence[Edge], node: int) -> set[int]:
    reached, pending = set[int](), [node]
    while pending:
        here = pending.pop()
        more = {edge.target for edge in edges if edge.source == here} - reached
        reached |= more
        pending += more
    return reached


def given(graph: Graph, obj: SourceObject, seen: Seen) -> dict[int, list[str]]:
    """What each box gave: what was noted at its place, or of the variables that it names; of an output, its part."""
    found: dict[int, list[str]] = {}
    parts = _parts_of_returns(obj)
    for node in graph.nodes:
        lines = {span[0] for span in node.spans}
        found[node.id] = [
            " ".join(told)
            for (kind, span, name), times in seen.items()
            if (span in node.spans and kind != "test") or (kind == "bind" and name in node.names and span[0] in lines)
            for told in times
        ]
        if node.kind == "output" and node.spans[0] in parts:
            whole, k = parts[node.spans[0]]
            found[node.id] = [told[k] for told in seen.get(("return", whole, ""), []) if k < len(told)]
    return found


def _parts_of_returns(obj: SourceObject) -> dict[Span, tuple[Span, int]]:
    """For each part of a returned tuple the place of the whole, and its number."""
    returns = (node.value for node in ast.walk(obj.node) if isinstance(node, ast.Return))
    tuples = [value for value in returns if isinstance(value, ast.Tuple)]
    span = obj.module.span
    return {span(part): (span(value), k) for value in tuples for k, part in enumerate(value.elts)}


def places(obj: SourceObject, node: Node, of_others: Set[Span]) -> Iterator[Change]:
    """Where what a box gives can be changed, the best first; not where another box gives the same."""
    if node.kind == "input" or WRITES.search(node.code):
        yield Change(node.spans, in_place=True)
        return
    found = _expression_at(obj, node.spans[0])
    if found is not None:
        spans = tuple(obj.module.span(part) for part in _handed_over(found))
        if not of_others & set(spans):
            yield Change(spans)
    yield Change(tuple(_bound_at(obj, node)), in_place=True)


def _expression_at(obj: SourceObject, span: Span) -> ast.expr | None:
    module: Module = obj.module
    return next((n for n in ast.walk(obj.node) if isinstance(n, ast.expr) and module.span(n) == span), None)


def _handed_over(node: ast.expr) -> Iterator[ast.expr]:
    """The expressions whose values make up another's, as far as they are handed to the recorder."""
    match node:
        case ast.Call() | ast.BinOp() | ast.UnaryOp() | ast.Compare() | ast.Subscript():
            yield node
        case ast.IfExp():
            yield from (*_handed_over(node.body), *_handed_over(node.orelse))
        case ast.Tuple() | ast.List() | ast.Set():
            for part in node.elts:
                yield from _handed_over(part)
        case ast.Dict():
            for part in node.values:
                yield from _handed_over(part)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
            yield from _handed_over(node.elt)
        case ast.DictComp() | ast.Attribute() | ast.Await() | ast.Starred() | ast.NamedExpr():
            yield from _handed_over(node.value)
        case ast.BoolOp():
            for part in node.values:
                yield from _handed_over(part)


def _bound_at(obj: SourceObject, node: Node) -> Iterator[Span]:
    """Where the variables are bound that a box gives: targets on its line."""
    for found in ast.walk(obj.node):
        if isinstance(found, ast.Name | ast.Attribute | ast.Subscript) and isinstance(found.ctx, ast.Store):
            name: ast.expr = found
            while isinstance(name, ast.Subscript):
                name = name.value
            span = obj.module.span(found)
            if ast.unparse(name) in node.names and span[0] in {own[0] for own in node.spans}:
                yield span
