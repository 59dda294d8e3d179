"""Skips the folders ``s/<id>/`` whose page was neither read nor written: there are thousands.

They are as the previous build left them if that build finished, with the same code and settings, and no file was added
to them or removed since.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from .address import FOLDER
from .build import build_of
from .state import has_state, hold, notes_of, state_of
from .store import digest, sweep, version
from .theme.fonts import fonts_digest

ELSEWHERE_S = 3600  # older temporary files in the store are no other machine's

class _Touched(set[str]):
    """The pages that this build read or wrote."""


class _Left:
    """The folders of addresses as the last build left them; None where what it knew is no longer so."""

    def __init__(self, folders: dict[str, int] | None) -> None:
        self.folders = folders


def is_quiet(app: Sphinx) -> bool:
    """Whether no page was read or written, and all stands; known from ``build-finished`` on."""
    return not state_of(app.env, _Touched) and _left(app) == _folders(app)


def settled(app: Sphinx, pages: Mapping[str, str]) -> set[str]:
    """Of ids, each with the page of what it leads to, those whose files are as this build would leave them."""
    touched, left, now = state_of(app.env, _Touched), _left(app) or {}, _folders(app)
    return {id for id, page in pages.items() if page not in touched and id in left and left[id] == now.get(id)}


def _left(app: Sphinx) -> dict[str, int] | None:
    if not has_state(app.env, _Left):
        kept = notes_of(app.env)[_section(app)]
        hold(app.env, _Left(kept["left"] if kept.get("by") == _maker(app) else None))
    return state_of(app.env, _Left).folders


def _section(app: Sphinx) -> str:
    return f"addresses {app.builder.name}"


def _maker(app: Sphinx) -> str:
    """Digest of what decides files beside addresses, other than the pages."""
    book = build_of(app.env).book
    registry = book.permalinks.read_bytes() if book.permalinks and book.permalinks.is_file() else None
    names = [name for name in sorted(app.config.values) if name.startswith("cutaway_")]
    settings = [repr(app.config[name]) for name in (*names, "html_title", "html_baseurl", "language")]
    return digest(_code(), names, settings, registry, fonts_digest(), version("pillow"), str(app.outdir))


def _code() -> list[list[str | int]]:
    """Of our own files what changes with an edit."""
    here = Path(__file__).parent
    found = ((path, path.stat()) for path in sorted(here.rglob("*")) if path.suffix in (".py", ".js", ".css", ".html"))
    return [[str(path), stat.st_size, stat.st_mtime_ns] for path, stat in found]


def _folders(app: Sphinx) -> dict[str, int]:
    """The folders of all addresses, each with the time at which a file last came or went."""
    try:
        with os.scandir(Path(app.outdir, FOLDER)) as found:
            return {place.name: place.stat().st_mtime_ns for place in found}
    except OSError:  # none, or a file
        return {}


def _touch(app: Sphinx, docname: str) -> None:
    """A page is read or written: what was noted holds no more for the next build, should this one be killed."""
    _left(app)
    state_of(app.env, _Touched).add(docname)
    notes_of(app.env).drop(_section(app))


def note(app: Sphinx, error: Exception | None) -> None:
    """Leave for the next build what it can rely on, and nothing that killed processes left."""
    if error is None and not is_quiet(app):
        if _left(app) is None:  # the last one may have been killed
            sweep(Path(app.outdir))
        sweep(build_of(app.env).book.store.root, ELSEWHERE_S)
        notes_of(app.env)[_section(app)] = {"by": _maker(app), "left": _folders(app)}


def read_anew(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _touch(app, docname)


def written_anew(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    _touch(app, docname)
