"""The keys of pages' cells: digests of their text, of the modules and runs that they use, and of versions.

Nothing is executed to find it: imports are followed through the explained source, the folders of the runs and our own
modules (``ast``), and a run counts where ``load`` names it. Where that says too little (a cell that starts a process,
executes text, or is no plain Python), everything counts.
"""

from __future__ import annotations

import ast
import functools
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from .. import PUBLIC, made_with
from ..runs import Outcome, declared
from ..runs.declared import RunError
from ..runs.keys import Texts
from ..settings import Book
from ..source.find import Module, Source, SourceError, python_files
from ..source.imports import closure, imports, without_docstrings
from ..store import digest, version

OWN = Path(__file__).parents[1]
# These compute or print what every cell may give, whether or not it imports them by name.
ALWAYS = ("torch", "numpy", "matplotlib", "ipython", "ipykernel", "nbclient", "myst-nb")
# What leads to more of the source than a cell's imports do: names and modules, attributes.
LOOSE = {"__import__", "exec", "eval", "compile", "get_ipython", "importlib", "runpy", "subprocess"}
LOOSE_INSIDE = {"__file__", "__path__", "system", "popen"}
LOADER = "cutaway.cells"
CHECKER = "cutaway.exercises"  # what its checks read counts as if it stood in the cells


class CellKeys:
    """The keys of pages' cells in one build; what a page asks for is plain data (see ``asked_of``)."""

    def __init__(self, book: Book, outcomes: Mapping[str, Outcome]) -> None:
        try:
            beside = [run.beside for run in declared(book.runs)]
        except RunError:  # reported where the runs are made
            beside = []
        packages: dict[str, Sequence[Path]] = {name: all for each in beside for name, all in each.items()}
        self.store = book.store
        self.exercises = book.confdir / "exercises"
        self.explained = {**packages, **book.sources}
        self.source = Source({**self.explained, "cutaway": [OWN]})
        self.runs = {name: outcome.error or Path(outcome.trace).stem for name, outcome in outcomes.items()}

    @functools.cached_property
    def state(self) -> str:
        """Digest of all that can decide a key: while it is the same, no key changes."""
        texts = Texts()
        folders = [texts[folder] for all in self.source.packages.values() for folder in all]
        checks = [path.read_bytes() for path in sorted(self.exercises.glob("*.py"))]
        return digest(folders, self.runs, self._machine(), [version(name) for name in ALWAYS], *checks)

    def key(self, asked: Mapping[str, Any], note: bool = False) -> str:
        """The key under which the store keeps what these cells give; ``note`` for others what they run with here."""
        code, packages = self._code(asked)
        if note:
            made_with.note(self.store, code, {name: version(name) for name in packages})
        return digest(code, made_with.versions(self.store, code, packages))

    def _code(self, asked: Mapping[str, Any]) -> tuple[str, list[str]]:
        """The digest of cells and of what they reach, and the packages whose versions count."""
        tree, checks = self._with_checks(parsed(asked["cells"]))
        texts, packages = self._texts(tree) | checks, self._packages(tree)
        if tree is None or any(map(_is_loose, ast.walk(tree))):
            texts |= self._all
        named = None if tree is None else loaded(tree, self.source)
        runs = {name: self.runs.get(name) for name in (self.runs if named is None else named)}
        return digest("cells", asked, texts, runs, self._machine()), sorted({*ALWAYS, *packages})

    def _with_checks(self, tree: ast.Module | None) -> tuple[ast.Module | None, dict[str, str]]:
        """The cells and what ``check("file.Class", f)`` reads in them, as one module, and the text of each file."""
        constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)] if tree else []
        named = {str(text) for text in constants if _is_exercise(text)}
        paths = {self.exercises / f"{text.split('.')[0]}.py" for text in named}
        texts = {f"exercises/{path.name}": path.read_text("utf-8") for path in sorted(paths) if path.is_file()}
        parts = [tree, *(parsed([(text, [])]) for text in texts.values())]
        whole = [part for part in parts if part is not None]
        if not texts or len(whole) < len(parts):
            return (None if texts else tree), texts
        return ast.Module([node for part in whole for node in part.body], []), texts

    def _machine(self) -> list[Any]:
        return [list(sys.version_info[:2]), os.environ.get("OMP_NUM_THREADS")]

    @functools.cached_property
    def _all(self) -> dict[str, str]:
        """The text of every file of the explained source and beside the runs."""
        return {
            f"{name}/{path.relative_to(folder)}": path.read_text("utf-8", "replace")
            for name, folders in self.explained.items()
            for folder in reversed(folders)  # the first folder that has a file wins
            for path in python_files(Path(folder))
        }

    def _texts(self, tree: ast.Module | None) -> dict[str, str]:
        """The modules that cells import. Of ours the code counts; of others the text, for cells print it."""
        return {
            module.name: without_docstrings(module.tree) if module.name.split(".")[0] == "cutaway" else module.text
            for module in self._modules(tree)
        }

    def _modules(self, tree: ast.Module | None) -> list[Module]:
        try:
            return closure(self.source, tree or ast.Module([], []))
        except SourceError as error:  # the cell that imports it says so, and is not kept
            return [Module("broken", Path(), str(error), ast.Module([], []))]

    def _packages(self, tree: ast.Module | None) -> list[str]:
        """Other people's packages that the cells import, or the modules of the source where they begin."""
        found = set(imports(tree, "")) if tree else set()
        for module in self._modules(tree):
            if module.name.split(".")[0] != "cutaway":
                found.update(*(imports(node, "") for node in module.tree.body if isinstance(node, _IMPORT)))
        tops = {name.split(".")[0] for name in found}
        return sorted(tops - sys.stdlib_module_names - self.source.packages.keys() - {""})


_IMPORT = ast.Import | ast.ImportFrom
_Choices = Mapping[str, set[str] | None]


def asked_of(notebook: Any, allow_errors: bool, in_temp: bool) -> dict[str, Any]:
    """What a page asks of a kernel: its cells with the tags that it heeds, the kernel, how it is run."""
    heeded = ("raises-exception", "skip-execution")
    cells = [
        [cell.source, [tag for tag in heeded if tag in cell.metadata.get("tags", ())]]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    kernel = notebook.metadata.get("kernelspec", {}).get("name", "")
    own = notebook.metadata.get("execution", {}).get("allow_errors")
    return {"cells": cells, "kernel": kernel, "allow_errors": allow_errors if own is None else own, "in_temp": in_temp}


def parsed(cells: Iterable[Sequence[Any]]) -> ast.Module | None:
    """All cells as one module; None where one of them is no plain Python (``%time``, ``!ls``)."""
    try:
        tree = ast.Module([node for source, _ in cells for node in ast.parse(source).body], [])
    except (SyntaxError, ValueError):
        return None
    return _SpelledOut().visit(tree)


class _SpelledOut(ast.NodeTransformer):
    """``from cutaway import load`` as ``from cutaway.cells import load``: that module decides what the name gives."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | list[ast.ImportFrom]:
        if node.module != "cutaway" or node.level:
            return node
        found = {name: f"cutaway.{module}" for name, module in PUBLIC.items()}
        modules = {alias.name: found.get(alias.name, "cutaway") for alias in node.names}
        return [
            ast.ImportFrom(module, [alias for alias in node.names if modules[alias.name] == module], 0)
            for module in dict.fromkeys(modules.values())
        ]


def loaded(tree: ast.Module, source: Source) -> set[str] | None:
    """The runs that cells load by name; None where any may be."""
    load = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == LOADER:
            if not {alias.name for alias in node.names} <= {"load", "table", "note"}:
                return None
            load |= {alias.asname or alias.name for alias in node.names if alias.name == "load"}
        elif isinstance(node, ast.ImportFrom) and node.module == CHECKER:
            continue
        elif isinstance(node, _IMPORT) and _reaches_runs(node, source):
            return None
    said = list(_loads(tree, load, {}))
    return None if None in said else {name for names in said for name in names or ()}


def _is_exercise(text: Any) -> bool:
    head, dot, tail = str(text).partition(".") if isinstance(text, str) else ("", "", "")
    return head.isidentifier() and bool(dot) and tail.isidentifier()


def _reaches_runs(node: ast.Import | ast.ImportFrom, source: Source) -> bool:
    """Whether an import of ours gives a way to the runs other than ``load``."""
    ours = [name for name in imports(node, "") if name.split(".")[0] == "cutaway"]
    return bool(ours) and any(module.name == "cutaway.runs" for module in closure(source, node))


def _loads(node: ast.AST, load: Set[str], choices: _Choices) -> Iterator[set[str] | None]:
    """For each use of ``load`` the names that it may be given; ``choices``: what variables around it may be."""
    match node:
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            choices = {**choices, **dict(_choices(node.generators))}
        case ast.Lambda():
            choices = {}
        case ast.Name(id=name) if name in load:
            yield None  # as in map(load, names)
        case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(run))], keywords=[]) if name in load:
            yield {run}
            return
        case ast.Call(func=ast.Name(id=name), args=[ast.Name(id=run)], keywords=[]) if name in load:
            yield choices.get(run)
            return
    for child in ast.iter_child_nodes(node):
        yield from _loads(child, load, choices)


def _choices(generators: Iterable[ast.comprehension]) -> Iterator[tuple[str, set[str] | None]]:
    """The words that a variable of a comprehension takes, if each is written out: ``for name in ("mid", "sft")``."""
    for generator in generators:
        yield from ((node.id, None) for node in ast.walk(generator.target) if isinstance(node, ast.Name))
        match generator:
            case ast.comprehension(target=ast.Name(id=name), iter=ast.Tuple(elts=all) | ast.List(elts=all)):
                words = {item.value for item in all if isinstance(item, ast.Constant) and isinstance(item.value, str)}
                if len(words) == len(all):
                    yield name, words


def _is_loose(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name):
            return name in LOOSE
        case ast.Attribute(attr=name):
            return name in LOOSE_INSIDE
        case ast.Import() | ast.ImportFrom():
            return not LOOSE.isdisjoint(imports(node, ""))
    return False
