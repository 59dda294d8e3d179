"""All terms that the book defines, each with its sentence, its first place and its other names.

What the author types::

    :::{definitions}
    :::

What appears: the terms in the order of the alphabet, under their first letters. Each sentence is the page's own, and
its link leads there. A book has one such page; its address is where links to terms lead.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, ClassVar

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from ..claims.directive import claim
from ..domain import cutaway_domain
from ..prose.facts import fact, filled
from ..state import notes_of
from ..store import digest
from ..targets import plain
from .defining import Definition, all_definitions, define, definitions, told


class terms(nodes.General, nodes.Element):
    """Still to be filled in."""


class DefinitionsDirective(SphinxDirective):
    option_spec: ClassVar = {}

    def run(self) -> list[nodes.Node]:
        cutaway_domain(self.env).note_use(self.env.current_document.docname, "definitions", {})
        return [terms()]


def _page(env: BuildEnvironment) -> str:
    """The page that lists the terms; empty where there is none."""
    return next((page for page, _ in cutaway_domain(env).uses("definitions")), "")


def _place(env: BuildEnvironment, one: Definition) -> tuple[str, str]:
    """Where links to a term lead: a page and an id."""
    page = _page(env)
    return (page, f"glossary-{one.key}") if page else (one.docname, f"term-{one.key}")


class Fill(SphinxPostTransform):
    """List the terms before references are resolved, so that those in their sentences are, too."""

    default_priority = 4

    def run(self, **kwargs: Any) -> None:
        for node in list(self.document.findall(terms)):
            found = sorted(definitions(self.env).values(), key=lambda one: (one.term.lower(), one.docname))
            listed = [one for one, _ in groupby(found)]
            here = self.env.current_document.docname
            node.replace_self(list(_listed(listed, here)) or nodes.paragraph("", "No page defines a term."))


def _listed(found: list[Definition], here: str) -> Iterator[nodes.Node]:
    for letter, of_letter in groupby(found, key=lambda one: one.term[0].upper()):
        yield nodes.rubric("", letter)
        items = (_item(one, here) for one in of_letter)
        yield nodes.definition_list("", *items, classes=["cutaway-terms"])


def _item(one: Definition, here: str) -> nodes.definition_list_item:
    head = nodes.term("", one.term, ids=[f"glossary-{one.key}"])
    if one.others:
        head += nodes.inline("", f" ({', '.join(one.others)})", classes=["cutaway-other-names"])
    sentence = one.sentence.deepcopy()
    for link in sentence.findall(pending_xref):
        link["refdoc"] = here  # from where its address is reckoned
    for mark in list(sentence.findall(define)):
        mark.replace_self(nodes.emphasis("", "", *mark.children))
    for checked in list(sentence.findall(claim)):
        checked.replace_self(nodes.inline("", "", *checked.children))
    said = nodes.paragraph("", "", *sentence.children, nodes.Text(" "), _first(one))
    return nodes.definition_list_item("", head, nodes.definition("", said))


def _first(one: Definition) -> define:
    """The link to the first place; it is made when pages have addresses."""
    return define("", "", term="", others=[], page=one.docname, key=one.key)


def fill_in(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Print the terms of a page, each with a link to the page that lists them, and on that page the links back."""
    known = definitions(app.env)
    for node in list(doctree.findall(define)):
        if not node["term"]:
            node.replace_self(_back(app, docname, node))
            continue
        words = nodes.emphasis("", "", *node.children, classes=["cutaway-term"], ids=node["ids"])
        one = known.get(node["term"].lower())
        at = _place(app.env, one) if one else (docname, "")
        node["ids"] = []
        node.replace_self(words if at[0] == docname else _link(app, docname, at, words))


def _back(app: Sphinx, docname: str, node: define) -> nodes.Node:
    title = nodes.Text(app.env.titles[node["page"]].astext())
    return _link(app, docname, (node["page"], f"term-{node['key']}"), title)


def _link(app: Sphinx, docname: str, at: tuple[str, str], *words: nodes.Node, title: str = "") -> nodes.Node:
    if app.builder.format != "html":
        return nodes.inline("", "", *words)
    address = "" if at[0] == docname else app.builder.get_relative_uri(docname, at[0])
    link = nodes.reference("", "", *words, refuri=f"{address}#{at[1]}", internal=True)
    if title:
        link["reftitle"] = title
    return link


def resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element) -> nodes.Node | None:
    """What ``{term}`` links to, where Sphinx's own glossaries have no such term."""
    if node.get("reftype") != "term" or node.get("refdomain") != "std":
        return None
    one = definitions(env).get(node["reftarget"].lower())
    if one is None:
        return None
    page = node.get("refdoc") or env.current_document.docname
    return _link(app, page, _place(env, one), *content.children, title=_sentence(env, one))


def _sentence(env: BuildEnvironment, one: Definition) -> str:
    """The sentence in plain words, with what was measured."""
    copy = one.sentence.deepcopy()
    for value in list(copy.findall(fact)):
        value.replace_self(nodes.Text(filled(env, value, one.docname)))
    return plain(copy)


# Which pages are written again


def _inputs(env: BuildEnvironment) -> dict[str, str]:
    """For each page that defines, links to or lists terms the digest of what it shows of other pages."""
    known, domain = definitions(env), cutaway_domain(env)
    seen: dict[str, list[Any]] = {}
    for page, _ in domain.uses("definition"):
        seen.setdefault(page, [_page(env)])
    for page, link in domain.uses("term"):
        one = known.get(link["name"])
        seen.setdefault(page, []).append([*_place(env, one), told(one)] if one else None)
    for page, _ in domain.uses("definitions"):
        every = all_definitions(env)
        seen[page] = [[one.names, one.docname, told(one), env.titles[one.docname].astext()] for one in every]
    return {page: digest(shown) for page, shown in seen.items()}


def written_again(app: Sphinx, env: BuildEnvironment) -> list[str]:
    known = notes_of(env)[_section(app)]
    return [page for page, now in _inputs(env).items() if known.get(page) != now]


def keep(app: Sphinx, error: Exception | None) -> None:
    if error is None:
        notes_of(app.env)[_section(app)] = _inputs(app.env)


def _section(app: Sphinx) -> str:
    return f"terms {app.builder.name}"


def setup(app: Sphinx) -> None:
    shown: Any = (lambda translator, node: None,) * 2  # replaced before it is printed
    app.add_node(terms, html=shown, latex=shown, text=shown, man=shown, texinfo=shown)
    app.add_directive("definitions", DefinitionsDirective)
    app.add_post_transform(Fill)
