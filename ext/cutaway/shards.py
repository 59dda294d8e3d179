"""Deal scenes out to machines that know nothing of each other, each of which draws a share of a book's clips.

Scenes are dealt out in the order of their digests, so that every machine comes to the same shares, whatever its store
holds, and shares differ by one scene at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .store import digest

OF_OTHERS = "another shard draws it"


def share(scenes: Iterable[str], shard: str) -> set[str]:
    """The scenes that are shard ``"2/4"``'s to draw; all of them without a shard. ValueError where it is none."""
    if not shard:
        return set(scenes)
    found = re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})", shard, re.ASCII)
    number, count = (int(part) for part in found.groups()) if found else (1, 0)
    if number > count:
        raise ValueError(f"cutaway_shard = {shard!r}: write 2/4 for the second share of four")
    return set(sorted(set(scenes), key=digest)[number - 1 :: count])
