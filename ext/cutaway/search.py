"""``cutaway.search``: words of listings, diagrams and clips for the search, which have no text that Sphinx reads.

Each gets a neighbour that prints nothing: its words, and as titles what leads to a place on the page, which are the
symbols and the quotation of a step, and the sections of a clip.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from .clips.directive import clip
from .diagrams.directive import diagram
from .listings.directive import annotation, listing
from .parts import begin

_SYMBOL = re.compile(r"[^\W\d]\w*")
_SHORTEST = 3  # letters of a symbol that is worth a title: nobody looks for "q"


class searched(nodes.Invisible, nodes.Element):
    """Words of the node before it. Where it has ``ids``, its titles lead there."""


def titles(ids: list[str], names: Iterable[str]) -> searched:
    """What leads to an id when it is looked for."""
    node = searched(ids=ids)
    node += [nodes.title(name, name) for name in dict.fromkeys(names) if len(name) >= _SHORTEST]
    return node


def words(*texts: str) -> searched:
    return searched("", nodes.Text(" ".join(texts)))


def _of_step(note: annotation) -> Iterator[searched]:
    quotation = note["quotation"]
    symbols = _SYMBOL.findall(quotation)
    whole = [] if len(symbols) == 1 else [quotation]  # `masked_fill(` is found as its one symbol
    yield titles([note["step"]], [*whole, *symbols])
    yield words(quotation)


def _of_clip(node: clip) -> Iterator[searched]:
    shown = node.get("shown")
    yield words(node["alt"])
    for section in shown["sections"] if shown else ():
        id = f"{node['ids'][0]}-{section['slug']}" if node["ids"] else ""
        yield titles([id] if id else [], [section["name"]])
        yield words(*section["captions"])


def _of_listing(node: listing) -> Iterator[searched]:
    code = re.sub(r"<[^>]*>", " ", node.get("code", ""))
    yield words(node["object"], html.unescape(code))
    if node["ids"]:
        yield titles([node["ids"][0]], [node["object"], node["object"].rpartition(".")[2]])


def _of_diagram(node: diagram) -> Iterator[searched]:
    drawing = node.get("drawing")
    text = drawing.text if drawing is not None else ""
    yield words(node["alt"], node.get("label", ""), text, *node.get("words", ()))


def add_words(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put what can be looked for beside what prints itself."""
    if app.builder.format != "html" or app.builder.name == "epub":
        return
    kinds: dict[type[nodes.Element], Any] = {clip: _of_clip, listing: _of_listing, diagram: _of_diagram}
    for kind, of in kinds.items():
        for node in list(doctree.findall(kind)):
            found = list(of(node))
            if kind is listing:
                found += [one for note in node.findall(annotation) if note["step"] for one in _of_step(note)]
            place = node.parent.index(node) + 1
            node.parent[place:place] = found


def print_nothing(translator: Any, node: nodes.Element) -> None:
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(searched, html=(print_nothing, None))
    return begin(app)
