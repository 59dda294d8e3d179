"""``cutaway.search``: a search that leads to sections, in place of Sphinx's, which leads to pages.

While a page is written, :mod:`entries` takes from it what can be looked for; :mod:`index` keeps that and writes all of
it as one script, with what :mod:`links` say, :mod:`packed <packing>`; :mod:`files` brings the scripts. In the page
``open.js`` waits until somebody is about to type, and loads ``unpack.js``, ``words.js`` (what a word is),
``postings.js`` (how well an entry has it), ``find.js`` (what a query means), ``excerpt.js`` and
``panel.js`` (the list).
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from ..parts import begin


def setup(app: Sphinx) -> dict[str, Any]:
    # Not among the core's settings: what the tool's own code for cells reads decides whether they run again.
    meaning = "the table of what readers type and what the book says instead, relative to conf.py"
    app.add_config_value("cutaway_synonyms", "", "", str, meaning)
    return begin(app)
