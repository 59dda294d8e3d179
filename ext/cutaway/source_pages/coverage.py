"""Coverage: the lines of the source that each step explains, and the steps that explain each line.

A step explains the statement around its quotation, and what goes with it:

- a simple statement whole, with the full-line comments right above it in the same block;
- in the head of a compound statement (``def``, ``class``, ``if``, ``for``, ``with``, ``while``) that head, to its
  colon; of a definition with its decorators and its docstring; of an ``if`` with the lines ``elif`` and ``else``;
- of a range (``first ... last``) all from the first statement to the last, comments between included;
- with the first statement of a module the module's docstring.

Coverage is the share of a file's lines that some step explains; blank lines don't count.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..settings import Book, steps_of_last_build
from ..source.find import Module, Source, SourceError, SourceObject, nearest, parse, python_files
from ..source.quotation import RANGE, match, place
from ..source.statements import together


class Explained(NamedTuple):
    """The lines that a step explains, not always one piece; ``at`` is where its quotation begins."""

    lines: frozenset[int]
    at: int
    size: tuple[int, int]  # lines and characters of what is quoted

    @property
    def piece(self) -> tuple[int, int]:
        """First and last line of the piece that holds the quotation."""
        return next((first, last) for first, last in pieces(self.lines) if first <= self.at <= last)


def explained(obj: SourceObject, quotation: str) -> Explained:
    """What a note with this quotation explains of the file; SourceError unless it occurs exactly once."""
    span = match(obj, quotation)
    quoted = span if RANGE in quotation else place(obj, quotation)
    groups = _together(obj.module.text)
    own = range(quoted.line, quoted.end_line + 1)
    lines = frozenset(own).union(*(groups.get(line, ()) for line in own))
    size = (span.end_line - span.line, span.end_col - span.col)
    return Explained(lines, quoted.line, size)


@functools.lru_cache(maxsize=64)
def _together(text: str) -> dict[int, set[int]]:
    return together(text)


@dataclass(frozen=True)
class File:
    """A file of the source, and the lines that each step explains in it."""

    name: str  # nanogpt/model.py
    module: Module
    steps: dict[str, Explained]

    @functools.cached_property
    def filled(self) -> frozenset[int]:
        """The lines that are not blank."""
        return frozenset(number for number, line in enumerate(self.module.lines, 1) if line.strip())

    @functools.cached_property
    def explained(self) -> frozenset[int]:
        return self.filled & self._at.keys()

    @property
    def coverage(self) -> float:
        """From 0 to 1; an empty file lacks nothing."""
        return len(self.explained) / len(self.filled) if self.filled else 1.0

    @property
    def unexplained(self) -> list[tuple[int, int]]:
        """First and last line of each piece that no step explains."""
        return [(first, last) for first, last, ids in self.ranges() if not ids]

    def ranges(self) -> list[tuple[int, int, list[str]]]:
        """The whole file in pieces that the same steps explain; blank lines stand between or inside them."""
        found: list[tuple[int, int, list[str]]] = []
        for line in sorted(self.filled):
            ids = self.ids_at(line)
            if found and found[-1][2] == ids:
                found[-1] = (found[-1][0], line, ids)
            else:
                found.append((line, line, ids))
        return found

    def ids_at(self, line: int) -> list[str]:
        """The steps that explain a line: those that explain least of the file first."""
        return self._at.get(line, [])

    @functools.cached_property
    def _at(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for id in sorted(self.steps, key=lambda id: (len(self.steps[id].lines), self.steps[id].size, id)):
            for line in self.steps[id].lines:
                found.setdefault(line, []).append(id)
        return found


def pieces(lines: Iterable[int]) -> list[tuple[int, int]]:
    """``{1, 2, 3, 7}`` -> ``[(1, 3), (7, 7)]``."""
    found: list[tuple[int, int]] = []
    for line in sorted(lines):
        if found and found[-1][1] == line - 1:
            found[-1] = (found[-1][0], line)
        else:
            found.append((line, line))
    return found


def files(source: Source, steps: Mapping[str, tuple[str, str]]) -> dict[str, File]:
    """Every file of the source by its name, with its steps; ``steps`` has object and quotation of each by its id.

    A step whose quotation does not occur explains nothing.
    """
    found = {name: File(name, module, {}) for name, module in modules(source).items()}
    for id, (dotted, quotation) in steps.items():
        with contextlib.suppress(SourceError):
            obj = source.find(dotted)
            file = found[file_name(obj.module)]
            if file.module.path == obj.path:  # and not that of another folder, which has what this one lacks
                file.steps[id] = explained(obj, quotation)
    return found


def modules(source: Source) -> dict[str, Module]:
    """The modules of every package by the names of their files; of two with one name, that which is imported."""
    found: dict[str, Module] = {}
    for package, folders in sorted(source.packages.items()):
        for folder in folders:
            for path in python_files(folder):
                inside = path.relative_to(folder)
                parts = [package, *inside.with_suffix("").parts]
                dotted = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                with contextlib.suppress(SourceError):  # one that can't be read has nothing to quote
                    used = source.module_path(dotted) or path
                    name = f"{package}/{inside.as_posix()}"
                    if name not in found or path == used:
                        found[name] = parse(dotted, path)
    return found


def file_name(module: Module) -> str:
    """``nanogpt/model.py`` of ``nanogpt.model``."""
    name = "/".join(module.name.split("."))
    return f"{name}/__init__.py" if module.path.name == "__init__.py" else f"{name}.py"


# Without a build


def files_of_last_build(book: Book) -> dict[str, File]:
    """Every file of the source, as the steps of the last build explain it now; SourceError if there was none."""
    steps = steps_of_last_build(book)
    if not steps:
        raise SourceError(f"no build of {book.confdir} has noted its steps in {book.store.root}; build it first")
    return files(book.source, steps)


def ids_at(book: Book, path: str | Path, line: int) -> list[str]:
    """The steps of the last build that explain a line, innermost first; SourceError if there is no such line."""
    file = named(files_of_last_build(book), path)
    last = max(file.filled, default=0)
    if not 1 <= line <= last:
        raise SourceError(f"no line {line} in {file.name}; it has {last}")
    return file.ids_at(line)


def named(found: Mapping[str, File], path: str | Path) -> File:
    """The file that a reader names, as ``nanogpt/model.py``, with or without what is before it, or ``nanogpt.model``.

    Raises SourceError, which says what there is, where the name fits none or several.
    """
    asked = str(path).replace("\\", "/")
    dotted = [name for name, file in found.items() if file.module.name == asked]
    parts = PurePosixPath(asked).parts
    fits = dotted or [name for name in found if _same_end(parts, PurePosixPath(name).parts)]
    if len(fits) == 1:
        return found[fits[0]]
    if fits:
        raise SourceError(f"'{path}' may be {' or '.join(fits)}; write the whole name")
    raise SourceError(f"no file '{path}' in the source{nearest(asked, list(found), all_if_none=True)}")


def _same_end(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shared = min(len(one), len(other))
    return shared > 0 and one[-shared:] == other[-shared:]


def report(book: Book, path: str | None = None) -> str:
    """How much of each file is explained, and what is not, for the command line."""
    found = files_of_last_build(book)
    asked = [named(found, path)] if path else list(found.values())
    return "\n".join(line for file in asked for line in _reported(file, whole=path is not None))


def _reported(file: File, whole: bool) -> list[str]:
    says = f"{file.name}: {len(file.explained)} of {len(file.filled)} lines explained ({file.coverage:.1%})"
    if not (whole or file.steps):
        return [says]
    gaps = [f"  {first}" if first == last else f"  {first}-{last}" for first, last in file.unexplained]
    return [says, *(f"{gap:10} {file.module.lines[int(gap.split('-')[0]) - 1].strip()}" for gap in gaps)]
