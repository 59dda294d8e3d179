"""The role ``define`` marks a term where it is explained; ``{term}`` links to it from anywhere.

``{define}`softmax```                          the term, in italics; its sentence goes into the glossary
``{define}`tokens <token>```                   as the sentence has it, and as the glossary lists it
``{define}`RMS norm <RMS norm, RMSNorm>```     with other names, after commas
``{term}`RMSNorm```                            Sphinx's own role: a link, by any of the names, in capitals or not

A term that is defined a second time and a link to one that nobody defines are warnings.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains import Domain
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxRole

from ..build import warn
from ..domain import cutaway_domain, nearest
from ..page_order import in_order
from ..prose.facts import fact
from ..store import digest
from ..targets import plain
from .sentence import sentence_around

_TEXT = re.compile(r"^(?P<shown>.*?)(?:\s*<(?P<names>[^<>]*)>)?$", re.DOTALL)
LONGEST = 80  # characters of a name


class define(nodes.Inline, nodes.TextElement):
    """A term where it is explained; attributes ``term`` and ``others``."""


class Definition(NamedTuple):
    """A term, the sentence that explains it, and where that stands; ``key`` is the last part of both addresses."""

    term: str
    others: tuple[str, ...]
    key: str
    docname: str
    line: int
    sentence: nodes.inline

    @property
    def names(self) -> tuple[str, ...]:
        return (self.term, *self.others)


class DefineRole(SphinxRole):
    """A term where it is explained, ``tokens <token, subword>``: as shown, as listed, other names."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        found = _TEXT.match(self.text.strip())
        shown = " ".join((found["shown"] if found else self.text).split())
        given = (found["names"] if found else None) or shown
        term, *others = [" ".join(name.split()) for name in given.split(",")]
        if not shown or not all([term, *others]) or len(max([term, *others], key=len)) > LONGEST:
            message = f"'{self.text}' names no term: write the words shown, then <TERM, OTHER NAME> if these differ"
            warn(self.env, message, self.get_location(), "term")
            return [nodes.emphasis(self.rawtext, shown)], []
        node = define(self.rawtext, shown, term=term, others=others, ids=[f"term-{key_of(term)}"])
        node.source, node.line = self.get_source_info()
        return [node], []


def key_of(term: str) -> str:
    """A term as a part of an address."""
    return nodes.make_id(term) or digest(term)[:8]


def note(app: Sphinx, doctree: nodes.document) -> None:
    """Note what a page defines and to which terms it links, when it was read."""
    docname = app.env.current_document.docname
    for node in doctree.findall(define):
        sentence = sentence_around(node)
        for one in sentence.findall(fact):
            one["page"] = docname  # of the cell that noted it
        data = {"term": node["term"], "others": tuple(node["others"]), "key": key_of(node["term"])}
        data |= {"line": node.line or 0, "sentence": sentence}
        cutaway_domain(app.env).note_use(docname, "definition", data)
    for link in doctree.findall(pending_xref):
        if _is_term(link):
            cutaway_domain(app.env).note_use(docname, "term", {"name": link["reftarget"].lower()})


def _is_term(link: pending_xref) -> bool:
    return link.get("refdomain") == "std" and link.get("reftype") == "term"


def all_definitions(env: BuildEnvironment) -> list[Definition]:
    """Every definition of the book, in the order of reading."""
    order = {name: number for number, name in enumerate(in_order(env))}
    found = [Definition(docname=page, **use) for page, use in cutaway_domain(env).uses("definition")]
    return sorted(found, key=lambda one: order[one.docname])


def definitions(env: BuildEnvironment) -> dict[str, Definition]:
    """The definition of every name, in lower case; the first counts."""
    found: dict[str, Definition] = {}
    for one in all_definitions(env):
        for name in one.names:
            found.setdefault(name.lower(), one)
    return found


def second_definitions(app: Sphinx, env: BuildEnvironment) -> None:
    first = definitions(env)
    for one in all_definitions(env):
        for name in one.names:
            owner = first[name.lower()]
            if owner is not one and owner != one:
                where = f"{env.doc2path(owner.docname, False)}:{owner.line}"
                message = f"the term '{name}' is defined at {where} already; link to it there: {{term}}`{name}`"
                warn(env, message, (one.docname, one.line), "term")


def unknown_term(app: Sphinx, domain: Domain | None, node: pending_xref) -> bool | None:
    """Name the nearest terms where a link to one leads nowhere."""
    known = {name for one in all_definitions(app.env) for name in one.names}
    if not _is_term(node) or not known:
        return None
    near = nearest(node["reftarget"], sorted(known))
    warn(app.env, f"no page defines the term '{node['reftarget']}'{near}", node, "term")
    return True


def told(definition: Definition) -> str:
    """The sentence in plain words; what the run measured is left as its name."""
    return plain(definition.sentence)


def setup(app: Sphinx) -> None:
    shown: Any = (lambda translator, node: None,) * 2  # replaced before it is printed
    app.add_node(define, html=shown, latex=shown, text=shown, man=shown, texinfo=shown)
    app.add_role("define", DefineRole())
