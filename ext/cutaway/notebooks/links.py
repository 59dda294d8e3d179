"""The line below a page's title: its notebook to download, and a link to each hosted service that opens it.

A service is the author's: ``{"Colab": "https://colab.research.google.com/github/NAME/SITE/blob/gh-pages/{path}"}``
names the notebook by its path in the published site, others by its ``{url}``. Without the site's public address no
service could fetch anything, so there is no link to one.
"""

from __future__ import annotations

import os
import string
from pathlib import Path
from typing import Any
from urllib.parse import quote

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ConfigError

from ..address import base
from ..permalinks.button import printed
from ..source_pages import BUILDERS

DOWNLOADS = "_downloads"  # Sphinx's folder
KNOWN = {"url", "path"}


def check(app: Sphinx, config: Config) -> None:
    """Refuse a service without a name, without an address, or with a place that nothing fills."""
    services = config.cutaway_notebook_services
    if not isinstance(services, dict):
        raise ConfigError(f"cutaway_notebook_services = {services!r}: write {{'Name': 'https://…/{{path}}'}}")
    for name, pattern in services.items():
        if not (_is_line(name) and _is_line(pattern) and pattern.startswith("https://") and _is_filled(pattern)):
            raise ConfigError(
                f"cutaway_notebook_services[{name!r}] = {pattern!r}: write an https address in which {{url}} stands "
                "for the notebook's own address, or {path} for its path in the published site"
            )


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != "" and value.isprintable()


def _is_filled(pattern: str) -> bool:
    try:
        places = {place for _, place, _, _ in string.Formatter().parse(pattern) if place is not None}
    except ValueError:
        return False
    return bool(places) and places <= KNOWN


def note(app: Sphinx, doctree: nodes.document) -> None:
    """Have Sphinx copy the page's notebook to where downloads are; whoever links to it, there is one."""
    env = app.env
    file = notebook(env, env.current_document.docname)
    if file is not None:
        env.dlfiles.add_file(env.current_document.docname, file)


def notebook(env: BuildEnvironment, docname: str) -> str | None:
    """A page's notebook by its path from the source, as Sphinx notes downloads; None where the page has no cells."""
    config = getattr(env, "mystnb_config", None)
    path = Path(config.output_folder, f"{docname}.ipynb") if config else None
    if path is None or not path.is_file():
        return None
    return env.relfn2path("/" + Path(os.path.relpath(path, env.srcdir)).as_posix(), docname)[0]


def add(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Write the line, when the page is written."""
    title = next(doctree.findall(nodes.title), None)
    file = notebook(app.env, docname)
    if file is None or title is None or title.parent is None or app.builder.name not in BUILDERS:
        return
    there = app.env.dlfiles.add_file(docname, file)
    line = nodes.paragraph("", classes=["cutaway-notebook"])
    line += addnodes.download_reference("", "Download as a notebook", filename=str(there), reftarget=file)
    site = base(app.config)
    for name, pattern in app.config.cutaway_notebook_services.items() if site else ():
        path = quote(f"{DOWNLOADS}/{Path(there).as_posix()}")
        address = pattern.format(url=quote(site + path, safe=""), path=path)
        line += nodes.Text(" · ")
        line += nodes.reference("", f"Open in {name}", refuri=address)
    section, at = title.parent, title.parent.index(title) + 1
    while at < len(section) and isinstance(section[at], printed):  # the button that gives the heading's address
        at += 1
    section.insert(at, line)
