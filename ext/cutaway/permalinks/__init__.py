"""``cutaway.permalinks``: addresses that last.

The registry, the page behind each ``/s/<id>/``, the button with its snippets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..parts import begin

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    from . import button, redirects

    button.add_nodes(app)
    redirects.add_nodes(app)
    return begin(app)
