"""What flows into an expression: the boxes that its value comes from.

``Expressions.value(node)`` follows an expression as it ran. A call of a module or of explained code, and
an addition of two tensors, are boxes of their own on the way; what remains of a statement is the
statement's box.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from ...source.find import Module, Span
from ...trace.reading import Call, Record, Value
from .boxes import Box, Boxes, Source
from .givers import Tape
from .quote import quote
from .timeline import Timeline

TENSORS_OF_A_TENSOR = {
    "T",
    "mT",
    "H",
    "mH",
    "data",
    "grad",
    "real",
    "imag",
}  # attributes; all others are no tensors

SIZES = {"len", "range", "size", "dim", "numel", "stride", "isinstance", "type", "id", "hasattr", "is_floating_point"}


@dataclass(frozen=True)
class Flow:
    """Where a value comes from. ``plain``: it is that value itself, nothing was done to it since."""

    sources: tuple[Source, ...] = ()
    plain: bool = True
    tensor: bool = False
    items: tuple[Flow, ...] | None = None  # of a tuple or list that was written out


NOTHING = Flow()


def merged(flows: Iterable[Flow], plain: bool = False, tensor: bool = False) -> Flow:
    sources = dict.fromkeys(source for flow in flows for source in flow.sources)
    return Flow(tuple(sources), plain, tensor)


def of_numbers(flow: Flow, given: Record) -> Flow:
    """What is left of a flow in a value that holds no tensor: where its numbers come from."""
    kinds = ("scalar", "tuple")
    sources = [s if s.left else replace(s, left="number") for s in flow.sources if s.left or given.value.type in kinds]
    return Flow(tuple(sources), flow.plain, False)


def holds_only_tensors(value: Value) -> bool:
    """Whether the tape knows all that is in a value."""
    is_nothing = value.type == "scalar" and value.scalar is None
    return value.type == "tensor" or is_nothing or (value.type == "tuple" and all(map(holds_only_tensors, value.items)))


def holds_tensor(value: Value | None) -> bool:
    return value is not None and (value.type == "tensor" or any(holds_tensor(item) for item in value.items))


def holds(record: Record | None) -> bool:
    """Whether there are tensors in what was recorded, in whatever container."""
    return record is not None and (bool(record.origins) or holds_tensor(record.value))


@dataclass
class Statement:
    """The statement whose expressions are being followed."""

    top: ast.expr | None = None
    top_box: int | None = None  # the box of its whole value, where that is a call or an addition with its own box
    boxed: set[Span] = field(default_factory=set)  # what has a box of its own


class Expressions:
    def __init__(self, module: Module, timeline: Timeline, children: Iterable[Call], tape: Tape) -> None:
        self.module = module
        self.timeline = timeline
        self.boxes = Boxes(tape)
        self.variables: dict[str, Flow] = {}
        self.statement = Statement()
        self._children: dict[Span, list[Call]] = {}
        for child in children:
            if child.site is not None:
                self._children.setdefault(child.site.span, []).append(child)

    def value(self, node: ast.AST) -> Flow:
        method: Callable[[ast.AST], Flow] | None = getattr(self, f"_{type(node).__name__.lower()}", None)
        return method(node) if method else self._anything(node)

    def _anything(self, node: ast.AST) -> Flow:
        flows = [self.value(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return merged(flows, tensor=any(flow.tensor for flow in flows))

    def _constant(self, node: ast.Constant) -> Flow:
        return NOTHING

    _lambda = _joinedstr = _constant

    def _name(self, node: ast.Name) -> Flow:
        return self.variables.get(node.id, NOTHING)

    def _attribute(self, node: ast.Attribute) -> Flow:
        known = self.variables.get(ast.unparse(node))
        if known is not None:
            return known
        base = self.value(node.value)
        if base.tensor and node.attr not in TENSORS_OF_A_TENSOR:
            return NOTHING  # x.shape, x.device
        if node.attr == "grad":  # a tensor that is made of others, and yet what this one has
            return Flow(tuple(replace(source, left=source.left or "array") for source in base.sources), True, True)
        return merged([base], plain=not base.tensor and base.plain, tensor=True) if base.sources else NOTHING

    def _tuple(self, node: ast.Tuple | ast.List) -> Flow:
        items = tuple(self.value(element) for element in node.elts)
        whole = merged(items, plain=all(item.plain for item in items))
        return Flow(whole.sources, whole.plain, False, items)

    _list = _set = _tuple

    def _dict(self, node: ast.Dict) -> Flow:
        flows = [self.value(value) for value in node.values]
        return merged(flows, plain=all(flow.plain for flow in flows))

    def _starred(self, node: ast.Starred) -> Flow:
        return self.value(node.value)

    def _subscript(self, node: ast.Subscript) -> Flow:
        base, index = self.value(node.value), self.value(node.slice)
        record = self.timeline.take("op", self.module.span(node))
        if record is not None and not (base.items or not base.tensor):
            return merged([base, index], tensor=True)
        place = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if base.items is not None and isinstance(place, int) and -len(base.items) <= place < len(base.items):
            return base.items[place]
        return merged([base, index], plain=base.plain, tensor=record is not None)

    def _ifexp(self, node: ast.IfExp) -> Flow:
        record = self.timeline.take("test", self.module.span(node.test))
        if record is None:
            return self._anything(node)
        chosen = self.value(node.body if record.value.scalar else node.orelse)
        return merged([chosen], tensor=chosen.tensor)

    def _namedexpr(self, node: ast.NamedExpr) -> Flow:
        flow = self.value(node.value)
        record = self.timeline.take("bind", self.module.span(node.target))
        if record is not None and record.value.type == "tensor" and not flow.plain:
            flow = self.box(node, "step", flow, record.value, origins=record.origins)
            self.boxes.all[flow.sources[0].box].names = (node.target.id,)
        self.variables[node.target.id] = flow
        return flow

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp) -> Flow:
        for generator in node.generators:
            flow = merged([self.value(generator.iter)], plain=True)
            for name in ast.walk(generator.target):
                if isinstance(name, ast.Name):
                    self.variables[name.id] = Flow(flow.sources, True, bool(flow.sources))
        elements = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        flows = [self.value(element) for element in elements]
        return merged(flows, plain=all(flow.plain for flow in flows))

    _listcomp = _generatorexp = _setcomp = _dictcomp = _comprehension

    def _binop(self, node: ast.BinOp) -> Flow:
        terms = _terms(node) if isinstance(node.op, ast.Add) else []
        flows = [self.value(term) for term in terms or (node.left, node.right)]
        record = self.timeline.take("op", self.module.span(node))
        flow = merged(flows, tensor=record is not None)
        if record is None:  # numbers, or containers that are joined
            joined = merged((flow if not flow.tensor else _left(flow) for flow in flows), plain=True)
            return replace(joined, plain=all(flow.plain for flow in flows))
        if sum(flow.tensor and bool(flow.sources) for flow in flows) > 1 and terms:
            return self.box(node, "add", flow, record.value, origins=record.origins)
        return flow

    def _call(self, node: ast.Call) -> Flow:
        span = self.module.span(node)
        # x.view(...) takes x; what x.view itself would be doesn't matter
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        parts = [receiver, *node.args, *(keyword.value for keyword in node.keywords)]
        flows = [self.value(part) for part in parts]
        times, origins = self.timeline.count("call", span), self.timeline.origins("call", span)
        record = self.timeline.take("call", span)
        if record is None or not holds(record):
            return _left(merged(flows)) if record is None else self._numbers(node, merged(flows), record)
        flow = merged(flows, tensor=record.value.type == "tensor")
        if record.value.dtype is not None and not record.origins:  # a NumPy array
            flow = replace(flow, sources=tuple(replace(s, left=s.left or "array") for s in flow.sources))
        child = self._child(span)
        if not record.callee and child is None:
            return flow
        path = record.callee or (child.module_path if child else "")
        function, times = child.function if child else None, max(times, 1)
        return self.box(node, "module", flow, record.value, path, function, times, origins)

    def _numbers(self, node: ast.Call, flow: Flow, record: Record) -> Flow:
        """What a call gave that is no tensor: ``x.item()``, ``x.tolist()``, ``x.size(0)``."""
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        if called == "tolist":
            return Flow(tuple(replace(source, left="list") for source in flow.sources))
        return _left(flow) if called in SIZES else of_numbers(flow, record)

    def _child(self, span: Span) -> Call | None:
        """The activation that a call made: the next one at its place."""
        waiting = self._children.get(span)
        return waiting.pop(0) if waiting else None

    def box(
        self, node: ast.expr, kind: str, flow: Flow, value: Value | None,
        module_path: str = "", function: str | None = None, times: int = 1, origins: Sequence[int] = (),
    ) -> Flow:  # fmt: skip
        """Give an expression a box of its own; whatever contains it shows dots in its place."""
        span = self.module.span(node)
        box = Box(kind, self.code(node), span, value, (), module_path, function, times)
        number = self.boxes.add(box, flow.sources, origins)
        self.statement.boxed.add(span)
        if node is self.statement.top:
            self.statement.top_box = number
        return Flow((Source(number),), True, value is None or value.type == "tensor")

    def code(self, node: ast.AST) -> str:
        """A node as it is written, dots where a part has a box of its own."""
        return quote(self.module, self.module.span(node), self.statement.boxed)


def _left(flow: Flow) -> Flow:
    """Of a flow into what is no tensor, the numbers."""
    return Flow(tuple(source for source in flow.sources if source.left))


def _terms(node: ast.expr) -> list[ast.expr]:
    """``a + b + c`` is one addition of three."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_terms(node.left), node.right]
    return [node]
