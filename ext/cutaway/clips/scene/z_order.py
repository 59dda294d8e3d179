"""One order of painting for a whole scene, though objects come and go and change their places.

A recording lists its objects once, from back to front. Where a scene moves an object past another, the object
goes on as a new entry of the list, in its new place.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


class Order(Generic[Entry]):
    """Keeps ``entries`` from back to front; ``new`` makes the entry of an object."""

    def __init__(self, new: Callable[[Hashable], Entry]) -> None:
        self.entries: list[Entry] = []
        self._new = new
        self._keys: list[Hashable] = []  # whose entry it is now; None of one that was given up

    def place(self, shown: Sequence[Hashable]) -> dict[Hashable, Entry]:
        """The entries of what is shown, in that order, which then is the order of the entries, too."""
        ranks = {key: rank for rank, key in enumerate(self._keys) if key is not None}
        known = [key for key in shown if key in ranks]
        stays = set(_longest_ascent(known, [ranks[key] for key in known]))
        for key in known:
            if key not in stays:
                self._keys[ranks[key]] = None
        self._insert(list(shown), stays)
        entries = dict(zip(self._keys, self.entries, strict=True))
        return {key: entries[key] for key in shown}

    def renew(self, key: Hashable) -> None:
        """Give up the entry of an object: the next time it gets a new one, in the same place."""
        self._keys[self._keys.index(key)] = None

    def _insert(self, shown: list[Hashable], stays: set[Hashable]) -> None:
        """Put what is new right in front of what is shown behind it."""
        keys: list[Hashable] = []
        entries: list[Entry] = []
        fresh: dict[Hashable, list[Hashable]] = {}
        behind: Hashable = None
        for key in shown:
            if key in stays:
                behind = key
            else:
                fresh.setdefault(behind, []).append(key)
        for key, entry in [(None, None), *zip(self._keys, self.entries, strict=True)]:
            if entry is not None:
                keys.append(key)
                entries.append(entry)
            if entry is None or key is not None:
                for new in fresh.pop(key, ()):
                    keys.append(new)
                    entries.append(self._new(new))
        self._keys, self.entries = keys, entries


def _longest_ascent(items: Sequence[Hashable], ranks: Sequence[int]) -> list[Hashable]:
    """The longest part of ``items`` whose ranks ascend: patience sorting, O(n log n)."""
    tops: list[int] = []  # the smallest rank that ends an ascent of each length
    ends: list[int] = []  # where it stands
    before: list[int] = []
    for i, rank in enumerate(ranks):
        length = bisect_left(tops, rank)
        before.append(ends[length - 1] if length else -1)
        if length == len(tops):
            tops.append(rank)
            ends.append(i)
        else:
            tops[length], ends[length] = rank, i
    ascent = []
    i = ends[-1] if ends else -1
    while i >= 0:
        ascent.append(items[i])
        i = before[i]
    return ascent[::-1]
