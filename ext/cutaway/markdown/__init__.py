"""``cutaway.markdown``: a Markdown twin of every page, and ``llms.txt`` at the root.

The twin of ``model/attention.html`` is ``model/attention.md``.

For coding agents and whoever else reads text: drawings are text, listings have line numbers and call-outs, clips say
what they show. Each thing with an id has its permanent address. ``llms.txt`` (llmstxt.org) lists the twins, with a
line on each. Made by the builders ``html`` and ``dirhtml``, for the pages that they write.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from ..address import base, permanent
from ..parts import PERMALINKS, SOURCE_PAGES, begin, has
from ..source_pages import BUILDERS, INDEX, explained_names, write_changed
from ..targets import plain, said, short, targets
from . import ours  # noqa: F401 - registers its nodes
from .blocks import blocks
from .spans import Page, escaped, inline, link

LIST = "llms.txt"
LASTING = "What has a `#name` keeps the address behind it for good."


def twin(app: Sphinx, docname: str) -> str:
    """The address of a page's twin, from the site's root."""
    path: Path = app.builder.get_output_path(docname)  # type: ignore[attr-defined]
    return path.relative_to(app.outdir).with_suffix(".md").as_posix()


def write_twin(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Write a page's twin when the page is written, with everything filled in."""
    if app.builder.name not in BUILDERS:
        return
    path = twin(app, docname)
    page = _page(app, path)
    parts = list(blocks(doctree, page))
    own = posixpath.basename(path.removesuffix(".md")) + ".html"
    note = (
        f"> This is {link(own, own)} as text; {link(LIST, page.root + LIST)} lists all pages. "
        f"{LASTING if has(app, PERMALINKS) else ''}"
    )
    write_changed(Path(app.outdir, path), "\n\n".join([*parts[:1], note, *parts[1:]]) + "\n")


def _page(app: Sphinx, path: str) -> Page:
    folder = posixpath.dirname(path)
    root = posixpath.relpath(".", folder or ".") + "/" if folder else ""
    pages = {app.builder.get_target_uri(name).strip("/") or ".": name for name in app.env.found_docs}
    known, site = targets(app.env), base(app.config)
    kept_ids = known if has(app, PERMALINKS) else {}

    def leads(href: str) -> str:
        to, hash, id = href.partition("#")
        kept = hash + id if id in known else ""  # other ids are not seen in a twin
        if not to:
            return kept
        name = pages.get(posixpath.normpath(posixpath.join(folder, to)))
        return href if name is None else posixpath.relpath(twin(app, name), folder or ".") + kept

    def lasting(id: str) -> str:
        return (permanent(site, id) if site else root + permanent("", id)) if id in kept_ids else ""

    return Page(leads, lasting, root)


def announce(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Say in a page's head where its twin is."""
    if doctree is not None and app.builder.name in BUILDERS:
        href = posixpath.basename(twin(app, pagename))
        said_before = context.get("metatags", "")
        context["metatags"] = f'{said_before}<link rel="alternate" type="text/markdown" href="{href}">\n'


# llms.txt


def write_list(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.name in BUILDERS:
        write_changed(Path(app.outdir, LIST), "\n\n".join(_list(app)) + "\n")


def _list(app: Sphinx) -> Iterator[str]:
    root = app.config.root_doc
    firsts: dict[str, str] = {}  # each page's first labelled section
    for target in targets(app.env).values():
        if target.kind == "section":
            firsts.setdefault(target.docname, target.id)
    yield f"# {escaped(app.config.html_title)}"
    yield f"> {_described(app, root, firsts)}"
    yield " ".join(_about(app))
    for toctree in app.env.tocs[root].findall(addnodes.toctree):
        yield f"## {toctree.get('caption') or 'Pages'}"
        yield "\n".join(_line(app, name, firsts) for _, name in toctree["entries"] if name in app.env.found_docs)


def _about(app: Sphinx) -> Iterator[str]:
    yield "The pages as Markdown: drawings are text, listings have line numbers and call-outs,"
    yield "numbers come from a recorded run."
    if has(app, SOURCE_PAGES):
        yield f"{link(INDEX, INDEX)} tells which step explains which line of {_files(app)}."
    if has(app, PERMALINKS):
        yield "What a page marks as `[#id](…)` has that address for good."


def _files(app: Sphinx) -> str:
    return " and ".join(f"`{name}`" for name in explained_names(app)) or "the source"


def _line(app: Sphinx, name: str, firsts: Mapping[str, str]) -> str:
    title = inline(app.env.titles[name], Page(str, str))
    described = _described(app, name, firsts)
    return f"- {link(title, twin(app, name))}" + (f": {described}" if described else "")


def _described(app: Sphinx, name: str, firsts: Mapping[str, str]) -> str:
    """The first words of a page, as its first labelled section is described; without a label, as they were typed."""
    text = said(app).get(firsts.get(name, ""), "")
    return escaped(text or short(plain(next(app.env.get_doctree(name).findall(nodes.paragraph), nodes.Text("")))))


def setup(app: Sphinx) -> dict[str, Any]:
    return begin(app)
