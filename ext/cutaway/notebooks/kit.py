"""What the site serves for its notebooks: a wheel, a list for pip, the source, the weights of pinned runs.

``_notebooks/book.json`` tells sizes and digests of all. The names of archives are made of their digests, so that a
build in which nothing changed writes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from pprint import pformat
from typing import Any
from urllib.parse import quote

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError
from sphinx.util import logging

from ..build import build_of
from ..runs import pinned
from ..runs.declared import Declared, declared
from ..settings import Book, inventory
from ..source.find import is_inside
from ..source_pages import BUILDERS
from ..store import replacing
from .fetching import FOLDER, LIST
from .first import REQUIREMENTS
from .wheel import Files, digest_of, files_in, wheel, zipped

logger = logging.getLogger(__name__)
LARGEST = 1_000_000  # bytes of a file that still counts as source; others are named in cutaway_notebook_files
HEAD = "# What the notebooks of {name} import. CUTAWAY_SITE is the book's address, with a slash at its end.\n"
SETTINGS = ("cutaway_dimensions", "cutaway_explain")  # that cells may ask for, beside the folders


def check(app: Sphinx, config: Config) -> None:
    """Refuse settings that are no lists of words: pip would say so to the reader only."""
    for name in ("cutaway_notebook_install", "cutaway_notebook_files"):
        value = getattr(config, name)
        if not isinstance(value, list | tuple) or not all(_is_line(word) for word in value):
            raise ConfigError(f"{name} = {value!r}: write a list of texts of one line, as in ['torch==2.13.0']")


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != "" and value.isprintable()


def serve(app: Sphinx, error: Exception | None) -> None:
    """Put all that notebooks fetch beside the pages."""
    if error is not None or app.builder.name not in BUILDERS:
        return
    book = build_of(app.env).book
    folder, name = Path(app.outdir, FOLDER), inventory(app.config)
    try:
        tool, files = wheel()
    except LookupError as mistake:
        logger.warning("cutaway.notebooks: %s", mistake, type="cutaway", subtype="notebooks")
        return
    explained = source(book, app.config)
    weights = {run.name: path for run in declared(book.runs) if run.pinned and (path := _weights(run)).is_file()}
    archive = f"{name}-{digest_of(explained)}.zip"
    written = {
        tool: _archive(folder / tool, files),
        archive: _archive(folder / archive, explained),
        REQUIREMENTS: _requirements(app.config, name, tool).encode(),
        **{f"runs/{path.name}": path.read_bytes() for path in weights.values()},
    }
    after = {run.name: list(run.after) for run in declared(book.runs)}
    listed = {
        "name": name,
        "docs": _place(book.confdir, book),
        "source": _told(archive, written),
        "runs": {
            run: {**_told(f"runs/{path.name}", written), "path": _place(path, book), "after": after[run]}
            for run, path in weights.items()
        },
    }
    written[LIST] = json.dumps(listed, indent=1, sort_keys=True).encode()
    for place, data in written.items():
        _write_changed(folder / place, data)
    for left in (path for path in folder.rglob("*") if path.is_file()):
        if left.relative_to(folder).as_posix() not in written:
            left.unlink()  # of an earlier build


def _archive(path: Path, files: Files) -> bytes:
    """An archive of these files; as its name has their digest, one that is there need not be made."""
    return path.read_bytes() if path.is_file() else zipped(files)


def _told(name: str, written: dict[str, bytes]) -> dict[str, Any]:
    data = written[name]
    return {"file": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _weights(run: Declared) -> Path:
    return pinned.place(run).with_suffix(pinned.SUFFIX)


def _requirements(config: Config, name: str, tool: str) -> str:
    own = f"cutaway[cells,plots] @ ${{CUTAWAY_SITE}}{FOLDER}/{quote(tool)}"
    return HEAD.format(name=name) + "\n".join([*config.cutaway_notebook_install, own]) + "\n"


def source(book: Book, config: Config) -> Files:
    """The files of the archive: the explained source, the files of runs, and a conf.py that names them."""
    found: dict[str, bytes] = {}
    sources: dict[str, list[str]] = {}
    for package, folders in book.sources.items():
        for number, folder in enumerate(folders):
            place = _place(folder, book, f"others/{number}/{package}")
            sources.setdefault(package, []).append(os.path.relpath(place, _place(book.confdir, book)))
            found.update({f"{place}/{path}": data for path, data in files_in(folder) if len(data) <= LARGEST})
    for path in _of_runs(book):
        if path.stat().st_size <= LARGEST and path.suffix != pinned.SUFFIX:
            found[_place(path, book)] = path.read_bytes()
    for path in _named(book, config):
        found[_place(path, book)] = path.read_bytes()
    settings = {
        "project": config.project,
        "html_baseurl": book.base,
        "cutaway_sources": sources,
        "cutaway_runs": [os.path.relpath(file, book.confdir) for file in book.runs],
        **{name: getattr(config, name) for name in SETTINGS},
    }
    lines = [f"{name} = {pformat(value, width=110, sort_dicts=False)}\n" for name, value in settings.items()]
    conf = "# What a book says of itself, for its notebooks.\n" + "".join(lines)
    found[f"{_place(book.confdir, book)}/conf.py"] = conf.encode()
    return sorted(found.items())


def _place(path: Path, book: Book, otherwise: str = "") -> str:
    """Where a file or folder stands in the archive: as it stands in the project, which is around conf.py's folder."""
    root = book.confdir.resolve().parent
    if not is_inside(path, root):
        return otherwise or f"{book.confdir.name}/others/{path.name}"
    return path.resolve().relative_to(root).as_posix()


def _of_runs(book: Book) -> Iterator[Path]:
    """The files of runs with all that lies beside them; where conf.py lies there, too, no more than Python's files."""
    runs = declared(book.runs)
    for folder in dict.fromkeys(run.file.parent for run in runs):
        if is_inside(book.confdir, folder):
            yield from (path for path in sorted(folder.glob("*.py")) if path.name != "conf.py")
            yield from sorted(folder.glob(f"{pinned.KIND}/*"))
        else:
            yield from (folder / path for path, _ in files_in(folder))
    for run in runs:
        for pattern in run.inputs:
            if not pattern.startswith("$"):
                yield from _matches(run.file.parent, pattern)


def _named(book: Book, config: Config) -> Iterator[Path]:
    """What the author named; a pattern that nothing matches is a mistake."""
    for pattern in config.cutaway_notebook_files:
        found = [path for path in _matches(book.confdir, pattern) if is_inside(path, book.confdir.parent)]
        if not found:
            said = "cutaway_notebook_files: no file '%s' below %s, seen from the folder of conf.py"
            logger.warning(said, pattern, book.confdir.parent, type="cutaway", subtype="notebooks")
        yield from found


def _matches(folder: Path, pattern: str) -> list[Path]:
    above = pattern.split("/").count("..")  # glob does not go upwards
    start, rest = folder, pattern
    if above and pattern.startswith("../" * above):
        start, rest = folder.resolve().parents[above - 1], pattern[3 * above :]
    try:
        return sorted(path for path in start.glob(rest) if path.is_file())
    except (NotImplementedError, ValueError):  # an absolute path, or nothing
        return []


def _write_changed(path: Path, data: bytes) -> None:
    if not path.is_file() or path.read_bytes() != data:
        with replacing(path) as temporary:
            temporary.write_bytes(data)
