"""Which modules of the explained source a piece of code imports, directly or through others. Pure ``ast``."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

from .find import Module, Source
from .trees import parsed


def closure(source: Source, tree: ast.AST) -> list[Module]:
    """The modules of ``source`` that ``tree`` imports, transitively, by name."""
    found: dict[str, Module] = {}
    pending = list(imports(tree, package=""))
    while pending:
        name = pending.pop()
        if name in found or source.module_path(name) is None:
            continue
        module = found[name] = source.module(name)
        pending += imports(module.tree, package_of(module))
    return [found[name] for name in sorted(found)]


def package_of(module: Module) -> str:
    """The package in which a module's relative imports begin."""
    return module.name if module.path.name == "__init__.py" else module.name.rpartition(".")[0]


@functools.lru_cache(maxsize=1024)
def imports(tree: ast.AST, package: str) -> tuple[str, ...]:
    """Every dotted name that may be a module of an import statement in ``tree``, parents included."""
    return tuple(dict.fromkeys(_imports(tree, package)))


def _imports(tree: ast.AST, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, package)
            yield from _parents(base)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def taken(source: Source, tree: ast.AST, package: str) -> Iterator[str]:
    """The dotted name that each import takes something from: ``a.b`` of ``from a import b`` if that is a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, package)
            names = (f"{base}.{alias.name}" for alias in node.names)
            yield from (name if source.module_path(name) else base for name in names)


@functools.lru_cache(maxsize=4096)  # by the tree itself: the keys of many clips share their files
def without_docstrings(tree: ast.AST) -> str:
    """The code of a tree as text that comments, docstrings and layout don't change."""
    tree = parsed(ast.unparse(tree))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_string(body[0]):
            del body[0]
    return ast.dump(tree)


def _is_string(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def absolute(node: ast.ImportFrom, package: str) -> str:
    """The dotted name of the module that an import takes from, without dots in front."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    above = parts[: len(parts) - (node.level - 1)]
    return ".".join([*above, *([node.module] if node.module else [])])


def _parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        yield ".".join(parts[:end])
