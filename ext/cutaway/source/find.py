"""Find an object of the explained source by its dotted path. Pure ``ast``: nothing is imported.

``Source({"nanogpt": [theirs, ours]}).find("nanogpt.model.Block.forward")`` looks for ``model.py`` in the folders in
their order: a module that the first lacks comes from the next, and so does an object that its module lacks. A script,
which importing would run, gives way to a module of that name that is none, and so does what needs a package that is
not installed; what they say can still be ``shown``.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .trees import parsed
from .usable import unusable

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
LONGEST_NAME = 240  # bytes of a dotted path: what a file system takes as the name of a file


class SourceError(Exception):
    """What was asked of the source, what was found, and what to do."""


class Span(NamedTuple):
    """A place in a file: lines from 1, columns (characters, not bytes) from 0, end exclusive."""

    line: int
    col: int
    end_line: int
    end_col: int

    def contains(self, other: Span) -> bool:
        return self[:2] <= other[:2] and other[2:] <= self[2:]


@dataclass(frozen=True)
class Module:
    """A parsed file of the source."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @functools.cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    def span(self, node: ast.AST) -> Span:
        """Where a node stands, in characters (``ast`` counts bytes)."""
        line, end_line = node.lineno, node.end_lineno  # type: ignore[attr-defined]
        col = _characters(self.lines[line - 1], node.col_offset)  # type: ignore[attr-defined]
        end_col = _characters(self.lines[end_line - 1], node.end_col_offset)  # type: ignore[attr-defined]
        return Span(line, col, end_line, end_col)


@dataclass(frozen=True)
class SourceObject:
    """A module, class or function: its definition without decorators' lines left out."""

    dotted: str
    module: Module
    node: Definition | ast.Module
    first_line: int
    last_line: int

    @property
    def path(self) -> Path:
        return self.module.path

    @property
    def text(self) -> str:
        return "\n".join(self.module.lines[self.first_line - 1 : self.last_line])

    @property
    def place(self) -> str:
        """For messages: ``model_src/nanogpt/model.py:52-76``."""
        try:
            path = self.path.relative_to(Path.cwd())
        except ValueError:
            path = self.path
        return f"{path}:{self.first_line}-{self.last_line}"


class Source:
    """The explained packages: a name and the folders that hold its modules, first wins."""

    def __init__(self, packages: Mapping[str, Sequence[Path]]) -> None:
        self.packages = {name: [Path(folder) for folder in folders] for name, folders in packages.items()}

    def module_path(self, name: str) -> Path | None:
        """The file of a dotted module name, or None: the one that is imported."""
        return next(iter(self._by_use(name)), None)

    def module(self, name: str) -> Module:
        path = self.module_path(name)
        if path is None:
            raise SourceError(self._no_module(name))
        return parse(name, path)

    def find(self, dotted: str) -> SourceObject:
        """The object of a dotted path ``package.module[.Class][.function]``, of the files that are imported."""
        name, names = self._split(dotted)
        return _first(dotted, name, names, self._by_use(name))

    def shown(self, dotted: str) -> list[SourceObject]:
        """The object in every file that has it, in the order of the folders, scripts included; at least one."""
        name, names = self._split(dotted)
        found = []
        for path in self._files(name):
            with contextlib.suppress(SourceError):
                found.append(_find_in(parse(name, path), dotted, names))
        return found or [_first(dotted, name, names, self._by_use(name))]

    def _split(self, dotted: str) -> tuple[str, list[str]]:
        """The module of a dotted path, and the names inside it."""
        parts = dotted.split(".")
        if len(dotted) > LONGEST_NAME:
            raise SourceError(f"'{dotted[:60]}…' is no dotted path: it has {len(dotted)} characters")
        for end in range(len(parts), 0, -1):
            name = ".".join(parts[:end])
            if next(self._files(name), None):
                return name, parts[end:]
        raise SourceError(self._no_module(dotted))

    def _by_use(self, name: str) -> list[Path]:
        """The files of a module name, those first that can be imported."""
        paths = list(self._files(name))
        return sorted(paths, key=lambda path: self.unusable(path) != "") if len(paths) > 1 else paths

    def unusable(self, path: Path) -> str:
        """Why a file is not to be imported, in words; empty where it may be."""
        try:
            return unusable(parse(path.stem, path).tree, self.packages)
        except SourceError:
            return ""  # importing it says why

    def _files(self, name: str) -> Iterator[Path]:
        """The files of a dotted module name. Whatever a name says, each lies in a folder of its package."""
        package, *rest = name.split(".")
        if len(name.encode("utf-8", "replace")) > LONGEST_NAME or not all(part.isidentifier() for part in rest):
            return  # "nanogpt.../etc/x" would lead out of the folder
        for folder in self.packages.get(package, []):
            stem = folder.joinpath(*rest)
            modules = [stem.with_name(stem.name + ".py")] if rest else []
            paths = (path for path in (*modules, stem / "__init__.py") if path.is_file() and is_inside(path, folder))
            yield from itertools.islice(paths, 1)

    def _no_module(self, dotted: str) -> str:
        known = sorted(self.packages)
        package = dotted.split(".")[0]
        if package not in self.packages:
            listed = ", ".join(known) or "none"
            return f"no source package '{package}' in '{dotted}'; known: {listed}{nearest(package, known)}"
        names = sorted({f"{package}.{p.stem}" for folder in self.packages[package] for p in folder.glob("*.py")})
        folders = ", ".join(str(folder) for folder in self.packages[package])
        return f"no module for '{dotted}' in {folders}{nearest('.'.join(dotted.split('.')[:2]), names)}"


def is_inside(path: Path, folder: Path) -> bool:
    """Whether a file lies in a folder, and not elsewhere behind a symbolic link. The folder itself may be one."""
    return path.resolve().is_relative_to(folder.resolve())


def python_files(folder: Path) -> list[Path]:
    """The Python files of a folder, none that a link leads out of it."""
    root = folder.resolve()
    return [path for path in sorted(folder.rglob("*.py")) if path.resolve().is_relative_to(root)]


def parse(name: str, path: Path) -> Module:
    """Parse a file (cached by its content's timestamp and size); a syntax error is named with its place."""
    stat = path.stat()
    return _parse(name, path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=256)
def _parse(name: str, path: Path, _mtime: int, _size: int) -> Module:
    try:
        text = path.read_text("utf-8-sig").replace("\r\n", "\n")
        return Module(name, path, text, parsed(text, str(path)))
    except SyntaxError as error:
        raise SourceError(f"{path}:{error.lineno}: {error.msg}: {(error.text or '').strip()!r}") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise SourceError(f"{path}: not Python source in UTF-8: {error}") from error


def _first(dotted: str, name: str, names: list[str], paths: Sequence[Path]) -> SourceObject:
    """The object of the first file that has it. Raises SourceError, of the first file, where none has."""
    errors: list[SourceError] = []
    for path in paths:
        try:
            return _find_in(parse(name, path), dotted, names)
        except SourceError as error:
            errors.append(error)
    raise errors[0]


def _find_in(module: Module, dotted: str, names: list[str]) -> SourceObject:
    node: Definition | ast.Module = module.tree
    for name in names:
        inside = {child.name: child for child in _definitions(node)}
        if name not in inside:
            where = f"{module.path.name}" if isinstance(node, ast.Module) else node.name
            raise SourceError(
                f"no '{name}' in {where} ({module.path}) for '{dotted}'{nearest(name, list(inside), all_if_none=True)}"
            )
        node = inside[name]
    if isinstance(node, ast.Module):
        return SourceObject(dotted, module, node, 1, max(1, len(module.text.rstrip("\n").split("\n"))))
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return SourceObject(dotted, module, node, first, node.end_lineno or node.lineno)


def _definitions(node: ast.AST) -> list[Definition]:
    """Definitions directly inside a node, those under ``if`` and ``try`` included."""
    found: list[Definition] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            found.append(child)
        elif isinstance(child, ast.If | ast.Try | ast.With):
            found += _definitions(child)
    return found


def nearest(name: str, names: list[str], all_if_none: bool = False) -> str:
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        return f"; did you mean {' or '.join(repr(n) for n in near)}?"
    return f"; it has {', '.join(names)}" if all_if_none and names else ""


def _characters(line: str, byte_offset: int) -> int:
    return byte_offset if line.isascii() else len(line.encode()[:byte_offset].decode(errors="ignore"))
