"""The tool's own code that makes a file, as part of the key under which the store keeps it.

Which modules that is follows from their imports: an edit of one that takes no part makes nothing anew.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path

from .. import PUBLIC
from ..digests import digest
from .find import Module, Source
from .imports import package_of, taken, without_docstrings

TOOL = Path(__file__).parents[1]
_SOURCE = Source({"cutaway": [TOOL]})


def own_modules(*starts: str, source: Source = _SOURCE) -> list[Module]:
    """The modules of these names and those that they import, transitively, by name.

    A package counts where something is taken from its ``__init__``, not where it merely stands above a module: ours
    hold no code that a module below needs. ``cutaway`` itself, which only names what stands elsewhere, never counts.
    """
    found: dict[str, Module] = {}
    pending = list(starts)
    while pending:
        name = pending.pop()
        if name not in found and name not in source.packages and source.module_path(name):
            module = found[name] = source.module(name)
            pending += taken(source, module.tree, package_of(module))
    return [found[name] for name in sorted(found)]


def own_names(tree: ast.AST) -> set[str]:
    """The modules of ours that an author's code imports; of ``from cutaway import Run`` the one that defines it."""
    named = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "cutaway" and not node.level
        for alias in node.names
    }
    modules = {name for name in taken(_SOURCE, tree, "") if _SOURCE.module_path(name)}
    return modules - {"cutaway"} | {f"cutaway.{PUBLIC[name]}" for name in named & PUBLIC.keys()}


@functools.cache  # nothing is edited below a running build
def own_code(*starts: str) -> str:
    """Digest of the code of modules and of all that they import; comments and docstrings don't count."""
    return digest([without_docstrings(module.tree) for module in own_modules(*starts)])
