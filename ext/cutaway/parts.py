"""The parts that a project may add to the core, each an extension of its own: ``cutaway.math``, ``cutaway.cells``, ...

A part's ``setup`` registers its nodes. What it does during a build stands in ``pipeline.HANDLERS`` beside its name, and
is left out where the part is not loaded. So a part changes nothing on a site that did not ask for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MATH = "cutaway.math"
CELLS = "cutaway.cells"
SEARCH = "cutaway.search"
SOURCE_PAGES = "cutaway.source_pages"
PERMALINKS = "cutaway.permalinks"
CARDS = "cutaway.cards"
MARKDOWN = "cutaway.markdown"
REFERENCE = "cutaway.dev.reference"

# What an author reads of each; ``{reference} parts`` prints it.
PARTS = {
    "cutaway": "the core: listings, diagrams, clips, facts, claims, sequences and the store",
    MATH: "formulae as MathML, made while building; needs `html_math_renderer = \"mathml\"`",
    CELLS: "executed cells that know the runs, with plots, after `myst_nb`",
    SEARCH: "steps, listings, diagrams and clips in the search",
    SOURCE_PAGES: "a page for each file of the source, with the steps beside its lines",
    PERMALINKS: "an address that lasts for every section, step, listing, diagram and clip, and buttons that copy it",
    CARDS: "a picture for each address, which messengers and social networks show; loads `cutaway.permalinks`",
    MARKDOWN: "each page as plain Markdown, too, and `llms.txt`",
    REFERENCE: "the directive `reference`: tables such as this one",
}

METADATA: dict[str, Any] = {"parallel_read_safe": True, "parallel_write_safe": True}


def begin(app: Sphinx, *needed: str) -> dict[str, Any]:
    """Load what a part needs, the core first; return what its ``setup`` returns to Sphinx."""
    for name in ("cutaway", *needed):
        app.setup_extension(name)
    return METADATA


def has(app: Sphinx, *parts: str) -> bool:
    """Whether any of these parts is loaded."""
    return any(part in app.extensions for part in parts)


def has_cards(app: Sphinx) -> bool:
    """Whether links from elsewhere show cards and badges."""
    return has(app, CARDS) and bool(app.config.cutaway_cards)
