"""What makes a run train again, and what makes it trace again."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache
from pathlib import Path

from ..book import Book
from ..source import Source, parse, python_files
from ..store import Unkept, digest, version
from .closure import closure, without_docstrings
from .declared import TIMES, Declared, is_run
from .stage import THREADS


class KnownKeys:
    """The keys of a run as they were found last time, for as long as no file changes that could decide one."""

    def __init__(self, book: Book, run: Declared, texts: Texts) -> None:
        self.book, self.run = book, run
        self._entry = digest("run keys", str(book.confdir), run.name)
        self._inputs = _inputs(book, run, texts)
        kept = book.store.read_json("book", self._entry) or {}
        self._known: dict[str, str] = dict(kept["keys"]) if kept.get("of") == self._inputs else {}

    def training(self, given: Mapping[str, str]) -> str:
        """``given``: the digests of the weights that it begins with, by the run that made them."""
        return self._keep(f"training {sorted(given.items())}", lambda: self._keys.training(given))

    def tracing(self, weights: str) -> str:
        return self._keep(f"tracing {weights}", lambda: self._keys.tracing(weights))

    @cached_property
    def _keys(self) -> Keys:
        return Keys(self.book, self.run)

    def _keep(self, name: str, compute: Callable[[], str]) -> str:
        if name not in self._known:
            self._known[name] = compute()
            with suppress(Unkept):  # the next build computes it once more
                self.book.store.write_json("book", self._entry, {"of": self._inputs, "keys": self._known})
        return self._known[name]


class Texts(dict[Path, str]):
    """Digests of folders' Python files, each folder read once for all runs of a build."""

    def __missing__(self, folder: Path) -> str:
        self[folder] = digest([[str(path), path.read_bytes()] for path in python_files(folder)])
        return self[folder]


def _inputs(book: Book, run: Declared, texts: Texts) -> str:
    """Digest of all that can decide a key of this run: files of runs, source and tracer, versions."""
    packages = [run.beside, {name: book.sources[name] for name in run.sources}]
    folders = [Path(folder) for package in packages for _, all in sorted(package.items()) for folder in all]
    read = [texts[folder] for folder in [*folders, Path(__file__).parent]]
    return digest(str(run.file), run.file.read_bytes(), read, run.cls, run.sources, _versions(), THREADS)


def _versions() -> dict[str, str | None]:
    return {name: version(name) for name in ("torch", "numpy")}


class Keys:
    """The two keys of a run: what it imports of the source, its own code, the versions that compute."""

    def __init__(self, book: Book, run: Declared) -> None:
        self.file = parse("runs", run.file)
        self.run = run
        self.node = next(n for n in self.file.tree.body if isinstance(n, ast.ClassDef) and n.name == run.cls)
        self.node.body = without_times(self.node.body)
        others = [n for n in self.file.tree.body if not (isinstance(n, ast.ClassDef) and is_run(n))]
        own = used(others, self.node)
        self.rest = ast.Module([*own, self.node], [])
        sources = {name: book.sources[name] for name in run.sources}
        self.modules = closure(Source({**run.beside, **sources}), self.rest)
        self.versions = _versions()

    def training(self, given: Mapping[str, str]) -> str:
        train = [n for n in self.node.body if not (isinstance(n, ast.FunctionDef) and n.name in ("trace", "build"))]
        own = [n for n in self.rest.body if n is not self.node]
        code = [without_docstrings(ast.Module([*own, *train], []))]
        code += [f"{module.name}:{without_docstrings(_timeless(module.tree))}" for module in self.modules]
        return digest("train", self.run.name, code, self.versions, THREADS, *([dict(given)] if given else []))

    def tracing(self, weights: str) -> str:
        own = [ast.unparse(n) for n in self.rest.body]
        texts = {module.name: module.text for module in self.modules}
        return digest("trace", self.run.name, own, texts, weights, self.versions, THREADS, _tracer())


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
    """How long a run may take has no part in what it makes."""
    return [n for n in statements if not _is_time(n)]


@lru_cache(maxsize=1024)  # one tree for all runs that import it
def _timeless(tree: ast.Module) -> ast.Module:
    """A module as it is, but for the times of the runs that it declares: others may import what stands beside them."""
    if not any(isinstance(n, ast.ClassDef) and is_run(n) for n in tree.body):
        return tree
    copied = copy.deepcopy(tree)
    for node in copied.body:
        if isinstance(node, ast.ClassDef) and is_run(node):
            node.body = without_times(node.body)
    return copied


def _is_time(statement: ast.stmt) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return any(isinstance(target, ast.Name) and target.id in TIMES for target in targets)


def _tracer() -> list[str]:
    """The text of the modules that record: another tracer makes another trace."""
    names = ("axes", "child", "instrument", "loading", "record")
    return [Path(__file__).with_name(f"{name}.py").read_text("utf-8") for name in names]
