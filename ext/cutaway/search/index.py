"""The index: what can be looked for on each page, kept beside its doctree, and the one script that holds all of it.

Rows are kept page by page, at once when a page is written, so that a build that is killed leaves none that is older
than its page. The index is a script because a page that was opened as a file may fetch nothing else. It holds texts
and not lists of words: those come on top of the texts of which excerpts are made, and the browser makes them in less
time than they take to arrive.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from ..page_order import in_order
from ..source_pages import BUILDERS, write_changed
from ..store import digest, replacing
from . import entries
from .files import INDEX
from .links import Place, linked
from .packing import Packer
from .synonyms import SynonymError, synonyms

logger = logging.getLogger(__name__)
_MAKER = digest(Path(entries.__file__).read_bytes())[:12]  # other code finds other rows
COMMON = 40  # entries with a name in their code; looked for, it would lead to none of them
_WORD = re.compile(r"\w+")
CALLED = "cutawaySearchIndex"  # the script's one statement sets this


def replace_sphinx(app: Sphinx) -> None:
    """Make no index of Sphinx's own: ours stands where it would."""
    if app.builder.name in BUILDERS:
        builder: Any = app.builder
        for name in ("load_indexer", "index_page", "dump_search_index"):
            setattr(builder, name, lambda *given: None)


def note(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Keep what can be looked for on a page that is about to be written."""
    if app.builder.name in BUILDERS:
        path = _kept(app, docname)
        path.parent.mkdir(parents=True, exist_ok=True)
        only_title = not {"nosearch", "no-search"}.isdisjoint(app.env.metadata.get(docname, {}))
        rows = entries.entries_of(doctree, only_title)
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")


def unnoted(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Pages of which nothing is kept yet, or by other code: they are written again."""
    if app.builder.name not in BUILDERS:
        return []
    for old in Path(app.doctreedir).glob(f"search-{app.builder.name}-*"):
        if old != _folder(app):
            shutil.rmtree(old, ignore_errors=True)
    return [name for name in sorted(env.found_docs) if not _kept(app, name).is_file()]


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the index of all pages."""
    if error is None and app.builder.name in BUILDERS:
        data = json.dumps(_index(app), ensure_ascii=False, separators=(",", ":"))
        write_changed(Path(app.outdir, INDEX), f"{CALLED}={data}\n")


def _folder(app: Sphinx) -> Path:
    return Path(app.doctreedir, f"search-{app.builder.name}-{_MAKER}")


def _kept(app: Sphinx, docname: str) -> Path:
    return _folder(app) / f"{docname}.json"


def _index(app: Sphinx) -> dict[str, Any]:
    pages = in_order(app.env)
    rows: list[Row] = []
    numbers: list[int] = []
    for number, docname in enumerate(pages):
        rows += _of_page(app, docname, number, len(rows))
        numbers.append(len(rows) - sum(numbers))
    code = thin([row.text for row in rows], [row.code for row in rows])
    try:
        others = synonyms(app)
    except SynonymError as error:
        logger.warning("%s", error, location=error.place, type="cutaway", subtype="search")
        others = []
    uris = [app.builder.get_target_uri(docname) for docname in pages]
    start = {"kinds": entries.KINDS, "pages": uris, "synonyms": others, "numbers": numbers}
    return {**start, **_columns([row.place for row in rows], [row.text for row in rows], code)}


def _columns(places: list[Place], texts: list[str], code: list[str]) -> dict[str, Any]:
    """All entries by what is said of each, texts packed; ``homes`` are counted backwards from the entry, 0: none."""
    links = linked(places)
    columns: dict[str, list[Any]] = {
        "ids": [place.id for place in places],
        "titles": [place.title for place in places],
        "texts": texts,
        "code": code,
        "said": [one.said for one in links],
    }
    packer = Packer(text for column in columns.values() for text in column if isinstance(text, str))
    packed = {
        name: [packer.pack(text) if isinstance(text, str) else text for text in column]
        for name, column in columns.items()
    }
    return {
        "kind": "".join(str(entries.KINDS.index(place.kind)) for place in places),
        "homes": [number - place.home if place.home >= 0 else 0 for number, place in enumerate(places)],
        "links": [one.number for one in links],
        **packed,
        "pieces": "\n".join(packer.pieces),
        "long": packer.long,
    }


def thin(texts: list[str], code: list[str]) -> list[str]:
    """Of code leave the names that lead somewhere: those that few entries have, and no prose uses as plain words."""
    having = Counter(word for one in code for word in set(one.split()))
    said = [set(_WORD.findall(text.lower())) for text in texts]
    spoken = set().union(*said)

    def leads(word: str, own: set[str]) -> bool:
        is_plain = word.isalpha() and (word.islower() or word.istitle())
        return having[word] < COMMON and word.lower() not in (spoken if is_plain else own)

    return [" ".join(sorted(w for w in one.split() if leads(w, own))) for one, own in zip(code, said, strict=True)]


class Row(NamedTuple):
    place: Place
    text: str
    code: str


def _of_page(app: Sphinx, docname: str, number: int, first: int) -> Iterator[Row]:
    """Entries of a page, with its number; homes are counted through all pages."""
    for kind, id, title, home, text, code, links, inner in json.loads(_kept(app, docname).read_text("utf-8")):
        yield Row(Place(number, kind, id, title, home + first if home >= 0 else -1, links, inner), text, code)
