"""``cutaway.notebooks``: each page's notebook runs on its own, wherever it was downloaded to.

The site serves what they need beside its pages, in ``_notebooks/``: the tool itself as a wheel, what the author lists
for pip, the explained source with the runs, and the weights of each pinned run. A notebook's first cell installs and
fetches them (``first.py``, ``fetching.py``); in a checkout of the book it does nothing. Where conf.py names hosted
services, a page's head links to each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .fetching import FetchError as FetchError
from .fetching import fetch as fetch  # the first cell's

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PART = "cutaway.notebooks"


def setup(app: Sphinx) -> dict[str, Any]:
    from ..parts import CELLS, begin

    # Not among config_values.SETTINGS: with one more there all cells of all books would be executed anew.
    app.add_config_value("cutaway_notebook_install", [], "", list)
    app.add_config_value("cutaway_notebook_files", [], "", list)
    app.add_config_value("cutaway_notebook_services", {}, "html", dict)
    return begin(app, CELLS)
