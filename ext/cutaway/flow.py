"""The data flow of one executed function: which box's tensors go into which.

``flow(obj, trace, call)`` walks the function's syntax tree along the records of one call, so branches that were not
taken are absent, and gives a ``Graph``. A statement that makes a tensor is a box; a call of a module or of explained
code, and an addition of two tensors, are boxes of their own (``x + self.attn(self.ln_1(x))`` has three). What is no
tensor is left out. A loop is drawn once.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from .boxes import Box, Source
from .expressions import NOTHING, Expressions, Flow, Statement, holds_tensor, merged
from .graph import Graph
from .source import SourceObject, Span
from .timeline import Timeline
from .trace import Call, Trace, Value

GATHERING = {"append", "extend", "insert", "add", "update", "setdefault"}  # methods that put a value into their owner


class FlowError(LookupError):
    """There is no data flow to draw: what was found instead."""


class _Leave(Exception):
    """The walk leaves a block: ``return``, ``break`` or ``continue``."""


class _Return(_Leave):
    pass


class _Break(_Leave):
    pass


class _Continue(_Leave):
    pass


def flow(obj: SourceObject, trace: Trace, call: Call) -> Graph:
    """The graph of one call of ``obj``. Raises FlowError where nothing in it is a tensor."""
    if not isinstance(obj.node, ast.FunctionDef | ast.AsyncFunctionDef):
        kind = "class" if isinstance(obj.node, ast.ClassDef) else "module"
        raise FlowError(f"{obj.dotted} is a {kind}; a diagram shows a function or method, e.g. {obj.dotted}.forward")
    records = trace.records(call)
    walk = _Walk(Expressions(obj.module, Timeline(records), trace.children(call)))
    walk.function(obj.node)
    graph = walk.expressions.boxes.graph(obj.dotted)
    if not any(node.shape is not None for node in graph.nodes):
        kinds = ", ".join(sorted({record.value.type for record in records})) or "nothing"
        raise FlowError(f"{obj.dotted} ({obj.place}) handles no tensors in the run {trace.run!r}; recorded there: {kinds}")
    return graph


class _Walk:
    def __init__(self, expressions: Expressions) -> None:
        self.expressions = expressions
        self.timeline = expressions.timeline
        self.boxes = expressions.boxes
        self.variables = expressions.variables
        self.span = expressions.module.span

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        args = node.args
        for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]:
            record = self.timeline.take("param", self.span(arg)) if arg else None
            if arg and record and holds_tensor(record.value):
                box = Box("input", arg.arg, self.span(arg), record.value, (arg.arg,))
                self.variables[arg.arg] = self._given(self.boxes.add(box, ()), arg.arg, record.value)
        try:
            self.block(node.body)
        except _Leave:
            pass

    def block(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            with self.timeline.window(self.span(statement)):
                self.expressions.statement = Statement()
                method = getattr(self, f"_{type(statement).__name__.lower()}", None)
                if method:
                    method(statement)

    # Assignments

    def _assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        if len(node.targets) == 1 and isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            if len(target.elts) == len(node.value.elts):
                self._pairwise(target.elts, node.value.elts)
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
        tensors = [(name, given) for _, name, given in bound if holds_tensor(given)]
        prefix = "".join(self.expressions.code(target) + " = " for target in targets)
        names = tuple(dict.fromkeys(name for name, _ in tensors if name != "_"))
        if tensors and not flow.plain:
            box = Box("step", prefix + self.expressions.code(value), self.span(value), None, names)
            number = self.boxes.add(box, flow.sources)
        elif tensors and statement.top_box is not None:
            number = statement.top_box
            self.boxes.define(number, prefix, names)
        else:
            self._alias(targets, bound, flow)
            return
        shapes = {given.shape for _, given in tensors}
        self.boxes.give(number, tensors[0][1] if len(shapes) == 1 else None)
        for _, name, given in bound:
            self.variables[name] = self._given(number, name, given) if holds_tensor(given) else NOTHING

    def _alias(self, targets: Sequence[ast.expr], bound: list[tuple[ast.expr, str, Value]], flow: Flow) -> None:
        """Other names for what is there already: ``skip = x``, ``k, v = cache``."""
        items = flow.items if flow.items is not None and len(flow.items) == len(bound) and len(targets) == 1 else None
        for i, (_, name, given) in enumerate(bound):
            single = items[i] if items is not None and isinstance(targets[0], ast.Tuple | ast.List) else flow
            self.variables[name] = replace(single, tensor=given.type == "tensor") if holds_tensor(given) else NOTHING

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
        sources = merged([before, *indices, flow]).sources
        box = Box("step", code, self._whole(target, value), record.value, (name,))
        self.variables[name] = self._given(self.boxes.add(box, sources), name, record.value)

    def _augassign(self, node: ast.AugAssign) -> None:
        value, flow, _ = self._evaluated(node.value)
        name = ast.unparse(node.target)
        before = self.variables.get(name, NOTHING)
        if isinstance(node.target, ast.Subscript):
            before = self.expressions.value(node.target.value)
            name = ast.unparse(node.target.value)
        record = self.timeline.take("bind", self.span(node.target))
        if record is None or not holds_tensor(record.value):
            return
        adds = isinstance(node.op, ast.Add) and before.tensor and flow.tensor and bool(flow.sources)
        operator = ast.unparse(ast.AugAssign(ast.Name("a"), node.op, ast.Name("b"))).split()[1]
        code = f"{self.expressions.code(node.target)} {operator} {self.expressions.code(value)}"
        box = Box("add" if adds else "step", code, self._whole(node.target, value), record.value, (name,))
        number = self.boxes.add(box, merged([before, flow]).sources)
        self.variables[name] = self._given(number, name, record.value)

    def _bound(self, target: ast.expr) -> Iterator[tuple[ast.expr, str, Value]]:
        """The names that a target binds, with what was recorded of each."""
        if isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                yield from self._bound(element)
        elif isinstance(target, ast.Starred):
            yield from self._bound(target.value)
        elif record := self.timeline.take("bind", self.span(target)):
            yield target, ast.unparse(target), record.value

    def _given(self, number: int, name: str, value: Value) -> Flow:
        return Flow((Source(number, name),), True, value.type == "tensor")

    def _whole(self, first: ast.expr, last: ast.expr) -> Span:
        return Span(*self.span(first)[:2], *self.span(last)[2:])

    # Expressions that stand alone, and returns

    def _expr(self, node: ast.Expr) -> None:
        call = node.value
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            self.expressions.value(call)
            return
        name, method = ast.unparse(call.func.value), call.func.attr
        if method in GATHERING and not self.variables.get(name, NOTHING).tensor:
            self._gather(name, [self._settled(value, flow) for value, flow, _ in map(self._evaluated, call.args)])
            return
        flow = self.expressions.value(call)
        if method.endswith("_") and flow.sources and name in self.variables and not flow.plain:  # x.mul_(2)
            box = Box("step", self.expressions.code(call), self.span(call), None, (name,))
            number = self.boxes.add(box, flow.sources)
            self.variables[name] = Flow((Source(number, name),), True, True)

    def _settled(self, value: ast.expr, flow: Flow) -> Flow:
        """A value that is kept without a name of its own: a box if something was done to it."""
        if flow.plain or not flow.tensor:
            return flow
        return self.expressions.box(value, "step", flow, None)

    def _gather(self, name: str, flows: list[Flow]) -> None:
        self.variables[name] = merged([self.variables.get(name, NOTHING), *flows], plain=True)

    def _return(self, node: ast.Return) -> None:
        if node.value is not None:
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            evaluated = [self._evaluated(part) for part in parts]
            record = self.timeline.take("return", self.span(node.value))
            values = record.value.items if record and isinstance(node.value, ast.Tuple) else [record.value if record else None]
            for (part, flow, statement), value in zip(evaluated, values, strict=False):
                if holds_tensor(value):
                    self.expressions.statement = statement
                    self._output(part, flow, value)
        raise _Return

    def _output(self, part: ast.expr, flow: Flow, value: Value | None) -> None:
        named = isinstance(part, ast.Name | ast.Attribute)
        if not flow.plain:
            flow = self.expressions.box(part, "step", flow, value)
        code = f"return {ast.unparse(part)}" if named else "return"
        self.boxes.add(Box("output", code, self.span(part), value), flow.sources)

    # Branches and loops

    def _if(self, node: ast.If) -> None:
        self.expressions.value(node.test)
        record = self.timeline.take("test", self.span(node.test))
        if record is not None:
            self.block(node.body if record.value.scalar else node.orelse)

    def _with(self, node: ast.With) -> None:
        for item in node.items:
            self.expressions.value(item.context_expr)
        self.block(node.body)

    def _try(self, node: ast.Try) -> None:
        for block in (node.body, node.orelse, node.finalbody):
            self.block(block)

    def _for(self, node: ast.For) -> None:
        taken = merged([self.expressions.value(node.iter)], plain=True)

        def again() -> bool:
            bound = list(self._bound(node.target))
            for _, name, given in bound:
                tensor = given.type == "tensor"
                self.variables[name] = replace(taken, tensor=tensor) if holds_tensor(given) else NOTHING
            return bool(bound)

        self._loop(node, again, f"for {self.expressions.code(node.target)} in {self.expressions.code(node.iter)}")

    def _while(self, node: ast.While) -> None:
        def again() -> bool:
            self.expressions.value(node.test)
            record = self.timeline.take("test", self.span(node.test))
            return record is not None and bool(record.value.scalar)

        self._loop(node, again, f"while {self.expressions.code(node.test)}")

    def _loop(self, node: ast.For | ast.While, again: Callable[[], bool], header: str) -> None:
        """Walk every round; a box that runs again is drawn once. What one round hands to the next goes through a
        closing box, unless the loop is a single box."""
        first, rounds = len(self.boxes.all), 0
        carried: set[Source] = set()
        ended = False
        while not ended and again():
            rounds += 1
            try:
                self.block(node.body)
            except _Continue:
                pass
            except _Break:
                ended = True
            carried |= self._carry(first)
        for name, flow in self.variables.items():
            back = tuple(replace(source, carried="") if source in carried else source for source in flow.sources)
            self.variables[name] = replace(flow, sources=tuple(dict.fromkeys(back)))
        self._close(node, header, first, rounds)
        if not ended:
            self.block(node.orelse)

    def _carry(self, first: int) -> set[Source]:
        """Mark what this round made as coming from an earlier one."""
        marked = set()
        for name, flow in self.variables.items():
            sources = [
                replace(source, carried=name) if source.box >= first and not source.carried else source
                for source in flow.sources
            ]
            marked |= {source for source in sources if source.box >= first}
            self.variables[name] = replace(flow, sources=tuple(sources))
        return marked

    def _close(self, node: ast.For | ast.While, header: str, first: int, rounds: int) -> None:
        inside = range(first, len(self.boxes.all))
        names = sorted({name for box, name in self.boxes.carried if box in inside})
        if rounds < 2 or len(inside) < 2 or not names:
            return
        for number in inside:
            box = self.boxes.all[number]
            box.times = box.times // rounds if box.times % rounds == 0 else box.times
        flow = merged(self.variables.get(name, NOTHING) for name in names)
        values = [self.boxes.all[source.box].value for source in flow.sources]
        box = Box("again", header, self.span(node.body[0]), values[0] if len(values) == 1 else None, tuple(names))
        box.times = rounds
        number = self.boxes.add(box, flow.sources)
        for name in names:
            value = self.boxes.all[number].value
            self.variables[name] = Flow((Source(number, name),), True, value is not None)

    def _break(self, node: ast.Break) -> None:
        raise _Break

    def _continue(self, node: ast.Continue) -> None:
        raise _Continue

    def _raise(self, node: ast.Raise) -> None:
        raise _Return
