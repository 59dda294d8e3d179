"""What a notebook's first cell does with the reader's Python: get the book's source and the weights of runs.

Nothing here needs more than Python's own library. What arrives is compared with the digests that the site tells.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import urllib.request
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = "_notebooks"  # of the site
LIST = "book.json"  # what the site offers
TIMEOUT_S = 120


class FetchError(Exception):
    """The book could not be fetched: from where, why, what to do."""


def fetch(site: str, *runs: str) -> Path:
    """Get a book from its site, and the weights of these runs; ``load`` finds both from now on. Its folder.

    It is put beside the notebook, in a folder named by its content. What is there already is not fetched again.
    """
    offered = _list(site)
    source, known = offered["source"], offered["runs"]
    folder = Path.cwd() / f"{offered['name']}-book-{source['sha256'][:8]}"
    if not folder.is_dir():
        data = _get(site, source)
        print(f"The book's source: {_size(source)} from {site}, now in {folder.name}")
        _unpack(data, folder)
    for name in _with_those_before(runs, known):
        path = folder / known[name]["path"]
        if _digest(path) != known[name]["sha256"]:
            _write(path, _get(site, known[name]))
            print(f"The weights of the run {name}: {_size(known[name])}")
    os.environ["CUTAWAY_BOOK"] = str(folder / offered["docs"])
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as the cells ran for the page: sums are added in the same order
    return folder


def _with_those_before(runs: tuple[str, ...], known: Mapping[str, Any]) -> list[str]:
    """The runs, and those whose weights they began with; those of which nothing is offered are made where needed."""
    wanted, waiting = dict[str, None](), list(runs)
    while waiting:
        name = waiting.pop()
        if name in wanted:
            continue
        if name not in known:
            print(f"The run {name}: its weights are not offered, so a cell that loads it trains it first")
            continue
        wanted[name] = None
        waiting += known[name]["after"]
    return sorted(wanted)


def _list(site: str) -> dict[str, Any]:
    where = f"{site}{FOLDER}/{LIST}"
    try:
        return dict(json.loads(_read(where)))
    except ValueError as error:
        raise FetchError(f"{where} is not the list of a book's notebooks: give the address of the book") from error


def _get(site: str, file: Mapping[str, Any]) -> bytes:
    """A file that the site offers, once its digest is found right."""
    where = f"{site}{FOLDER}/{file['file']}"
    data = _read(where)
    if hashlib.sha256(data).hexdigest() != file["sha256"]:
        raise FetchError(f"{where} is not what the site told of it, perhaps as it is being renewed: try again")
    return data


def _read(where: str) -> bytes:
    if not where.startswith(("https://", "http://")):
        raise FetchError(f"{where!r} is no address: write the book's own, as in https://example.org/book/")
    try:
        with urllib.request.urlopen(where, timeout=TIMEOUT_S) as answer:
            return bytes(answer.read())
    except (OSError, ValueError) as error:
        raise FetchError(f"{where}: {error}; is this the address of the book?") from error


def _unpack(data: bytes, folder: Path) -> None:
    """Put an archive's files into a folder that is there as a whole or not at all."""
    temporary = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(temporary)
    temporary.rename(folder)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    temporary.write_bytes(data)
    temporary.replace(path)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _size(file: Mapping[str, Any]) -> str:
    return f"{file['bytes'] / 1e6:.1f} MB"
