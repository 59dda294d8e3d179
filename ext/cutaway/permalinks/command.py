"""Links on the command line, without a build: ``python -m cutaway link`` and ``python -m cutaway permalinks``.

Each build leaves in the store what it had to link to; without one the registry still knows ids and titles.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from ..address import PLACEHOLDER
from ..build import build_of
from ..domain import nearest
from ..settings import Book
from ..store import Unkept, digest
from ..targets import Target, said, targets
from ..unchanged import is_quiet
from . import check
from .registry import Registry, RegistryError
from .snippets import LABELS, mapping, snippets

logger = logging.getLogger(__name__)
_LINE = re.compile(r"(?P<file>.+\.\w+):(?P<line>\d{1,9})")  # nanogpt/model.py:62


def note(app: Sphinx, error: Exception | None) -> None:
    """Leave in the store what this build has to link to."""
    if error is not None or not check.is_the_book(app):
        return
    book = build_of(app.env).book
    kept = book.store.read_json("book", _key(book))
    if kept and is_quiet(app):
        return
    told = said(app)
    rows = {id: [target._asdict(), told.get(id, "")] for id, target in targets(app.env).items()}
    record = {"targets": rows, "pages": sorted(app.env.found_docs)}
    if kept != record:
        try:
            book.store.write_json("book", _key(book), record)
        except Unkept as unkept:
            message = "`python -m cutaway link` won't know this build: %s"
            logger.warning(message, unkept, type="cutaway", subtype="store")


def _key(book: Book) -> str:
    return digest("links", str(book.confdir))


def _record(book: Book) -> dict[str, Any]:
    return book.store.read_json("book", _key(book)) or {"targets": {}, "pages": []}


def known(book: Book) -> dict[str, tuple[Target, str]]:
    """What can be linked to, each with its description; what left the book is what it leads to."""
    rows = _record(book)["targets"]
    found = {id: (Target(**target), str(told)) for id, (target, told) in rows.items()}
    if book.permalinks:
        registry = Registry.read(book.permalinks)
        for id, entry in registry.ids.items():
            if not entry.to:
                found.setdefault(id, (Target(id, entry.kind, entry.page, 0, entry.title), ""))
        for id, entry in registry.ids.items():
            if entry.to and registry.live(id) in found:
                found.setdefault(id, found[registry.live(id)])
    return found


def ids_of(book: Book, asked: str) -> list[str]:
    """The id itself, or those of the steps that explain a line. LookupError names the nearest."""
    place = _LINE.fullmatch(asked)
    if place:
        from ..source_pages.coverage import ids_at

        ids = ids_at(book, place["file"], int(place["line"]))
        if not ids:
            raise LookupError(f"no step of the last build explains {asked}")
        return ids
    ids = list(known(book))
    if asked not in ids:
        hint = nearest(asked, ids) if ids else "; build the book first"
        raise LookupError(f"nothing has the id '{asked}'{hint}")
    return [asked]


def link(book: Book, asked: str, kind: str | None = None) -> str:
    """What one copies to link to an id or to a line of the source: all kinds with their names, or one."""
    found, texts = known(book), []
    for id in ids_of(book, asked):
        if id not in found:
            raise LookupError(f"'{id}' is not in the last build of the book")
        ways = snippets(*found[id], book.base, book.inventory)
        if kind and kind not in ways:
            raise LookupError(f"'{id}' is a {found[id][0].kind}: there is no {kind} of it, but {', '.join(ways)}")
        texts.append(ways[kind] if kind else _labelled(id, ways, book))
    return "\n".join(texts)


def _labelled(id: str, ways: dict[str, str], book: Book) -> str:
    lines = [f"{id}"] + [f"  {LABELS[kind]}\n    {text}" for kind, text in ways.items()]
    lines.append(f"  (in conf.py, for intersphinx: {mapping(book.base, book.inventory)})")
    if not book.base:
        lines.append(f"  (for {PLACEHOLDER} write where the site stands, or set html_baseurl in conf.py)")
    return "\n".join(lines)


def record(book: Book, moves: Sequence[Sequence[str]] = (), retired: Sequence[str] = (), to: str = "") -> str:
    """Bring the registry up to the last build; returns what changed. RegistryError, and nothing is written,
    where an id left the book and leads nowhere."""
    if not book.permalinks:
        raise RegistryError('no registry: set cutaway_permalinks = "permalinks.json" in conf.py')
    kept = _record(book)
    here = {id: Target(**target) for id, (target, _) in kept["targets"].items()}
    if not here:
        raise RegistryError("nothing to record: build the book first")
    registry = Registry.read(book.permalinks)
    before, today = registry.text(), datetime.now(UTC).date().isoformat()
    known_before = set(registry.ids)
    for old, new in moves:
        registry.lead(old, new, here, today)
    for id in retired:
        registry.lead(id, to, here, today, retired=True)
    lost = registry.refresh(here, kept["pages"], today)
    if lost:
        raise RegistryError("\n".join(check.left(id, registry.ids[id], here) for id in lost))
    if registry.text() != before:
        registry.write(book.permalinks)
    changed = "changed" if registry.text() != before else "as it was"
    return f"{book.permalinks}: {len(registry.ids)} ids, {len(set(registry.ids) - known_before)} new; {changed}"
