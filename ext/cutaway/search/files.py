"""The scripts of the search: a small one in every page, which loads the others when somebody is about to type."""

from __future__ import annotations

from pathlib import Path

from rjsmin import jsmin
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

from ..settings import Book, BookError
from ..store import Store, digest

logger = logging.getLogger(__name__)
HERE = Path(__file__).parent
INDEX = "searchindex.js"  # Sphinx's name: themes' search pages load it
FIND = tuple(f"static/{name}.js" for name in ("unpack", "words", "postings", "find", "excerpt", "panel"))
STYLE = "static/search.css"
OPEN = "open.js"
INSTEAD = HERE / "instead"


def find_script() -> str:
    """What is loaded when somebody is about to type, without comments and blanks."""
    return "\n".join(str(jsmin((HERE / name).read_text("utf-8"))) for name in FIND) + "\n"


def scripts() -> dict[str, str]:
    """The text of each file by its name in ``_static``; the last is that of every page."""
    texts = {"find.js": find_script(), "style.css": (HERE / STYLE).read_text("utf-8")}
    named = {f"cutaway-search-{digest(text)}{Path(name).suffix}": text for name, text in texts.items()}
    found, style = named
    text = str(jsmin((HERE / OPEN).read_text("utf-8")))
    for word, name in {"FIND": found, "STYLE": style, "INDEX": INDEX}.items():
        text = text.replace(word, name)
    return {**named, f"cutaway-search-{digest(text)}.js": text}


def add_files(app: Sphinx, config: Config) -> None:
    """Have the files copied, and every page name the small one."""
    try:
        store = Book.from_config(config, Path(app.confdir)).store
        paths = [_kept(store, name, text) for name, text in scripts().items()]
    except BookError:
        return  # reported where the runs are made
    except OSError as error:
        logger.warning("pages go without a search: %s", error.strerror, type="cutaway", subtype="store")
        return
    config.html_static_path += [str(INSTEAD), *map(str, paths)]
    app.add_js_file(paths[-1].name, loading_method="defer")


def _kept(store: Store, name: str, text: str) -> Path:
    stem, suffix = Path(name).stem, Path(name).suffix
    path = store.path("assets", stem, suffix)
    if not path.is_file() or path.read_bytes() != text.encode():
        store.write("assets", stem, suffix, text.encode())
    return path
