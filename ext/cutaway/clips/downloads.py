"""Files of a clip that a reader can take away: an MP4, a GIF, a WebP, as its option ``:download:`` asks for.

They are made from the clip's recording between reading and writing, by child processes, in the dark theme; the store
keeps them under the digest of what decides their bytes, and they are published beside the recording. What can't be
made is a warning ``cutaway.clip`` at the clip's line, and its page goes without.
"""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import Any, NamedTuple

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.console import bold

from ..build import build_of, warn
from ..domain import cutaway_domain
from ..jobs import draw
from ..source.own import own_code
from ..state import hold, state_of
from ..store import Unkept, digest, make_way, version
from ..theme import dimensions
from . import resolve as clip_resolve
from .finished import RECORDING, Clip
from .keys import KIND as CLIP

logger = logging.getLogger(__name__)

KIND = "download"
KINDS = ("mp4", "gif", "webp")
BUILDERS = ("html", "dirhtml", "clips")  # the last one fills the store for the others


class File(NamedTuple):
    """A file of a clip: its kind, and its key in the store."""

    kind: str
    key: str

    @property
    def name(self) -> str:
        """Its name in the output."""
        return f"clip-{self.key}.{self.kind}"


class _Made(set[File]):
    """The files that could be made."""


def asked_for(env: BuildEnvironment, use: Any) -> list[File]:
    """The files that a node or a noted use asks for; none where its clip could not be drawn."""
    clip = clip_resolve.found(env, use)
    if clip is None or not clip.key:
        return []
    size = list(build_of(env).book.clip_size)
    return [File(kind, digest(clip.key, kind, size, _code())) for kind in use.get("download", ())]


def make(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Make what the store lacks; return the pages whose files are not out yet."""
    if app.builder.name not in BUILDERS or app.config.cutaway_draft:
        return []
    asked = [(docname, use, file) for docname, use in cutaway_domain(env).uses(CLIP) for file in asked_for(env, use)]
    store = build_of(env).book.store
    wanted = {file: use for _, use, file in asked}
    errors = _draw(env, {file: use for file, use in wanted.items() if store.whole(KIND, file.key) is None})
    hold(env, _Made(wanted.keys() - errors.keys()))
    for docname, use, file in asked:
        if file in errors:
            message = f"clip {use['scene']}: no {file.kind} of it could be made: {errors[file]}"
            warn(env, message, (docname, use["line"]), CLIP)
    folder = Path(app.outdir, app.builder.imagedir)
    return list({docname for docname, _, file in asked if not (folder / file.name).is_file()})


def _draw(env: BuildEnvironment, missing: dict[File, Any]) -> dict[File, str]:
    """Make files, all cores at work; returns what went wrong."""
    if not missing:
        return {}
    book, began, errors = build_of(env).book, time.monotonic(), {}
    logger.info("%s", bold("cutaway: ") + f"{len(missing)} files of clips to download are made ...")
    jobs = {file: _job(env, file, use) for file, use in missing.items()}
    for file, (_, error) in zip(jobs, draw(list(jobs.values()), book.workers, dimensions.plain()), strict=True):
        try:
            if not error:
                book.store.vouch(KIND, file.key, [f".{file.kind}"])
        except Unkept as unkept:
            error = str(unkept)
        if error:
            errors[file] = error
    logger.info("%s", bold("cutaway: ") + f"made in {time.monotonic() - began:.0f} s")
    return errors


def _job(env: BuildEnvironment, file: File, use: Any) -> dict[str, Any]:
    book, clip = build_of(env).book, clip_resolve.found(env, use)
    assert clip
    path = book.store.path(KIND, file.key, f".{file.kind}")
    make_way(path)
    return {"film": str(_source(env, clip)), "kind": file.kind, "size": list(book.clip_size), "to": str(path)}


def _source(env: BuildEnvironment, clip: Clip) -> Path:
    suffix = f"-{clip.themes[0]}.mp4" if clip.why_film else RECORDING
    return build_of(env).book.store.path(CLIP, clip.key, suffix)


@functools.cache
def _code() -> str:
    """Digest of what makes the files: our modules and the libraries."""
    return digest(own_code("cutaway.clips.raster.film"), [version(name) for name in ("av", "pycairo", "pillow")])


def register(app: Sphinx, use: Any) -> list[tuple[str, str, int]]:
    """Have the builder copy a clip's files; returns of each its kind, its name in the output, its bytes."""
    rows = []
    for file in asked_for(app.env, use):
        if file in state_of(app.env, _Made):
            path = build_of(app.env).book.store.path(KIND, file.key, f".{file.kind}")
            app.builder.images[str(path)] = file.name
            rows.append((file.kind, file.name, path.stat().st_size))
    return rows
