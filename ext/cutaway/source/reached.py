"""The definitions that a piece of code reaches, in any module of the explained source.

A run is keyed by these, not by files: moving or renaming a module, its imports, comments and docstrings change
nothing, and an edit of a function that is not reached changes nothing either. Names are followed as Python resolves
them: to functions, classes and assignments at the top of a module, through imports and attributes of modules. A class
counts as a whole. Where in doubt, more counts: all of a module that is handed on, a name that a local variable hides.
Methods called on objects are found through their class, which some name must have led to. Pure ``ast``.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .find import Module, Source
from .imports import absolute, imports, package_of, without_docstrings
from .trees import parsed

DEFINES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
GROUPS = ast.If | ast.Try | ast.With | ast.For | ast.While
FILE = re.compile(r"[\w./-]{1,200}\.\w{1,8}")  # what may be the path of a file
MOST = 20  # imports that only lead on to others


@dataclass(frozen=True)
class Scope:
    """The top of a module: the statements that define each name, and those that only have effects."""

    module: Module
    defined: Mapping[str, list[ast.stmt]]
    imported: Mapping[str, str] = field(repr=False)  # name -> dotted path
    effects: list[ast.stmt]
    program: list[ast.stmt]  # what is run where the file is started as a program

    @property
    def package(self) -> str:
        return package_of(self.module)


class Glance(NamedTuple):
    """What a statement says of modules and files, whichever names of its module it uses."""

    modules: tuple[str, ...]  # that its imports may load
    imported: dict[str, str]  # name -> dotted path
    files: tuple[str, ...]  # strings that may be the path of a file
    names_its_file: bool  # whether `__file__` occurs


class Reached:
    """The definitions that pieces of code lead to, each as text that layout and the names of modules don't change."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: dict[tuple[str, str], str] = {}  # module and name ("": its effects) -> text
        self.files: dict[str, bytes | str] = {}  # files of a package that code names, by their names
        self._scopes: dict[str, Scope | None] = {}
        self._pending: list[tuple[str, str]] = []

    def follow(self, statements: Iterable[ast.stmt], module: Module) -> list[str]:
        """The text of statements, which stand in ``module``; all that they lead to is added to what was found."""
        self._scopes.setdefault(module.name, read(module))
        scope = self._scopes[module.name]
        assert scope is not None
        texts = [self._text(statement, scope) for statement in statements]
        while self._pending:
            self._add(*self._pending.pop())
        return texts

    def texts(self) -> list[list[str]]:
        """Name and text of each definition that was reached, in an order that names of modules don't change."""
        return sorted([name, text] for (_, name), text in self.found.items() if text)

    def _add(self, name: str, definition: str) -> None:
        scope = self._scope(name)
        if scope is None or (name, definition) in self.found:
            return
        self.found[name, definition] = ""  # one that leads back to itself is under way
        statements = scope.defined.get(definition, []) if definition else scope.effects
        if any(glance(statement, scope.package).names_its_file for statement in statements):
            statements = [*statements, *scope.program]  # it may start this file as a program
        self.found[name, definition] = "\n".join(self._text(statement, scope) for statement in statements)
        self._pending.append((name, ""))
        if not definition:
            for path in scope.imported.values():
                self.reach(path.removesuffix(".*"), "*") if path.endswith(".*") else self._pending.append((path, ""))

    def _text(self, statement: ast.stmt, scope: Scope) -> str:
        seen = glance(statement, scope.package)
        self._pending += [(path, "") for path in seen.modules]
        for name in seen.files:
            path = next(filter(None, (_file(folder, name) for folder in self._folders(scope))), None)
            if path is not None:  # of what a string names in the packages' folders, the content counts
                self.files[name] = code_of(path)
        return _Text(self, scope, seen.imported).of(statement)

    def _folders(self, scope: Scope) -> Iterator[Path]:
        yield scope.module.path.parent
        for folders in self.source.packages.values():
            yield from folders

    def target(self, dotted: str) -> tuple[str, str, str]:
        """Where a dotted path leads: a module of the source, a definition in it ("": the module itself), and
        attributes that are left over. The module is "" where it leads outside."""
        for _ in range(MOST):
            name, rest = self._split(dotted)
            first, _, left = rest.partition(".")
            scope = self._scope(name) if name else None
            if scope is None or not first or first in scope.defined or first not in scope.imported:
                break
            dotted = ".".join(filter(None, [scope.imported[first], left]))
        return (name, first, left) if name else ("", "", dotted)

    def reach(self, name: str, definition: str) -> None:
        """Add a definition, or every one of a module where code hands on the module or asks it for what it computes."""
        scope = self._scope(name)
        if scope is not None and definition in scope.defined:
            self._pending.append((name, definition))
        elif scope is not None:
            self._pending += [(name, each) for each in ("", *scope.defined)]

    def _split(self, dotted: str) -> tuple[str, str]:
        parts = dotted.split(".")
        for end in range(len(parts), 0, -1):
            name = ".".join(parts[:end])
            if self._scope(name) is not None:
                return name, ".".join(parts[end:])
        return "", dotted

    def _scope(self, name: str) -> Scope | None:
        if name not in self._scopes:
            there = self.source.module_path(name) is not None
            self._scopes[name] = read(self.source.module(name)) if there else None
        return self._scopes[name]


class _Text:
    """Code as text without layout, imports and docstrings; a name that leads to a definition is the definition's own.

    What names and attributes of modules lead to is noted on the way.
    """

    def __init__(self, reached: Reached, scope: Scope, local: Mapping[str, str]) -> None:
        self.reached, self.scope, self.local = reached, scope, local

    def of(self, node: object) -> str:
        if isinstance(node, list):
            kept = [each for each in node if not isinstance(each, ast.Import | ast.ImportFrom) and not is_text(each)]
            return "[" + ",".join(map(self.of, kept)) + "]"
        if not isinstance(node, ast.AST):
            return repr(node)
        found = self._resolved(node) if isinstance(node, ast.Name | ast.Attribute) else None
        if found is not None:
            return f"Name({found!r})"
        return f"{type(node).__name__}({','.join(f'{name}={self.of(value)}' for name, value in ast.iter_fields(node))})"

    def _resolved(self, node: ast.expr) -> str | None:
        """What stands for a name, or for an attribute of a module; None where it is neither's."""
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        path = self.local.get(node.id)
        if path is None and node.id in self.scope.defined:
            self.reached.reach(self.scope.module.name, node.id)
            return None
        path = path or self.scope.imported.get(node.id)
        if path is None:
            return None
        name, definition, left = self.reached.target(".".join([path, *attributes]))
        if name:
            self.reached.reach(name, definition)
        return ".".join(filter(None, [(definition or "a module") if name else "", left]))


def is_text(node: object) -> bool:
    """Whether a statement is a string that nothing is done with: a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def read(module: Module) -> Scope:
    """Sort the statements at the top of a module."""
    defined: dict[str, list[ast.stmt]] = {}
    effects: list[ast.stmt] = []
    program: list[ast.stmt] = []
    for statement in module.tree.body:
        names = list(bound(statement))
        for name in names:
            defined.setdefault(name, []).append(statement)
        if isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test):
            program.append(statement)
        elif not names and not isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass):
            effects += [] if is_text(statement) else [statement]
    outside = (node for statement in module.tree.body for node in _top(statement))
    return Scope(module, defined, bound_by_imports(outside, package_of(module)), effects, program)


def bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement at the top of a module defines, imports left out."""
    for node in _top(statement):
        if isinstance(node, DEFINES):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))


def _top(statement: ast.stmt) -> Iterator[ast.stmt]:
    """A statement and those in it that are run when the module is imported."""
    yield statement
    if isinstance(statement, GROUPS):
        for child in ast.walk(statement):
            if isinstance(child, ast.stmt) and child is not statement:
                yield child


def bound_by_imports(nodes: Iterable[ast.AST], package: str) -> dict[str, str]:
    """What import statements among the nodes bind: name -> dotted path."""
    found: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, package)
            found |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names}
    return found


@functools.lru_cache(maxsize=8192)  # the runs of a book share most of what they reach
def glance(statement: ast.stmt, package: str) -> Glance:
    """Look once through all that stands in a statement."""
    nodes = list(ast.walk(statement))
    strings = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    names_its_file = any(isinstance(n, ast.Name) and n.id == "__file__" for n in nodes)
    files = tuple(text for text in strings if FILE.fullmatch(text))
    return Glance(imports(statement, package), bound_by_imports(nodes, package), files, names_its_file)


def _file(folder: Path, name: str) -> Path | None:
    try:
        path = folder / name
        inside = path.suffix and path.resolve().is_relative_to(folder.resolve())
        return path if inside and path.is_file() else None
    except (OSError, ValueError):
        return None


def code_of(path: Path) -> bytes | str:
    """A file's bytes; of Python its code alone."""
    data = path.read_bytes()
    try:
        return without_docstrings(parsed(data)) if path.suffix == ".py" else data
    except (SyntaxError, ValueError):
        return data
