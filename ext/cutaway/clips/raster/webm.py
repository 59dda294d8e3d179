"""A clip as a WebM film in VP9, which browsers play and free encyclopaedias take. No Sphinx, no Manim."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from ...theme.palette import BY_NAME
from ..format.script import read_script
from .mp4 import BT709, COLOURS, LIMITED
from .painter import Painter
from .shots import Shot, shots

# Quality by "crf" alone (a bit rate of 0); the speed at which a film of 15 seconds takes about as many.
OPTIONS = {"crf": "30", "deadline": "good", "cpu-used": "5", "row-mt": "1"}


def write_webm(source: Path, path: Path, size: tuple[int, int], theme: str = "dark") -> None:
    """Write a recording (``.js``) in the size of the book's clips (width, height), or a film (``.mp4``) anew."""
    if source.suffix == ".mp4":
        with av.open(str(source)) as film:
            fps = int(film.streams.video[0].average_rate or 30)
            encode(_of_film(film, fps), path, size, fps)
    else:
        recording = read_script(source.read_text("utf-8"))
        encode(shots(Painter(recording, BY_NAME[theme]), size, recording["fps"]), path, size, recording["fps"])


def encode(pictures: Iterator[Shot], path: Path, size: tuple[int, int], fps: int) -> None:
    """Write pictures, each with the number of frames that it stays."""
    with av.open(str(path), "w", format="webm") as container:
        stream: Any = container.add_stream("libvpx-vp9", rate=fps, options=OPTIONS)
        stream.width, stream.height = size
        stream.pix_fmt, stream.bit_rate = "yuv420p", 0
        stream.time_base = stream.codec_context.time_base = Fraction(1, fps)
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED
        shown, at, frame = 0, 0, None
        for pixels, lasts in pictures:
            given: Any = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgba")
            frame = given.reformat(*size, format="yuv420p", **COLOURS)
            at, shown = shown, shown + lasts
            _add(container, stream, frame, at, fps)
        if frame is not None and at < shown - 1:
            _add(container, stream, frame, shown - 1, fps)  # says how long the last one stays
        container.mux(stream.encode())


def _add(container: Any, stream: Any, frame: Any, at: int, fps: int) -> None:
    frame.pts, frame.time_base = at, Fraction(1, fps)
    container.mux(stream.encode(frame))


def _of_film(film: Any, fps: int) -> Iterator[Shot]:
    """The pictures of a film in its own size, each until the next."""
    pixels, begins = None, 0
    for frame in film.decode(film.streams.video[0]):
        at = round(float(frame.pts * frame.time_base) * fps)
        if pixels is not None and at > begins:
            yield Shot(pixels, at - begins)
            begins = at
        pixels = frame.to_ndarray(format="rgba")
    if pixels is not None:
        yield Shot(pixels, 1)
