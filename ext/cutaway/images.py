"""A site's pictures are copied with one line in the log. Sphinx would write one for each, and a book has thousands.

Its builder copies whatever ``builder.images`` still holds after the event that this waits for.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util import logging
from sphinx.util.console import bold
from sphinx.util.osutil import copyfile

logger = logging.getLogger(__name__)


def copy(app: Sphinx) -> list[tuple[str, dict[str, object], str]]:
    """Do what Sphinx's ``copy_image_files`` does; no pages are collected."""
    builder = cast(StandaloneHTMLBuilder, app.builder)
    if builder.images:
        logger.info("%s%d", bold("copying images: "), len(builder.images))
        folder = Path(builder.outdir, builder.imagedir)
        folder.mkdir(parents=True, exist_ok=True)
    for source, name in builder.images.items():
        try:
            copyfile(Path(app.srcdir, source), folder / name, force=True)
        except OSError as error:
            logger.warning("cannot copy image file '%s': %s", Path(app.srcdir, source), error)
    builder.images.clear()
    return []
