"""The tool's own nodes as Markdown: drawings, clips in words, listings with notes. Importing it registers them."""

from __future__ import annotations

from collections.abc import Iterator

from ..clips.directive import clip
from ..diagrams.directive import diagram
from ..exercises.directive import mistake, solution
from ..listings.directive import annotation, listing
from ..live.directive import live
from .blocks import address, blocks, fenced, inside, items
from .spans import Page, code, escaped, linked, plainly


@blocks.register
def _drawing(node: diagram, page: Page) -> Iterator[str]:
    yield f"**Drawing:** {escaped(node['label'])}{address(node, page)}"
    yield fenced("\n".join(node["drawing"].lines))
    links = [(escaped(anchor.title), page.link(anchor.href)) for anchor in node["anchors"] if node["links"]]
    if any(href for _, href in links):
        yield items([("-", [linked(title, href)]) for title, href in links])


@blocks.register
def _clip(node: clip, page: Page) -> Iterator[str]:
    yield f"**Clip:** {escaped(node['alt'])}{address(node, page)}"
    yield from inside(node.children, page)
    sections = node["shown"]["sections"] if "shown" in node else []
    said = [(section["name"], " ".join(section["captions"])) for section in sections]
    if said:
        told = (f"{name}: {text}" if text else name for name, text in said)
        yield items([(f"{number}.", [plainly(escaped(text))]) for number, text in enumerate(told, 1)])


@blocks.register
def _live(node: live, page: Page) -> Iterator[str]:
    yield f"**Figure that computes:** {escaped(node['alt'])}{address(node, page)}"
    yield from inside(node.children, page)


@blocks.register
def _listing(node: listing, page: Page) -> Iterator[str]:
    where = f"{code(node['caption'])}, lines {node['lines']} ({escaped(node['summary'].partition(',')[0])})"
    yield f"**Listing:** {where}{address(node, page)}"
    yield fenced(node["text"])
    notes = [child for child in node.children if isinstance(child, annotation)]
    yield from inside((child for child in node.children if not isinstance(child, annotation)), page)
    if notes:
        yield items([(f"{note['number']}.", _note(note, page)) for note in notes])


def _note(node: annotation, page: Page) -> Iterator[str]:
    owner = f" {linked('explained here', page.link(node['owner']))}" if node["owner"] else ""
    yield f"{code(node['quotation'])}{address(node, page)}{owner}"
    yield from inside(node.children, page)


@blocks.register
def _solution(node: solution, page: Page) -> Iterator[str]:
    yield "**Solution**"
    yield from inside(node.children, page)


@blocks.register
def _mistake(node: mistake, page: Page) -> Iterator[str]:
    return iter(())  # a hint answers what somebody typed
