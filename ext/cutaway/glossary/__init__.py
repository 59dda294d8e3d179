"""The terms of a book: each is defined in a sentence of a page, and a page of its own lists all of them.

The author marks a term where it is first explained; what the glossary says of it is that sentence, so the two can't
differ. Other pages link with Sphinx's own role ``term``.
"""

from __future__ import annotations

from sphinx.application import Sphinx

from . import defining, listing


def setup(app: Sphinx) -> None:
    defining.setup(app)
    listing.setup(app)
