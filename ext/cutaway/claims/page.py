"""All that the book claims, page by page: each sentence with its condition, the values in it, and whether it holds.

What the author types::

    :::{claims}
    :::

What appears: for every page that has claims, in the order of reading, its title and a table. The sentence leads to
its place. A claim that does not hold is warned of where it stands, not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from ..domain import cutaway_domain
from ..page_order import in_order
from .verdicts import Verdict, claims_of, shown, verdict

HEAD = ("claim", "condition", "values", "holds")
WIDTHS = (40, 30, 22, 8)
WORDS = {True: "yes", False: "no", None: "a value is missing"}


class claims(nodes.General, nodes.Element):
    """Still to be filled in."""


class ClaimsDirective(SphinxDirective):
    option_spec: ClassVar = {}

    def run(self) -> list[nodes.Node]:
        cutaway_domain(self.env).note_use(self.env.current_document.docname, "claims", {})
        return [claims()]


def fill_in(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(claims)):
        found = claims_of(app.env)
        filled: list[nodes.Node] = []
        for page in in_order(app.env):
            if page in found:
                title = _link(app, docname, page, app.env.titles[page].astext())
                filled += [nodes.rubric("", "", title), _table(app, docname, page, found[page])]
        total, pages = sum(map(len, found.values())), len(found)
        words = f"{total:,} claim{'s' * (total > 1)} on {pages:,} page{'s' * (pages > 1)}."
        counted = nodes.paragraph("", words)
        node.replace_self([counted, *filled] if total else [nodes.paragraph("", "No page claims anything.")])


def _link(app: Sphinx, docname: str, page: str, words: str, id: str = "") -> nodes.Node:
    """Words that lead to a page or to a claim in it, where pages have addresses."""
    if app.builder.format != "html":
        return nodes.Text(words)
    place = "" if page == docname and id else app.builder.get_relative_uri(docname, page)
    return nodes.reference("", words, refuri=f"{place}#{id}" if id else place, internal=True)


def _table(app: Sphinx, docname: str, page: str, rows: Sequence[dict[str, str]]) -> nodes.table:
    group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in WIDTHS), cols=len(HEAD))
    group += nodes.thead("", _row([[nodes.Text(word)] for word in HEAD]))
    body = nodes.tbody()
    for claim in rows:
        found = verdict(app.env, page, claim)
        link = _link(app, docname, page, found.sentence, claim["id"])
        condition, word = nodes.literal("", claim["condition"]), nodes.Text(WORDS[found.holds])
        body += _row([[link], [condition], _values(found), [word]])
    group += body
    return nodes.table("", group, classes=["cutaway-claims"])


def _row(cells: Sequence[Sequence[nodes.Node]]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))


def _values(found: Verdict) -> list[nodes.Node]:
    parts: list[nodes.Node] = []
    for name, value in found.values.items():
        parts += [nodes.Text("; " if parts else ""), nodes.literal("", name), nodes.Text(f" = {shown(value)}")]
    return parts


def _as_text(translator: object, node: claims) -> None:
    """Replaced before it is printed."""


def setup(app: Sphinx) -> None:
    plain = (_as_text, _as_text)
    app.add_node(claims, html=plain, latex=plain, text=plain, man=plain, texinfo=plain)
    app.add_directive("claims", ClaimsDirective)
