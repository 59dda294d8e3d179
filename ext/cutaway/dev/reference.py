"""What the tool offers an author, as tables made from the code that defines it.

What the author types: ``:::{reference} directives`` (or another name of ``TABLES``). What appears: every directive of
the loaded parts with its options and what each means; every role, kind of warning, setting or part. A directive says
its options once, in ``OPTIONS``; the first sentence about it is its module's.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Set
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives, roles
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from ..build import warn
from ..config_values import SETTINGS
from ..domain import Cutaway, cutaway_domain
from ..parts import PARTS, begin
from ..store import digest
from ..warning_kinds import WARNINGS

TOOL = Path(__file__).parents[1]


def all_directives() -> dict[str, type[SphinxDirective]]:
    """The directives that are loaded and ours, by name."""
    known = directives._directives.items()  # type: ignore[attr-defined]
    return {name: found for name, found in sorted(known) if _ours(found)}


def all_roles() -> dict[str, object]:
    known = {**roles._roles, **Cutaway.roles}  # type: ignore[attr-defined]
    return {name: found for name, found in sorted(known.items()) if _ours(type(found))}


def _ours(found: Any) -> bool:
    return isinstance(found, type) and found.__module__.split(".")[0] == __package__.split(".")[0]


def meanings(directive: type[SphinxDirective]) -> dict[str, str]:
    """What each option means; empty where its directive does not say."""
    options = getattr(sys.modules[directive.__module__], "OPTIONS", {})
    return {name: options[name].meaning if name in options else "" for name in directive.option_spec or {}}


def first_sentence(text: str | None) -> str:
    paragraph = " ".join(inspect.cleandoc(text or "").split("\n\n")[0].split())
    return paragraph.partition(". ")[0].rstrip(".") + "."


# The tables

Cell = list[nodes.Node]


def _code(text: str) -> Cell:
    return [nodes.paragraph("", "", nodes.literal(text, text))]


def _words(text: str) -> Cell:
    """A text of the code, in which what stands between backquotes, one or two, is code."""
    parts = text.replace("``", "`").split("`")
    inline = [nodes.literal("", part) if i % 2 else nodes.Text(part) for i, part in enumerate(parts) if part]
    return [nodes.paragraph("", "", *inline)]


def _directives() -> Iterator[list[Cell]]:
    for name, directive in all_directives().items():
        yield [_code(name), [], _words(first_sentence(sys.modules[directive.__module__].__doc__))]
        for option, meaning in meanings(directive).items():
            yield [[], _code(f":{option}:"), _words(meaning)]


def _roles() -> Iterator[list[Cell]]:
    for name, role in all_roles().items():
        yield [_code(name), _words(first_sentence(type(role).__doc__))]


def _warnings() -> Iterator[list[Cell]]:
    for kind, meaning in sorted(WARNINGS.items()):
        yield [_code(f"cutaway.{kind}"), _words(meaning)]


def _settings() -> Iterator[list[Cell]]:
    for name, default, _, type_, meaning, example in SETTINGS:
        kind = f"`{type_.__name__}`, default `{default!r}`"
        yield [_code(name), [*_words(f"{meaning}."), *_words(f"{kind}; for example `{name} = {example}`")]]


def _parts() -> Iterator[list[Cell]]:
    for name, meaning in PARTS.items():
        yield [_code(name), _words(meaning)]


TABLES: dict[str, tuple[tuple[str, ...], tuple[int, ...], Callable[[], Iterator[list[Cell]]]]] = {
    "directives": (("directive", "option", "meaning"), (15, 15, 70), _directives),
    "roles": (("role", "meaning"), (15, 85), _roles),
    "warnings": (("kind", "meaning"), (20, 80), _warnings),
    "settings": (("setting", "meaning, type, default, example"), (25, 75), _settings),
    "parts": (("extension", "what it adds"), (25, 75), _parts),
}


class Reference(SphinxDirective):
    """A table of what the tool offers."""

    required_arguments = 1
    option_spec: ClassVar = {}

    def run(self) -> list[nodes.Node]:
        which = self.arguments[0].strip().lower()
        if which not in TABLES:
            warn(self.env, f"no table '{which}'; there is {', '.join(TABLES)}", self.get_location(), "reference")
            return []
        head, widths, rows = TABLES[which]
        docname = self.env.current_document.docname
        cutaway_domain(self.env).note_use(docname, "reference", {"tool": _tool()})
        columns = [nodes.colspec(colwidth=width) for width in widths]
        group = nodes.tgroup("", *columns, cols=len(head))
        group += nodes.thead("", _row([[nodes.paragraph("", word)] for word in head]))
        group += nodes.tbody("", *(_row(cells) for cells in rows()))
        return [nodes.table("", group, classes=["colwidths-given"])]


def _row(cells: list[Cell]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", *cell) for cell in cells))


# The tables depend on the code of the tool, which no page names


@functools.cache
def _tool() -> str:
    return digest([path.read_bytes() for path in sorted(TOOL.rglob("*.py"))])


def outdated(
    app: Sphinx, env: BuildEnvironment, added: Set[str], changed: Set[str], removed: Set[str]
) -> list[str]:
    return [name for name, use in cutaway_domain(env).uses("reference") if use["tool"] != _tool()]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("reference", Reference)
    return begin(app)
