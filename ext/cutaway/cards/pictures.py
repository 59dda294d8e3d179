"""The content of a card as plain data: lines of code, a drawing in text, or the path of a clip's still.

Noted when a page is written, so that a build that writes no page needs to look at none.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Operator, String
from sphinx.environment import BuildEnvironment

from ..build import build_of, trace_of
from ..clips import resolve as clip_resolve
from ..clips.directive import clip
from ..diagrams.directive import diagram
from ..listings.directive import annotation, listing
from ..listings.excerpt import activation, dedented, functions, has_run, indent, listed, margins, shown_lines
from ..source.find import SourceObject, Span
from ..source.quotation import statement
from ..trace.names import PASS, UnknownName, Wanted
from ..trace.reading import TraceError

Picture = dict[str, Any]
LINES = 12  # of code at most: a card has room for no more
AROUND = 3  # lines above a quotation


def of_page(env: BuildEnvironment, doctree: nodes.document) -> Iterator[tuple[str, Picture]]:
    """The picture of each thing on a page that has an id; of a section, the first in it."""
    found = {id(node): of_node(env, node) for node in doctree.findall(_drawn)}
    for node in doctree.findall(nodes.Element):
        picture = found.get(id(node)) or (_first(node, found) if isinstance(node, nodes.section) else None)
        yield from ((name, picture) for name in node["ids"] if picture)


def _drawn(node: nodes.Node) -> bool:
    return isinstance(node, listing | annotation | diagram | clip)


def _first(section: nodes.section, found: dict[int, Picture | None]) -> Picture | None:
    """Of what a section holds the first that can be drawn; a note is no picture of a section."""
    things = (node for node in section.findall(_drawn) if not isinstance(node, annotation))
    return next(filter(None, (found[id(node)] for node in things)), None)


def of_node(env: BuildEnvironment, node: nodes.Node) -> Picture | None:
    """The picture of a listing, a note, a diagram or a clip; None where nothing of it can be drawn."""
    if isinstance(node, annotation):
        owner = node.parent
        return _step(env, owner, node) if isinstance(owner, listing) and owner["file"] and node["span"] else None
    if isinstance(node, listing):
        return _listing(env, node) if node["file"] else None
    if isinstance(node, diagram) and "drawing" in node:
        drawing = node["drawing"]
        return {
            "lines": list(drawing.lines),
            "sizes": [[mark.row, mark.start, mark.end, mark.axis] for mark in drawing.sizes],
            "boxes": [[box.row, box.column, box.height, box.width] for box in drawing.boxes],
        }
    if isinstance(node, clip):
        return _clip(env, node)
    return None


def _clip(env: BuildEnvironment, node: clip) -> Picture | None:
    made = clip_resolve.found(env, node)
    if made is None or not made.key:
        return None
    film = f"-{made.themes[0]}.mp4" if made.why_film else ""
    return {"clip": made.key, "still": made.still(made.poster, "dark"), "film": film}


# Code


def _step(env: BuildEnvironment, owner: listing, note: annotation) -> Picture:
    """The statement of a quotation, with what stands around it."""
    obj, quoted = listed(build_of(env).book.source, owner), Span(*note["span"])
    whole = statement(obj, quoted)
    code = _code_lines(obj)
    before = [line for line in code if line < whole.line][-AROUND:]
    lines = [*before, *(line for line in code if line >= whole.line)]
    return _code(env, owner, obj, [quoted], lines, (whole.line, whole.end_line))


def _listing(env: BuildEnvironment, node: listing) -> Picture:
    """The head of what is listed, then from its first quotation on."""
    obj = listed(build_of(env).book.source, node)
    quoted = [Span(*n["span"]) for n in node.findall(annotation) if n["span"] is not None]
    shown = shown_lines(obj, node["only"])
    lines = [line for line in _code_lines(obj) if line in shown] or sorted(shown)
    begin = min((span.line for span in quoted if span.line in lines), default=lines[0])
    return _code(env, node, obj, quoted, [*lines[:1], *(line for line in lines[1:] if line >= begin)], None)


def _code_lines(obj: SourceObject) -> list[int]:
    """The lines that are neither blank nor comment nor docstring."""
    lines = enumerate(_pieces(dedented(obj)), obj.first_line)
    return [line for line, pieces in lines if any(text.strip() and manner != "aside" for text, manner in pieces)]


def _code(
    env: BuildEnvironment,
    node: listing,
    obj: SourceObject,
    quoted: list[Span],
    lines: list[int],
    about: tuple[int, int] | None,
) -> Picture:
    """Rows of pieces [text, manner]; ``about`` are the lines that the picture is about, None for all."""
    lines = lines[:LINES]
    blanks, pieces = indent(obj), _pieces(dedented(obj))
    marks = [
        [line, max(0, span.col - blanks) if line == span.line else None,
         span.end_col - blanks if line == span.end_line else None]
        for span in quoted for line in lines if span.line <= line <= span.end_line
    ]  # fmt: skip
    beside = _beside(env, node, obj)
    return {
        "file": f"{'/'.join(obj.module.name.split('.'))}.py",
        "rows": [[line, pieces[line - obj.first_line]] for line in lines],
        "quoted": marks,
        "beside": {str(line): beside[line] for line in lines if line in beside},
        "about": list(about or ()),
    }


def _beside(env: BuildEnvironment, node: listing, obj: SourceObject) -> dict[int, list[Any]]:
    """For each line the names of tensors and their shapes: sizes, each with its axis; what fails was reported."""
    if not has_run(build_of(env).book.source, obj):
        return {}
    try:
        wanted = Wanted.read(node["run"])
        trace = trace_of(env, wanted.run)
    except (UnknownName, TraceError):
        return {}
    calls = [activation(trace, dotted, wanted.pass_ or PASS, wanted.module) for dotted, _ in functions(obj)]
    return {
        line: tensors
        for call in calls if call is not None
        for line, margin in margins(trace, call).items()
        if (tensors := [
            [
                ", ".join(beside.names),
                [list(pair) for pair in zip(beside.shape, beside.values[0].axes or [None] * 9, strict=False)],
            ]
            for beside in margin if beside.shape
        ])
    }  # fmt: skip


@functools.lru_cache(maxsize=128)
def _pieces(text: str) -> list[list[list[str]]]:
    """For each line its pieces: a text, and its manner, which is "keyword", "aside" or nothing."""
    lines: list[list[list[str]]] = [[]]
    for kind, value in PythonLexer(stripnl=False, ensurenl=True).get_tokens(text):
        aside = kind in Comment or kind in String.Doc
        manner = "aside" if aside else "keyword" if kind in Keyword or kind in Operator.Word else ""
        for number, part in enumerate(value.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append([part, manner])
    return lines
