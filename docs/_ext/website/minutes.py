"""How long a page takes to read, and which program it is about: a line below the title of every chapter.

The role ``minutes`` adds pages up, but for what is folded in them: ``{minutes}`model/overview model/embedding```. Of
``all`` it adds up the whole book, in hours.

Counted are the words of prose, notes and captions at 200 a minute; grown-ups read English that informs at about 238
(Brysbaert, How many words do we read per minute?, 2019), and this is slower going. Code, what cells gave, pictures
and what plays take time, too, which nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from cutaway.domain import cutaway_domain
from cutaway.page_order import in_order

logger = logging.getLogger(__name__)
PACE = 200  # words a minute
# Of the paragraph after which a section is folded, and how its line begins: skipping.py.
MARKS = {"skip-at-first": "Skip at first", "when-needed": "When you need it"}
SILENT = (nodes.literal_block, nodes.table, nodes.math_block, nodes.raw, nodes.comment)
LONG = 120  # minutes; what takes longer is told in hours
FEW = 300  # words; a page with fewer is looked at and not read
READERS = ["index"]  # pages that use the role
PROGRAMS = {"nanogpt": "nanoGPT", "nanochat": "nanochat", "ngpt": "nGPT"}  # by the package that listings quote


class minutes(nodes.Inline, nodes.TextElement):
    """Attribute ``pages``."""


class MinutesRole(SphinxRole):
    """How long some pages take to read."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        node = minutes(pages=self.text.split())
        node.source, node.line = self.get_source_info()
        return [node], []


def words(tree: nodes.Node, skipping: bool = False) -> Iterator[str]:
    """The words that are read one after the other; ``skipping``: but for what is folded."""
    if isinstance(tree, SILENT):
        return
    if isinstance(tree, nodes.Text):
        yield from str(tree).split()
    for child in tree.children:
        yield from words(child, skipping)
        if skipping and isinstance(child, nodes.paragraph) and {*MARKS} & {*child["classes"]}:
            return


def said_of(count: int) -> str:
    """How long so many words take."""
    minutes_ = max(1, round(count / PACE))
    if minutes_ > LONG:
        return f"{round(minutes_ / 60)} hours"
    return f"{minutes_} minute{'s' if minutes_ > 1 else ''}"


def told(env: BuildEnvironment, *pages: str) -> str:
    """How long pages take, with all that is folded."""
    return said_of(sum(_count(env, page) for page in pages))


def first(env: BuildEnvironment, *pages: str) -> str:
    """How long pages take whoever skips what is folded."""
    trees = [env.get_doctree(page) for page in pages]
    return said_of(sum(1 for tree in trees for _ in words(tree, skipping=True)))


def _count(env: BuildEnvironment, page: str) -> int:
    return sum(1 for _ in words(env.get_doctree(page)))


def programs(env: BuildEnvironment, page: str) -> list[str]:
    """Whose code a page's listings show."""
    listed = [use["object"] for doc, use in cutaway_domain(env).uses("listing") if doc == page]
    return [name for package, name in PROGRAMS.items() if any(one.startswith(f"{package}.") for one in listed)]


class Count(SphinxPostTransform):
    """Write the minutes once all pages are read."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        for node in list(self.document.findall(minutes)):
            is_all = node["pages"] == ["all"]
            if is_all:
                node["pages"] = [page for page in in_order(self.env) if _count(self.env, page) >= FEW]
            there = [page for page in node["pages"] if page in self.env.found_docs]
            for page in {*node["pages"]} - {*there}:
                logger.warning("minutes: there is no page %s", page, location=node)
            node.replace_self(nodes.Text((told if is_all else first)(self.env, *there)))


class Head(SphinxPostTransform):
    """Below the title of a chapter: its minutes, and whose code it shows."""

    default_priority = 6
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        page = self.env.current_document.docname
        title = next(self.document.findall(nodes.title), None)
        if "/" not in page or title is None or title.parent is None or _count(self.env, page) < FEW:
            return
        shown = programs(self.env, page)
        begin, whole = first(self.env, page), told(self.env, page)
        length = begin if begin == whole else f"{begin}, {whole.split()[0]} with all that is folded"
        said = " · ".join([length, *([" and ".join(shown)] if shown else [])])
        title.parent.insert(title.parent.index(title) + 1, nodes.paragraph("", said, classes=["book-about"]))


def count_again(app: Sphinx, env: BuildEnvironment, *pages: Set[str]) -> list[str]:
    """Where a page was added, changed or removed."""
    return [page for page in READERS if page in env.found_docs and any(pages)]


def setup(app: Sphinx) -> None:
    app.add_role("minutes", MinutesRole())
    app.add_post_transform(Count)
    app.add_post_transform(Head)
    app.connect("env-get-outdated", count_again)
