"""An index of the book's steps, in the order in which the runs reached them.

What the author types::

    :::{sequence}
    :run: sort
    :::

What appears: a table for each pass of that run, then of the other runs, and one for what no pass reached (constructors,
branches not taken), page by page. Each row has the step's code, which links to its note, its place in the source, what
it gave, and its chapter. Above them stands, for each file of the source that has steps, how many of its lines they
explain. There is nothing to go wrong but an undeclared run, a warning ``cutaway.sequence``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ..build import build_of, warn
from ..domain import Step, cutaway_domain, nearest
from ..options import Option, spec
from ..source_pages import coverage
from ..step_order import UNREACHED, Ran, in_order
from ..theme import shapes

HEAD = ("no.", "step", "where", "gives", "chapter")
WIDTHS = (5, 35, 25, 20, 15)


class sequence(nodes.General, nodes.Element):
    """Still to be filled in; attribute ``run``."""


OPTIONS = {"run": Option(directives.unchanged_required, "whose passes come first; the first declared one without it")}


class SequenceDirective(SphinxDirective):
    option_spec: ClassVar = spec(OPTIONS)

    def run(self) -> list[nodes.Node]:
        asked = self.options.get("run", "").strip()
        declared = build_of(self.env).outcomes
        if asked and asked not in declared:
            message = f"no run '{asked}' in {build_of(self.env).book.declared_in}{nearest(asked, declared)}"
            warn(self.env, message, self.get_location(), "sequence")
            return []
        cutaway_domain(self.env).note_use(self.env.current_document.docname, "sequence", {})
        return [sequence(run=asked)]


def fill_in(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(sequence)):
        numbered = list(enumerate(in_order(app.env, node["run"]), 1))
        filled: list[nodes.Node] = []
        for (run, pass_), rows in groupby(numbered, key=lambda pair: (pair[1].run, pair[1].pass_)):
            words = f"The run “{run}”, pass “{pass_}”" if run != UNREACHED else "Outside the recorded passes"
            filled += [nodes.rubric("", words), _table(app, docname, list(rows))]
        node.replace_self([*coverage(app, docname), *filled])


def _table(app: Sphinx, docname: str, rows: Sequence[tuple[int, Ran]]) -> nodes.table:
    group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in WIDTHS), cols=len(HEAD))
    group += nodes.thead("", _row([[nodes.Text(word)] for word in HEAD]))
    group += nodes.tbody("", *(_row(_cells(app, docname, number, ran)) for number, ran in rows))
    return nodes.table("", group, classes=["cutaway-sequence"])


def _row(cells: Sequence[Sequence[nodes.Node]]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))


def _cells(app: Sphinx, docname: str, number: int, ran: Ran) -> list[list[nodes.Node]]:
    step = ran.step
    code = nodes.literal("", step.quotation, classes=["code"])
    link = nodes.reference("", "", code, refuri=_address(app, docname, step), internal=True)
    module = build_of(app.env).book.source.find(step.object).module
    name = step.object.removeprefix(module.name + ".")
    title = app.env.titles[step.docname].astext()
    return [
        [nodes.Text(str(number))],
        [link],
        [nodes.Text(f"{name}, line {step.span.line}")],
        _given(ran),
        [nodes.Text(title)],
    ]


def _address(app: Sphinx, docname: str, step: Step) -> str:
    page = "" if step.docname == docname else app.builder.get_relative_uri(docname, step.docname)
    return f"{page}#{step.id}"


def _given(ran: Ran) -> list[nodes.Node]:
    value = ran.value
    if value is None:
        return []
    if value.type == "tensor":
        return [shapes.inline(value.shape or (), value.axes)]
    return [nodes.Text(shapes.summary(value))]


def _as_text(translator: Any, node: sequence) -> None:
    """Replaced before it is printed."""


def setup(app: Sphinx) -> None:
    plain = (_as_text, _as_text)
    app.add_node(sequence, html=plain, latex=plain, text=plain, man=plain, texinfo=plain)
    app.add_directive("sequence", SequenceDirective)
