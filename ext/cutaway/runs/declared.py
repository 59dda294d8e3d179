"""Read which runs a file declares. The file is not executed here: its syntax tree says enough."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..source.find import Module, SourceError, parse

LIMIT_S = 600.0
PATTERN = re.compile(r"\w+(\.[\w*?]+)*")  # a package, or modules of it: transformers.models.gpt2.*
SETTINGS = ("name", "sources", "after", "pinned", "inputs")  # who it is, what it reads, what is kept of it
TIMES = ("limit_s", "budget_s")  # they decide whether a run ends, not what it ends with


class RunError(Exception):
    """A declared run is wrong, failed or took too long."""


@dataclass(frozen=True)
class Declared:
    """A run as read from the file: nothing of it is executed."""

    name: str
    cls: str
    file: Path
    line: int
    sources: tuple[str, ...]
    after: tuple[str, ...]
    limit_s: float
    budget_s: float
    pinned: bool = True  # whether what it left is committed
    inputs: tuple[str, ...] = ()  # files that it reads, patterns from its file's folder; "$NAME": of the environment

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages of ``sources``: ``transformers`` of ``transformers.models.gpt2.*``."""
        return tuple(dict.fromkeys(source.split(".")[0] for source in self.sources))

    @property
    def beside(self) -> dict[str, list[Path]]:
        """The folder of the file as a package, for what several files share: ``from runs.models import ...``."""
        return {self.file.parent.name: [self.file.parent]}


def declared(files: Sequence[Path]) -> list[Declared]:
    """The runs that files declare, in their order; a file that isn't there declares none."""
    found = [run for path in files if path.is_file() for run in _in_file(path)]
    names = [run.name for run in found]
    for run in reversed(found):
        if names.count(run.name) > 1:
            raise RunError(f"{run.file}:{run.line}: the run {run.name!r} is declared twice; give each its own name")
    for place, run in enumerate(found):
        _check_before(run, names[:place], names)
    return found


def _check_before(run: Declared, before: Sequence[str], all: Sequence[str]) -> None:
    """A run goes on from runs that are declared before it: so none waits for itself."""
    for name in run.after:
        if name not in before:
            there = "declared later: move it up" if name in all else f"not declared; there is {', '.join(all)}"
            raise RunError(f"{run.file}:{run.line}: the run {run.name!r} comes after {name!r}, which is {there}")


def _in_file(path: Path) -> list[Declared]:
    try:
        module = parse("runs", path)
    except SourceError as error:
        raise RunError(str(error)) from error
    return [_declared(module, node) for node in module.tree.body if isinstance(node, ast.ClassDef) and is_run(node)]


def is_run(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).split(".")[-1] == "Run" for base in node.bases)


def _declared(module: Module, node: ast.ClassDef) -> Declared:
    settings: dict[str, Any] = {
        "name": node.name.lower(), "sources": (), "after": (), "limit_s": LIMIT_S, "budget_s": 0.0,
        "pinned": True, "inputs": (),
    }  # fmt: skip
    for statement in node.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            if isinstance(target, ast.Name) and target.id in settings:
                settings[target.id] = _checked(module, statement.value, target.id)
    sources, after = _names(settings["sources"]), _names(settings["after"])
    times = settings["limit_s"], settings["budget_s"]
    others = settings["pinned"], _names(settings["inputs"])
    return Declared(settings["name"], node.name, module.path, node.lineno, sources, after, *times, *others)


def _names(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _checked(module: Module, node: ast.expr, name: str) -> Any:
    value = _literal(module, node, name)
    names = value if isinstance(value, tuple | list) else [value]
    seconds = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    fits = {
        "name": isinstance(value, str) and value != "",
        "sources": all(isinstance(source, str) and PATTERN.fullmatch(source) for source in names),
        "after": all(isinstance(run, str) for run in names),
        "limit_s": seconds,
        "budget_s": seconds,
        "pinned": isinstance(value, bool),
        "inputs": all(isinstance(path, str) and path for path in names),
    }
    if not fits[name]:
        kinds = {"name": "a word", "sources": "names of packages, or patterns of modules as in mypackage.models.*"}
        kinds |= {"after": "names of runs", "pinned": "True or False"}
        kinds |= {"inputs": 'paths of files from the folder of this one, as in "../data/*.txt"'}
        kinds |= dict.fromkeys(TIMES, "a number of seconds")
        raise RunError(f"{module.path}:{node.lineno}: {name} = {ast.unparse(node)}: write {kinds[name]}")
    return value


def _literal(module: Module, node: ast.expr, name: str) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        place = f"{module.path}:{node.lineno}"
        raise RunError(
            f"{place}: {name} = {ast.unparse(node)}: write the value itself, the file is not executed"
        ) from None
