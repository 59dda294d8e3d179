"""The data flow of a function that no run has called, from its syntax tree alone: names tell what flows into what.

Nobody knows which values are tensors, so what comes from an argument counts as data, but for sizes and types. Of an
``if`` both branches are there; arrows in them are thin, as only a run can decide whether they are taken. There are no
shapes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ...runs.tape import SHAPES_ONLY
from ...source.find import SourceObject, Span
from .graph import Edge, Graph, Node
from .quote import quote
from .reading import (
    Sources,
    both,
    either,
    is_number,
    is_plain,
    leaves,
    loaded,
    makes,
    name_of,
    read_first,
)  # fmt: skip

NO_DATA = {
    "shape", "size", "dim", "ndim", "numel", "device", "dtype", "stride", "len", "isinstance", "range", "type",
    "training", "print", "hasattr", "getattr", "int", "bool", "str", "is_cuda",
}  # fmt: skip
GATHERING = {"append", "extend", "insert", "add", "update", "setdefault"}



def sketch(obj: SourceObject) -> Graph:
    """The graph of a function or method as its source reads."""
    assert isinstance(obj.node, ast.FunctionDef | ast.AsyncFunctionDef)
    walk = _Sketch(obj)
    walk.arguments(obj.node.args)
    walk.block(obj.node.body)
    used = {source for source, _ in walk.edges}
    kept = [node for node in walk.nodes if node.kind != "input" or node.id in used]
    place = {node.id: number for number, node in enumerate(kept)}
    edges = sorted(Edge(place[a], place[b], "", maybe) for (a, b), maybe in walk.edges.items())
    return Graph(obj.dotted, tuple(replace(node, id=place[node.id]) for node in kept), tuple(edges), is_sketch=True)


def _one_of(sources: Sources) -> Sources:
    """The sources of a part of something: which of them, only a run can tell."""
    return dict.fromkeys(sources, True) if len(sources) > 1 else sources


class _Sketch:
    def __init__(self, obj: SourceObject) -> None:
        self.module = obj.module
        self.nodes: list[Node] = []
        self.edges: dict[tuple[int, int], bool] = {}
        self.variables: dict[str, Sources] = {}
        self.boxed: set[Span] = set()
        self.is_sure = True

    def arguments(self, args: ast.arguments) -> None:
        plain = [*args.posonlyargs, *args.args]
        defaults = dict(zip(reversed(plain), reversed(args.defaults), strict=False))
        defaults |= {arg: default for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True) if default}
        for arg in [*plain, *args.kwonlyargs, args.vararg, args.kwarg]:
            if arg is None or arg.arg in ("self", "cls") or is_number(arg, defaults.get(arg)):
                continue
            self.variables[arg.arg] = self._box("input", arg.arg, self.module.span(arg), {}, (arg.arg,))

    def block(self, statements: Iterable[ast.stmt]) -> bool:
        """Whether what follows may be reached."""
        for statement in statements:
            self.boxed = set()
            method = getattr(self, f"_{type(statement).__name__.lower()}", None)
            if method and method(statement) is False:
                return False
        return True

    def _box(self, kind: str, code: str, span: Span, sources: Sources, names: Sequence[str] = ()) -> Sources:
        number = len(self.nodes)
        self.nodes.append(Node(number, kind, code, tuple(names), (span,), times=0 if kind == "again" else 1))
        for source, maybe in sources.items():
            self.edges[source, number] = self.edges.get((source, number), True) and (maybe or not self.is_sure)
        return {number: False}

    # Statements

    def _assign(self, node: ast.Assign) -> None:
        target, value = node.targets[0], node.value
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            found = [self._settled(part, [to]) for to, part in zip(target.elts, value.elts, strict=True)]
            for to, sources in zip(target.elts, found, strict=True):
                self._bind(to, sources)
            return
        sources = self._settled(value, node.targets)
        for to in node.targets:
            self._bind(to, sources)

    def _annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._bind(node.target, self._settled(node.value, [node.target]))

    def _augassign(self, node: ast.AugAssign) -> None:
        sources = {**self.value(loaded(node.target)), **self.value(node.value)}
        if sources:
            name = name_of(node.target)
            code = quote(self.module, self.module.span(node), self.boxed)
            self.variables[name] = self._box("step", code, self.module.span(node), sources, (name,))

    def _settled(self, value: ast.expr, targets: Sequence[ast.expr]) -> Sources:
        """What a statement's value comes from: its box, or, where it only gives another name, what has that already."""
        sources = self.value(value)
        stored = isinstance(targets[0], ast.Subscript)
        if stored:
            sources = {**self.variables.get(name_of(targets[0]), {}), **sources}
        if (not sources and not makes(value)) or (is_plain(value) and not stored):
            return sources
        names = [name_of(leaf) for target in targets for leaf in leaves(target)]
        code = " = ".join([*map(self._target, targets), quote(self.module, self.module.span(value), self.boxed)])
        if self.module.span(value) in self.boxed:  # its last call has a box of its own: it is this one
            [number] = sources
            self.nodes[number] = replace(self.nodes[number], code=code.replace("…", self.nodes[number].code, 1)
                                         if code.endswith("= …") else code, names=tuple(names))  # fmt: skip
            return sources
        return self._box("step", code, self.module.span(value), sources, names)

    def _target(self, target: ast.expr) -> str:
        return "return" if getattr(target, "lineno", 0) == 0 else quote(self.module, self.module.span(target))

    def _bind(self, target: ast.expr, sources: Sources) -> None:
        if any(isinstance(part, ast.Starred) for part in ast.walk(target)):
            sources = _one_of(sources)
        for leaf in leaves(target):
            self.variables[name_of(leaf)] = sources

    def _expr(self, node: ast.Expr) -> None:
        call = node.value
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            self.value(call)
            return
        name, sources = ast.unparse(call.func.value), self.value(call)
        if call.func.attr in GATHERING:
            self.variables[name] = {**self.variables.get(name, {}), **sources}
        elif call.func.attr.endswith("_") and name in self.variables and sources:  # x.mul_(2)
            code = quote(self.module, self.module.span(call), self.boxed)
            self.variables[name] = self._box("step", code, self.module.span(call), sources, (name,))

    def _return(self, node: ast.Return) -> bool:
        parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value] if node.value else []
        for part in parts:
            named = isinstance(part, ast.Name | ast.Attribute)
            sources = self._settled(part, [ast.Name("return", ast.Store())]) if not named else self.value(part)
            if sources and named:
                self._box("output", f"return {ast.unparse(part)}", self.module.span(part), sources)
            elif sources:
                self._rename_return(sources)
                self._box("output", "return", self.module.span(part), sources)
        return False

    def _rename_return(self, sources: Sources) -> None:
        """The box of what is returned has no variable."""
        for number in sources:
            node = self.nodes[number]
            if node.names == ("return",):
                self.nodes[number] = replace(node, names=(), code=node.code.removeprefix("return = "))

    def _raise(self, node: ast.Raise) -> bool:
        return False

    _continue = _break = _raise

    def _if(self, node: ast.If) -> bool:
        self.value(node.test)
        return self._branches([node.body, node.orelse])

    def _match(self, node: ast.Match) -> bool:
        self.value(node.subject)
        return self._branches([*(case.body for case in node.cases), []])

    def _branches(self, blocks: Sequence[Sequence[ast.stmt]]) -> bool:
        """Each from what was before; after it a variable may have any of their values."""
        before, was_sure, ends = self.variables, self.is_sure, []
        self.is_sure = False
        for block in blocks:
            self.variables = dict(before)
            if self.block(block):
                ends.append(self.variables)
        self.is_sure = was_sure
        if not ends:
            self.variables = before
            return False
        self.variables = {name: either([end.get(name, {}) for end in ends]) for end in ends for name in end}
        return True

    def _with(self, node: ast.With | ast.AsyncWith) -> bool:
        for item in node.items:
            sources = self.value(item.context_expr)
            if item.optional_vars is not None:
                self._bind(item.optional_vars, sources)
        return self.block(node.body)

    _asyncwith = _with

    def _try(self, node: ast.Try) -> bool:
        self._branches([[*node.body, *node.orelse], *(handler.body for handler in node.handlers)])
        return self.block(node.finalbody)

    def _for(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        if not isinstance(node, ast.While):
            self._bind(node.target, self.value(node.iter))
        before, first = dict(self.variables), len(self.nodes)
        self.block(node.body)
        reads, _ = read_first(node.body)
        round = [n for n, sources in self.variables.items() if n in reads and sources != before.get(n) and sources]
        if round and len(self.nodes) - first > 1:
            head = node.test if isinstance(node, ast.While) else node.iter
            start = node.test if isinstance(node, ast.While) else node.target
            place = Span(*self.module.span(start)[:2], *self.module.span(head)[2:])
            code = ("while " if isinstance(node, ast.While) else "for ") + quote(self.module, place)
            sources = either([self.variables[name] for name in round])
            again = self._box("again", code, place, dict.fromkeys(sources, False), sorted(round))
            self.variables |= dict.fromkeys(round, again)
        self.block(node.orelse)

    _asyncfor = _while = _for

    def _functiondef(self, node: ast.FunctionDef) -> None:
        free = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        self.variables[node.name] = both(self.variables.get(name, {}) for name in sorted(free))

    # Expressions

    def value(self, node: ast.AST) -> Sources:
        """The boxes that an expression's value comes from; calls of ``self.layer(...)`` get boxes on the way."""
        if isinstance(node, ast.Name):
            return self.variables.get(node.id, {})
        if isinstance(node, ast.Attribute):
            known = self.variables.get(ast.unparse(node))
            return known if known is not None else {} if node.attr in NO_DATA else _one_of(self.value(node.value))
        if isinstance(node, ast.Subscript):
            return both([_one_of(self.value(node.value)), self.value(node.slice)])
        if isinstance(node, ast.IfExp):
            return either([self.value(node.body), self.value(node.orelse)])
        if isinstance(node, ast.NamedExpr):
            self.variables[node.target.id] = self._settled(node.value, [node.target])
            return self.variables[node.target.id]
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            for part in node.generators:
                self._bind(part.target, self.value(part.iter))
        if isinstance(node, ast.Call):
            return self._call(node)
        return both([self.value(child) for child in ast.iter_child_nodes(node)])

    def _call(self, node: ast.Call) -> Sources:
        called = ast.unparse(node.func)
        name = called.rpartition(".")[2]
        if name in NO_DATA or SHAPES_ONLY.fullmatch(name):
            return {}
        if name.endswith("_as") and isinstance(node.func, ast.Attribute):  # x.view_as(y): of y only the shape
            return self.value(node.func.value)
        receiver = [node.func.value] if isinstance(node.func, ast.Attribute) else [node.func]
        parts = [*receiver, *node.args, *(keyword.value for keyword in node.keywords)]
        sources = both([self.value(part) for part in parts])
        if not called.startswith("self.") or not sources:
            return sources
        span = self.module.span(node)
        box = self._box("module", quote(self.module, span, self.boxed), span, sources)
        self.boxed.add(span)
        return box
