"""Cutaway: a Sphinx book whose listings, diagrams, clips and numbers are drawn from a recorded run of its code.

``extensions = ["cutaway"]`` in conf.py adds the directives ``listing``, ``diagram``, ``clip``, ``sequence`` and
``claim``, and the roles ``fact``, ``dim``, ``step`` and ``claim``. ``cutaway.settings.SETTINGS`` lists the settings.
"""

from __future__ import annotations

import gc
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__version__ = "0.1.0"

# Each registers its directives, roles and nodes; ``pipeline`` has the handlers of all events.
PARTS = (
    "build",
    "domain",
    "prose.facts",
    "claims",
    "listings.directive",
    "listings.resolve",
    "diagrams.directive",
    "clips.directive",
    "clips.pool.builder",
    "listings.sequence",
    "dev.reference",
    "prose.maths",
    "search",
    "permalinks.redirects",
    "permalinks.button",
    "dev.live",
)


# Objects between two looks for garbage. A build makes millions that stay; with Python's own 700 it looks through them
# so often, and once more at its end, that this takes a fifth of a build in which nothing changed.
BETWEEN_COLLECTIONS = 50_000


def setup(app: Sphinx) -> dict[str, Any]:
    gc.set_threshold(max(BETWEEN_COLLECTIONS, gc.get_threshold()[0]))
    if not gc.get_freeze_count():  # once: of a second build in this process it would keep what the first one left
        gc.freeze()
    for part in PARTS:
        importlib.import_module(f".{part}", __name__).setup(app)
    importlib.import_module(".pipeline", __name__).connect(app)
    return {"version": __version__, "env_version": 5, "parallel_read_safe": True, "parallel_write_safe": True}
