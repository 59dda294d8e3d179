"""All handlers of Sphinx's events, in the order in which a build calls them.

Sphinx calls the handlers of an event by their priorities, 500 where nobody says another, and those of one priority in
the order in which they were connected: that of this table. What a part needs (``parts``) is connected where the part is
loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from sphinx.application import Sphinx
from sphinx.config import Config

from . import build, images, markdown, source_pages, state, tables, targets, unchanged
from . import glossary as terms
from . import math as maths
from .cards import making as cards
from .cells import notes, outputs, schedule
from .claims import directive as claims
from .claims import page as claims_page
from .claims import verdicts
from .clips import directive as clips
from .clips import downloads
from .clips import resolve as clip_resolve
from .dev import draft, live, reference
from .dev.printing import epub
from .diagrams import directive as diagrams
from .exercises import directive as exercises
from .glossary import defining
from .glossary import listing as glossary
from .listings import directive as listings
from .listings import resolve as listing_resolve
from .listings import sequence
from .live import directive as live_figures
from .live import html as live_html
from .live import in_clips, walked, walking
from .live import making as live_scripts
from .live import numbers as live_numbers
from .notebooks import PART as NOTEBOOKS
from .notebooks import kit, links, writing
from .parts import CARDS, CELLS, MARKDOWN, MATH, PERMALINKS, REFERENCE, SEARCH, SOURCE_PAGES, has
from .permalinks import button, check, command, redirects
from .permalinks import pages as permanent_pages
from .plots import files as plot_files
from .prose import facts
from .search import files as search_files
from .search import index as search_index
from .theme import assets

USUAL = 500


class Handler(NamedTuple):
    event: str
    act: Callable[..., Any]
    priority: int = USUAL
    of: tuple[str, ...] = ()  # parts, any of which needs it; of none: the core


HANDLERS = (
    # conf.py is read
    Handler("config-inited", outputs.configure, 100, of=(CELLS,)),
    Handler("config-inited", build.replace_sources),
    Handler("config-inited", redirects.redirect_pages, of=(PERMALINKS,)),
    Handler("config-inited", live.carry_banner),
    Handler("config-inited", draft.leave_cells),
    Handler("config-inited", assets.add_files),
    Handler("config-inited", search_files.add_files, of=(SEARCH,)),
    Handler("config-inited", kit.check, of=(NOTEBOOKS,)),
    Handler("config-inited", links.check, of=(NOTEBOOKS,)),
    # runs are made
    Handler("builder-inited", build.start),
    Handler("builder-inited", assets.leave_fonts_out),
    Handler("builder-inited", search_index.replace_sphinx, of=(SEARCH,)),
    Handler("builder-inited", epub.list_parts, of=(epub.PART,)),
    Handler("builder-inited", live.remember, 550),  # the build's state is there
    Handler("builder-inited", outputs.keep_outputs, 600, of=(CELLS,)),  # the runs are there
    # pages are read, and cells run
    Handler("env-get-outdated", build.outdated),
    Handler("env-get-outdated", reference.outdated, of=(REFERENCE,)),
    Handler("env-get-outdated", outputs.outdated, of=(CELLS,)),
    Handler("env-before-read-docs", schedule.deal, of=(CELLS,)),
    Handler("env-purge-doc", unchanged.read_anew),
    Handler("doctree-read", notes.read, of=(CELLS,)),
    Handler("doctree-read", plot_files.note, of=(CELLS,)),
    Handler("doctree-read", links.note, of=(NOTEBOOKS,)),
    Handler("doctree-read", maths.check, of=(MATH,)),
    Handler("doctree-read", defining.note),
    Handler("doctree-read", targets.collect, of=(PERMALINKS, MARKDOWN)),
    Handler("doctree-read", check.unlabelled, 600, of=(PERMALINKS,)),  # the targets are known
    Handler("doctree-read", button.label, 600, of=(PERMALINKS,)),
    # all pages are read: clips are drawn
    Handler("env-updated", build.updated),
    Handler("env-updated", listings.report),
    Handler("env-updated", clip_resolve.render_missing),
    Handler("env-updated", live_scripts.make),
    Handler("env-updated", walked.outdated),
    Handler("env-updated", glossary.written_again),
    Handler("env-updated", check.check, of=(PERMALINKS,)),
    Handler("env-updated", redirects.outdated, of=(PERMALINKS,)),
    Handler("env-updated", cards.unnoted, of=(CARDS,)),
    Handler("env-updated", search_index.unnoted, of=(SEARCH,)),
    Handler("env-updated", downloads.make, 600),  # the clips are drawn
    Handler("env-check-consistency", build.second_owners),
    Handler("env-check-consistency", defining.second_definitions),
    Handler("env-check-consistency", epub.number, of=(epub.PART,)),
    # each page is filled in and written
    Handler("doctree-resolved", draft.say, 400),
    Handler("doctree-resolved", unchanged.written_anew),
    Handler("doctree-resolved", exercises.fill_in),  # what it leaves of an answer may hold facts
    Handler("doctree-resolved", facts.fill_in),
    Handler("doctree-resolved", glossary.fill_in),
    Handler("doctree-resolved", claims_page.fill_in),
    Handler("doctree-resolved", claims.judge),
    Handler("doctree-resolved", listing_resolve.fill_in),
    Handler("doctree-resolved", diagrams.fill_in),
    Handler("doctree-resolved", clips.resolve),
    Handler("doctree-resolved", in_clips.fill_in),
    Handler("doctree-resolved", live_figures.fill_in),
    Handler("doctree-resolved", walking.fill_in),
    Handler("doctree-resolved", live_numbers.fill_in),
    Handler("doctree-resolved", sequence.fill_in),
    Handler("doctree-resolved", plot_files.part, of=(CELLS,)),
    Handler("doctree-resolved", tables.name_rows, of=(CELLS,)),
    Handler("doctree-resolved", verdicts.record, 600),
    Handler("doctree-resolved", redirects.keep, 850, of=(PERMALINKS,)),  # an old id is described as the new one
    Handler("doctree-resolved", targets.describe, 900, of=(PERMALINKS, MARKDOWN)),  # all is filled in
    Handler("doctree-resolved", cards.note, 900, of=(CARDS,)),
    Handler("doctree-resolved", markdown.write_twin, 950, of=(MARKDOWN,)),
    Handler("doctree-resolved", writing.write, 950, of=(CELLS,)),
    Handler("doctree-resolved", search_index.note, 950, of=(SEARCH,)),
    Handler("doctree-resolved", button.add, 950, of=(PERMALINKS,)),  # the descriptions are there
    Handler("doctree-resolved", links.add, 960, of=(NOTEBOOKS,)),  # of the site alone
    Handler("missing-reference", glossary.resolve),
    Handler("warn-missing-reference", build.missing_step),
    Handler("warn-missing-reference", defining.unknown_term),
    Handler("html-page-context", live_html.name_files),
    Handler("html-page-context", markdown.announce, of=(MARKDOWN,)),
    # pages without a source
    Handler("html-collect-pages", source_pages.pages, of=(SOURCE_PAGES,)),
    Handler("html-collect-pages", images.copy, 900),  # others may still register pictures
    # what stands beside the pages
    Handler("build-finished", source_pages.write_index, 100, of=(SOURCE_PAGES,)),  # others ask for its names
    Handler("build-finished", targets.note_said, 100, of=(PERMALINKS, MARKDOWN)),
    Handler("build-finished", build.finish),
    Handler("build-finished", glossary.keep),
    Handler("build-finished", verdicts.keep),
    Handler("build-finished", clip_resolve.note_written),
    Handler("build-finished", plot_files.publish, of=(CELLS,)),
    Handler("build-finished", writing.publish, of=(CELLS,)),
    Handler("build-finished", kit.serve, of=(NOTEBOOKS,)),
    Handler("build-finished", markdown.write_list, of=(MARKDOWN,)),
    Handler("build-finished", search_index.write, of=(SEARCH,)),
    Handler("build-finished", redirects.note, of=(PERMALINKS,)),
    Handler("build-finished", permanent_pages.write, of=(PERMALINKS,)),
    Handler("build-finished", command.note, of=(PERMALINKS,)),
    Handler("build-finished", cards.make_cards, of=(CARDS,)),
    Handler("build-finished", unchanged.note, 950),  # all is written
    Handler("build-finished", state.write_notes, 960),
)


def connect(app: Sphinx) -> None:
    """Connect the core's handlers and those of the parts that are loaded, which is known when conf.py is read."""
    # Not in ``cutaway.CORE``: with an entry more there all cells of all books would be executed anew.
    terms.setup(app)
    exercises.setup(app)
    for handler in HANDLERS:
        if handler.event == "config-inited":
            app.connect(handler.event, partial(_act_if_asked, handler), priority=handler.priority)
    app.connect("config-inited", _connect_others, priority=0)


def _act_if_asked(handler: Handler, app: Sphinx, config: Config) -> None:
    if _is_asked(app, handler):
        handler.act(app, config)


def _connect_others(app: Sphinx, config: Config) -> None:
    for handler in HANDLERS:
        if handler.event != "config-inited" and _is_asked(app, handler):
            app.connect(handler.event, handler.act, priority=handler.priority)


def _is_asked(app: Sphinx, handler: Handler) -> bool:
    return not handler.of or has(app, *handler.of)
