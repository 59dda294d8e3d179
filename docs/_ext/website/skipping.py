"""What a first reader may skip: it is folded, from a marked paragraph to the end of its section.

The mark is a line before the paragraph, which says what is folded::

    (attention-check)=
    ## Check it

    {.skip-at-first}
    The next cell computes attention again in NumPy.

In HTML the rest of the section stands behind one line, which says how much it is. ``book.js`` opens it for an address
inside it, and all at once on request; without script, on paper and in every other format nothing is folded. Where a
page is looked up rather than read, as those for when something is wrong, the mark is ``{.when-needed}``.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from cutaway.clips.directive import clip
from cutaway.diagrams.directive import diagram
from cutaway.listings.directive import listing

from .minutes import MARKS, said_of, words

logger = logging.getLogger(__name__)
BUILDERS = ("html", "dirhtml")  # whose pages have the script
LATE = 970  # of doctree-resolved: twins, notebooks, the search and the buttons are done


class fold(nodes.General, nodes.Element):
    """Attribute ``said``: what its line says."""


def marked(tree: nodes.Element) -> Iterator[tuple[nodes.paragraph, str]]:
    """The paragraphs with a mark, and the mark."""
    for paragraph in tree.findall(nodes.paragraph):
        for mark in {*MARKS} & {*paragraph["classes"]}:
            yield paragraph, mark


def folded(paragraph: nodes.paragraph) -> list[nodes.Node]:
    """What a mark folds: all that follows in the section."""
    section = paragraph.parent
    if not isinstance(section, nodes.section) or not isinstance(section.parent, nodes.section):
        return []
    return list(section.children[section.index(paragraph) + 1 :])


def check(app: Sphinx, doctree: nodes.document) -> None:
    for paragraph, mark in marked(doctree):
        if not folded(paragraph):
            said = "{.%s} folds what follows it in a section below the title; nothing follows here: remove the mark"
            logger.warning(said, mark, location=paragraph, type="cutaway", subtype="skip")


def say(parts: list[nodes.Node]) -> str:
    """How long the parts take, and what there is to see in them."""
    every = [node for part in parts for node in part.findall(nodes.Element)]
    found = {
        "listing": sum(isinstance(node, listing) for node in every),
        "clip": sum(isinstance(node, clip) for node in every),
        "drawing": sum(isinstance(node, diagram) for node in every),
        "result": sum(isinstance(node, nodes.container) and "cell_output" in node["classes"] for node in every),
    }
    seen = [f"{count} {name}{'s' if count > 1 else ''}" for name, count in found.items() if count]
    return ", ".join([said_of(sum(1 for part in parts for _ in words(part))), *seen])


def wrap(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    if app.builder.name not in BUILDERS:
        return
    for paragraph, mark in list(marked(doctree)):
        parts, section = folded(paragraph), paragraph.parent
        if not parts or section is None:
            continue
        box = fold(said=f"{MARKS[mark]}: {say(parts)}")
        for part in parts:
            section.remove(part)
        box.extend(parts)
        section.append(box)


def fold_index(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Fold the tables of the index of all steps, each behind its title."""
    if app.builder.name not in BUILDERS:
        return
    for table in list(doctree.findall(nodes.table)):
        title = table.parent[table.parent.index(table) - 1] if table.parent else None
        if "cutaway-sequence" not in table["classes"] or not isinstance(title, nodes.rubric):
            continue
        steps = len(list(table.findall(nodes.row))) - 1
        title.replace_self(box := fold(said=f"{title.astext()}: {steps} step{'s' if steps > 1 else ''}"))
        box.parent.remove(table)
        box += table


def visit(translator: Any, node: fold) -> None:
    translator.body.append(f'<details class="book-fold"><summary>{escape(node["said"])}</summary>\n')


def depart(translator: Any, node: fold) -> None:
    translator.body.append("</details>\n")


def setup(app: Sphinx) -> None:
    app.add_node(fold, html=(visit, depart))
    app.connect("doctree-read", check)
    app.connect("doctree-resolved", wrap, priority=LATE)
    app.connect("doctree-resolved", fold_index, priority=LATE)
