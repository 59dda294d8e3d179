"""An animated picture, GIF or WebP, which a README can show where it can show no clip. No Manim."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from .shots import Shot

HEIGHT, FPS = 480, 15
KINDS = ("gif", "webp")
WEBP = {"quality": 75, "method": 3, "kmin": 0, "kmax": 0, "loop": 0}  # no key frames: nobody seeks in a picture


def size_of(clip_size: Sequence[int]) -> tuple[int, int]:
    """Width and height of the animated picture of a clip."""
    width, height = clip_size
    return round(width * HEIGHT / height / 2) * 2, HEIGHT


def animate(shots: Iterable[Shot], path: Path, kind: str) -> None:
    """Write shots, whose lengths count fifteenths of a second, as a picture that plays for ever."""
    if kind == "gif":
        _write_gif(shots, path)
    else:
        _write_webp(list(shots), path)


def _write_webp(shots: Sequence[Shot], path: Path) -> None:
    ends = [round(1000 * end / FPS) for end in itertools.accumulate(shot.lasts for shot in shots)]
    lasts = [end - start for start, end in itertools.pairwise([0, *ends])]  # in milliseconds, without drift
    first, *rest = (Image.fromarray(shot.pixels[..., :3]) for shot in shots)
    first.save(path, "webp", save_all=True, append_images=rest, duration=lasts, **WEBP)


def _write_gif(shots: Iterable[Shot], path: Path) -> None:
    graph: Any = None
    with av.open(str(path), "w", format="gif", options={"loop": "0"}) as target:
        stream: Any = target.add_stream("gif", rate=FPS)
        stream.pix_fmt, stream.time_base = "pal8", Fraction(1, FPS)
        for frame in _frames(shots):
            if graph is None:
                stream.width, stream.height = frame.width, frame.height
                graph = _palette_graph(frame)
            graph.push(frame)
        graph.push(None)
        for frame in _pull(graph):
            target.mux(stream.encode(frame))
        target.mux(stream.encode())


def shots_of(film: Path) -> Iterator[Shot]:
    """The shots of a film, scaled to the size of an animated picture."""
    with av.open(str(film)) as source:
        video = source.streams.video[0]
        width, height = size_of((video.width, video.height))
        pixels, shown = None, 0
        for frame in source.decode(video):
            begins = round(float(frame.pts * frame.time_base) * FPS)
            if pixels is not None and begins > shown:
                yield Shot(pixels, begins - shown)
                shown = begins
            pixels = frame.reformat(width, height, "rgba", interpolation="LANCZOS").to_ndarray()
        if pixels is not None:
            yield Shot(pixels, 1)


def frame_of(film: Path, seconds: float) -> np.ndarray:
    """The picture (height, width, RGBA) that a film shows at a time."""
    with av.open(str(film)) as source:
        found: Any = None
        for frame in source.decode(video=0):
            if found is not None and float(frame.pts * frame.time_base) > seconds:
                break
            found = frame
        return np.asarray(found.to_ndarray(format="rgba"))


def _frames(shots: Iterable[Shot]) -> Iterator[Any]:
    """A frame for each shot; the last comes twice, to say how long it stays."""
    at, last = 0, None
    for shot in shots:
        yield _frame(shot.pixels, at)
        at += shot.lasts
        last = shot
    if last is not None and last.lasts > 1:
        yield _frame(last.pixels, at - 1)


def _frame(pixels: np.ndarray, at: int) -> Any:
    frame: Any = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgba")
    frame.pts, frame.time_base = at, Fraction(1, FPS)
    return frame


def _palette_graph(frame: Any) -> Any:
    """From RGBA to 64 colours chosen from all frames."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format="rgba", time_base=Fraction(1, FPS))
    split, sink = graph.add("split"), graph.add("buffersink")
    choose = graph.add("palettegen", "stats_mode=diff:max_colors=64:reserve_transparent=0")
    use = graph.add("paletteuse", "dither=none:diff_mode=rectangle")
    source.link_to(split)
    split.link_to(choose, 0, 0)
    split.link_to(use, 1, 0)
    choose.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    return graph


def _pull(graph: Any) -> Iterator[Any]:
    while True:
        try:
            yield graph.pull()
        except av.error.EOFError:
            return
