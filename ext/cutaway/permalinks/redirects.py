"""Redirects from the old addresses of pages and ids that have moved.

A page that is gone is a redirect of sphinx-reredirects, set from the registry. An id that has a successor on the same
page is an anchor there; one that went to another page is a line at the foot of the old page, shown to whoever comes
by the old address. All of it works without script.
"""

from __future__ import annotations

import posixpath
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

from ..settings import Book, BookError
from ..state import notes_of
from ..targets import targets
from .check import registry_of
from .registry import Registry, RegistryError


class forwarding(nodes.General, nodes.Element):
    """The foot of a page; ``rows`` are (old id, address, title)."""


def redirect_pages(app: Sphinx, config: Config) -> None:
    """Hand the pages that are gone to sphinx-reredirects, each with the page in its place."""
    if "sphinx_reredirects" not in app.extensions or config.cutaway_excerpt:
        return
    try:
        path = Book.from_config(config, Path(app.confdir)).permalinks
        pages = Registry.read(path).pages if path else {}
    except (BookError, RegistryError):
        return  # said where the book is read and where the registry is checked
    leads = {old: posixpath.relpath(new, posixpath.dirname(old) or ".") + ".html" for old, new in pages.items()}
    if leads:
        config.redirects = {**config.redirects, **leads}


def old_ids(app: Sphinx) -> dict[str, dict[str, str]]:
    """For each page the old ids that stood there, with the ids that they lead to."""
    registry = registry_of(app)
    found: dict[str, dict[str, str]] = {}
    here = targets(app.env)
    for page, id, live in registry.old_addresses() if registry else ():
        if live in here:
            found.setdefault(page, {})[id] = live
    return found


def keep(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the old ids of a page where they lead."""
    if app.builder.name not in ("html", "dirhtml"):
        return
    here, rows = targets(app.env), []
    for old, live in old_ids(app).get(docname, {}).items():
        target = here[live]
        if target.docname == docname:
            node = next(node for node in doctree.findall(nodes.Element) if live in node.get("ids", ()))
            node["ids"].append(old)
        else:
            rows.append((old, f"{app.builder.get_relative_uri(docname, target.docname)}#{live}", target.title))
    if rows:
        doctree += forwarding(rows=rows)


def visit(translator: Any, node: forwarding) -> None:
    items = "".join(
        f'<p id="{escape(old)}">What stood here is now in <a href="{escape(href)}">{escape(title)}</a>.</p>\n'
        for old, href, title in node["rows"]
    )
    translator.body.append(f'<div class="cutaway-moved">\n{items}</div>\n')
    raise nodes.SkipNode


# A page is written again when its old ids changed, though its text did not


def _section(app: Sphinx) -> str:
    return f"old ids {app.builder.name}"


def outdated(app: Sphinx, env: BuildEnvironment) -> list[str]:
    before = notes_of(env)[_section(app)]
    now = old_ids(app)
    return [page for page in sorted(env.found_docs) if before.get(page, {}) != now.get(page, {})]


def note(app: Sphinx, error: Exception | None) -> None:
    if error is None:
        notes_of(app.env)[_section(app)] = old_ids(app)


def add_nodes(app: Sphinx) -> None:
    app.add_node(forwarding, html=(visit, None))
