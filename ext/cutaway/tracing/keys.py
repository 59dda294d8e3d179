"""What makes a run train again, and what makes it trace again."""

from __future__ import annotations

import ast
from pathlib import Path

from ..book import Book
from ..source import Source, parse
from ..store import digest, version
from .closure import closure, without_docstrings
from .declared import Declared, is_run
from .stage import THREADS


class Keys:
    """The two keys of a run: what it imports of the source, its own code, the versions that compute."""

    def __init__(self, book: Book, run: Declared) -> None:
        self.file = parse("runs", book.runs)
        self.run = run
        self.node = next(n for n in self.file.tree.body if isinstance(n, ast.ClassDef) and n.name == run.cls)
        own = [n for n in self.file.tree.body if not (isinstance(n, ast.ClassDef) and is_run(n))]
        self.rest = ast.Module([*own, self.node], [])
        self.modules = closure(Source({name: book.sources[name] for name in run.sources}), self.rest)
        self.versions = {name: version(name) for name in ("torch", "numpy")}

    def training(self) -> str:
        train = [n for n in self.node.body if not (isinstance(n, ast.FunctionDef) and n.name in ("trace", "build"))]
        own = [n for n in self.rest.body if n is not self.node]
        code = [without_docstrings(ast.Module([*own, *train], []))]
        code += [f"{module.name}:{without_docstrings(module.tree)}" for module in self.modules]
        return digest("train", self.run.name, code, self.versions, THREADS)

    def tracing(self, weights: str) -> str:
        own = [ast.unparse(n) for n in self.rest.body]
        texts = {module.name: module.text for module in self.modules}
        return digest("trace", self.run.name, own, texts, weights, self.versions, THREADS, _tracer())


def _tracer() -> list[str]:
    """The text of the modules that record: another tracer makes another trace."""
    names = ("axes", "child", "instrument", "loading", "record")
    return [Path(__file__).with_name(f"{name}.py").read_text("utf-8") for name in names]
