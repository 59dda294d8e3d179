"""Somebody's model in three dimensions, to be walked through.

What the author types::

    :::{walk} mypackage.model.Net
    :run: net
    :alt: The network as blocks of cells.

    Go from stop to stop.
    :::

The argument is the class whose pass a run recorded, or a function, or ``cell.NAME``: models to scale that a cell of the
page noted (``walks.scale``), side by side; ``:run:`` is RUN or RUN.PASS, and the first run
without it. What can be shown depends on the model: ``walks.cases`` has the cases, and a line of the build says which it
is and why. A run that says ``record.live(...)`` of the pass lets pages compute every number, and readers type their own
input where ``reads`` says how.

Without a script, in print and elsewhere, stands the picture of the whole, or its description. What can go wrong is a
warning ``cutaway.walk`` at the directive's line: no such class, a run that never ran it, no ``:alt:``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from ..build import bounded, build_of, described, warn
from ..cells.page_names import is_excused
from ..domain import cutaway_domain
from ..options import Option, spec
from ..page_order import page_of
from ..source.find import SourceError
from ..trace.names import UnknownName
from ..trace.reading import TraceError
from ..warning_kinds import Kind
from . import html as live_html
from .making import scripts
from .passes import walked_pass
from .scaling import SCALE, drawn, is_of_cell, noted, table
from .shown import WALK, Shown
from .walked import case, of_case

logger = logging.getLogger(__name__)
KIND: Kind = "walk"


class walk(nodes.General, nodes.Element):
    """Attributes: ``object``, ``run``, ``alt``; once resolved ``shown`` and ``walk``. Its children are the caption."""


OPTIONS = {
    "run": Option(directives.unchanged_required, "the run, or RUN.PASS; without it the first run"),
    "alt": Option(directives.unchanged_required, "says in a sentence what is seen; required"),
    "name": Option(directives.unchanged_required, "its address"),
}


class Walk(SphinxDirective):
    required_arguments = 1
    has_content = True
    option_spec: ClassVar = spec(OPTIONS)

    def run(self) -> list[nodes.Node]:
        bounded(self, KIND)
        node = walk(object=self.arguments[0].strip(), run=self.options.get("run", "").strip())
        described(self, node, KIND, node["object"])
        node += self.parse_content_to_nodes()
        used = {"object": node["object"], "run": node["run"], "show": WALK}
        cutaway_domain(self.env).note_use(self.env.current_document.docname, KIND, used)
        return [node]


def fill_in(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(walk)):
        if is_of_cell(node["object"]):
            _fill_in_towers(app, node, page_of(node, docname))
            continue
        try:
            run, pass_ = walked_pass(app.env, node["object"], node["run"])
            found = case(app, run, pass_)
        except (UnknownName, TraceError, SourceError) as error:
            if not _is_excused(app, node["run"]):
                warn(app.env, f"walk {node['object']}: {error}", node, KIND)
            node.replace_self(_still(node))
            continue
        logger.info("cutaway: walk %s, %s.%s: %s", node["object"], run, pass_, found.said)
        name, is_site = found.seen.graph.name, app.builder.format == "html" and app.builder.name != "epub"
        if not is_site or name not in scripts(app.env):
            node.replace_self(_still(node))
        else:
            node["shown"], node["walk"] = Shown(name, WALK), of_case(app, run, pass_, found)


def _fill_in_towers(app: Sphinx, node: walk, docname: str) -> None:
    """Models to scale, which a cell of the page noted."""
    try:
        found = noted(app, docname, node["object"])
    except UnknownName as error:
        if not is_excused(app.env, docname, node["object"]):
            warn(app.env, f"walk {node['object']}: {error}", node, KIND)
        node.replace_self(_still(node))
        return
    is_site = app.builder.format == "html" and app.builder.name != "epub"
    if not is_site or SCALE not in scripts(app.env):
        still = _still(node)
        still.insert(1, table(found))
        node.replace_self(still)
    else:
        node["shown"], node["walk"] = Shown(SCALE, SCALE), drawn(app, "live", found)


def _is_excused(app: Sphinx, of: str) -> bool:
    """Whether the run's own error was reported."""
    outcomes = build_of(app.env).outcomes
    outcome = outcomes.get(of.partition(".")[0] or next(iter(outcomes), ""))
    return outcome is not None and bool(outcome.error)


def _still(node: walk) -> nodes.Element:
    said = nodes.paragraph("", node["alt"] or node["object"])
    return nodes.container("", said, *node.children, classes=["cutaway-live"], ids=node["ids"], names=node["names"])


def _plain(translator: Any, node: walk) -> None:
    """Elsewhere the node was replaced before it is printed; inside a table of contents its caption is."""


def setup(app: Sphinx) -> None:
    plain = (_plain, _plain)
    html = (live_html.visit, live_html.depart)
    app.add_node(walk, html=html, latex=plain, text=plain, man=plain, texinfo=plain)
    app.add_directive(KIND, Walk)
