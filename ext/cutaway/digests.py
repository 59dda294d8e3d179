"""Digests of plain data, and versions of packages: what keys are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

DIGEST_LENGTH = 32  # hex digits: 128 bits, beyond accident


def digest(*parts: Any) -> str:
    """Digest of plain data (str, bytes, numbers, None, lists, tuples, dicts of them), independent of dict order.

    >>> digest("a", {"x": 1, "y": 2}) == digest("a", {"y": 2, "x": 1})
    True
    """
    sha = hashlib.sha256()
    for part in parts:
        _feed(sha, part)
    return sha.hexdigest()[:DIGEST_LENGTH]


@cache  # nothing is installed anew below a running build
def version(package: str) -> str | None:
    """The installed version of a package, for keys; None where it is absent. Imports nothing."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def version_imported(name: str) -> str:
    """The installed version of what ``import name`` gives; empty where there is none. Imports nothing."""
    found = version(name)
    if found is None:
        found = next(filter(None, map(version, _distributions().get(name, []))), "")
    return found


@cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


def _feed(sha: Any, part: Any) -> None:
    # Every part is preceded by its type and size, so that ("ab", "c") and ("a", "bc") differ.
    if type(part) is int:  # as below; most of what is recorded are sizes
        text = f"int:{part}"
        sha.update(f"str{len(text)}:{text}".encode())
    elif type(part) is str:
        data = part.encode("utf-8", "surrogatepass")
        sha.update(b"str%d:%b" % (len(data), data))
    elif isinstance(part, bytes | str):
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        sha.update(f"{type(part).__name__}{len(data)}:".encode())
        sha.update(data)
    elif isinstance(part, Mapping):
        sha.update(f"map{len(part)}:".encode())
        for key in sorted(part, key=repr):
            _feed(sha, key)
            _feed(sha, part[key])
    elif isinstance(part, list | tuple):
        sha.update(f"seq{len(part)}:".encode())
        for item in part:
            _feed(sha, item)
    elif part is None or isinstance(part, bool | int | float):
        _feed(sha, f"{type(part).__name__}:{part!r}")
    elif isinstance(part, Path):
        _feed(sha, str(part))
    else:
        raise TypeError(f"no digest of a {type(part).__name__}: {part!r}; pass plain data")
