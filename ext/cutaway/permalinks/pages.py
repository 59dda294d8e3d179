"""The page behind a permanent address, ``s/<id>/index.html``: it leads on at once, and says what is there.

Whoever follows the address goes on to ``page.html#id``, with and without script. Whoever asks what it is (a chat, a
search engine, a program that embeds) finds a title, a description, a card and oEmbed data. An id that moved leads to
its successor; one that was retired says so, and names the nearest.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import NamedTuple

from sphinx.application import Sphinx

from ..address import FOLDER, base, permanent
from ..parts import has_cards
from ..store import replacing
from ..targets import Target, said, targets
from ..unchanged import is_quiet, settled
from .check import registry_of
from .registry import Registry, RegistryError

CARD = (1200, 630)  # pixels
_OEMBED = "oembed.json"  # also the mark of a folder of ours
# Nothing is asked of anyone; the style is for those who see the page of a retired id.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = "body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }"


class Site(NamedTuple):
    """What all stubs have in common."""

    base: str
    title: str
    language: str
    cards: bool


class Stub(NamedTuple):
    """An address: ``id`` is in it, ``target`` what it leads to, at ``page``; ``retired`` the title of what is gone."""

    id: str
    target: Target
    said: str
    page: str
    retired: str = ""


def stubs(app: Sphinx) -> Iterator[Stub]:
    """One for each thing that can be linked to, and for each id that leads to one."""
    here, told, registry = targets(app.env), said(app), registry_of(app) or Registry()
    leads = {id: (id, "") for id in here}
    for id, entry in registry.ids.items():
        if id not in here:
            with suppress(RegistryError):  # a warning of its own
                leads[id] = (registry.live(id), entry.title if entry.retired else "")
    for id, (live, retired) in leads.items():
        if live in here:
            target = here[live]
            yield Stub(id, target, told.get(live, ""), app.builder.get_target_uri(target.docname), retired)


def html(stub: Stub, site: Site) -> str:
    """The page: what machines read in its head, a link for people in its body."""
    target, on = stub.target, f"../../{stub.page}#{stub.target.id}"
    title = f"{target.title} · {site.title}"
    described = stub.said or title
    refresh = "" if stub.retired else f'<meta http-equiv="refresh" content="0; url={escape(on)}">\n'
    gone = f"<p>“{escape(stub.retired)}” is no longer in the book. The nearest:</p>\n" if stub.retired else ""
    embed = escape(f"{permanent(site.base, stub.id)}{_OEMBED}" if site.base else _OEMBED)
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(site.language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n{refresh}'
        f"<title>{escape(title)}</title>\n"
        f'<meta name="viewport" content="width=device-width">\n<meta name="color-scheme" content="light dark">\n'
        f'<meta name="description" content="{escape(described)}">\n'
        f'<link rel="canonical" href="{escape(f"{site.base}{stub.page}" if site.base else f"../../{stub.page}")}">\n'
        f"{_cards(stub, site, described)}"
        f'<link rel="alternate" type="application/json+oembed" href="{embed}" title="{escape(title)}">\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{gone}"
        f'<h1><a href="{escape(on)}">{escape(target.title)}</a></h1>\n<p>{escape(described)}</p>\n</body>\n</html>\n'
    )


def _cards(stub: Stub, site: Site, described: str) -> str:
    """Open Graph, and what Twitter does not take from it."""
    facts = {
        "og:type": "article",
        "og:site_name": site.title,
        "og:title": stub.target.title,
        "og:description": described,
        "og:url": permanent(site.base, stub.target.id) if site.base else "",
    }
    if site.cards:
        facts |= {
            "og:image": f"{permanent(site.base, stub.id) if site.base else ''}card.png",
            "og:image:type": "image/png",
            "og:image:width": str(CARD[0]),
            "og:image:height": str(CARD[1]),
            "og:image:alt": stub.target.title,
        }
    shown = "summary_large_image" if site.cards else "summary"
    lines = [f'<meta property="{name}" content="{escape(text)}">\n' for name, text in facts.items() if text]
    return "".join(lines) + f'<meta name="twitter:card" content="{shown}">\n'


def oembed(stub: Stub, site: Site) -> str:
    """What a program gets that embeds: the card with a link; where the site stands nowhere yet, only words."""
    told = {"version": "1.0", "type": "link", "title": stub.target.title, "provider_name": site.title}
    if not site.base:
        return json.dumps(told, ensure_ascii=False)
    url = permanent(site.base, stub.target.id)
    told["provider_url"] = site.base
    if not site.cards:
        return json.dumps(told, ensure_ascii=False)
    card = f"{permanent(site.base, stub.id)}card.png"
    alt, (width, height) = escape(stub.target.title), CARD
    picture = f'<img src="{escape(card)}" alt="{alt}" width="{width}" height="{height}">'
    sized: dict[str, str | int] = {
        "type": "rich",
        "html": f'<a href="{escape(url)}">{picture}</a>',
        "width": width,
        "height": height,
        "thumbnail_url": card,
        "thumbnail_width": width,
        "thumbnail_height": height,
    }
    return json.dumps({**told, **sized}, ensure_ascii=False)


# Into the output


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the stubs that are new or changed, and remove those of ids that there are no longer."""
    if error is not None or app.builder.name not in ("html", "dirhtml") or is_quiet(app):
        return
    folder, found = Path(app.outdir) / FOLDER, list(stubs(app))
    site = Site(base(app.config), app.config.html_title, app.config.language, has_cards(app))
    stand = settled(app, {stub.id: stub.target.docname for stub in found})
    for stub in found:
        if stub.id in stand:
            continue
        _put(folder / stub.id / "index.html", html(stub, site))
        _put(folder / stub.id / _OEMBED, oembed(stub, site))
    ids = {stub.id for stub in found}
    for place in folder.iterdir() if folder.is_dir() else ():
        if place.name not in ids and (place / _OEMBED).is_file():
            shutil.rmtree(place)


def _put(path: Path, text: str) -> None:
    data = text.encode()
    if path.is_file() and path.read_bytes() == data:
        return
    with replacing(path) as temporary:
        temporary.write_bytes(data)
