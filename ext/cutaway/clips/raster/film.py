"""A clip as files, drawn from its recording or its film: an MP4, or a picture that moves. No Sphinx.

A recording is a ``.js``; a film is an ``.mp4``, which has its theme already.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from ...theme.palette import BY_NAME
from ..format.script import read_script
from .animated import CARD, DOWNLOAD, FILM_FPS, Preset, animate
from .mp4 import Film
from .painter import Painter
from .shots import Shot, shots


def write(source: Path, path: Path, kind: str, size: tuple[int, int], theme: str = "dark") -> None:
    """Write an ``mp4`` in the size of the book's clips (width, height), or a ``gif`` or ``webp``, 480 pixels high."""
    if kind != "mp4":
        animate(*_taken(source, DOWNLOAD, theme), path, kind)
    elif source.suffix == ".mp4":
        shutil.copyfile(source, path)
    else:
        recording = read_script(source.read_text("utf-8"))
        film = Film(path, size, recording["fps"])
        for shot in shots(Painter(recording, BY_NAME[theme]), size, recording["fps"]):
            film.add(*shot)
        film.close()


def for_card(source: Path) -> tuple[list[Shot], int]:
    """The shots, RGB, that the picture of a link shows, in the dark theme, and at how many frames a second."""
    taken, fps = _taken(source, CARD, "dark")
    return [Shot(np.ascontiguousarray(shot.pixels[..., :3]), shot.lasts) for shot in taken], fps


def _taken(source: Path, preset: Preset, theme: str) -> tuple[Iterator[Shot], int]:
    """The shots of a recording or film, and how many of the frames that they last make a second."""
    if source.suffix == ".mp4":
        return shots_of(source), FILM_FPS
    recording = read_script(source.read_text("utf-8"))
    return shots(Painter(recording, BY_NAME[theme]), preset.size(recording["size"]), preset.fps), preset.fps


def shots_of(film: Path) -> Iterator[Shot]:
    """The shots of a film, scaled to the size of a picture to take away; they last fifteenths of a second."""
    with av.open(str(film)) as source:
        video = source.streams.video[0]
        width, height = DOWNLOAD.size((video.width, video.height))
        pixels, shown = None, 0
        for frame in source.decode(video):
            begins = round(float(frame.pts * frame.time_base) * FILM_FPS)
            if pixels is not None and begins > shown:
                yield Shot(pixels, begins - shown)
                shown = begins
            pixels = frame.reformat(width, height, "rgba", interpolation="LANCZOS").to_ndarray()
        if pixels is not None:
            yield Shot(pixels, 1)


def frame_of(film: Path, seconds: float) -> np.ndarray:
    """The picture (height, width, RGBA) that a film shows at a time."""
    with av.open(str(film)) as source:
        found = None
        for frame in source.decode(video=0):
            if found is not None and float(frame.pts * frame.time_base) > seconds:
                break
            found = frame
        assert found is not None
        return np.asarray(found.to_ndarray(format="rgba"))
