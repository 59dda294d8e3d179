"""Who does what when: all handlers of Sphinx's events, in the order in which a build calls them.

Sphinx calls the handlers of an event by their priorities, 500 where nobody says another, and those of one priority in
the order in which they were connected: that of this table. ``cutaway.website`` is an extension of its own and connects
its own few.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sphinx.application import Sphinx

from . import build, images, markdown, search, tables, targets, unchanged
from .cards import making as cards
from .cells import downloads as notebooks
from .cells import notes, outputs, schedule
from .claims import directive as claims
from .claims import page as claims_page
from .claims import verdicts
from .clips import directive as clips
from .clips import downloads
from .clips import resolve as clip_resolve
from .dev import draft, live, reference
from .diagrams import directive as diagrams
from .listings import directive as listings
from .listings import resolve as listing_resolve
from .listings import sequence, source_pages
from .permalinks import button, check, command, redirects
from .permalinks import pages as permanent_pages
from .plots import files as plot_files
from .prose import facts, maths
from .theme import assets

USUAL = 500


class Handler(NamedTuple):
    event: str
    act: Callable[..., Any]
    priority: int = USUAL


HANDLERS = (
    # conf.py is read
    Handler("config-inited", outputs.configure, 100),
    Handler("config-inited", build.replace_sources),
    Handler("config-inited", redirects.redirect_pages),
    Handler("config-inited", live.carry_banner),
    Handler("config-inited", draft.leave_cells),
    Handler("config-inited", assets.add_files),
    # runs are made
    Handler("builder-inited", build.start),
    Handler("builder-inited", assets.leave_fonts_out),
    Handler("builder-inited", live.remember, 550),  # the build's state is there
    Handler("builder-inited", outputs.keep_outputs, 600),  # the runs are there
    # pages are read, and cells run
    Handler("env-get-outdated", build.outdated),
    Handler("env-get-outdated", reference.outdated),
    Handler("env-get-outdated", outputs.outdated),
    Handler("env-before-read-docs", schedule.deal),
    Handler("env-purge-doc", unchanged.read_anew),
    Handler("doctree-read", notes.read),
    Handler("doctree-read", plot_files.note),
    Handler("doctree-read", maths.check),
    Handler("doctree-read", targets.collect),
    Handler("doctree-read", check.unlabelled, 600),  # the targets are known
    Handler("doctree-read", button.label, 600),
    # all pages are read: clips are drawn
    Handler("env-updated", build.updated),
    Handler("env-updated", listings.report),
    Handler("env-updated", clip_resolve.render_missing),
    Handler("env-updated", notebooks.settle),
    Handler("env-updated", check.check),
    Handler("env-updated", redirects.outdated),
    Handler("env-updated", cards.unnoted),
    Handler("env-updated", downloads.make, 600),  # the clips are drawn
    Handler("env-check-consistency", build.second_owners),
    # each page is filled in and written
    Handler("doctree-resolved", draft.say, 400),
    Handler("doctree-resolved", unchanged.written_anew),
    Handler("doctree-resolved", facts.fill_in),
    Handler("doctree-resolved", claims_page.fill_in),
    Handler("doctree-resolved", claims.judge),
    Handler("doctree-resolved", listing_resolve.fill_in),
    Handler("doctree-resolved", diagrams.fill_in),
    Handler("doctree-resolved", clips.resolve),
    Handler("doctree-resolved", sequence.fill_in),
    Handler("doctree-resolved", plot_files.part),
    Handler("doctree-resolved", tables.name_rows),
    Handler("doctree-resolved", verdicts.record, 600),
    Handler("doctree-resolved", redirects.keep, 850),  # before descriptions: an old id says what the new one does
    Handler("doctree-resolved", targets.describe, 900),  # all is filled in
    Handler("doctree-resolved", cards.note, 900),
    Handler("doctree-resolved", markdown.write_twin, 950),
    Handler("doctree-resolved", search.add_words, 950),
    Handler("doctree-resolved", button.add, 950),  # the descriptions are there
    Handler("warn-missing-reference", build.missing_step),
    Handler("html-page-context", markdown.announce),
    # pages without a source
    Handler("html-collect-pages", source_pages.pages),
    Handler("html-collect-pages", images.copy, 900),  # others may still register pictures
    # what stands beside the pages
    Handler("build-finished", source_pages.write_index, 100),  # others ask for its names
    Handler("build-finished", targets.note_said, 100),
    Handler("build-finished", build.finish),
    Handler("build-finished", verdicts.keep),
    Handler("build-finished", clip_resolve.note_written),
    Handler("build-finished", plot_files.publish),
    Handler("build-finished", markdown.write_list),
    Handler("build-finished", redirects.note),
    Handler("build-finished", permanent_pages.write),
    Handler("build-finished", command.note),
    Handler("build-finished", cards.make_cards),
    Handler("build-finished", unchanged.note, 950),  # all is written
)


def connect(app: Sphinx) -> None:
    for handler in HANDLERS:
        app.connect(handler.event, handler.act, priority=handler.priority)
