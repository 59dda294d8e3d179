"""Cutaway: a Sphinx book whose listings, diagrams, clips and numbers are drawn from a recorded run of its code.

``extensions = ["cutaway"]`` in conf.py adds the directives ``listing``, ``diagram``, ``clip`` and ``sequence``, and
the roles ``fact``, ``dim`` and ``step``. The settings are listed in ``cutaway.book.SETTINGS``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__version__ = "0.1.0"

# One module per thing an author types, and what they share; each registers itself.
PARTS = (
    "build",
    "domain",
    "facts",
    "listing",
    "weave",
    "diagram",
    "clip",
    "downloads",
    "pool.builder",
    "sequence",
    "reference",
    "sourcepage",
    "cells",
    "dealing",
    "notebooks",
    "plotfiles",
    "maths",
    "tables",
    "targets",
    "twins",
    "searching",
    "linking.check",
    "linking.moved",
    "linking.button",
    "linking.stubs",
    "linking.lookup",
    "linking.cards",
    "live",
    "draft",
    "assets",
)


def setup(app: Sphinx) -> dict[str, Any]:
    for part in PARTS:
        importlib.import_module(f".{part}", __name__).setup(app)
    return {"version": __version__, "env_version": 4, "parallel_read_safe": True, "parallel_write_safe": True}
