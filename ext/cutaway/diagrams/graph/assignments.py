"""Assignments: which box a variable's value comes from once the statement is done.

A statement that does something to a tensor has a box; one that only gives it another name has none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...source.find import Span
from ...trace.reading import Record, Value
from .boxes import Box, Source
from .expressions import (
    NOTHING,
    Expressions,
    Flow,
    Statement,
    holds,
    holds_only_tensors,
    merged,
    of_numbers,
)  # fmt: skip


class Assignments:
    """What the walk through a function keeps, and what it does at statements that bind names."""

    def __init__(self, expressions: Expressions) -> None:
        self.expressions = expressions
        self.timeline = expressions.timeline
        self.boxes = expressions.boxes
        self.variables = expressions.variables
        self.span = expressions.module.span

    def _assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        names = target.elts if isinstance(target, ast.Tuple) and len(node.targets) == 1 else []
        values = node.value.elts if isinstance(node.value, ast.Tuple) else []
        if names and len(names) == len(values):
            self._pairwise(names, values)
            return
        self._give(node.targets, *self._evaluated(node.value))

    def _annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._give([node.target], *self._evaluated(node.value))

    def _pairwise(self, targets: Sequence[ast.expr], values: Sequence[ast.expr]) -> None:
        """``a, b = b, a @ w``: each its own."""
        evaluated = [self._evaluated(value) for value in values]
        for target, (value, flow, statement) in zip(targets, evaluated, strict=True):
            self._give([target], value, flow, statement)

    def _evaluated(self, value: ast.expr) -> tuple[ast.expr, Flow, Statement]:
        statement = self.expressions.statement = Statement(value)
        return value, self.expressions.value(value), statement

    def _give(self, targets: Sequence[ast.expr], value: ast.expr, flow: Flow, statement: Statement) -> None:
        """Bind what ``value`` gave; make the statement's box where something was done to it."""
        self.expressions.statement = statement
        if isinstance(targets[0], ast.Subscript):
            self._store(targets[0], value, flow)
            return
        bound = [(leaf, name, given) for target in targets for leaf, name, given in self._bound(target)]
        tensors = [(name, given) for _, name, given in bound if holds(given)]
        origins = [entry for _, given in tensors for entry in given.origins]
        prefix = "".join(self.expressions.code(target) + " = " for target in targets)
        names = tuple(dict.fromkeys(name for name, _ in tensors if name != "_"))
        if not any(isinstance(target, ast.Tuple | ast.List) for target in targets):
            names = names[:1]  # y = z = x: one value
        if tensors and statement.top_box is None and (not flow.plain or self.boxes.tape.new(origins)):
            box = Box("step", prefix + self.expressions.code(value), self.span(value), None, names)
            number = self.boxes.add(box, flow.sources, origins)
        elif tensors and statement.top_box is not None:
            number = statement.top_box
            self.boxes.define(number, prefix, names)
        else:
            self._alias(targets, bound, flow)
            return
        shapes = {given.value.shape for _, given in tensors}
        self.boxes.give(number, tensors[0][1].value if len(shapes) == 1 else None)
        for _, name, given in bound:
            own = name if len(names) > 1 else ""
            self.boxes.tape.give(number, own, given.origins)
            self.variables[name] = self._given(number, own, given.value) if holds(given) else of_numbers(flow, given)
            self.boxes.all[number].is_opaque |= not holds_only_tensors(given.value)

    def _alias(self, targets: Sequence[ast.expr], bound: list[tuple[ast.expr, str, Record]], flow: Flow) -> None:
        """Other names for what is there already: ``skip = x``, ``k, v = cache``."""
        items = flow.items if flow.items is not None and len(flow.items) == len(bound) and len(targets) == 1 else None
        for i, (_, name, given) in enumerate(bound):
            single = items[i] if items is not None and isinstance(targets[0], ast.Tuple | ast.List) else flow
            is_tensor = given.value.type == "tensor"
            self.variables[name] = replace(single, tensor=is_tensor) if holds(given) else of_numbers(single, given)

    def _store(self, target: ast.Subscript, value: ast.expr, flow: Flow) -> None:
        """``a[i] = v``: a new state of ``a``, which its old one and ``v`` flow into."""
        base: ast.expr = target
        indices = []
        while isinstance(base, ast.Subscript):
            indices.append(self.expressions.value(base.slice))
            base = base.value
        name = ast.unparse(base)
        record = self.timeline.take("bind", self.span(target))
        if record is None:
            return
        before = self.variables.get(name, NOTHING)
        if record.value.type != "tensor":
            self._gather(name, [self._settled(value, flow)])
            return
        code = f"{self.expressions.code(target)} = {self.expressions.code(value)}"
        sources = merged([same(before), *indices, flow]).sources
        box = Box("step", code, self._whole(target, value), record.value, (name,))
        self.variables[name] = self._given(self.boxes.add(box, sources, record.origins), name, record.value)

    def _augassign(self, node: ast.AugAssign) -> None:
        value, flow, _ = self._evaluated(node.value)
        name = ast.unparse(node.target)
        before = self.variables.get(name, NOTHING)
        if isinstance(node.target, ast.Subscript):
            before = self.expressions.value(node.target.value)
            name = ast.unparse(node.target.value)
        record = self.timeline.take("bind", self.span(node.target))
        if record is None or not holds(record):
            if record is not None:
                self.variables[name] = of_numbers(merged([before, flow]), record)
            return
        origins: Sequence[int] = record.origins
        if record.value.type != "tensor":  # of a container, what is new in it
            origins = self.boxes.tape.new(origins)
            if not origins:
                self._gather(name, [flow])
                return
        adds = isinstance(node.op, ast.Add) and before.tensor and flow.tensor and bool(flow.sources)
        operator = ast.unparse(ast.AugAssign(ast.Name("a"), node.op, ast.Name("b"))).split()[1]
        code = f"{self.expressions.code(node.target)} {operator} {self.expressions.code(value)}"
        box = Box("add" if adds else "step", code, self._whole(node.target, value), record.value, (name,))
        number = self.boxes.add(box, merged([before, flow]).sources, origins)
        self.variables[name] = self._given(number, name, record.value)

    def _bound(self, target: ast.expr) -> Iterator[tuple[ast.expr, str, Record]]:
        """The names that a target binds, with what was recorded of each."""
        if isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                yield from self._bound(element)
        elif isinstance(target, ast.Starred):
            yield from self._bound(target.value)
        elif record := self.timeline.take("bind", self.span(target)):
            yield target, ast.unparse(target), record

    def _given(self, number: int, name: str, value: Value) -> Flow:
        return Flow((Source(number, name),), True, value.type == "tensor")

    def _whole(self, first: ast.expr, last: ast.expr) -> Span:
        return Span(*self.span(first)[:2], *self.span(last)[2:])

    def _settled(self, value: ast.expr, flow: Flow) -> Flow:
        """A value that is kept without a name of its own: a box if something was done to it."""
        if flow.plain or not flow.tensor:
            return flow
        record = self.timeline.last(self.span(value))
        return self.expressions.box(value, "step", flow, None, origins=record.origins if record else ())

    def _gather(self, name: str, flows: list[Flow]) -> None:
        self.variables[name] = merged([self.variables.get(name, NOTHING), *flows], plain=True)


def same(flow: Flow) -> Flow:
    """What is written into, as a source of what it is then: the same thing, even if nothing of it is left."""
    return replace(flow, sources=tuple(replace(source, left=source.left or "array") for source in flow.sources))


def returned(record: Record | None, is_tuple: bool) -> Iterator[tuple[Value | None, Sequence[int]]]:
    """What each part of a return gave, and the tape's entries that made it, as far as they can be told apart."""
    if record is None or not is_tuple:
        yield (record.value, record.origins) if record else (None, ())
        return
    items = record.value.items
    apart = len(record.origins) == sum(item.type == "tensor" for item in items)
    origins = iter(record.origins)
    for item in items:
        yield item, (next(origins),) if apart and item.type == "tensor" else ()


def out_of(call: ast.Call) -> str:
    """The variable that a call writes into: ``torch.add(x, y, out=z)``; empty where none is named."""
    return next((ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg == "out"), "")
