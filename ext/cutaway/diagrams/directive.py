"""A drawing in text: computed from what the code did, or made by hand and checked.

What the author types::

    :::{diagram} nanogpt.model.CausalSelfAttention.forward
    :run: sort
    :::

What appears: one box for each step that made a tensor, with the shape that the run recorded; arrows are
the tensors. Calls of modules and additions of two tensors are boxes of their own. A box leads to the step
(of a listing) whose quotation stands in it; a module's box leads to the module's own drawing, if the book
has one with a ``:name:``. In a drawing with a ``:name:`` the step leads back to its box. A description in
words is computed, too. A class stands for its ``forward``. ``:run:`` is RUN, RUN.PASS or RUN.PASS/MODULE, as
in a listing; without it the first run counts in which the function was called.

With ``:backward:`` the arrows are turned: each box says by which rule a gradient goes through it, and for which
parameters one comes out there. The pass must have been recorded with its gradients (``runs/gradients.py``).

With a body the drawing is the author's, and ``:alt:`` is required::

    ```{diagram}
    :alt: text becomes tokens
    ┌──────┐     ┌────────┐
    │ text │────▶│ tokens │
    └──────┘     └────────┘

    tokens -> data/tokens
    ```

Corners and arms must meet, lines have at most 78 columns and no tabs. After a blank line, ``label ->
target`` makes the words ``label``, which must occur once, a link to a label or a page.

Where the book has no run, or none that called the function, it is drawn from its source alone, without
shapes, and says so.

What can go wrong is a warning ``cutaway.diagram`` at its line: no such function, a run that failed or did
not call it, a function without tensors, a line that ends in the air, a link to nothing. The page then
shows the argument, or the drawing as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ..build import build_of, warn
from ..domain import cutaway_domain
from ..options import Option, spec
from ..source.find import SourceError
from ..trace.names import UnknownName, Wanted
from . import hand_drawn
from .explain import SKETCHED, NotCalled, function_of, sketched
from .graph.graph import Graph
from .graph.lost import lost
from .html import Anchor, markup
from .layout.canvas import Box, Drawing
from .lookup import UNDRAWN, computed, explained
from .words import BACKWARD, describe

__all__ = ["diagram", "setup"]


class diagram(nodes.General, nodes.Element):
    """Attributes: ``object``, ``run``, ``backward`` of a computed one, ``lines``, ``links`` of a drawn one; ``alt``."""


OPTIONS = {
    "run": Option(directives.unchanged, "which call is drawn: RUN, RUN.PASS or RUN.PASS/MODULE"),
    "backward": Option(directives.flag, "draws the way back, where the run has recorded the pass's gradients"),
    "name": Option(directives.unchanged, "its address; steps and other diagrams lead to it"),
    "alt": Option(directives.unchanged, "says in words what a drawing made by hand shows; required there"),
}


class Diagram(SphinxDirective):
    optional_arguments = 1
    has_content = True
    option_spec: ClassVar = spec(OPTIONS)

    def run(self) -> list[nodes.Node]:
        node = diagram(object="", run=self.options.get("run", ""), lines=[], links=[])
        node["backward"] = "backward" in self.options
        node["alt"] = " ".join(self.options.get("alt", "").split())
        node.source, node.line = self.get_source_info()
        self.add_name(node)
        if self.arguments and self.content:
            self._warn("the argument computes the drawing, the body is one: leave one out")
            self.content = type(self.content)([], source="")
        if self.arguments:
            self._computed(node)
        else:
            self._by_hand(node)
        docname = self.env.current_document.docname
        id = node["ids"][0] if node["ids"] else ""
        use = {name: node[name] for name in ("object", "run", "backward")} | {"id": id, "line": self.lineno}
        cutaway_domain(self.env).note_use(docname, "diagram", use)
        return [node]

    def _computed(self, node: diagram) -> None:
        asked = self.arguments[0].strip()
        node["alt"] = node["alt"] or asked
        try:
            obj = function_of(build_of(self.env).book.source, asked)
            Wanted.read(node["run"])
        except (SourceError, UnknownName) as error:
            self._warn(str(error))
            return
        node["object"] = obj.dotted
        self.env.note_dependency(str(obj.path))

    def _by_hand(self, node: diagram) -> None:
        size = sum(map(len, self.content))
        if size > hand_drawn.MOST:
            self._warn(f"the drawing has {size:,} characters, at most {hand_drawn.MOST:,} can be drawn: it is left out")
            return
        lines, links = hand_drawn.split(list(self.content))
        node["lines"] = lines
        node["links"] = [(link.label, link.target, self._line_of(link.row)) for link in links]
        if not any(line.strip() for line in lines):
            self._warn("nothing to draw: give the dotted path of a function, or a drawing")
        if node["backward"]:
            self._warn(":backward: turns a drawing that is computed; one made by hand stays as it is: leave it out")
        if not node["alt"]:
            self._warn(":alt: is required on a drawing made by hand: say in words what it shows")
        blank = next((i for i, line in enumerate(self.content) if line.strip()), 0)
        for problem in hand_drawn.check(lines):
            self._warn(str(problem), self._line_of(blank + problem.row))

    def _line_of(self, row: int) -> int:
        """The line in the file of a row of the body; MyST counts a body's offset from the directive."""
        start = self.lineno if type(self.state).__module__.startswith("myst_parser") else 0
        return self.state_machine.get_source_and_line(start + self.content_offset + row)[1] or self.lineno

    def _warn(self, message: str, line: int | None = None) -> None:
        location = self.get_location() if line is None else f"{self.get_source_info()[0]}:{line}"
        warn(self.env, message, location, "diagram")


# When a page is written


def fill_in(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(diagram)):
        if node["lines"]:
            _fill_by_hand(app, docname, node)
        elif node["object"]:
            _fill_computed(app, docname, node)
        if "drawing" not in node:
            node.replace_self(nodes.paragraph("", "", nodes.literal("", node["alt"])))
        elif app.builder.format != "html" or app.builder.name == "epub":
            text = node["drawing"].text
            block = nodes.literal_block(text, text, language="none", ids=node["ids"], names=node["names"])
            note = [nodes.paragraph("", node["note"])] if node.get("note") else []
            node.replace_self([block, *note])


def _flow_of(app: Sphinx, node: diagram) -> tuple[Graph, Drawing] | None:
    """As computed or, of what no run called, as its source reads; nothing, with a warning, where neither can be."""
    try:
        try:
            return computed(app.env, node["object"], node["run"], bool(node.get("backward")))
        except NotCalled as error:
            warn(app.env, str(error), node, "diagram")
            if node.get("backward"):
                return None
            return sketched(function_of(build_of(app.env).book.source, node["object"]))
    except UNDRAWN as error:
        warn(app.env, str(error), node, "diagram")
        return None


def _fill_computed(app: Sphinx, docname: str, node: diagram) -> None:
    if (found := _flow_of(app, node)) is None:
        return
    graph, drawing = found
    if not graph.is_backward:  # what a drawing has lost is said where it is drawn forwards
        for message in lost(function_of(build_of(app.env).book.source, node["object"]), graph):
            warn(app.env, message, node, "diagram")
    node["drawing"] = drawing
    node["words"] = describe(graph)
    node["note"] = SKETCHED if graph.is_sketch else BACKWARD if graph.is_backward else ""
    node["label"] = f"{'Way back through' if graph.is_backward else 'Data flow of'} {node['object']}"
    if app.builder.format == "html":
        name = node["ids"][0] if node["ids"] else ""
        node["anchors"] = list(_anchors(app, docname, name, graph, drawing))


def _anchors(app: Sphinx, docname: str, name: str, graph: Graph, drawing: Drawing) -> Iterator[Anchor]:
    """Links of the boxes: a module's to its own drawing, any other's to the step that explains it."""
    domain = cutaway_domain(app.env)
    explaining = explained(app.env, graph)
    drawings: dict[str, tuple[str, str]] = {}
    for kind in (False, True)[: 1 + graph.is_backward]:  # on the way back a drawing of its own kind counts, if any
        uses = [(page, use) for page, use in domain.uses("diagram") if use["id"] and bool(use.get("backward")) is kind]
        drawings |= {use["object"]: (page, use["id"]) for page, use in reversed(uses)}
    for box in drawing.boxes:
        node, steps = graph.nodes[box.node], explaining.get(box.node, [])
        if node.function in drawings and node.function != graph.function:
            page, id = drawings[node.function]
            title = f"{node.code}: its own diagram"
        elif steps:
            page, id, title = steps[0].docname, steps[0].id, f"explained in note {steps[0].number}"
        else:
            continue
        href = ("" if page == docname else app.builder.get_relative_uri(docname, page)) + f"#{id}"
        link = partial(Anchor, href=href, title=title, steps=tuple(step.id for step in steps), name=name)
        yield from _lines_of(box, drawing, link)


def _lines_of(box: Box, drawing: Drawing, link: Callable[..., Anchor]) -> Iterator[Anchor]:
    """A link for each line of code in a box."""
    place = (box.row, box.column, box.height, box.width)
    for k in range(box.code):
        row, start = box.row + 1 + k, box.column + 2
        words = drawing.lines[row][start : box.column + box.width - 2].rstrip()
        indent = len(words) - len(words.lstrip())
        yield link(row=row, start=start + indent, end=start + len(words), box=place, first=k == 0)


def _fill_by_hand(app: Sphinx, docname: str, node: diagram) -> None:
    lines = node["lines"]
    node["drawing"] = Drawing(tuple(lines), (), tuple(hand_drawn.sizes(lines)))
    node["words"], node["label"] = [], node["alt"]
    anchors = []
    for label, target, line in node["links"]:
        found = [(row, text.index(label)) for row, text in enumerate(lines) if label in text]
        href = _target(app, docname, target)
        times = sum(text.count(label) for text in lines)
        if times != 1:
            message = f"'{label}' occurs {times} times in the drawing; a link's words must occur once"
            warn(app.env, message, f"{node.source}:{line}", "diagram")
        elif href is None:
            warn(app.env, f"'{target}' is neither a label nor a page", f"{node.source}:{line}", "diagram")
        else:
            ((row, start),) = found
            box = hand_drawn.around(lines, row, start)
            anchors.append(Anchor(row, start, start + len(label), href, label, box))
    node["anchors"] = anchors


def _target(app: Sphinx, docname: str, target: str) -> str | None:
    """The address of a label or a page."""
    labels = app.env.domains.standard_domain.anonlabels
    page, id = labels.get(target.lower(), (target.strip("/"), ""))
    if page not in app.env.found_docs:
        return None
    if app.builder.format != "html":
        return f"#{id}"
    return app.builder.get_relative_uri(docname, page) + (f"#{id}" if id else "")


def visit_diagram(translator: Any, node: diagram) -> None:
    body = translator.body
    body.append(translator.starttag(node, "figure", CLASS="cutaway-diagram"))
    label = translator.attval(node["label"])
    body.append(f'<div class="cutaway-diagram-scroll" role="group" tabindex="0" aria-label="{label}">')
    body.append(f"<pre>{markup(node['drawing'].lines, node['anchors'], node['drawing'].sizes)}</pre></div>\n")
    body.append(node.get("link", ""))
    if node["words"]:
        items = "".join(f"<li>{translator.encode(sentence)}</li>\n" for sentence in node["words"])
        body.append('<details class="cutaway-diagram-words"><summary>In words</summary>\n')
        body.append(f"<ol>\n{items}</ol></details>\n")
    if node.get("note"):  # a caption is the first of a figure or the last
        body.append(f"<figcaption>{translator.encode(node['note'])}</figcaption>\n")
    body.append("</figure>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.add_node(diagram, html=(visit_diagram, None))
    app.add_directive("diagram", Diagram)
