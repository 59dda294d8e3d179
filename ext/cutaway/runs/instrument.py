"""Rewrite a module's syntax tree so that its run can be recorded. The file itself is never touched.

Every function of the module announces its activation; every call, every assignment target, ``return``, branch test and
every operator or subscript that may give a tensor hands its value to the recorder, which returns it unchanged. What
the code computes, and the lines that its tracebacks name, stay as they are.

``x = x + self.attn(self.ln_1(x))`` becomes, with R for the recorder and c for this activation::

    x = R.bind(c, 9, R.op(c, 8, x + R.result(c, 7, R.callee(c, 7, self.attn)(R.result(c, 6, ...)))))
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from ..source.find import Module, Span

RECORDER = "__cutaway__"
CALL = "__cutaway_call__"
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Sites:
    """The places that hand over values: rows (function, kind, span, name), by number; functions by dotted name."""

    functions: list[str] = field(default_factory=list)
    rows: list[tuple[int, str, Span, str | None]] = field(default_factory=list)

    def add(self, function: int, kind: str, span: Span, name: str | None = None) -> int:
        self.rows.append((function, kind, span, name))
        return len(self.rows) - 1


def instrument(module: Module, sites: Sites) -> ast.Module:
    """The instrumented tree of a module; the places found in it are added to ``sites``."""
    tree = ast.parse(
        module.text, str(module.path)
    )  # a fresh tree: the module's own is shared and stays as it is
    return ast.fix_missing_locations(_Instrument(module, sites).visit(tree))


class _Instrument(ast.NodeTransformer):
    def __init__(self, module: Module, sites: Sites) -> None:
        self.module = module
        self.sites = sites
        self.scope = [module.name]  # dotted name of the definition that we are in
        self.function: int | None = None  # number of the function whose body we are in; None outside of all

    # Definitions

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        outer, self.function = (
            self.function,
            None,
        )  # a class body's own statements are not part of a function's flow
        self.scope.append(node.name)
        node.body = [self.visit(child) for child in node.body]
        self.scope.pop()
        self.function = outer
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return self._function(node)

    def _function(self, node: Any) -> Any:
        # Decorators, defaults and annotations are evaluated outside and stay as they are.
        outer = self.function
        self.scope.append(node.name)
        self.sites.functions.append(".".join(self.scope))
        self.function = len(self.sites.functions) - 1
        arguments = _arguments(node.args)
        entered = [(self._site("param", arg, arg.arg), arg.arg) for arg in arguments]
        body = self._block(node.body)
        docstring = [body.pop(0)] if ast.get_docstring(node) is not None else []
        pairs = ast.Tuple(
            [_tuple(ast.Constant(site), ast.Name(name, ast.Load())) for site, name in entered], ast.Load()
        )
        enter = self._recorder("enter", ast.Constant(self.function), pairs, ast.Constant(_is_generator(node)))
        start = ast.Assign([ast.Name(CALL, ast.Store())], enter)
        leave = ast.Expr(self._recorder("leave", ast.Name(CALL, ast.Load())))
        inside = ast.Try(body=body or [ast.Pass()], handlers=[], orelse=[], finalbody=[leave])
        where = body[0] if body else node
        node.body = [*docstring, ast.copy_location(start, where), ast.copy_location(inside, where)]
        self.scope.pop()
        self.function = outer
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        return node  # it may run when its function is long over

    # Statements

    def _block(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        for statement in statements:
            visited = self.visit(statement)
            result += visited if isinstance(visited, list) else [visited]
        return result

    def visit_Assign(self, node: ast.Assign) -> Any:
        return self._assignment(node, node.targets)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        return self._assignment(node, [node.target]) if node.value is not None else node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        return self._assignment(node, [node.target])

    def _assignment(self, node: Any, targets: list[ast.expr]) -> Any:
        if self.function is None:
            return node
        after: list[ast.stmt] = []
        single = targets[0] if len(targets) == 1 and not isinstance(node, ast.AugAssign) else None
        attribute = (
            self._site("bind", single, ast.unparse(single)) if isinstance(single, ast.Attribute) else None
        )
        if attribute is None:
            after = [bound for target in targets for bound in self._bound(target)]
        node.value = self.visit(node.value)
        for target in targets:
            self.generic_visit(target)  # a subscript's index may hold calls
        if attribute is not None:  # the value is at hand: reading the attribute back might run a property
            node.value = self._hand_over("bind", attribute, node.value)
        return [node, *after] if after else node

    def visit_For(self, node: ast.For) -> ast.For:
        if self.function is None:
            return node
        bound = self._bound(node.target)
        node.iter = self.visit(node.iter)
        node.body = [*bound, *self._block(node.body)]
        node.orelse = self._block(node.orelse)
        return node

    def visit_With(self, node: ast.With) -> ast.With:
        if self.function is None:
            return node
        bound = [b for item in node.items if item.optional_vars for b in self._bound(item.optional_vars)]
        for item in node.items:
            item.context_expr = self.visit(item.context_expr)
        node.body = [*bound, *self._block(node.body)]
        return node

    def visit_If(self, node: ast.If) -> Any:
        return self._test(node)

    def visit_While(self, node: ast.While) -> Any:
        return self._test(node)

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        return self._test(node)

    def _test(self, node: Any) -> Any:
        if self.function is None:
            return self.generic_visit(node)
        site = self._site("test", node.test)
        self.generic_visit(node)
        node.test = self._hand_over("test", site, node.test)
        return node

    def visit_Return(self, node: ast.Return) -> ast.Return:
        if node.value is not None:
            site = self._site("return", node.value)
            node.value = self._hand_over("returned", site, self.visit(node.value))
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.match_case:
        if node.guard is not None:
            node.guard = self.visit(node.guard)
        node.body = self._block(node.body)
        return node  # a pattern is no expression: it stays

    # Expressions

    def visit_Call(self, node: ast.Call) -> Any:
        if self.function is None:
            return self.generic_visit(node)
        site = self._site("call", node)
        self.generic_visit(node)
        node.func = self._hand_over("callee", site, node.func)
        return self._hand_over("result", site, node)

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        return self._operation(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        return self._operation(node)

    def visit_Compare(self, node: ast.Compare) -> Any:
        return self._operation(node)

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        return self._operation(node) if isinstance(node.ctx, ast.Load) else self.generic_visit(node)

    def _operation(self, node: Any) -> Any:
        if self.function is None:
            return self.generic_visit(node)
        site = self._site("op", node)
        self.generic_visit(node)
        return self._hand_over("op", site, node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> Any:
        if self.function is None:
            return self.generic_visit(node)
        site = self._site("bind", node.target, node.target.id)
        node.value = self._hand_over("bind", site, self.visit(node.value))
        return node

    # Parts

    def _bound(self, target: ast.expr) -> list[ast.stmt]:
        """Statements that hand over what a target holds once it is assigned."""
        if isinstance(target, ast.Tuple | ast.List):
            return [bound for element in target.elts for bound in self._bound(element)]
        if isinstance(target, ast.Starred):
            return self._bound(target.value)
        place = target
        while isinstance(place, ast.Subscript):  # `a[i] = v` changes a
            place = place.value
        if not isinstance(place, ast.Name | ast.Attribute):
            return []
        name = ast.unparse(place)
        site = self._site("bind", target, name)
        value = ast.copy_location(ast.parse(name, mode="eval").body, place)
        return [ast.copy_location(ast.Expr(self._hand_over("bind", site, value)), target)]

    def _site(self, kind: str, node: ast.AST, name: str | None = None) -> int:
        assert self.function is not None
        return self.sites.add(self.function, kind, self.module.span(node), name)

    def _hand_over(self, method: str, site: int, value: ast.expr) -> ast.expr:
        call = self._recorder(method, ast.Name(CALL, ast.Load()), ast.Constant(site), value)
        return ast.copy_location(call, value)

    def _recorder(self, method: str, *args: ast.expr) -> ast.Call:
        return ast.Call(ast.Attribute(ast.Name(RECORDER, ast.Load()), method, ast.Load()), list(args), [])


def _arguments(args: ast.arguments) -> list[ast.arg]:
    rest = [arg for arg in (args.vararg, args.kwarg) if arg]
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *rest]


def _tuple(*elements: ast.expr) -> ast.Tuple:
    return ast.Tuple(list(elements), ast.Load())


def _is_generator(function: _Function) -> bool:
    """Whether the function's own body yields or awaits: its activation is then suspended and resumed."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom | ast.Await):
            return True
        if not isinstance(node, _Function | ast.Lambda | ast.ClassDef):
            pending += ast.iter_child_nodes(node)
    return False
