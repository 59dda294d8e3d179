"""Cutaway: a Sphinx book whose listings, diagrams, clips and numbers are drawn from a recorded run of its code.

``extensions = ["cutaway"]`` in conf.py adds the directives ``listing``, ``diagram``, ``clip``, ``sequence``, ``claim``
and ``claims``, and the roles ``fact``, ``dim``, ``step`` and ``claim``, and changes nothing else on a site. ``parts``
lists what may be added, each by its own name; ``cutaway.settings.SETTINGS`` lists the settings.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__version__ = "0.1.0"

# Each registers its directives, roles and nodes; ``pipeline`` has the handlers of all events.
CORE = (
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
    "dev.live",
)


def setup(app: Sphinx) -> dict[str, Any]:
    for module in CORE:
        importlib.import_module(f".{module}", __name__).setup(app)
    importlib.import_module(".pipeline", __name__).connect(app)
    return {"version": __version__, "env_version": 5, "parallel_read_safe": True, "parallel_write_safe": True}
