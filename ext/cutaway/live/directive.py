"""A figure that computes: the model in the page, with the reader's own input.

What the author types::

    :::{live} sort.forward/h.0.attn/attention-forward-softmax
    :show: grid
    :alt: The attention weights of a head, a square of cells.

    Type six letters of your own, and choose a head.
    :::

The argument names a recorded value of a pass that its run keeps a graph of (``record.live``). ``:show:`` says what is
shown of it:

- ``grid``, without ``:show:``: its last two axes as cells, with a choice of heads and of blocks;
- ``bars``: logits as the distribution of the next token, with temperature, top-k and top-p;
- ``lens``: what the model would answer after each block, of the residual stream that a block returns;
- ``softmax``: a row of scores that can be moved, the weights that come of it, and what the model then answers;
- ``probe``: what a linear map reads from the vector where the answer begins. ``:matrix: cell.NAME`` is the map, which a
  cell of the page noted row by row, the last one added; ``:labels:`` are what its numbers are called, with commas;
- ``plane``: the vectors of all tokens as points in a circle of radius 1, of two numbers that such a map reads of each;
- ``ablation``: heads and parts of blocks to leave out, of what the heads made (``att @ v``);
- ``cache``: generation step by step, without a cache of what was computed before and with one;
- ``walk``: the whole pass in three dimensions, its tensors as blocks of cells, to be walked through stop by stop;
- ``input``: only what is typed, and the answer. For these three the argument is the pass alone, ``sort.forward``.

Without a script, in print and elsewhere, stand the recorded numbers with the caption. What can go wrong is a warning
``cutaway.live`` at the directive's line: no such value, no graph of that pass, no ``:alt:``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ..build import bounded, described, names_of, trace_of, warn
from ..cells.page_names import is_excused, page_names
from ..domain import cutaway_domain
from ..options import Option, spec
from ..page_order import page_of
from ..trace.names import UnknownName
from ..trace.reading import TraceError
from . import html as live_html
from . import walking
from .making import scripts
from .shown import MAPPED, SHOWS, WALK, Shown, find, with_probe
from .walked import walked

KIND = "live"


class live(nodes.General, nodes.Element):
    """Attributes: ``value``, ``show``, ``alt``; once resolved ``shown``. Its children are the caption."""


def _choice(text: str) -> str:
    return str(directives.choice(text, SHOWS))


OPTIONS = {
    "show": Option(_choice, f"what is shown: {', '.join(SHOWS)}; a grid without it"),
    "matrix": Option(directives.unchanged_required, "of a probe or plane: the flat list of numbers that a cell noted"),
    "labels": Option(directives.unchanged_required, "of a probe or plane: what its numbers are called, with commas"),
    "alt": Option(directives.unchanged_required, "says in a sentence what is seen; required"),
    "name": Option(directives.unchanged_required, "its address"),
}


class Live(SphinxDirective):
    required_arguments = 1
    has_content = True
    option_spec: ClassVar = spec(OPTIONS)

    def run(self) -> list[nodes.Node]:
        bounded(self, "live")
        node = live(value=self.arguments[0].strip(), show=self.options.get("show", SHOWS[0]))
        node["matrix"] = self.options.get("matrix", "").strip()
        node["labels"] = [label.strip() for label in self.options.get("labels", "").split(",") if label.strip()]
        described(self, node, "live", node["value"])
        node += self.parse_content_to_nodes()
        used = {"value": node["value"], "show": node["show"]}
        cutaway_domain(self.env).note_use(self.env.current_document.docname, KIND, used)
        return [node]


def fill_in(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(live)):
        page = page_of(node, docname)
        try:
            shown: Shown | None = _found(app, node, page)
        except (UnknownName, TraceError) as error:
            if not is_excused(app.env, page, node["matrix"]):
                warn(app.env, f"live {node['value']}: {error}", node, "live")
            shown = None
        is_site = app.builder.format == "html" and app.builder.name != "epub"
        if shown is None or not is_site or shown.model not in scripts(app.env):
            node.replace_self(_still(node, shown))
        else:
            node["shown"] = shown
            if shown.show == WALK:
                node["walk"] = walked(app, shown.model)


def _found(app: Sphinx, node: live, docname: str) -> Shown:
    run = node["value"].partition("/")[0].partition(".")[0]
    shown = find(trace_of(app.env, run), names_of(app.env), node["value"], node["show"])
    return with_probe(shown, node["labels"], _matrix(app, node, docname)) if node["show"] in MAPPED else shown


def _matrix(app: Sphinx, node: live, docname: str) -> list[float] | None:
    if not node["matrix"]:
        return None
    found = page_names(app.env, docname).resolve(node["matrix"]).value
    numbers = [item.scalar for item in found.items if isinstance(item.scalar, int | float)] if found else []
    if found is None or len(numbers) != len(found.items):
        raise UnknownName(f"{node['matrix']} is no list of numbers, as note(...) of a cell leaves it")
    return numbers


def _still(node: live, shown: Shown | None) -> nodes.Element:
    """The recorded numbers, or what would be seen; then the caption."""
    table = shown.table() if shown is not None else None
    still = table if table is not None else nodes.paragraph("", node["alt"] or node["value"])
    return nodes.container("", still, *node.children, classes=["cutaway-live"], ids=node["ids"], names=node["names"])


def _plain(translator: Any, node: live) -> None:
    """Elsewhere the node was replaced before it is printed; inside a table of contents its caption is."""


def setup(app: Sphinx) -> None:
    plain = (_plain, _plain)
    html = (live_html.visit, live_html.depart)
    app.add_node(live, html=html, latex=plain, text=plain, man=plain, texinfo=plain)
    app.add_directive(KIND, Live)
    walking.setup(app)
