"""The clips of a build: between reading and writing, those of all pages are drawn together.

:func:`found` then says what came of a clip, and :func:`clips_showing` which clips show a step.
"""

from __future__ import annotations

from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.console import bold

from ..build import build_of, warn
from ..domain import cutaway_domain
from ..settings import Book
from ..shards import OF_OTHERS, share
from ..state import has_state, hold, notes_of, state_of
from ..store import digest
from . import code
from .finished import Clip
from .keys import KIND
from .pool import ForkPool, PoolError, open_pool
from .render import LEFT_OUT, Inputs, Wanted, render

logger = logging.getLogger(__name__)

class _Clips(dict[Wanted, Clip]):
    """What came of each clip that a page of this build wants."""


def render_missing(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Draw what is missing; return the pages whose clips are not those that they were written with."""
    uses = cutaway_domain(env).uses(KIND)
    if not app.builder.supported_image_types:
        return []  # text and man pages show words alone
    build = build_of(env)
    traces = {name: outcome.trace for name, outcome in build.outcomes.items() if not outcome.error}
    inputs = Inputs(traces, {id: step.place for id, step in cutaway_domain(env).steps.items()})
    asked = [wanted(use) for _, use in uses]
    without = {name for name, outcome in build.outcomes.items() if outcome.error}
    ours = share((want.scene for want in asked), build.book.shard)
    drawn = [want for want in asked if want.run not in without and want.scene in ours]
    draft = app.config.cutaway_draft
    clips = dict.fromkeys(asked, Clip(error=OF_OTHERS))
    clips |= render(build.book, drawn, inputs, lambda line: logger.info("%s", bold("cutaway: ") + line), draft, _pool)
    clips |= {
        want: Clip(error=f"the run '{want.run}' failed; its error is reported above")
        for want in asked
        if want.run in without
    }
    hold(env, _Clips(clips))
    for docname, use in uses:
        _warn(env, docname, use, clips[wanted(use)])
    written, keys = notes_of(env)[_section(app)], _keys(env)
    touched = (name for name in {**written, **keys} if name in env.found_docs)  # also where the last clip is gone
    return [name for name in touched if written.get(name) != keys.get(name) or not _are_out(app, name)]


def _pool(book: Book) -> Executor:
    """The pool of the settings; where it can't be had the build says so and draws on this machine."""
    try:
        return open_pool(book)
    except PoolError as error:
        logger.warning("%s; the clips are drawn on this machine", error, type="cutaway", subtype="executor")
        return ForkPool(book.workers)


def found(env: BuildEnvironment, use: Any) -> Clip | None:
    """What came of the clip that a node or a noted use asks for; None where the builder shows words alone."""
    return state_of(env, _Clips).get(wanted(use)) if has_state(env, _Clips) else None


def clips_showing(env: BuildEnvironment, step: str) -> list[tuple[str, str, str]]:
    """Page, address and title of each clip's section in which an object tagged with ``step`` first appears."""
    showing = []
    for docname, use in cutaway_domain(env).uses(KIND):
        clip = found(env, use)
        if clip is not None and step in clip.tags:
            section = clip.sections[clip.tags[step]]
            showing.append((docname, f"{use['id']}-{section.slug}", section.name))
    return showing


def wanted(use: Any) -> Wanted:
    """What a node or a noted use asks for."""
    return Wanted(use["scene"], use["run"] or None)


def _warn(env: BuildEnvironment, docname: str, use: dict[str, Any], clip: Clip) -> None:
    lost = [step["step"] for _, step in cutaway_domain(env).uses("unquoted") if step["step"]]
    if any(step in clip.error for step in lost):
        logger.info("cutaway: clip %s shows its words alone: the other checkout lacks a step of it", use["scene"])
    elif clip.error and clip.error not in (LEFT_OUT, OF_OTHERS):
        warn(env, f"clip {use['scene']}: {clip.error}", (docname, use["line"]), KIND)
    for place, message in clip.notices:
        logger.warning(message, location=place, type="cutaway", subtype=KIND)
        build_of(env).troubled.add(docname)


def _keys(env: BuildEnvironment) -> dict[str, list[str]]:
    """What each page shows of clips: their artifact keys and the steps that they lead to, and what leads back."""
    keys: dict[str, list[str]] = {}
    steps = cutaway_domain(env).steps
    for docname, use in cutaway_domain(env).uses(KIND):
        clip = state_of(env, _Clips)[wanted(use)]
        shown = [steps[tag] for tag in clip.tags if tag in steps]
        rows = [list(row) for row in code.statements(env, use["run"], clip)] if clip.key else []
        keys.setdefault(docname, []).append(digest(clip.key, [(s.id, s.docname, s.quotation) for s in shown], rows))
        for step in shown:
            section = clip.sections[clip.tags[step.id]]
            keys.setdefault(step.docname, []).append(digest(step.id, docname, use["id"], section.slug, section.name))
    return keys


def _are_out(app: Sphinx, docname: str) -> bool:
    """Whether the output still has the page's files: it may have been cleaned by hand."""
    if app.builder.format != "html":
        return True
    folder = Path(app.outdir, app.builder.imagedir)
    uses = [use for name, use in cutaway_domain(app.env).uses(KIND) if name == docname]
    clips = [state_of(app.env, _Clips)[wanted(use)] for use in uses]
    return all((folder / clip.file(suffix)).is_file() for clip in clips for suffix in clip.suffixes)


def _section(app: Sphinx) -> str:
    """Of the notes: the clips with which this builder last wrote each page."""
    return f"clips {app.builder.name}"


def note_written(app: Sphinx, error: Exception | None) -> None:
    if error is None and has_state(app.env, _Clips):
        notes_of(app.env)[_section(app)] = _keys(app.env)
