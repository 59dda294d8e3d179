"""Copy what one store has and another lacks: ``python -m cutaway store push URL``, ``pull URL``.

A store is a plain folder here, since Sphinx, numpy and browsers read its files by their paths. Elsewhere it may be
anything that fsspec can reach, ``s3://bucket/book`` or another folder: files are named by what decides their bytes, so
what is missing is copied, and nothing that is there is touched. Pull from a store that you would run code from: its
recordings are published with the site.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ... import memo
from ...store import Store

PLACES = frozenset({memo.KIND})
_NAME = re.compile(r"[\w-]+(/[\w-]+)+\.\w+", re.ASCII)
Report = Callable[[str], None]


class CopyError(LookupError):
    """The other store can't be reached: which, why, what to do."""


def push(store: Store, url: str, report: Report) -> int:
    """Copy there what it lacks; returns how many files that were."""
    files, root = _open(url)
    missing = sorted(_ours(store) - _theirs(files, root))
    for name in missing:
        path = f"{root}/{name}"
        files.makedirs(path.rpartition("/")[0], exist_ok=True)
        with files.transaction, files.open(path, "wb") as file:  # whole or not at all
            file.write(Path(store.root, name).read_bytes())
    report(f"{len(missing)} files copied to {url}")
    return len(missing)


def pull(store: Store, url: str, report: Report) -> int:
    """Copy here what is lacking; returns how many files that were."""
    files, root = _open(url)
    missing = sorted(_theirs(files, root) - _ours(store))
    for name in missing:
        folder, _, file = name.rpartition("/")
        stem, _, suffix = file.rpartition(".")
        store.write(folder, stem, f".{suffix}", files.cat_file(f"{root}/{name}"))
    report(f"{len(missing)} files copied from {url}")
    return len(missing)


def _open(url: str) -> tuple[Any, str]:
    """The file system of a URL and the path in it."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise CopyError(f"{url}: other stores need fsspec ({error}): pip install 'cutaway[remote]'") from error
    try:
        files, root = url_to_fs(url)
    except (ValueError, ImportError) as error:  # an unknown scheme, or one whose package is not installed
        raise CopyError(f"{url}: {error}; write a folder, s3://… or another URL of fsspec's") from error
    return files, str(root).rstrip("/")


def _ours(store: Store) -> set[str]:
    return _kept(path.relative_to(store.root).as_posix() for path in store.root.rglob("*") if path.is_file())


def _theirs(files: Any, root: str) -> set[str]:
    base = root.lstrip("/")  # file systems differ in the slash that they begin with
    found = files.find(root) if files.exists(root) else []
    return _kept(name.lstrip("/").removeprefix(base).lstrip("/") for name in found)


def _kept(names: Any) -> set[str]:
    """Those that are a store's: no file that is half written, none that would stand elsewhere."""
    return {name for name in names if _NAME.fullmatch(name) and name.split("/")[0] not in PLACES}
