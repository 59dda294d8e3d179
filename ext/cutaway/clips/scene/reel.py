"""The reel of a scene: samples, sections and captions, of which a recording or a film is made."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .tracks import Track

UNNAMED = "autocreated"  # what Manim calls the section of a scene that declares none


class Section(NamedTuple):
    start: int
    name: str
    is_poster: bool = False


@dataclass
class Reel:
    """What was seen of a scene: its objects from back to front, and what is said meanwhile; times in frames."""

    frames: int = 0
    tracks: list[Track] = field(default_factory=list)
    view: Track = field(default_factory=Track)
    eye: Track = field(default_factory=Track)  # of a scene in space
    unit: float = 1.0  # units of the recording in one of Manim's
    height: int = 0  # of the stage, in units
    background: tuple[float, ...] = (0.0, 0.0, 0.0)
    sections: list[Section] = field(default_factory=list)
    captions: list[tuple[int, int, str]] = field(default_factory=list)


def sections_of(reel: Reel) -> list[list[Any]]:
    """Start, name and slug of each section that shows something; the slugs of a scene differ."""
    shown = [section for section in reel.sections if section.start < reel.frames] or [Section(0, UNNAMED)]
    rows: list[list[Any]] = []
    for section in shown:
        name = "From beginning to end" if section.name == UNNAMED else section.name
        slug = re.sub(r"\W+", "-", name.lower()).strip("-") or "section"
        same = sum(1 for row in rows if re.fullmatch(rf"{re.escape(slug)}(-\d+)?", row[2]))
        rows.append([section.start, name, f"{slug}-{same + 1}" if same else slug])
    return rows


def captions_of(reel: Reel) -> list[tuple[int, int, str]]:
    """Start, end and text of each caption that is heard while something is shown, in order."""
    captions = [(start, min(end, reel.frames), text) for start, end, text in reel.captions]
    return sorted(caption for caption in captions if caption[0] < caption[1])


def poster_of(reel: Reel) -> int:
    """The last frame of the section that is marked as the poster, else of the scene."""
    ends = [*(section.start for section in reel.sections[1:]), reel.frames]
    marked = [end for section, end in zip(reel.sections, ends, strict=False) if section.is_poster]
    return (marked[0] if marked else reel.frames) - 1
