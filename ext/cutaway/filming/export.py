"""One clip outside the book, as a file: ``python -m cutaway clip attention.CausalMask --gif mask.gif``.

The steps that a scene may name are those of the book's last build; values by variable name need no build.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
from pathlib import Path

from .. import runs
from ..book import Book, steps_key
from ..names import Place
from ..quotation import match
from ..render import Inputs, Wanted, render
from ..source import SourceError
from ..store import replacing
from . import recipe
from .animate import KINDS, animate
from .recipe import KIND, find_scene


class ClipError(LookupError):
    """The clip could not be drawn."""


def render_one(
    book: Book, scene: str, path: Path, kind: str, run: str | None = None, theme: str = "dark"
) -> Path:
    """Draw a scene, or take it from the store, and write it as ``mp4``, ``gif``, ``webp`` or ``png``."""
    find_scene(book, scene)  # says what there is instead, before anything runs
    known = recipe.hint(book.store, scene)
    run = run or known.get("run")
    outcomes = runs.ensure(book, _say, [run] if run else None)
    failed = [outcome.error for outcome in outcomes.values() if outcome.error]
    if failed:
        raise ClipError(failed[0])
    if run and run not in outcomes:
        raise ClipError(f"no run '{run}' in {book.runs}; there is {', '.join(outcomes) or 'none'}")
    steps = _places(book)
    wanted = Wanted(scene, run or next(iter(outcomes), None))
    inputs = Inputs({name: outcome.trace for name, outcome in outcomes.items()}, steps)
    clip = render(book, [wanted], inputs, _say)[wanted]
    if clip.error:
        raise ClipError(clip.error)
    shown = theme if theme in clip.themes else clip.themes[0]
    film = book.store.path(KIND, clip.key, f"-{shown}.mp4")
    with replacing(path) as temporary:
        if kind in KINDS:
            animate(film, temporary, kind)
        else:
            shutil.copyfile(film.with_suffix(f".{kind}"), temporary)
    return path


def _places(book: Book) -> dict[str, Place]:
    """The steps of the last build, where their quotations stand now."""
    places = {}
    for id, (dotted, quotation) in (book.store.read_json("book", steps_key(book)) or {}).items():
        with contextlib.suppress(SourceError):
            places[id] = Place(dotted, match(book.source.find(dotted), quotation))
    return places


def _say(line: str) -> None:
    print(line, file=sys.stderr)
