"""A finished clip: what a page needs to know of it, and which files it has in the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..settings import Book
from .keys import KIND

RECORDING, CAPTIONS = ".js", ".vtt"  # ends of the names of files
DATA = ("themes", "why_film", "fps", "frames", "sections", "poster", "tags", "size", "notices")


class Section(NamedTuple):
    """A stretch of a clip: its name, the end of its address, its first frame, and what is said meanwhile."""

    name: str
    slug: str
    start: int
    captions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clip:
    """What came of a wanted clip. ``key`` names its files in the store; without one, ``error`` says why."""

    key: str = ""
    error: str = ""
    themes: tuple[str, ...] = ()
    why_film: str = ""  # empty: it is a recording
    fps: int = 0
    frames: int = 0
    sections: tuple[Section, ...] = ()
    poster: int = 0  # number of the section whose last frame stands for the clip
    tags: Mapping[str, int] = field(default_factory=dict)  # the section in which each tag is first seen
    size: tuple[int, int] = (0, 0)
    notices: tuple[tuple[str, str], ...] = ()  # (file:line, message)

    @property
    def suffixes(self) -> list[str]:
        """The ends of its files' names."""
        stills = [self.still(number, theme) for number in range(len(self.sections)) for theme in self.themes]
        if not self.why_film:
            return [RECORDING, *stills]
        films = [f"-{theme}.mp4" for theme in self.themes]
        return [*films, *stills, *([CAPTIONS] if any(s.captions for s in self.sections) else [])]

    def file(self, suffix: str) -> str:
        """The name of a file in the output."""
        return f"clip-{self.key}{suffix}"

    def still(self, number: int, theme: str) -> str:
        """The last frame of a section, in a theme or, where the clip has colours of its own, in these."""
        return f"-{number}-{theme if theme in self.themes else self.themes[0]}.png"


def stored(book: Book, key: str | None) -> Clip | None:
    """The clip of an artifact key, if all its files are there."""
    data = book.store.whole(KIND, key) if key else None
    return clip_of(str(key), data) if data else None


def clip_of(key: str, data: Mapping[str, Any]) -> Clip:
    return Clip(
        key=key,
        themes=tuple(data["themes"]),
        why_film=data["why_film"],
        fps=data["fps"],
        frames=data["frames"],
        sections=tuple(Section(s["name"], s["slug"], s["start"], tuple(s["captions"])) for s in data["sections"]),
        poster=data["poster"],
        tags=data["tags"],
        size=(data["size"][0], data["size"][1]),
        notices=tuple(sorted(data["notices"].items())),
    )
