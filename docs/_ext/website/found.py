"""How a page is found and shown elsewhere: its description, previews, and the lists that search engines read.

What needs the site's address, ``html_baseurl``, is left out where it is not set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx

from cutaway.address import base, permanent
from cutaway.parts import has_cards
from cutaway.store import replacing
from cutaway.targets import said, targets

AFTER = 510  # priority: cutaway's handlers have 500
LOST = "404"
SPECIAL = {"search": "Search", "genindex": "Index", LOST: "This page does not exist"}


def describe(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Add a description, and what a preview of a link shows, to the head of a page."""
    if app.builder.format != "html" or app.builder.name == "epub":
        return
    title = _plain(context.get("title") or app.config.html_title)
    ids = _ids(doctree)
    described = said(app)
    text = next((described[id] for id in ids if described.get(id)), "")
    text = text or f"{SPECIAL.get(pagename, title)}: {app.config.html_title}."
    tags = {"name=description": text, "property=og:title": title, "property=og:description": text}
    tags |= {"property=og:type": "website" if pagename == app.config.root_doc else "article"}
    tags |= {"property=og:site_name": app.config.html_title}
    site = base(app.config)
    if site:
        tags["property=og:url"] = site + app.builder.get_target_uri(pagename)
        listed = targets(app.env)
        if has_cards(app) and (card := next((id for id in ids if id in listed), "")):
            tags["property=og:image"] = permanent(site, card) + "card.png"
            tags["name=twitter:card"] = "summary_large_image"
    written = (
        f'    <meta {kind}="{name}" content="{escape(content)}">'
        for (kind, _, name), content in ((key.partition("="), value) for key, value in tags.items())
    )
    context["metatags"] = context.get("metatags", "") + "\n" + "\n".join(written)
    context["website_root"] = urlsplit(site).path or "/"


def _ids(doctree: nodes.document | None) -> list[str]:
    """The ids of a page's first section."""
    section = next(doctree.findall(nodes.section), None) if doctree is not None else None
    return list(section["ids"]) if section is not None else []


def _plain(title: str) -> str:
    """A title without its markup."""
    return " ".join(unescape(re.sub("<[^>]*>", "", title)).split())


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The page for addresses that are no more."""
    if app.builder.format == "html" and app.builder.name != "epub":
        yield LOST, {"title": "This page does not exist"}, "404.html"


def write_lists(app: Sphinx, error: Exception | None) -> None:
    """``sitemap.xml``, where the site's address is known, and ``robots.txt``."""
    if error or app.builder.format != "html" or app.builder.name == "epub":
        return
    site, out = base(app.config), Path(app.outdir)
    robots = "User-agent: *\nAllow: /\n"
    if site:
        robots += f"Sitemap: {site}sitemap.xml\n"
        addresses = (site + app.builder.get_target_uri(name) for name in sorted(app.env.found_docs))
        urls = "".join(f"<url><loc>{escape(address)}</loc></url>\n" for address in addresses)
        opening = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        _write(out / "sitemap.xml", f"{opening}\n{urls}</urlset>\n")
    _write(out / "robots.txt", robots)


def _write(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text("utf-8") != text:
        with replacing(path) as temporary:
            temporary.write_text(text, "utf-8")


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", describe, priority=AFTER)
    app.connect("html-collect-pages", pages, priority=AFTER)
    app.connect("build-finished", write_lists, priority=AFTER)
