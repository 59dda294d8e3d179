"""Cutaway: a Sphinx book whose listings, diagrams, clips and numbers are drawn from a recorded run of its code.

``extensions = ["cutaway"]`` in conf.py adds the directives ``listing``, ``diagram``, ``clip``, ``live``, ``sequence``,
``claim``, ``claims`` and ``definitions``, and the roles ``fact``, ``dim``, ``step``, ``claim`` and ``define``, and
changes nothing else on a site. ``parts`` lists what may be added, each by its own name;
``cutaway.config_values.SETTINGS`` lists the settings.

``PUBLIC`` are the names for authors: ``from cutaway import Run`` in the files of runs, ``RecordedScene`` and
``SpaceScene`` in those of scenes, the others in cells. Each imports its module when it is asked for, so none needs what
only another one uses.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__version__ = "0.1.0"
# Where each name for authors is defined; __init__.pyi tells type checkers the same.
PUBLIC = {
    "Run": "runs",
    "RecordedScene": "clips.scene.scene",
    "SpaceScene": "clips.scene.space",
    **dict.fromkeys(("load", "note", "table"), "cells"),
    "plot": "plots",
    "interactive": "plots.interactive",
    **dict.fromkeys(("Band", "Level", "Line", "Points"), "plots.series"),
}

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
    "live.directive",
    "live.numbers",
    "dev.live",
)


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{PUBLIC[name]}", __name__), name)


def setup(app: Sphinx) -> dict[str, Any]:
    for module in CORE:
        importlib.import_module(f".{module}", __name__).setup(app)
    importlib.import_module(".pipeline", __name__).connect(app)
    return {"version": __version__, "env_version": 6, "parallel_read_safe": True, "parallel_write_safe": True}
