"""The data flow of one executed function: which box's tensors go into which.

``flow(obj, trace, call)`` walks the function's syntax tree along the records of one call, so branches
that were not taken are absent, and gives a ``Graph``. A statement that makes a tensor is a box; a call of
a module or of explained code, and an addition of two tensors, are boxes of their own
(``x + self.attn(self.ln_1(x))`` has three). What is no tensor is left out. A loop is drawn once.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from ...source.find import SourceObject
from ...trace.reading import Call, Record, Trace, Value
from .assignments import out_of, returned, same
from .boxes import Box, Source
from .expressions import (
    NOTHING,
    Expressions,
    Flow,
    Statement,
    holds,
    holds_only_tensors,
    holds_tensor,
    merged,
    of_numbers,
)  # fmt: skip
from .givers import Tape
from .graph import Graph
from .loops import Break, Continue, Leave, Loops, Return
from .timeline import Timeline

GATHERING = {
    "append",
    "extend",
    "insert",
    "add",
    "update",
    "setdefault",
}  # methods that put a value into their owner


class FlowError(LookupError):
    """There is no data flow to draw: what was found instead."""


def flow(obj: SourceObject, trace: Trace, call: Call) -> Graph:
    """The graph of one call of ``obj``. Raises FlowError where nothing in it is a tensor."""
    if not isinstance(obj.node, ast.FunctionDef | ast.AsyncFunctionDef):
        kind = "class" if isinstance(obj.node, ast.ClassDef) else "module"
        raise FlowError(f"{obj.dotted} is a {kind}; a diagram shows a function or method, e.g. {obj.dotted}.forward")
    records = trace.records(call)
    tape = Tape(trace, call.began)
    walk = _Walk(Expressions(obj.module, Timeline(records), trace.children(call), tape))
    walk.function(obj.node)
    graph = walk.expressions.boxes.graph(obj.dotted)
    if not any(node.shape is not None for node in graph.nodes):
        kinds = ", ".join(sorted({record.value.type for record in records})) or "nothing"
        raise FlowError(
            f"{obj.dotted} ({obj.place}) handles no tensors in the run {trace.run!r}; recorded there: {kinds}"
        )
    return graph


class _Walk(Loops):
    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        args = node.args
        tensors = []
        for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]:
            record = self.timeline.take("param", self.span(arg)) if arg else None
            if arg and record and holds(record):
                box = Box("input", arg.arg, self.span(arg), record.value, (arg.arg,))
                box.is_opaque = not holds_only_tensors(record.value)
                number = self.boxes.add(box, ())
                self.boxes.tape.give(number, arg.arg, record.origins)
                self.variables[arg.arg] = self._given(number, arg.arg, record.value)
                tensors += [(number, arg.arg, record.origins)] if record.value.type == "tensor" else []
        for given in tensors:  # what is an argument itself comes from there, though another argument may hold it, too
            self.boxes.tape.give(*given)
        with suppress(Leave):
            self.block(node.body)

    def block(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            with self.timeline.window(self.span(statement)):
                self.expressions.statement = Statement()
                method = getattr(self, f"_{type(statement).__name__.lower()}", None)
                if method:
                    method(statement)

    # Expressions that stand alone, and returns

    def _expr(self, node: ast.Expr) -> None:
        call = node.value
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            self.expressions.value(call)
            return
        name, method = ast.unparse(call.func.value), call.func.attr
        record = self.timeline.peek("call", self.span(call))
        returns = record is not None and bool(record.origins)
        is_kept = name in self.variables or not returns  # torch.add gathers nothing
        if method in GATHERING and is_kept and not self.variables.get(name, NOTHING).tensor:
            self._gather(name, [self._settled(value, flow) for value, flow, _ in map(self._evaluated, call.args)])
            return
        flow = self.expressions.value(call)
        in_place = method.endswith("_") and flow.sources and name in self.variables and not flow.plain  # x.mul_(2)
        if in_place or (record and self.boxes.tape.new(record.origins)):
            self._written(call, flow, record, name if in_place else out_of(call))

    def _written(self, call: ast.Call, flow: Flow, record: Record | None, name: str) -> None:
        """A call whose result nobody keeps has changed a tensor: ``x.mul_(2)``, ``torch.add(x, y, out=z)``."""
        value, origins = (record.value, record.origins) if record else (None, ())
        box = Box("step", self.expressions.code(call), self.span(call), None, (name,) if name else ())
        before = same(self.variables.get(name, NOTHING))
        number = self.boxes.add(box, merged([before, flow]).sources, origins)
        self.boxes.give(number, value if name and name not in self.variables else None)
        if name:
            self.variables[name] = Flow((Source(number, name),), True, True)

    def _return(self, node: ast.Return) -> None:
        if node.value is not None:
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            evaluated = [self._evaluated(part) for part in parts]
            record = self.timeline.take("return", self.span(node.value))
            values = returned(record, isinstance(node.value, ast.Tuple))
            for (part, flow, statement), (value, origins) in zip(evaluated, values, strict=False):
                if holds_tensor(value) or origins:
                    self.expressions.statement = statement
                    self._output(part, flow, value, origins)
        raise Return

    def _output(self, part: ast.expr, flow: Flow, value: Value | None, origins: Sequence[int]) -> None:
        named = isinstance(part, ast.Name | ast.Attribute)
        if not flow.plain or (self.boxes.tape.new(origins) and not named):
            flow = self.expressions.box(part, "step", flow, value, origins=origins)
        code = f"return {ast.unparse(part)}" if named else "return"
        self.boxes.add(Box("output", code, self.span(part), value), flow.sources, origins)

    # Branches

    def _if(self, node: ast.If) -> None:
        self.expressions.value(node.test)
        record = self.timeline.take("test", self.span(node.test))
        if record is not None:
            self.block(node.body if record.value.scalar else node.orelse)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            flow = self.expressions.value(item.context_expr)
            for _, name, given in self._bound(item.optional_vars) if item.optional_vars else ():
                self.variables[name] = replace(flow, plain=True) if holds(given) else of_numbers(flow, given)
        self.block(node.body)

    _asyncwith = _with

    def _match(self, node: ast.Match) -> None:
        self.expressions.value(node.subject)
        for case in node.cases:
            self.block(case.body)  # what did not run has left no record

    def _try(self, node: ast.Try) -> None:
        for block in (node.body, node.orelse, node.finalbody):
            self.block(block)

    def _break(self, node: ast.Break) -> None:
        raise Break

    def _continue(self, node: ast.Continue) -> None:
        raise Continue

    def _raise(self, node: ast.Raise) -> None:
        raise Return
