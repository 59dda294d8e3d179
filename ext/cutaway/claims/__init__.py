"""Claims: sentences about results, with conditions that each build checks."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from . import html, page
from .directive import ClaimDirective, ClaimRole, claim, claim_block


def _plain(translator: Any, node: Any) -> None:
    """Only the words are printed; a build that judges leaves nothing else."""


def setup(app: Sphinx) -> None:
    plain, marked = (_plain, _plain), (html.visit, html.depart)
    for kind in (claim, claim_block):
        app.add_node(kind, html=marked, latex=plain, text=plain, man=plain, texinfo=plain)
    app.add_role("claim", ClaimRole())
    app.add_directive("claim", ClaimDirective)
    page.setup(app)
