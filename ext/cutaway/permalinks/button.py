"""The quiet button beside each thing that can be linked to: a ``<details>`` with everything one might copy.

It holds every snippet as text, so it works without script; link.js adds a copy button to each when it is opened. All
that has an id is a label for other projects, too (``objects.inv``), as the snippets for intersphinx need it.
"""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from ..address import PLACEHOLDER, base
from ..clips.directive import clip
from ..diagrams.directive import diagram
from ..domain import cutaway_domain
from ..listings.directive import annotation, listing
from ..parts import has_cards
from ..settings import inventory
from ..targets import Target, said, targets
from .snippets import LABELS, PICTURED, snippets


class printed(nodes.General, nodes.Element):
    """Markup of ours between nodes; attribute ``html``."""


def button(target: Target, told: str, address: str, name: str, cards: bool) -> str:
    """The button of a target. A page has up to a hundred: what compresses badly is left to the command line."""
    labels = LABELS if address else {**LABELS, "url": f"Address; {PLACEHOLDER} is yours to fill in"}
    rows = "".join(
        f"<dt>{labels[kind]}</dt><dd><code>{escape(text, quote=False)}</code></dd>"
        for kind, text in snippets(target, told, address, name).items()
        if kind != "sphinx" and (cards or kind not in PICTURED)
    )
    title = escape(" ".join(target.title.split()))
    return (
        f'<details class="cutaway-link"><summary aria-label="Link to {title}">#</summary><dl>{rows}</dl></details>\n'
    )


def add(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give each target of a page its button; what prints a listing, a note, a drawing, a clip prints it."""
    if app.builder.name not in ("html", "dirhtml"):
        return
    mine = {id: target for id, target in targets(app.env).items() if target.docname == docname}
    told, address, name = said(app), base(app.config), inventory(app.config)
    for node in list(doctree.findall(nodes.Element)):
        if not isinstance(node, nodes.section | listing | annotation | clip | diagram):
            continue
        id = next((id for id in node["ids"] if id in mine), "")
        if id:
            node["link"] = button(mine[id], told.get(id, ""), address, name, has_cards(app))
        if id and isinstance(node, nodes.section):
            _beside_heading(node, node["link"])


def _beside_heading(section: nodes.section, link: str) -> None:
    heading = section.first_child_matching_class(nodes.title)
    if heading is not None:
        section.insert(heading, printed(html='<div class="cutaway-heading">\n'))
        section.insert(heading + 2, printed(html=f"{link}</div>\n"))


def visit(translator: Any, node: printed) -> None:
    translator.body.append(node["html"])
    raise nodes.SkipNode


def label(app: Sphinx, doctree: nodes.document) -> None:
    """Have other projects find every id of a page, under the type that all projects know."""
    docname = app.env.current_document.docname
    labels = app.env.domains.standard_domain.anonlabels
    for page, data in cutaway_domain(app.env).uses("target"):
        if page == docname:
            labels.setdefault(data["id"], (docname, data["id"]))


def add_nodes(app: Sphinx) -> None:
    app.add_node(printed, html=(visit, None))
