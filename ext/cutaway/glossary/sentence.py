"""The sentence of a paragraph in which a node stands, as nodes of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from docutils import nodes

# Where a sentence ends: a mark, perhaps with what closes, then a blank.
_END = re.compile(r"[.?!][\"”’)\]]*(?=\s)")
_SHORT = re.compile(r"(\b(e\.g|i\.e|al|vs|cf|etc|no|p|pp|Fig|Eq|Dr)|\b[A-Z])$")  # words that end in a dot of their own


def sentence_around(node: nodes.Element) -> nodes.inline:
    """A copy of the sentence that holds a node; without ids, as they are the page's."""
    block = _block(node)
    found = nodes.inline()
    for part in _parts(block, node):
        found += part
    for copied in found.findall(nodes.Element):
        copied["ids"], copied["names"] = [], []
    return found


def _block(node: nodes.Element) -> nodes.Element:
    """The paragraph, title, ... around a node."""
    around = node.parent
    while isinstance(around, nodes.Inline) and isinstance(around, nodes.Element) and around.parent is not None:
        around = around.parent
    return around


def _parts(block: nodes.Element, node: nodes.Element) -> list[nodes.Node]:
    """Copies of the block's parts from the end of the sentence before to the end of the node's own."""
    kept: list[nodes.Node] = []
    is_inside = False
    for part in _flat(block, node):
        if not isinstance(part, nodes.Text):
            is_inside |= part is node
            kept.append(part.deepcopy())
            continue
        pieces = _cut(str(part))
        if is_inside:
            kept.append(nodes.Text(pieces[0]))
            if len(pieces) > 1:
                break
        elif len(pieces) > 1:
            kept = [nodes.Text(pieces[-1])]
        else:
            kept.append(nodes.Text(pieces[0]))
    return _stripped(kept)


def _flat(block: nodes.Element, node: nodes.Element) -> Iterator[nodes.Node]:
    """The parts of a block; what holds the node and more (a claim) is opened."""
    for part in block.children:
        if part is not node and isinstance(part, nodes.Element) and any(one is node for one in part.findall()):
            yield from _flat(part, node)
        else:
            yield part


def _cut(text: str) -> list[str]:
    """The sentences of a text; where it ends with one, the last is empty."""
    ends = [0]
    for end in _END.finditer(text):
        if not (text[end.start()] == "." and _SHORT.search(text[: end.start()])):
            ends.append(end.end())
    return [text[start:end] for start, end in zip(ends, [*ends[1:], len(text)], strict=True)]


def _stripped(parts: list[nodes.Node]) -> list[nodes.Node]:
    """Without blanks at both ends."""
    if parts and isinstance(parts[0], nodes.Text):
        parts[0] = nodes.Text(str(parts[0]).lstrip())
    if parts and isinstance(parts[-1], nodes.Text):
        parts[-1] = nodes.Text(str(parts[-1]).rstrip())
    return [part for part in parts if not isinstance(part, nodes.Text) or str(part)]
