"""The files beside permanent addresses: a card and a badge for each target, an animated picture for each clip.

They stand beside the target's permanent address, ``s/<id>/card.png``. All are kept in the store under the digest of
what decides their bytes; what is missing there is drawn by child processes at the end of a build.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Set
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.console import bold

from ..address import FOLDER
from ..build import build_of, warn
from ..clips.finished import RECORDING
from ..clips.keys import KIND as CLIP
from ..jobs import draw
from ..parts import has_cards
from ..permalinks.pages import stubs
from ..source.own import own_code
from ..state import state_of
from ..store import Store, Unkept, digest, make_way, noted, replacing, version
from ..targets import Target, said
from ..theme import dimensions
from ..theme.fonts import fonts_digest
from ..unchanged import is_quiet, settled
from .pictures import Picture, of_page

logger = logging.getLogger(__name__)

KIND = "card"
NAMES = ("card.png", "card.webp", "card.gif", "badge.svg")

_Noted = dict[str, tuple[str, Picture | None]]
class _Pictures(dict[str, _Noted]):
    """What each page shows of its targets."""


class File(NamedTuple):
    """A file beside an address: what it shows, its name, where the store has it, how it is made if it isn't there."""

    id: str
    target: Target
    name: str
    source: Path
    job: dict[str, Any]


def make_cards(app: Sphinx, error: Exception | None) -> None:
    """Write what is missing or has changed beside each target's address, and remove what has no target any more."""
    if error is not None or not _wanted(app) or is_quiet(app):
        return
    every = {stub.id: stub.target for stub in stubs(app)}  # an old id shows what it leads to
    stand = settled(app, {id: target.docname for id, target in every.items()})
    listed = {id: target for id, target in every.items() if id not in stand}
    files = [file for id, target in listed.items() for file in _files(app, id, target)]
    store = build_of(app.env).book.store
    folder = Path(app.outdir, FOLDER)
    missing = _missing(store, files, folder)
    failed = _draw(app, missing)
    try:
        for key, drawn in _by_key(missing).items():
            if not drawn & failed:
                store.vouch(KIND, key, sorted(path.suffix for path in drawn))
    except Unkept as unkept:
        logger.warning("cards have to be drawn again: %s", unkept, type="cutaway", subtype="store")
    for file in files:
        if file.source not in failed:
            _copy(file.source, folder / file.id / file.name)
    _remove_stale(folder, stand, {(file.id, file.name) for file in files})


def _missing(store: Store, files: list[File], folder: Path) -> list[File]:
    """What the store lacks; what is out already was whole when it was copied, and is not looked through again."""
    absent: dict[str, bool] = {}
    for file in files:
        key = file.source.stem
        if key not in absent and not _is_copy(folder / file.id / file.name, file.source):
            absent[key] = store.whole(KIND, key) is None
    return [file for file in files if absent.get(file.source.stem)]


def _by_key(files: list[File]) -> dict[str, set[Path]]:
    found: dict[str, set[Path]] = {}
    for file in files:
        found.setdefault(file.source.stem, set()).add(file.source)
    return found


def _wanted(app: Sphinx) -> bool:
    """Cards are for a site: a book in one file has no addresses."""
    return app.builder.name in ("html", "dirhtml") and has_cards(app)


def _files(app: Sphinx, id: str, target: Target) -> list[File]:
    """The card and the badge of a target, and of a clip its animated pictures, which a draft goes without."""
    store = build_of(app.env).book.store
    picture, clip = _noted(app, target.docname).get(target.id, ("{}", None))
    chapter = app.env.titles[target.docname].astext()
    words = said(app).get(target.id, "")
    card = [target.kind, target.title, chapter, str(app.config.html_title), words]
    key = digest(card, picture, _code("card"))
    still = str(store.path(CLIP, clip["clip"], clip["still"])) if clip else ""
    path = store.path(KIND, key, ".png")
    label = [target.title, target.kind in ("step", "listing")]
    small = store.path(KIND, digest(label, _code("badge")), ".svg")
    files = [File(id, target, "card.png", path, {"card": [*card, picture], "still": still, "to": str(path)})]
    files.append(File(id, target, "badge.svg", small, {"badge": label, "to": str(small)}))
    if target.kind == "clip" and clip and not getattr(app.config, "cutaway_draft", False):
        animated = _animated(store, clip["clip"], clip["film"] or RECORDING)
        files += [File(id, target, *file) for file in animated]
    return files


def _animated(store: Store, clip: str, suffix: str) -> list[tuple[str, Path, dict[str, Any]]]:
    """The WebP and the GIF of a clip: one job makes both."""
    key = digest(clip, own_code("cutaway.clips.raster.film"), [version(name) for name in ("av", "pycairo", "pillow")])
    paths = {kind: str(store.path(KIND, key, f".{kind}")) for kind in ("webp", "gif")}
    job = {"animated": str(store.path(CLIP, clip, suffix)), "to": paths}
    return [(f"card.{kind}", Path(path), job) for kind, path in paths.items()]


def _code(module: str) -> str:
    """Digest of what draws: a module with all that it imports, the letters, the fonts and the library."""
    return digest(own_code(f"cutaway.cards.{module}"), dimensions.plain(), fonts_digest(), version("pillow"))


def _draw(app: Sphinx, missing: list[File]) -> set[Path]:
    """Draw what the store lacks; returns what could not be drawn, of which the author is told."""
    if not missing:
        return set()
    for file in missing:
        make_way(file.source)
    jobs = {json.dumps(file.job): file for file in missing}
    logger.info("%s", bold("cutaway: ") + f"{len(jobs)} cards and badges are drawn ...")
    failed = set()
    for job, message in draw([file.job for file in jobs.values()], build_of(app.env).book.workers, dimensions.plain()):
        for file in missing:
            if message and file.job == job:
                failed.add(file.source)
                _tell(app, file, message)
    return failed


def _tell(app: Sphinx, file: File, message: str) -> None:
    target = file.target
    what = f"no {file.name} of '{target.id}' could be drawn: {message}; links show the address alone"
    warn(app.env, what, (target.docname, target.line), "card")


def _copy(source: Path, path: Path) -> None:
    """Put a file of the store into the output, unless it is there."""
    if not _is_copy(path, source):
        with replacing(path) as temporary:
            shutil.copy2(source, temporary)


def _is_copy(path: Path, source: Path) -> bool:
    """A copy has its original's size and time."""
    try:
        there, here = path.stat(), source.stat()
    except FileNotFoundError:
        return False
    return (there.st_size, there.st_mtime_ns) == (here.st_size, here.st_mtime_ns)


def _remove_stale(folder: Path, settled: Set[str], kept: Set[tuple[str, str]]) -> None:
    """Remove our own files that nobody made now, and the folders that are empty then."""
    for place in folder.iterdir() if folder.is_dir() else ():
        if place.name in settled:
            continue
        for name in NAMES:
            if (place.name, name) not in kept:
                (place / name).unlink(missing_ok=True)
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()


# Pictures: known when a page is written, kept for the builds that don't write it again


def _record(app: Sphinx, docname: str) -> Path:
    """What was noted by other code has another name."""
    code = digest(Path(__file__).with_name("pictures.py").read_bytes())
    return Path(app.doctreedir, f"cutaway-cards-{app.builder.name}-{code}", f"{docname}.json")


def _noted(app: Sphinx, docname: str) -> _Noted:
    """The pictures of a page by id: as JSON, which is read where it is drawn, and as it is if it is a clip's."""
    pages = state_of(app.env, _Pictures)
    if docname not in pages:
        pages[docname] = noted(_record(app, docname))
    return pages[docname]


def unnoted(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Pages of which it is not known what they show: they are written again."""
    return [name for name in sorted(env.found_docs) if _wanted(app) and not _record(app, name).is_file()]


def note(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    if _wanted(app):
        shown = dict(of_page(app.env, doctree))
        pictures = {id: (json.dumps(picture), picture if "clip" in picture else None) for id, picture in shown.items()}
        state_of(app.env, _Pictures)[docname] = pictures
        with replacing(_record(app, docname)) as temporary:
            temporary.write_text(json.dumps(pictures), "utf-8")
