"""Numbers in an EPUB, as ``python -m cutaway.dev.printing`` puts them into a PDF.

``"cutaway.dev.printing.epub"`` among the extensions makes parts of the captions of the contents and numbers the
chapters in them, and their sections: in the headings, and in what a reading program lists. Pages of other builders
stay as they are, and so does a book whose contents are ``:numbered:``.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any, NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from ...parts import begin

PART = "cutaway.dev.printing.epub"
ROMAN = (("X", 10), ("IX", 9), ("V", 5), ("IV", 4), ("I", 1))
Entry = dict[str, Any]  # of Sphinx's list of contents: level, refuri, text


class Part(NamedTuple):
    """A part of the contents."""

    title: str
    pages: list[str]


def parts(env: BuildEnvironment) -> list[Part]:
    """The parts of a book, in the order of its first page's contents; a part without a caption has no title."""
    found, seen = [], {env.config.root_doc}
    for listed in env.tocs[env.config.root_doc].findall(addnodes.toctree):
        pages = [name for name in listed["includefiles"] if name in env.found_docs and name not in seen]
        seen.update(pages)
        if pages:
            found.append(Part(listed.get("caption") or "", pages))
    return found


def number(app: Sphinx, env: BuildEnvironment) -> None:
    """Number chapters and sections where Sphinx's writer looks for it."""
    if app.builder.name == "epub" and not env.toc_secnumbers:
        for place, name in enumerate((page for part in parts(env) for page in part.pages), 1):
            _number(env, name, (place,))


def _number(env: BuildEnvironment, name: str, number: tuple[int, ...]) -> None:
    """Number a page, its sections, and the pages that it lists itself, as sections of it."""
    found = env.toc_secnumbers[name] = {"": number}

    def walk(item: nodes.Node, above: tuple[int, ...]) -> None:
        for place, (inner, anchor, page) in enumerate(_below(env, item), 1):
            if page:
                _number(env, page, (*above, place))
            else:
                found[anchor] = (*above, place)
                walk(inner, (*above, place))

    for top in env.tocs[name].children:
        walk(top, number)


def _below(env: BuildEnvironment, item: nodes.Node) -> Iterator[tuple[nodes.Node, str, str]]:
    """What the contents list directly below an item: a section with its anchor, or a page."""
    for child in item.children:
        if isinstance(child, addnodes.toctree):
            yield from ((child, "", name) for name in child["includefiles"] if name in env.found_docs)
        elif isinstance(child, nodes.bullet_list):
            for listed in child.children:
                link = next(listed.findall(nodes.reference), None)
                if isinstance(listed, addnodes.toctree):
                    yield from ((listed, "", name) for name in listed["includefiles"] if name in env.found_docs)
                elif link is not None:
                    yield listed, link["anchorname"], ""


def list_parts(app: Sphinx) -> None:
    """Give a reading program these contents: Sphinx's own know neither parts nor numbers."""
    builder: Any = app.builder
    if builder.name != "epub":
        return
    app.config.epub_tocscope = "includehidden"  # or a book whose first page hides its contents has none
    collect = builder.get_toc

    def get_toc() -> None:
        collect()
        pages = {builder.get_target_uri(name) for name in app.env.found_docs}
        root = builder.get_target_uri(app.config.root_doc)
        others = [entry for entry in builder.refnodes if entry["refuri"].partition("#")[0] not in pages - {root}]
        first = next((place for place, entry in enumerate(others) if entry["refuri"] == root), -1)
        builder.refnodes = [*others[: first + 1], *contents(app.env, builder), *others[first + 1 :]]

    builder.get_toc = get_toc


def contents(env: BuildEnvironment, builder: Any) -> list[Entry]:
    """The parts, their chapters and sections, each with its number."""
    told: list[Entry] = []

    def tell(name: str, anchor: str, title: str, level: int) -> None:
        found = env.toc_secnumbers.get(name, {}).get(anchor)
        said = ".".join(map(str, found)) + " " if found else ""
        uri = builder.get_target_uri(name) + builder.fix_fragment("", anchor)
        told.append({"level": level, "refuri": escape(uri), "text": escape(said + title)})

    def page(name: str, level: int) -> None:
        tell(name, "", env.titles[name].astext(), level)
        for top in env.tocs[name].children:
            walk(name, top, level + 1)

    def walk(name: str, item: nodes.Node, level: int) -> None:
        for inner, anchor, listed in _below(env, item):
            if listed:
                page(listed, level)
            else:
                tell(name, anchor, next(inner.findall(nodes.reference)).astext(), level)
                walk(name, inner, level + 1)

    titled = [part for part in parts(env) if part.title]
    for part in parts(env):
        if part.title:
            title = f"Part {_roman(titled.index(part) + 1)}. {part.title}"
            top = f"#{_top(env, builder, part.pages[0])}"
            uri = builder.get_target_uri(part.pages[0]) + top
            told.append({"level": 1, "refuri": escape(uri), "text": escape(title)})
        for name in part.pages:
            page(name, 2 if part.title else 1)
    return told


def _top(env: BuildEnvironment, builder: Any, name: str) -> str:
    """The id of a page's first section: one address can be listed once only."""
    section = next(env.get_doctree(name).findall(nodes.section), None)
    return str(builder.fix_fragment("", section["ids"][0])) if section is not None else ""


def _roman(number: int) -> str:
    text = ""
    for sign, value in ROMAN:
        while number >= value:
            text, number = text + sign, number - value
    return text


def setup(app: Sphinx) -> dict[str, Any]:
    return begin(app)
