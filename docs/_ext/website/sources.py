"""The book's sources: how they are cited in a sentence, and the page that lists them with the places that cite them.

``{cite:t}`su2021``` gives "Su et al. (2021)", ``{cite:p}`su2021``` gives "(Su et al., 2021)"; both are
sphinxcontrib-bibtex's, which reads ``references.bib``. Its list has neither links back from other pages nor a way to
write a page again when another page's citations change: that is here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from docutils import nodes
from pybtex.plugin import register_plugin
from pybtex.richtext import HRef, Tag, Text
from pybtex.style.formatting import BaseStyle
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinxcontrib.bibtex.plugin import register_plugin as register_reference_style
from sphinxcontrib.bibtex.style.referencing import BracketStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle

from cutaway.page_order import in_order
from cutaway.state import notes_of
from cutaway.store import digest

STYLE = "cutaway"
READ = "24 November 2026"  # where an entry has no `accessed`


def _round() -> BracketStyle:
    return BracketStyle("(", ")", sep="; ")


@dataclass
class InSentences(AuthorYearReferenceStyle):
    """Author and year in round brackets, as the book's sentences have them."""

    bracket_textual: BracketStyle = field(default_factory=_round)
    bracket_parenthetical: BracketStyle = field(default_factory=_round)
    bracket_author: BracketStyle = field(default_factory=_round)
    bracket_label: BracketStyle = field(default_factory=_round)
    bracket_year: BracketStyle = field(default_factory=_round)


class InList(BaseStyle):
    """Authors, year, title, where it appeared, link, date of access."""

    default_name_style = "lastfirst"
    default_label_style = "alpha"
    default_sorting_style = "author_year_title"

    def format_misc(self, context: dict[str, Any]) -> Text:
        entry = context["entry"]
        fields = entry.fields
        parts: list[Any] = [f"{_names(entry.persons['author'])} ({fields['year']}): ", Tag("em", fields["title"]), "."]
        if "journal" in fields:
            parts.append(f" {fields['journal']}.")
        if "url" in fields:
            parts += [" ", HRef(fields["url"], fields["url"].removeprefix("https://")), "."]
        parts.append(f" Looked up on {fields.get('accessed', READ)}.")
        return Text(*parts)

    format_article = format_misc


def _names(people: Iterable[Any]) -> str:
    names = [" ".join([*one.prelast_names, *one.last_names]) for one in people]
    *first, last = (name.strip("{}") for name in names)
    return f"{', '.join(first)} and {last}" if first else last


def list_them(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Each source as an item of a list, with the pages that cite it."""
    for box in list(doctree.findall(nodes.container)):
        cited = [child for child in box.children if isinstance(child, nodes.citation)]
        if cited:
            items = [_item(app, docname, source) for source in cited]
            box.replace_self(nodes.bullet_list("", *items, classes=["book-sources"]))


def _item(app: Sphinx, docname: str, source: nodes.citation) -> nodes.list_item:
    paragraphs = [child for child in source.children if isinstance(child, nodes.paragraph)]
    places = _places(app.env, source["ids"][0])
    links: list[nodes.Node] = []
    for page, id in places.items():
        links += [nodes.Text(", " if links else " Cited in "), _link(app, docname, page, id)]
    if links:
        paragraphs[-1] += [*links, nodes.Text(".")]
    return nodes.list_item("", *paragraphs, ids=source["ids"])


def _link(app: Sphinx, docname: str, page: str, id: str) -> nodes.Node:
    title = app.env.titles[page].astext()
    if app.builder.format != "html":
        return nodes.Text(f"“{title}”")
    address = app.builder.get_relative_uri(docname, page)
    return nodes.reference("", title, refuri=f"{address}#{id}", internal=True)


def _domain(env: BuildEnvironment) -> Any:
    return env.get_domain("cite")


def _places(env: BuildEnvironment, id: str) -> dict[str, str]:
    """The pages that cite a source, in the order of reading, each with the first place in it."""
    keys = {citation.key for citation in _domain(env).citations if citation.citation_id == id}
    first: dict[str, str] = {}
    for ref in _domain(env).citation_refs:
        if keys & {target.key for target in ref.targets}:
            first.setdefault(ref.docname, ref.citation_ref_id)
    return {page: first[page] for page in in_order(env) if page in first}


def _inputs(env: BuildEnvironment) -> dict[str, str]:
    """For each page that cites or lists sources the digest of what it shows of them."""
    domain = _domain(env)
    told = {one.key: [one.citation_id, str(one.formatted_entry.text)] for one in domain.citations}
    cited: dict[str, list[Any]] = {}
    for ref in domain.citation_refs:
        found = [[target.key, told.get(target.key)] for target in ref.targets]
        cited.setdefault(ref.docname, []).append([ref.citation_ref_id, found])
    listing = digest([[page, env.titles[page].astext(), cited[page]] for page in in_order(env) if page in cited])
    lists = {key.docname for key in domain.bibliographies}
    return {page: digest(found) for page, found in cited.items()} | dict.fromkeys(lists, listing)


def written_again(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Pages whose sources, or whose list of them, changed since they were written."""
    known = notes_of(env)[_section(app)]
    return [page for page, now in _inputs(env).items() if known.get(page) != now]


def note(app: Sphinx, error: Exception | None) -> None:
    if error is None:
        notes_of(app.env)[_section(app)] = _inputs(app.env)


def _section(app: Sphinx) -> str:
    return f"sources {app.builder.name}"


def setup(app: Sphinx) -> dict[str, Any]:
    register_reference_style("sphinxcontrib.bibtex.style.referencing", STYLE, InSentences)
    register_plugin("pybtex.style.formatting", STYLE, InList)
    app.setup_extension("sphinxcontrib.bibtex")
    app.connect("env-updated", written_again, priority=600)  # the entries are known
    app.connect("doctree-resolved", list_them)
    app.connect("build-finished", note)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
