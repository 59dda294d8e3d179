"""The data flow of one executed function: which box's tensors go into which.

``flow(obj, trace, call)`` walks the function's syntax tree along the records of one call, so branches
that were not taken are absent, and gives a ``Graph``. A statement that makes a tensor is a box; a call of
a module or of explained code, and an addition of two tensors, are boxes of their own
(``x + self.attn(self.ln_1(x))`` has three). What is no tensor is left out. A loop is drawn once.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from ...source.find import SourceObject, Span
from ...trace.reading import Call, Record, Trace, Value
from .assignments import Assignments, out_of, returned, same
from .boxes import Box, Loop, Source, Tape
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
from .graph import Graph
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


class _Walk(Assignments):
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
        with suppress(_Leave):
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
        raise _Return

    def _output(self, part: ast.expr, flow: Flow, value: Value | None, origins: Sequence[int]) -> None:
        named = isinstance(part, ast.Name | ast.Attribute)
        if not flow.plain or (self.boxes.tape.new(origins) and not named):
            flow = self.expressions.box(part, "step", flow, value, origins=origins)
        code = f"return {ast.unparse(part)}" if named else "return"
        self.boxes.add(Box("output", code, self.span(part), value), flow.sources, origins)

    # Branches and loops

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

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        taken = merged([self.expressions.value(node.iter)], plain=True)

        def again() -> bool:
            bound = list(self._bound(node.target))
            for _, name, given in bound:
                tensor = given.value.type == "tensor"
                self.variables[name] = replace(taken, tensor=tensor) if holds(given) else of_numbers(taken, given)
            return bool(bound)

        self._loop(node, again, f"for {self.expressions.code(node.target)} in {self.expressions.code(node.iter)}")

    _asyncfor = _for

    def _while(self, node: ast.While) -> None:
        def again() -> bool:
            self.expressions.value(node.test)
            record = self.timeline.take("test", self.span(node.test))
            return record is not None and bool(record.value.scalar)

        self._loop(node, again, f"while {self.expressions.code(node.test)}")

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, again: Callable[[], bool], header: str) -> None:
        """Walk every round; a box that runs again is drawn once. What one hands to the next goes through
        a closing box, unless the loop is a single box."""
        rounds, ended = 0, False
        carried: set[Source] = set()
        start = self.span(node.test if isinstance(node, ast.While) else node.body[0])
        loop = Loop(Span(*start[:2], *self.span(node.body[-1])[2:]))
        self.boxes.loops.append(loop)
        while not ended:
            loop.began = self.boxes.tape.now
            if not again():
                break
            rounds += 1
            try:
                self.block(node.body)
            except _Continue:
                pass
            except _Break:
                ended = True
            carried |= self._carry(loop)
        self.boxes.loops.pop()
        for name, flow in self.variables.items():
            back = tuple(replace(source, carried="") if source in carried else source for source in flow.sources)
            self.variables[name] = replace(flow, sources=tuple(dict.fromkeys(back)))
        self._close(node, header, loop, rounds)
        if not ended:
            self.block(node.orelse)

    def _carry(self, loop: Loop) -> set[Source]:
        """Mark what this round made as coming from an earlier one."""
        marked = set()
        for name, flow in self.variables.items():
            sources = [
                replace(source, carried=name) if self._is_inside(loop, source.box) and not source.carried else source
                for source in flow.sources
            ]
            marked |= {source for source in sources if self._is_inside(loop, source.box)}
            self.variables[name] = replace(flow, sources=tuple(sources))
        return marked

    def _is_inside(self, loop: Loop, box: int) -> bool:
        return loop.inside.contains(self.boxes.all[box].span)

    def _close(self, node: ast.For | ast.AsyncFor | ast.While, header: str, loop: Loop, rounds: int) -> None:
        inside = [number for number in range(len(self.boxes.all)) if self._is_inside(loop, number)]
        handed_on = sorted((box, name) for box, name in self.boxes.carried if box in inside)
        if rounds < 2 or len(inside) < 2 or not handed_on:
            return
        for number in inside:
            box = self.boxes.all[number]
            box.times = box.times // rounds if box.times % rounds == 0 else box.times
        names = tuple(sorted({name for _, name in handed_on}))
        now = merged(self.variables[name] for name in names if name in self.variables).sources
        silent = (Source(box) for box, name in handed_on if name not in self.variables)
        sources = tuple(dict.fromkeys([*now, *silent]))
        values = [self.boxes.all[source.box].value for source in sources]
        place = self.span(node.test) if isinstance(node, ast.While) else self._whole(node.target, node.iter)
        box = Box("again", header, place, values[0] if len(values) == 1 else None, names)
        box.times = rounds
        number = self.boxes.add(box, sources)
        self.boxes.tape.hand_on({source.box for source in sources}, number)
        for name in names:
            if name in self.variables:
                value = self.boxes.all[number].value
                self.variables[name] = Flow((Source(number, name),), True, value is not None)

    def _break(self, node: ast.Break) -> None:
        raise _Break

    def _continue(self, node: ast.Continue) -> None:
        raise _Continue

    def _raise(self, node: ast.Raise) -> None:
        raise _Return
