"""What can be told of a statement by reading it: which names it binds and reads, and whether its value is data."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

NUMBERS = {"int", "float", "bool", "str"}  # annotations of arguments that are no data
MAKERS = {"torch", "np", "numpy", "F", "jnp", "jax"}  # torch.arange(t) is data that no argument has made

Sources = dict[int, bool]  # box -> whether only a run can decide if its value comes here


def is_number(arg: ast.arg, default: ast.expr | None) -> bool:
    if arg.annotation is not None and ast.unparse(arg.annotation).split(" | ")[0] in NUMBERS:
        return True
    return isinstance(default, ast.Constant) and default.value is not None


def makes(value: ast.expr) -> bool:
    """Whether an expression is a call of a library that makes tensors: ``torch.arange(t)``."""
    return isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[0] in MAKERS


def is_plain(value: ast.expr) -> bool:
    """Whether an expression only names what is there."""
    if isinstance(value, ast.Tuple | ast.List):
        return all(map(is_plain, value.elts))
    return isinstance(value, ast.Name | ast.Attribute | ast.Constant)


def leaves(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from leaves(part)
    else:
        yield target.value if isinstance(target, ast.Starred) else target


def name_of(target: ast.expr) -> str:
    while isinstance(target, ast.Subscript):
        target = target.value
    return ast.unparse(target)


def loaded(target: ast.expr) -> ast.expr:
    while isinstance(target, ast.Subscript):
        target = target.value
    return target


def read_first(body: Iterable[ast.stmt], bound: frozenset[str] = frozenset()) -> tuple[set[str], frozenset[str]]:
    """The variables that a round may read before it has bound them, so what an earlier one gave; and the bound ones."""
    read = set[str]()
    for statement in body:
        blocks = [part for part in (getattr(statement, name, []) for name in ("body", "orelse", "finalbody")) if part]
        heads = [n for n in ast.iter_child_nodes(statement) if not isinstance(n, ast.stmt | ast.ExceptHandler)]
        names = [n for head in heads for n in ast.walk(head) if isinstance(n, ast.Name | ast.Attribute)]
        read |= {ast.unparse(n) for n in names if isinstance(n.ctx, ast.Load)} - bound
        if isinstance(statement, ast.AugAssign):
            read |= {name_of(statement.target)} - bound
        bound |= {ast.unparse(n) for n in names if isinstance(n.ctx, ast.Store)}
        within = [read_first(block, bound) for block in blocks]
        read |= {name for reads, _ in within for name in reads}
        if isinstance(statement, ast.If) and statement.orelse:
            bound = within[0][1] & within[1][1]
    return read, bound


def both(all: Iterable[Sources]) -> Sources:
    found: Sources = {}
    for sources in all:
        for box, maybe in sources.items():
            found[box] = found.get(box, True) and maybe
    return found


def either(all: Sequence[Sources]) -> Sources:
    """What comes from one of several, nobody knows which; what is in all of them comes for sure."""
    return {box: any(sources.get(box, True) for sources in all) for sources in all for box in sources}
