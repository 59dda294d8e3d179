"""A clip as a file to take away, drawn from its recording or its film: an MP4, or a picture that moves. No Sphinx."""

from __future__ import annotations

import shutil
from pathlib import Path

from ...theme.palette import BY_NAME
from ..format.script import read_script
from .animated import FPS, animate, shots_of, size_of
from .mp4 import Film
from .painter import Painter
from .shots import shots


def write(source: Path, path: Path, kind: str, size: tuple[int, int], theme: str = "dark") -> None:
    """Write ``mp4`` in the size of the book's clips (width, height), or ``gif`` or ``webp`` in that of such pictures.

    ``source`` is a recording, ``.js``, or a film, ``.mp4``, which has its theme already.
    """
    if source.suffix == ".mp4":
        if kind == "mp4":
            shutil.copyfile(source, path)
        else:
            animate(shots_of(source), path, kind)
        return
    recording = read_script(source.read_text("utf-8"))
    painter = Painter(recording, BY_NAME[theme])
    if kind != "mp4":
        animate(shots(painter, size_of(size), FPS), path, kind)
        return
    film = Film(path, size, recording["fps"])
    for shot in shots(painter, size, recording["fps"]):
        film.add(*shot)
    film.close()
