"""The book while it is edited: pages that show what the last build complained of.

``nox -s live`` sets ``cutaway_live``: each page then carries ``banner.js``, which reads what
:mod:`cutaway.dev.live.server` writes after each build. A published site has no byte of it. Whatever the builder, a page
with a warning of anybody's is read again by the next build, so that the warning stays until it is mended.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.logging import is_suppressed_warning

from ...build import build_of

BANNER = Path(__file__).with_name("banner.js")


class Remembering(logging.Handler):
    """Marks the page of each warning as unfinished."""

    def __init__(self, app: Sphinx) -> None:
        super().__init__(logging.WARNING)
        self.app = app

    def emit(self, record: logging.LogRecord) -> None:
        kind, subkind = (getattr(record, name, None) or "" for name in ("type", "subtype"))
        if is_suppressed_warning(kind, subkind, self.app.config.suppress_warnings):
            return
        docname = _page(self.app, getattr(record, "location", None))
        if docname:
            build_of(self.app.env).troubled.add(docname)


def _page(app: Sphinx, location: Any) -> str | None:
    """The page of a warning's place: a node, a page and a line, or ``path:line``."""
    if isinstance(location, tuple):
        return str(location[0]) if location[0] in app.env.found_docs else None
    path = location.source if isinstance(location, nodes.Node) else str(location or "").rpartition(":")[0]
    return app.env.path2doc(path) if path else None


def remember(app: Sphinx) -> None:
    handler = Remembering(app)
    logger = logging.getLogger("sphinx")
    logger.addHandler(handler)
    app.connect("build-finished", lambda *_: logger.removeHandler(handler), priority=50)


def carry_banner(app: Sphinx, config: Config) -> None:
    if config.cutaway_live:
        config.cutaway_cards = False  # nobody sees them
        config.cutaway_policy = False  # it would forbid the script by which sphinx-autobuild reloads a page
        config.html_static_path.append(str(BANNER))
        app.add_js_file(BANNER.name, loading_method="defer")


def setup(app: Sphinx) -> None:
    app.add_config_value("cutaway_live", False, "html", bool, "pages show the last build's warnings (nox -s live)")
