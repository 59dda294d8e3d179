"""The contents of a clip: what a page must know to name its sections, link to them and print their words."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, TypedDict

from ..scene.reel import Reel, captions_of, poster_of, sections_of


class Contents(TypedDict):
    """What a page needs to know of a clip without reading the recording: times in frames."""

    frames: int
    sections: list[dict[str, Any]]  # name, slug, start, captions
    poster: int  # the section whose last frame stands for the clip
    tags: dict[str, int]  # the section in which each tag is first seen


def contents_of(recording: dict[str, Any]) -> Contents:
    """The contents of a recording."""
    starts = [start for start, _, _ in recording["sections"]]
    tags: dict[str, int] = {}
    for spans, *tagged in recording["objects"]:
        if tagged:
            name = recording["tags"][tagged[0]][0]
            section = bisect_right(starts, next(span[0] for span in spans if len(span) > 1)) - 1
            tags[name] = min(section, tags.get(name, section))
    return _contents(recording["frames"], recording["sections"], recording["captions"], recording["poster"], tags)


def contents_of_reel(reel: Reel) -> Contents:
    """The contents of a scene that was filmed."""
    return _contents(reel.frames, sections_of(reel), captions_of(reel), poster_of(reel), {})


def _contents(
    frames: int, sections: list[Any], captions: Iterable[Any], poster: int, tags: dict[str, int]
) -> Contents:
    starts = [start for start, _, _ in sections]
    said: list[list[str]] = [[] for _ in sections]
    for start, _, text in captions:
        said[max(0, bisect_right(starts, start) - 1)].append(text)
    rows = [
        {"name": name, "slug": slug, "start": start, "captions": texts}
        for (start, name, slug), texts in zip(sections, said, strict=True)
    ]
    return Contents(frames=frames, sections=rows, poster=bisect_right(starts, poster) - 1, tags=tags)
