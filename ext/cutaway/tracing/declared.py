"""Read which runs a file declares. The file is not executed here: its syntax tree says enough."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..source import Module, SourceError, parse

LIMIT_S = 600.0


class RunError(Exception):
    """A declared run is wrong, failed or took too long."""


@dataclass(frozen=True)
class Declared:
    """A run as read from the file: nothing of it is executed."""

    name: str
    cls: str
    line: int
    sources: tuple[str, ...]
    limit_s: float


def declared(path: Path) -> list[Declared]:
    """The runs that a file declares, in its order."""
    if not path.is_file():
        return []
    try:
        module = parse("runs", path)
    except SourceError as error:
        raise RunError(str(error)) from error
    found = [_declared(module, node) for node in module.tree.body if isinstance(node, ast.ClassDef) and is_run(node)]
    names = [run.name for run in found]
    for run in found:
        if names.count(run.name) > 1:
            raise RunError(f"{path}:{run.line}: the run {run.name!r} is declared twice; give each its own name")
    return found


def is_run(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).split(".")[-1] == "Run" for base in node.bases)


def _declared(module: Module, node: ast.ClassDef) -> Declared:
    settings: dict[str, Any] = {"name": node.name.lower(), "sources": (), "limit_s": LIMIT_S}
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if name in settings:
                settings[name] = _literal(module, statement.value, name)
    return Declared(settings["name"], node.name, node.lineno, tuple(settings["sources"]), settings["limit_s"])


def _literal(module: Module, node: ast.expr, name: str) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        place = f"{module.path}:{node.lineno}"
        raise RunError(
            f"{place}: {name} = {ast.unparse(node)}: write the value itself, the file is not executed"
        ) from None
