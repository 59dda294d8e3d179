"""How long pages take to read: the role ``minutes`` with their names, ``{minutes}`model/overview model/embedding```.

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

logger = logging.getLogger(__name__)
PACE = 200  # words a minute
SILENT = (nodes.literal_block, nodes.table, nodes.math_block, nodes.raw, nodes.comment)
READERS = ["index"]  # pages that use the role


class minutes(nodes.Inline, nodes.TextElement):
    """Attribute ``pages``."""


class MinutesRole(SphinxRole):
    """How long some pages take to read."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        node = minutes(pages=self.text.split())
        node.source, node.line = self.get_source_info()
        return [node], []


def words(tree: nodes.Node) -> Iterator[str]:
    """The words that are read one after the other."""
    if isinstance(tree, SILENT):
        return
    if isinstance(tree, nodes.Text):
        yield from str(tree).split()
    for child in tree.children:
        yield from words(child)


class Count(SphinxPostTransform):
    """Write the minutes once all pages are read."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        for node in list(self.document.findall(minutes)):
            missing = [page for page in node["pages"] if page not in self.env.found_docs]
            if missing:
                logger.warning("minutes: there is no page %s", ", ".join(missing), location=node)
            there = (self.env.get_doctree(page) for page in node["pages"] if page not in missing)
            count = sum(len(list(words(tree))) for tree in there)
            node.replace_self(nodes.Text(f"{max(1, round(count / PACE))} minutes"))


def count_again(app: Sphinx, env: BuildEnvironment, *pages: Set[str]) -> list[str]:
    """Where a page was added, changed or removed."""
    return [page for page in READERS if page in env.found_docs and any(pages)]


def setup(app: Sphinx) -> None:
    app.add_role("minutes", MinutesRole())
    app.add_post_transform(Count)
    app.connect("env-get-outdated", count_again)
