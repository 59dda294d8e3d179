"""What the tool offers an author, as tables made from the code that defines it.

What the author types: ``:::{reference} directives`` (or ``roles``, or ``warnings``). What appears: every directive of
the loaded parts with its options and what each means, every role, or every kind of warning with its messages, in which
``…`` stands for what depends on the mistake. A directive says its options once, in ``OPTIONS``; the first sentence
about it is its module's.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
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
from ..domain import Cutaway, cutaway_domain
from ..parts import begin
from ..store import digest

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


# The kinds of warnings, from the calls of ``warn``


def all_warnings(package: Path = TOOL) -> dict[str, list[str]]:
    """The kinds of warnings that the code gives, each with its messages; ``…`` stands for what is filled in."""
    kinds: dict[str, list[str]] = {}
    for path in sorted(package.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                for kind, message in _given(function, tree, path):
                    kinds.setdefault(kind, []).extend(_texts(message, function, tree))
    return {kind: sorted(set(texts)) for kind, texts in sorted(kinds.items())}


def _given(function: ast.FunctionDef, tree: ast.Module, path: Path) -> Iterator[tuple[str, ast.expr]]:
    """Kind and message of each warning that a function gives."""
    for call in ast.walk(function):
        if not isinstance(call, ast.Call):
            continue
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        is_warn = isinstance(call.func, ast.Name) and call.func.id == "warn" and len(call.args) == 4
        kind = call.args[3] if is_warn else named.get("subtype")
        message = call.args[1] if is_warn else next(iter(call.args), None)
        if kind is not None and message is not None and (text := _constant(kind, tree, path)):
            yield text, message


def _constant(node: ast.expr, tree: ast.Module, path: Path) -> str:
    """A string, or what a name of the module stands for: assigned in it, or where it imports it from."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if not isinstance(node, ast.Name):
        return ""
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and any(_is(target, node.id) for target in statement.targets):
            return _constant(statement.value, tree, path)
        if isinstance(statement, ast.ImportFrom) and node.id in {alias.name for alias in statement.names}:
            folder = path.parents[statement.level - 1]
            path = folder.joinpath(*(statement.module or "").split(".")).with_suffix(".py")
            return _constant(node, ast.parse(path.read_text("utf-8")), path) if path.is_file() else ""
    return ""


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _texts(message: ast.expr, function: ast.FunctionDef, tree: ast.Module) -> Iterator[str]:
    """The words of a message: of a literal, of what was assigned to its name, of what callers give as a parameter."""
    if isinstance(message, ast.Constant):
        yield str(message.value)
    elif isinstance(message, ast.JoinedStr):
        parts = (str(part.value) if isinstance(part, ast.Constant) else "…" for part in message.values)
        text = re.sub("…+", "…", "".join(parts))
        if text.replace("…", "").strip(" :;"):
            yield text
    elif isinstance(message, ast.Name):
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and any(_is(target, message.id) for target in node.targets):
                yield from _texts(node.value, function, tree)
        names = [argument.arg for argument in function.args.args if argument.arg != "self"]
        if message.id in names:
            yield from _from_callers(function, names.index(message.id), tree)


def _from_callers(function: ast.FunctionDef, place: int, tree: ast.Module) -> Iterator[str]:
    for caller in ast.walk(tree):
        if isinstance(caller, ast.FunctionDef) and caller is not function:
            for call in ast.walk(caller):
                if isinstance(call, ast.Call) and len(call.args) > place:
                    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                    if called == function.name:
                        yield from _texts(call.args[place], caller, tree)


# The tables

Cell = list[nodes.Node]


def _code(text: str) -> Cell:
    return [nodes.paragraph("", "", nodes.literal(text, text))]


def _words(text: str) -> Cell:
    """A text of the code, in which ``…`` between double backquotes is code."""
    parts = text.split("``")
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
    for kind, messages in all_warnings().items():
        items = [nodes.list_item("", nodes.paragraph("", text, support_smartquotes=False)) for text in messages]
        yield [_code(f"cutaway.{kind}"), [nodes.bullet_list("", *items)] if items else _words("as the error says")]


TABLES: dict[str, tuple[tuple[str, ...], tuple[int, ...], Callable[[], Iterator[list[Cell]]]]] = {
    "directives": (("directive", "option", "meaning"), (15, 15, 70), _directives),
    "roles": (("role", "meaning"), (15, 85), _roles),
    "warnings": (("kind", "messages"), (20, 80), _warnings),
}


class Reference(SphinxDirective):
    """A table of directives, roles or warnings."""

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
