"""The files of plots: their pictures, of which a reader loads one theme's, and Plotly with the page that it draws on.

What a cell gives is whole in itself, for notebooks and for the memory of cells; in a site that would make pages heavy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.osutil import relative_uri

from ..build import build_of, warn
from ..domain import cutaway_domain
from ..store import digest, replacing
from ..theme.assets import STATIC, font_face, page_fonts
from . import FIGURE, INLINE
from .interactive import DATA, bundle

PICTURE = re.compile(re.escape(INLINE) + '([^"]*)')


def plots(doctree: nodes.document) -> Iterator[nodes.raw]:
    return (node for node in doctree.findall(nodes.raw) if node.astext().startswith(FIGURE))


def note(app: Sphinx, doctree: nodes.document) -> None:
    """That a page has a plot to play with."""
    docname = app.env.current_document.docname
    for node in plots(doctree):
        if DATA in node.astext():
            return cutaway_domain(app.env).note_use(docname, "plotly", {"line": node.line})


def part(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Make files of a page's pictures."""
    if not _is_site(app):
        return
    store = build_of(app.env).book.store

    def filed(found: re.Match[str]) -> str:
        data = unquote(found[1]).encode()
        name = f"plot-{digest(data)}"
        path = store.path("plot", name, ".svg")
        try:
            if not path.is_file() or path.read_bytes() != data:
                store.write("plot", name, ".svg", data)
        except OSError:  # a store that keeps nothing
            return found[0]
        app.builder.images[str(path)] = path.name
        return relative_uri(app.builder.get_target_uri(docname), f"{app.builder.imagedir}/{path.name}")

    for node in list(plots(doctree)):
        node.replace_self(nodes.raw("", PICTURE.sub(filed, node.astext()), **node.attributes))


def _is_site(app: Sphinx) -> bool:
    return app.builder.format == "html" and app.builder.name != "epub"


def publish(app: Sphinx, error: Exception | None) -> None:
    """Bring Plotly and its page into a site that has a plot to play with, and out of one that has none."""
    if error or not _is_site(app):
        return
    folder, uses = Path(app.outdir) / "_static/plotly", cutaway_domain(app.env).uses("plotly")
    wanted: dict[str, bytes] = {}
    if uses:
        try:
            wanted = files(bundle(), page_fonts(build_of(app.env).book.store))
        except ModuleNotFoundError as missing:
            docname, use = uses[0]
            warn(app.env, f"the plot is a picture only: {missing}", (docname, use["line"]), "plotly")
    for path in folder.glob("*"):
        if path.name not in wanted:
            path.unlink()
    for name, data in wanted.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != data:
            with replacing(path) as temporary:
                temporary.write_bytes(data)


def files(plotly: Path, faces: Iterable[tuple[str, int, Path]]) -> dict[str, bytes]:
    """The page, its script and Plotly, by name; the scripts are named by their content."""
    page = (STATIC / "plotly/frame.html").read_text("utf-8")
    scripts = {"plotly.js": plotly.read_bytes(), "frame.js": (STATIC / "plotly/frame.js").read_bytes()}
    found = {}
    for name, data in scripts.items():
        named = name.replace(".", f"-{digest(data)}.")
        page = page.replace(f'src="{name}"', f'src="{named}"')
        found[named] = data
    fonts = (font_face(family, weight, f"../{path.name}") for family, weight, path in faces if "Mono" not in family)
    return {"frame.html": page.replace("/* fonts */", "".join(fonts)).encode(), **found}
