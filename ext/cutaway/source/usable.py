"""Whether a file of another checkout is to be imported, from its syntax tree alone."""

from __future__ import annotations

import ast
import functools
import importlib.util
from collections.abc import Container


@functools.lru_cache(maxsize=1024)
def is_script(tree: ast.Module) -> bool:
    """Whether importing would run a program: at the top level it asks the command line, executes other files or loops
    on a condition, and not behind ``if __name__``."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            continue
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.While) or called == "exec" or called.endswith(".parse_args"):
            return True
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.argv":
            return True
        pending += ast.iter_child_nodes(node)
    return False


def unusable(tree: ast.Module, own: Container[str]) -> str:
    """Why a module is not to be imported, in words; empty where it may be. ``own``: packages that are there."""
    if is_script(tree):
        return "a script"
    missing = [name for name in _needed(tree) if name not in own and not _is_installed(name)]
    return f"which needs {missing[0]}" if missing else ""


def _needed(tree: ast.Module) -> list[str]:
    """The packages without which a module can't be imported: those of its imports that nothing guards."""
    names = [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom) and not node.level]
    return [name.partition(".")[0] for name in names]


@functools.cache
def _is_installed(name: str) -> bool:
    # Without torch nothing is imported; then a store has all.
    return importlib.util.find_spec(name) is not None or importlib.util.find_spec("torch") is None
