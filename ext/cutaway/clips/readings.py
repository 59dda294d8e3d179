"""What a scene read of the recorded runs: each name with the digest of what it stood for.

The scene's process notes them, and the builder compares them before it takes a clip from the store.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..digests import digest
from ..trace.names import Names, UnknownName
from ..trace.reading import TraceError


def unchanged(reads: Mapping[str, str], names: Names) -> bool:
    """Whether every name still stands for what it stood for."""
    return all(_digest(name, names) == was for name, was in reads.items())


def _digest(name: str, names: Names) -> str | None:
    try:
        return digest_of(names, name)
    except (UnknownName, TraceError):
        return None


def digest_of(names: Names, name: str) -> str:
    """Digest of what a name stands for; of a tag (``tag NAME``), whether it stands for anything."""
    if not name.startswith("tag "):
        return names.resolve(name).digest
    tag = name.removeprefix("tag ")
    return digest(why_unknown(names, tag) == "")


def why_unknown(names: Names, tag: str) -> str:
    """Why a tag names neither a step nor a recorded value; empty where it does."""
    if tag in names.steps:
        return ""
    try:
        names.resolve(tag)
    except UnknownName as error:
        return str(error)
    return ""
