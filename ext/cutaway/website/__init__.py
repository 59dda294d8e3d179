"""What a published site needs beyond its pages: ``extensions = ["cutaway", "cutaway.website"]`` in conf.py.

One small stylesheet instead of eight, a policy that keeps the promise of asking nobody, what search engines and
previews read of a page, a page for addresses that are no more.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from . import found, policy, styles


def setup(app: Sphinx) -> dict[str, Any]:
    for part in (styles, found, policy):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
