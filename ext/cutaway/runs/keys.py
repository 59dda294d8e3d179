"""The keys of a run: what makes it train again, and what makes it trace again."""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from .. import made_with
from ..digests import version_imported
from ..memo import Memo
from ..settings import Book
from ..source.find import Source, parse, python_files
from ..source.imports import closure, imports, package_of
from ..source.own import TOOL, own_code
from ..source.reached import Reached, bound
from ..store import digest, version
from .declared import SETTINGS, TIMES, Declared, is_run
from .importer import is_recorded
from .process import THREADS

TRACER = "cutaway.runs.child"  # the process that records
PACKAGES = ("torch", "numpy")


class KnownKeys:
    """The keys of a run as they were found last time, for as long as no file changes that could decide one."""

    def __init__(self, book: Book, run: Declared, texts: Texts) -> None:
        self.book, self.run = book, run
        self._memo = Memo(book.store, f"run keys {book.confdir} {run.name}", _inputs(book, run, texts))

    def code(self, given: Mapping[str, str]) -> str:
        """``given``: the digests of the weights that it begins with, by the run that made them."""
        return self._remembered(f"code {sorted(given.items())}", lambda: self._keys.code(given))

    def training(self, given: Mapping[str, str]) -> str:
        code = self.code(given)
        return digest(code, made_with.completed(self.book.store, code, self._versions()))

    def tracing(self, weights: str) -> str:
        text = self._tracing(weights)
        return digest(text, made_with.completed(self.book.store, text, self._versions()))

    def note_trained(self, given: Mapping[str, str]) -> None:
        """Note with which versions this machine trained it, for builders that lack them."""
        made_with.note(self.book.store, self.code(given), self._versions())

    def note_traced(self, weights: str) -> None:
        made_with.note(self.book.store, self._tracing(weights), self._versions())

    def _versions(self) -> dict[str, str | None]:
        """Of the packages that everything depends on, and of those that this run and its modules import."""
        names = self._remembered("packages", lambda: " ".join(self._keys.packages())).split()
        return _versions() | {name: version_imported(name) for name in names}

    def _tracing(self, weights: str) -> str:
        return self._remembered(f"tracing {weights}", lambda: self._keys.tracing(weights))

    @cached_property
    def _keys(self) -> Keys:
        return Keys(self.book, self.run)

    def _remembered(self, name: str, compute: Callable[[], str]) -> str:
        found = str(self._memo.get(name, compute))
        self._memo.keep()
        return found


class Texts(dict[Path, str]):
    """Digests of folders' Python files, each folder read once for all runs of a build."""

    def __missing__(self, folder: Path) -> str:
        self[folder] = digest([[str(path), path.read_bytes()] for path in python_files(folder)])
        return self[folder]


def _inputs(book: Book, run: Declared, texts: Texts) -> str:
    """Digest of all that can decide a key of this run: files of runs, source and tracer, versions."""
    packages = [run.beside, {name: book.sources[name] for name in run.packages}]
    folders = [Path(folder) for package in packages for _, all in sorted(package.items()) for folder in all]
    read = [texts[folder] for folder in [*folders, TOOL]]
    return digest(str(run.file), run.file.read_bytes(), read, run.cls, run.sources, _versions(), THREADS)


def _versions() -> dict[str, str | None]:
    return {name: version(name) for name in PACKAGES}


class Keys:
    """The two keys of a run but for versions: of what training computes with, and of the text that makes the trace."""

    def __init__(self, book: Book, run: Declared) -> None:
        self.file = parse(f"{run.file.parent.name}.{run.file.stem}", run.file)
        self.run = run
        self.node = next(n for n in self.file.tree.body if isinstance(n, ast.ClassDef) and n.name == run.cls)
        self.source = Source({**run.beside, **{name: book.sources[name] for name in run.packages}})

    @property
    def _parts(self) -> list[str]:
        """The packages of which only some modules are recorded: large ones, whose version stands for the rest."""
        return [name for name in self.run.packages if name not in self.run.sources]

    @property
    def _whole(self) -> Source:
        return Source({name: all for name, all in self.source.packages.items() if name not in self._parts})

    def code(self, given: Mapping[str, str]) -> str:
        """The key of what training computes, the same on every machine: pinned runs have it."""
        reached = Reached(self.source)
        own = reached.follow(trained_by(self.node), self.file)
        return digest("train", self.run.name, own, reached.texts(), reached.files, THREADS, dict(given))

    def tracing(self, weights: str) -> str:
        node = copy.copy(self.node)
        node.body = without_times(node.body)
        others = [n for n in self.file.tree.body if not (isinstance(n, ast.ClassDef) and is_run(n))]
        rest = ast.Module([*used(others, node), node], [])
        own = [ast.unparse(n) for n in rest.body]
        return digest("trace", self.run.name, own, self._texts(rest), weights, THREADS, own_code(TRACER))

    def packages(self) -> list[str]:
        """The top-level names that the run's file, and what it imports of the source, import from elsewhere."""
        found = set(imports(self.file.tree, ""))
        for module in closure(self._whole, self.file.tree):
            found |= set(imports(module.tree, package_of(module)))
        own = {*self.source.packages, *PACKAGES, "cutaway", ""} | sys.stdlib_module_names
        return sorted({name.partition(".")[0] for name in found} - own)

    def _texts(self, code: ast.Module) -> dict[str, str | None]:
        """The modules that it imports; of a package of which only some are recorded these, and its version."""
        texts: dict[str, str | None] = {module.name: module.text for module in closure(self._whole, code)}
        for package in self._parts:
            texts[package] = version(package)
            for folder in reversed(self.source.packages[package]):
                for path in python_files(Path(folder)):
                    name = ".".join([package, *path.relative_to(folder).with_suffix("").parts])
                    if is_recorded(name.removesuffix(".__init__"), self.run.sources):
                        texts[name] = path.read_text("utf-8", "replace")
        return texts


def trained_by(node: ast.ClassDef) -> list[ast.stmt]:
    """What a run's ``train`` uses of its class: itself, and the methods and settings that it leads to.

    Of a class with a base of its own, all but what records: the base may call any of it.
    """
    members: dict[str, list[ast.stmt]] = {}
    for statement in node.body:
        for name in bound(statement):
            members.setdefault(name, []).append(statement)
    for name in (*SETTINGS, *TIMES):
        members.pop(name, None)
    bases = [ast.Expr(base) for base in node.bases if ast.unparse(base).split(".")[-1] != "Run"]
    pending = [name for name in members if name not in ("trace", "build")] if bases else ["train"]
    reached: dict[str, list[ast.stmt]] = {}
    while pending:
        name = pending.pop()
        if name in members and name not in reached:
            reached[name] = members[name]
            pending += [asked for statement in members[name] for asked in _own_names(statement, node.name)]
    return [*bases, *(s for s in node.body if any(s in statements for statements in reached.values()))]


def _own_names(statement: ast.stmt, cls: str) -> Iterator[str]:
    """The names of its own class that a member uses: ``self.x``, ``type(self).x``, ``Cls.x``; in the body ``x``."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("self", "cls", "type(self)", cls):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id


def used(statements: Sequence[ast.stmt], by: ast.AST) -> list[ast.stmt]:
    """The statements of a file without the functions and classes whose names ``by`` does not lead to."""
    defined = {n.name: n for n in statements if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    reached, pending = set[str](), [by]
    while pending:
        names = {n.id for n in ast.walk(pending.pop()) if isinstance(n, ast.Name)} & defined.keys() - reached
        reached |= names
        pending += [defined[name] for name in names]
    return [n for n in statements if not isinstance(n, ast.FunctionDef | ast.ClassDef) or n.name in reached]


def without_times(statements: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Drop time limits: they do not affect the result."""
    return [n for n in statements if not set(bound(n)) & set(TIMES)]
