"""Numbers in an EPUB, as ``python -m cutaway.dev.printing`` puts them into a PDF.

``"cutaway.dev.printing.epub"`` among the extensions makes parts of the captions of the contents and numbers the
chapters in them, and their sections: in the headings, and in what a reading program lists. Pages of other builders
stay as they are, and so does a book whose contents are ``:numbered:``.
"""

from __future__ import annotations

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
    if app.builder.name != "epub" or env.toc_secnumbers:
        return
    for place, name in enumerate((page for part in parts(env) for page in part.pages), 1):
        top = next(iter(env.tocs[name].children), None)
        found: dict[str, tuple[int, ...]] = {"": (place,)}
        if isinstance(top, nodes.Element):
            _sections(top, (place,), found)
        env.toc_secnumbers[name] = found


def _sections(item: nodes.Element, above: tuple[int, ...], found: dict[str, tuple[int, ...]]) -> None:
    """The numbers of the sections listed below an item, by their anchors."""
    inner = [child for part in item.children if isinstance(part, nodes.bullet_list) for child in part.children]
    for place, child in enumerate(inner, 1):
        link = next(child.findall(nodes.reference), None)
        if link is not None and isinstance(child, nodes.Element):
            found[link["anchorname"]] = (*above, place)
            _sections(child, (*above, place), found)


def list_parts(app: Sphinx) -> None:
    """Have Sphinx's list of contents go through :func:`with_numbers`."""
    builder: Any = app.builder
    if builder.name != "epub":
        return
    collect = builder.get_toc

    def get_toc() -> None:
        collect()
        builder.refnodes = with_numbers(app.env, builder, builder.refnodes)

    builder.get_toc = get_toc


def with_numbers(env: BuildEnvironment, builder: Any, entries: list[Entry]) -> list[Entry]:
    """The contents with the numbers of chapters and sections, each part before its first chapter, a level above."""
    names = {escape(builder.get_target_uri(name)): name for name in env.found_docs}
    firsts = {part.pages[0]: part for part in parts(env) if part.title}
    inside = {page for part in firsts.values() for page in part.pages}
    places = {name: place for place, name in enumerate(firsts, 1)}
    told = []
    for entry in entries:
        uri, hash, anchor = entry["refuri"].partition("#")
        name = names.get(uri, "")
        if name in firsts and not hash:
            title = f"Part {_roman(places[name])}. {firsts[name].title}"
            told.append({"level": 1, "refuri": f"{uri}#{_top(env, builder, name)}", "text": escape(title)})
        found = env.toc_secnumbers.get(name, {}).get(hash + anchor)
        said = ".".join(map(str, found)) + " " if found else ""
        told.append({**entry, "level": entry["level"] + (name in inside), "text": said + entry["text"]})
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
