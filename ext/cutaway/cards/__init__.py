"""``cutaway.cards``: pictures that a link shows elsewhere.

A card and a badge for each lasting address, an animated picture for each clip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..parts import PERMALINKS, begin

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    return begin(app, PERMALINKS)
