"""Where a page stands in the book: a row of parts below its head, what it builds on, and marks in the sidebar.

All of it follows from the tables of contents, from the links on the page and from its listings: nothing is typed.
The role ``explained`` tells how much of a file the notes explain: ``{explained}`nanogpt/model.py```.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import escape
from typing import Any, NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from cutaway.source_pages import explained_files
from cutaway.state import notes_of

from .minutes import programs

logger = logging.getLogger(__name__)
BEFORE = ("start", "reading")  # folders and pages that no chapter builds on
SOME = 2  # links to an earlier page from which on it counts as needed
MOST = 3  # pages that are named
MARKS = {"nanoGPT": "book-gpt", "nanochat": "book-chat"}  # class of a page's link in the sidebar, with its mark
_LINK = re.compile(r'<a class="((?:current )?reference internal)" href="([^"#]*|#)">')  # no section's of a page


class Part(NamedTuple):
    """A part of the contents."""

    title: str
    pages: list[str]


def parts(env: BuildEnvironment) -> list[Part]:
    """The parts of the book, in the order of its first page's tables of contents."""
    listed = env.tocs[env.config.root_doc].findall(addnodes.toctree)
    found = (Part(one.get("caption") or "", [name for _, name in one["entries"] if name]) for one in listed)
    return [Part(title, [page for page in pages if page in env.found_docs]) for title, pages in found]


def builds_on(env: BuildEnvironment, page: str, links: Iterator[str]) -> list[str]:
    """The earlier pages that a page links to more than once: those with most links, in the order of reading."""
    order = [name for part in parts(env) for name in part.pages]
    if page not in order:
        return []
    labels = env.domains.standard_domain.anonlabels
    homes = Counter(labels[label][0] for label in links if label in labels)
    earlier = [name for name in order[: order.index(page)] if name.partition("/")[0] not in BEFORE]
    best = sorted((name for name in earlier if homes[name] >= SOME), key=lambda name: -homes[name])[:MOST]
    return [name for name in earlier if name in best]


class Place(SphinxPostTransform):
    """Below the head of a chapter: the parts of the book, with the one that it belongs to, and what it builds on."""

    default_priority = 7  # links are still names, and the chapter's minutes are there
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        page, about = self.env.current_document.docname, next(self.document.findall(_is_head), None)
        if about is None or about.parent is None or self.app.builder.name == "epub":
            return
        links = (link["reftarget"] for link in self.document.findall(addnodes.pending_xref) if link["reftype"] == "ref")
        needed = builds_on(self.env, page, links)
        where = about.parent.index(about) + 1
        if needed:
            line = nodes.paragraph("", "Builds on ", classes=["book-needs"])
            for name in needed:
                title, uri = self.env.titles[name].astext(), self.app.builder.get_relative_uri(page, name)
                line += [*([nodes.Text(" · ")] if name != needed[0] else []), _link(title, uri)]
            about.parent.insert(where, line)
        row = self._row(page)
        if row:
            about.parent.insert(where, nodes.raw("", row, format="html"))

    def _row(self, page: str) -> str:
        """The parts as a row of links, and the page's number in its part; nothing for a page in none."""
        listed = [part for part in parts(self.env) if part.pages]
        mine = next((part for part in listed if page in part.pages), None)
        if mine is None:
            return ""
        items = ""
        for part in listed:
            uri = escape(self.app.builder.get_relative_uri(page, part.pages[0]))
            here = ' aria-current="true"' if part is mine else ""
            items += (
                f'<li><a href="{uri}" title="{escape(part.title)}"{here}><span>{escape(part.title)}</span></a></li>'
            )
        said = f"{escape(mine.title)}: page {mine.pages.index(page) + 1} of {len(mine.pages)}"
        return f'<nav class="book-here" aria-label="Parts of the book"><ol>{items}</ol><p>{said}</p></nav>'


def _is_head(node: nodes.Node) -> bool:
    return isinstance(node, nodes.paragraph) and "book-about" in node["classes"]


def _link(title: str, uri: str) -> nodes.reference:
    return nodes.reference("", title, refuri=uri, internal=True)


class explained(nodes.Inline, nodes.TextElement):
    """Attribute ``file``."""


class ExplainedRole(SphinxRole):
    """How many lines of a file of the source the notes explain."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        node = explained(file=self.text)
        node.source, node.line = self.get_source_info()
        return [node], []


class Count(SphinxPostTransform):
    """Write the lines once all pages are read."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        for node in list(self.document.findall(explained)):
            files = explained_files(self.env)
            file = files.get(node["file"])
            if file is None:
                known = ", ".join(files)
                logger.warning("explained: no notes explain a file %s; there is %s", node["file"], known, location=node)
                node.replace_self(nodes.Text(node["file"]))
            else:
                node.replace_self(nodes.Text(f"{len(file.explained)} of {len(file.filled)}"))


def marked(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Have the sidebar mark the pages that show nanoGPT's code or nanochat's."""
    if "toctree" not in context:
        return
    drawn, classes = context["toctree"], {}
    for page in app.env.found_docs:
        marks = (MARKS[one] for one in programs(app.env, page) if one in MARKS)
        classes["" if page == pagename else app.builder.get_relative_uri(pagename, page)] = " ".join(marks)

    def with_class(found: re.Match[str]) -> str:
        mark = classes.get("" if found[2] == "#" else found[2])
        return f'<a class="{found[1]} {mark}" href="{found[2]}">' if mark else found[0]

    context["toctree"] = lambda **options: _LINK.sub(with_class, drawn(**options))


def outdated(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Every page, where the order of the contents, a title or a mark is another than at the last build."""
    return sorted(env.found_docs) if notes_of(env)["place"].get("contents") != _contents(env) else []


def note(app: Sphinx, error: Exception | None) -> None:
    if error is None:
        notes_of(app.env)["place"] = {"contents": _contents(app.env)}


def _contents(env: BuildEnvironment) -> list[list[str]]:
    named = ((part.title, page) for part in parts(env) for page in part.pages)
    return [[title, page, env.titles[page].astext(), *programs(env, page)] for title, page in named]


def setup(app: Sphinx) -> None:
    app.add_role("explained", ExplainedRole())
    app.add_post_transform(Count)
    app.add_post_transform(Place)
    app.connect("env-updated", outdated)
    app.connect("html-page-context", marked, priority=450)  # before the sidebar is drawn
    app.connect("build-finished", note)
