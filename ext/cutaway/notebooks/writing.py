"""The notebooks that readers download: a page's cells, and between them its words as plain Markdown.

myst-nb writes a page's notebook when it reads the page: with the page's own markup, an id by chance for every cell, and
what the cells gave where they ran just then. Here it is written anew whenever the page is, the same in every build:
numbers stand in sentences, listings and drawings are text, and of each clip there are stills, inside of the file.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from docutils import nodes
from sphinx.application import Sphinx

from ..address import base
from ..build import build_of
from ..clips.directive import clip
from ..clips.finished import Clip
from ..clips.keys import KIND
from ..clips.resolve import found as found_clip
from ..markdown import ours  # noqa: F401 - registers its nodes
from ..markdown.blocks import blocks
from ..markdown.spans import Page, escaped, inline, link
from ..parts import has
from ..settings import inventory
from ..source_pages import write_changed
from ..store import replacing
from . import PART
from .first import first_cell, runs_of

THEME = "light"  # of stills: notebooks are read on paper white more often than not
HOW = "Its cells read what the runs have recorded: open it in a checkout of the project that has been built once."
ALONE = "Its first cell installs and fetches what the others need."


class Code(NamedTuple):
    """A cell of the page, by what stands in it."""

    source: str


class First(NamedTuple):
    """The cell that gets the book, which is no cell of the page."""

    source: str


class Still(NamedTuple):
    """The last frame of a section of a clip."""

    name: str
    alt: str
    data: bytes


Part = str | Code | First | Still
FIRST = "first"  # id of the cell that gets the book


def write(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Write a page's notebook, if it has one, when the page is written and everything is filled in."""
    config = getattr(app.env, "mystnb_config", None)
    path = Path(config.output_folder, f"{docname}.ipynb") if config else None
    if path is None or not path.is_file():
        return
    before, notebook = path.stat(), json.loads(path.read_text("utf-8"))
    code = (cell for cell in notebook["cells"] if cell["cell_type"] == "code" and cell.get("id") != FIRST)
    cells = [_text(cell["source"]) for cell in code]
    parts = parts_of(app, doctree, docname, cells)
    with replacing(path) as temporary:
        temporary.write_text(composed(parts, cells, notebook["metadata"]), "utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # its page is not older than it


def publish(app: Sphinx, error: Exception | None) -> None:
    """Copy the notebooks to where downloads are: Sphinx copies those before a page is written, with its raw markup."""
    folder = getattr(app.builder, "_downloads_dir", None)
    config = getattr(app.env, "mystnb_config", None)
    if error is not None or folder is None or config is None:
        return
    made = Path(config.output_folder).resolve()
    for file, (_, there) in app.env.dlfiles.items():
        source, target = Path(app.srcdir, file).resolve(), Path(folder, there)
        if source.suffix == ".ipynb" and source.is_relative_to(made) and source.is_file():
            write_changed(target, source.read_text("utf-8"))


def composed(parts: Iterator[Part], sources: list[str], metadata: dict[str, Any]) -> str:
    """A notebook of a page's parts and of all its cells, those too that the page does not show."""
    kernel = metadata.get("kernelspec", {}).get("name", "python3")
    cells: list[dict[str, Any]] = []
    waiting: list[str] = []
    stills: list[Still] = []

    def flush() -> None:
        if waiting:
            cells.append(_words("\n\n".join(waiting), stills))
            waiting.clear()
            stills.clear()

    rest = list(sources)
    for part in parts:
        if isinstance(part, Code):
            flush()
            shown = next((i for i, text in enumerate(rest) if _text(text).strip() == part.source.strip()), -1)
            cells += map(_code, rest[: shown + 1])
            del rest[: shown + 1]
        elif isinstance(part, First):
            flush()
            cells.append({**_code(part.source), "id": FIRST})
        elif isinstance(part, Still):
            waiting.append(f"![{escaped(part.alt)}](attachment:{part.name})")
            stills.append(part)
        else:
            waiting.append(part)
    flush()
    cells += map(_code, rest)
    numbered = [{"id": f"cell-{number}", "metadata": {}, **cell} for number, cell in enumerate(cells)]
    kept = {"kernelspec": {"name": kernel, "display_name": kernel}}
    whole = {"cells": numbered, "metadata": kept, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _code(source: str | list[str]) -> dict[str, Any]:
    return {"cell_type": "code", "source": _text(source), "outputs": [], "execution_count": None}


def _words(text: str, stills: list[Still]) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": "markdown", "source": text}
    if stills:
        cell["attachments"] = {still.name: {"image/png": base64.b64encode(still.data).decode()} for still in stills}
    return cell


def parts_of(app: Sphinx, doctree: nodes.document, docname: str, cells: list[str]) -> Iterator[Part]:
    """What stands on a page, in its order: blocks of Markdown, cells, and stills of clips."""
    page, site = _page(app, docname), base(app.config)
    title = inline(app.env.titles[docname], page) if docname in app.env.titles else ""
    where = link(title, site + app.builder.get_target_uri(docname)) if site else f"*{title}*"
    first, *rest = _inside(app, doctree, page)
    yield first
    how = ALONE if has(app, PART) else HOW
    yield f"> {where}, a page of {escaped(app.config.html_title)}, as a notebook. {how}"
    if has(app, PART):
        yield First(first_cell(site, inventory(app.config), runs_of(cells, build_of(app.env).book)))
    yield from rest


def _inside(app: Sphinx, node: nodes.Element, page: Page, depth: int = 0) -> Iterator[Part]:
    """The parts of a node's children; ``depth`` sections are around them."""
    for child in node.children:
        if isinstance(child, nodes.title) and isinstance(node, nodes.section):
            yield f"{'#' * min(depth, 6)} {''.join(inline(part, page) for part in child.children)}"
        elif isinstance(child, nodes.section):
            yield from _inside(app, child, page, depth + 1)
        elif _is_cell(child):
            source = next((part.astext() for part in child.findall(nodes.literal_block)), "")
            yield Code(source)
        elif isinstance(child, nodes.container) and any(child.findall(_is_cell)):
            yield from _inside(app, child, page, depth)
        else:
            yield from blocks(child, page)
            if isinstance(child, clip):
                yield from _stills(app, child)


def _is_cell(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def _stills(app: Sphinx, node: clip) -> Iterator[Still]:
    """The last frame of each section."""
    found = found_clip(app.env, node) or Clip()
    for number, section in enumerate(found.sections if found.key else ()):
        path = build_of(app.env).book.store.path(KIND, found.key, found.still(number, THEME))
        name = f"{node['ids'][0]}-{section.slug}.png"
        yield Still(name, f"{section.name}: {' '.join(section.captions)}".rstrip(": "), path.read_bytes())


def _page(app: Sphinx, docname: str) -> Page:
    """Links lead to the site, where it is known; a file by itself has nothing beside it."""
    site = base(app.config)
    here = urljoin(site, app.builder.get_target_uri(docname))

    def leads(href: str) -> str:
        return href if urlsplit(href).scheme else urljoin(here, href) if site and href else ""

    return Page(leads, lambda id: "", site)
