"""An answer that the reader types, checked by the page against the recording, with a folded solution.

What the author types, below a question::

    :::{answer} cell.weight
    :within: 1%

    `cell.unscaled`
    : Divide the scores by the root of the head's size first.

    The power of the score, divided by the sum of all powers, is {fact}`cell.weight`.
    :::

The argument is an expression as in a claim, which names recorded values: the answer is computed and can't be typed. It
gives a number, a list of numbers such as a shape, a text, or yes and no. The body's definition list has wrong answers,
expressions too, with the hint that each deserves; one that would count as right is a warning. The rest of the body is
the solution. With ``:code: softmax.Weights`` in place of the argument, the solution of that exercise
(:mod:`cutaway.exercises.checking`) is printed, for a function that the reader writes in a cell.

Without a script, in print and elsewhere, stand the question and its solution.
"""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any, ClassVar, cast

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ..build import bounded, warn
from ..claims.syntax import names
from ..domain import cutaway_domain
from ..options import Option, spec
from ..page_order import page_of
from ..settings import replaced_sources
from ..store import digest
from ..warning_kinds import Kind
from . import html
from .answers import Answer, AnswerError, answer_of, read_within, readable
from .checking import FOLDER, NAME

KIND: Kind = "answer"


class answer(nodes.General, nodes.Element):
    """Attributes ``expression``, ``within``, ``key``; its children are mistakes and, last, a solution."""


class mistake(nodes.General, nodes.Element):
    """A hint; attribute ``expression``: the wrong answer that it is for."""


class solution(nodes.General, nodes.Element):
    """What is folded; its children are the words of it."""


_WITHIN = (
    "how far a number may be off, `0.01` or `2%`; without it 1 % of one that is not whole, and nothing of a whole one"
)
OPTIONS = {
    "within": Option(directives.unchanged_required, _WITHIN),
    "code": Option(directives.unchanged_required, "in place of the argument: the exercise whose solution is printed"),
}


class AnswerDirective(SphinxDirective):
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar = spec(OPTIONS)

    def run(self) -> list[nodes.Node]:
        bounded(self, KIND)
        node = answer(expression="", within=self.options.get("within", "").strip())
        node.source, node.line = self.get_source_info()
        hints, rest = _parted(self.parse_content_to_nodes())
        text, code = " ".join("".join(self.arguments).split()), self.options.get("code", "").strip()
        try:
            if bool(text) == bool(code):
                raise AnswerError("an answer needs an expression, or else :code: with an exercise, and not both")
            rest += _code(self, code) if code else []
            if text:
                node["expression"] = text
                node += [hint for hint in hints if _read(self, hint, hint["expression"])]
                readable(text)
                if node["within"]:
                    read_within(node["within"])
        except AnswerError as error:
            _say(self.env, node, text or code, error)
            node["expression"] = ""
        else:
            if not rest:
                _say(self.env, node, text or code, AnswerError("it has no solution: write one below, for who gives up"))
        node["key"] = digest(self.env.current_document.docname, text)[:8]
        for name in names(readable(text)) if node["expression"] else ():
            cutaway_domain(self.env).note_use(self.env.current_document.docname, "fact", {"name": name})
        node += solution("", *rest)
        return [node]


def _parted(children: list[nodes.Node]) -> tuple[list[mistake], list[nodes.Node]]:
    """The hints of a body, and what else it holds: a definition list whose terms are code has hints."""
    hints: list[mistake] = []
    rest: list[nodes.Node] = []
    for child in children:
        items = [cast("nodes.Element", item) for item in child.children if isinstance(child, nodes.definition_list)]
        if items and all(isinstance(item[0].children[0], nodes.literal) for item in items if item[0].children):
            for item in items:
                made = mistake("", *cast("nodes.Element", item[-1]).children, expression=item[0].astext().strip())
                made.source, made.line = item.source or child.source, item.line or child.line
                hints.append(made)
        else:
            rest.append(child)
    return hints, rest


def _read(directive: SphinxDirective, node: nodes.Element, text: str) -> bool:
    try:
        readable(text)
    except AnswerError as error:
        _say(directive.env, node, text, error)
        return False
    return True


def _say(env: Any, node: nodes.Element, text: str, error: AnswerError) -> None:
    if str(error):
        warn(env, f"answer '{text}': {error}", node, KIND)


def _code(directive: SphinxDirective, name: str) -> list[nodes.Node]:
    """The function ``solution`` of an exercise, as its file has it; nothing is executed."""
    if not NAME.fullmatch(name):
        raise AnswerError("an exercise is FILE.CLASS, such as softmax.Weights")
    file, _, cls = name.partition(".")
    folder = Path(directive.env.srcdir, FOLDER)
    path = folder / f"{file}.py"
    if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        raise AnswerError(f"there is no file {FOLDER}/{file}.py beside conf.py")
    directive.env.note_dependency(str(path))
    text = path.read_text("utf-8", "replace")
    try:
        body = next(node.body for node in ast.parse(text).body if isinstance(node, ast.ClassDef) and node.name == cls)
        found = next(node for node in body if isinstance(node, ast.FunctionDef) and node.name == "solution")
    except (SyntaxError, ValueError, StopIteration) as error:
        raise AnswerError(f"{FOLDER}/{file}.py has no class {cls} with a function solution") from error
    lines = text.splitlines()[found.lineno - 1 : found.end_lineno]
    code = inspect.cleandoc("\n" + "\n".join(lines))
    return [nodes.literal_block(code, code, language="python")]


def fill_in(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Compute the answers of a page; where a page can't check, its solutions are left."""
    is_site = app.builder.format == "html" and app.builder.name != "epub"
    for node in list(doctree.findall(answer)):
        found = _computed(app, node, page_of(node, docname)) if node["expression"] else None
        if is_site:
            node["found"] = found
        else:
            *_, last = node.children
            title = nodes.paragraph("", "", nodes.strong("", "Solution"))
            node.replace_self([title, *cast("nodes.Element", last).children])


def _computed(app: Sphinx, node: answer, docname: str) -> tuple[Answer, list[Answer]] | None:
    """The answer and those of its mistakes; a mistake that is none is left out."""
    try:
        right = answer_of(app.env, docname, node["expression"], node["within"])
    except AnswerError as error:
        _say(app.env, node, node["expression"], error)
        return None
    wrong: list[Answer] = []
    for hint in list(node.findall(mistake)):
        try:
            found = answer_of(app.env, docname, hint["expression"])
            if right.is_right(found) and not replaced_sources():
                said = f"the wrong answer '{hint['expression']}' gives {found.value}, which counts as right"
                raise AnswerError(f"{said} ({right.value}, within {right.within:.3g})")
            wrong.append(found)
        except AnswerError as error:
            _say(app.env, hint, node["expression"], error)
            node.remove(hint)
    return right, wrong


def _plain(translator: Any, node: nodes.Element) -> None:
    """Replaced before it is printed."""


def setup(app: Sphinx) -> None:
    plain = (_plain, _plain)
    others: Any = {"latex": plain, "text": plain, "man": plain, "texinfo": plain}
    app.add_node(answer, html=(html.visit_answer, html.depart_answer), **others)
    app.add_node(mistake, html=(html.visit_mistake, html.depart_mistake), **others)
    app.add_node(solution, html=(html.visit_solution, html.depart_solution), **others)
    app.add_directive(KIND, AnswerDirective)
