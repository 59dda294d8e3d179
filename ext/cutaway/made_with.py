"""The versions of packages with which the things in a store were made.

Keys hold versions, because another version may compute other numbers. A builder that lacks a package can make nothing
with it; it takes what others made, under the versions that they noted. So a store serves a machine that has neither
torch nor Manim.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from .digests import version
from .store import Store, Unkept

KIND = "made-with"
Versions = dict[str, str | None]


def versions(store: Store, of: str, packages: Iterable[str]) -> Versions:
    """The installed version of each package; where one is absent, those that made what ``of`` names, if any did.

    ``of`` is the digest of all else that decides what is made.
    """
    return completed(store, of, {name: version(name) for name in packages})


def completed(store: Store, of: str, here: Mapping[str, str | None]) -> Versions:
    """These versions if none is lacking; else those that are noted for ``of``, if there is a note."""
    noted = _noted(store, of)  # asked for in any case: so the user's store hands it on with what was made
    return noted if noted and None in here.values() and noted.keys() == here.keys() else dict(here)


def note(store: Store, of: str, made_with: Mapping[str, str | None]) -> None:
    """Note for builders that lack a package what made what ``of`` names; who lacks one has nothing to tell."""
    if None not in made_with.values() and _noted(store, of) != made_with:
        with suppress(Unkept):  # a builder that has all packages needs no note
            store.write_json(KIND, of, {"versions": dict(made_with)})


def _noted(store: Store, of: str) -> Versions | None:
    return (store.read_json(KIND, of) or {}).get("versions")
