"""What this book's site needs beyond its pages.

One small stylesheet instead of eight, cells whose code is folded, sections that a first reader may skip, a policy
that keeps the promise of asking nobody, what search engines and previews read of a page, where a page stands in the
book, a page for addresses that are no more, the list of sources, and what pages say of the build.
"""

from __future__ import annotations

import gc
from typing import Any

from sphinx.application import Sphinx

from . import folded, found, here, minutes, place, policy, skipping, sources, styles

# Objects between two looks for garbage. A build makes millions that stay; with Python's own 700 it looks through them
# so often, and once more at its end, that this takes a fifth of a build in which nothing changed.
BETWEEN_COLLECTIONS = 50_000


def setup(app: Sphinx) -> dict[str, Any]:
    gc.set_threshold(max(BETWEEN_COLLECTIONS, gc.get_threshold()[0]))
    if not gc.get_freeze_count():  # once: of a second build in this process it would keep what the first one left
        gc.freeze()
    app.setup_extension("cutaway.permalinks")  # pages are described as what stands behind their addresses is
    for part in (styles, found, policy, folded, minutes, skipping, place, sources, here):
        part.setup(app)
    # One more whenever a page comes out otherwise: a build that is there already then makes all of them anew.
    return {"parallel_read_safe": True, "parallel_write_safe": True, "env_version": 5}
