"""A clip as a picture that moves by itself, GIF or WebP, where no player can be. No Manim.

A :class:`Preset` says how: ``DOWNLOAD`` for a file to take away, ``CARD`` for one that a link shows elsewhere, which is
drawn narrower until it is small enough.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from ...theme.palette import DARK, entries, mix, rgb
from .shots import Shot

HEIGHT = 480  # of a film's pictures, and of those to take away
FILM_FPS = 15  # of what is taken from a film
WEBP = {"kmin": 0, "kmax": 0, "loop": 0}  # no key frames: nobody seeks in a picture


@dataclass(frozen=True)
class Preset:
    """How a picture that moves is made.

    ``widths`` and ``limits``, by kind: the widths in pixels that are tried in their order until the file's bytes are
    within the limit; without them it is as wide as it is drawn. ``fixed``: a GIF has the theme's colours, not those
    that are chosen from its frames.
    """

    fps: int  # at which a recording is drawn
    webp: Mapping[str, int]
    widths: Mapping[str, Sequence[int]] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    fixed: bool = False

    def size(self, clip_size: Sequence[int]) -> tuple[int, int]:
        """Width and height in which a clip of that size is drawn, both even."""
        width, height = clip_size
        if not self.widths:
            return round(width * HEIGHT / height / 2) * 2, HEIGHT
        widest = max(itertools.chain(*self.widths.values()))
        return widest, round(widest * height / width / 2) * 2


DOWNLOAD = Preset(FILM_FPS, {"quality": 75, "method": 3})
CARD = Preset(
    10,
    {"quality": 60, "method": 2},
    widths={"webp": (800, 640, 520, 400), "gif": (640, 520, 400)},
    limits={"webp": 400_000, "gif": 1_500_000},
    fixed=True,
)


def animate(shots: Iterable[Shot], fps: int, path: Path, kind: str, preset: Preset = DOWNLOAD) -> None:
    """Write shots, whose lengths count frames at ``fps``, as a ``gif`` or ``webp`` that plays for ever.

    Raises ValueError where even the narrowest picture is larger than the preset's limit.
    """
    if kind == "gif" and not preset.fixed:
        _write_gif(shots, fps, path)
        return
    shots = list(shots)
    pictures, lasts = [Image.fromarray(shot.pixels[..., :3]) for shot in shots], _milliseconds(shots, fps)
    widths = preset.widths.get(kind, (pictures[0].width,))
    for width in widths:
        _save([_scaled(picture, width) for picture in pictures], lasts, path, kind, preset)
        if kind not in preset.limits or path.stat().st_size <= preset.limits[kind]:
            return
    raise ValueError(f"{path.stat().st_size} bytes at {width} pixels' width, more than {preset.limits[kind]}")


def _milliseconds(shots: Sequence[Shot], fps: int) -> list[int]:
    """For how long each stays; the sum does not drift."""
    ends = [round(1000 * end / fps) for end in itertools.accumulate(shot.lasts for shot in shots)]
    return [end - start for start, end in itertools.pairwise([0, *ends])]


def _scaled(picture: Image.Image, width: int) -> Image.Image:
    if picture.width <= width:
        return picture
    height = round(picture.height * width / picture.width / 2) * 2
    return picture.resize((width, height), Image.Resampling.BOX, reducing_gap=None)


def _save(pictures: Sequence[Image.Image], lasts: list[int], path: Path, kind: str, preset: Preset) -> None:
    options: Mapping[str, Any] = {**preset.webp, **WEBP}
    if kind == "gif":
        palette, options = _palette(), {"loop": 0, "optimize": False}
        pictures = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    first, *rest = pictures
    first.save(path, kind, save_all=True, append_images=rest, duration=lasts, **options)


def _palette() -> Image.Image:
    """The theme's colours, and each on its way to the ground and to the panel."""
    colours = list(dict.fromkeys(entries(DARK).values()))
    grounds = [(ground, part) for part in (0.3, 0.6) for ground in (DARK.ground, DARK.panel)]
    mixes = [mix(colour, ground, part) for ground, part in grounds for colour in colours]
    chosen = list(dict.fromkeys([*colours, *mixes]))[:256]
    image = Image.new("P", (1, 1))
    image.putpalette([round(255 * part) for colour in chosen for part in rgb(colour)])
    return image


def _write_gif(shots: Iterable[Shot], fps: int, path: Path) -> None:
    """Through FFmpeg, which sees one frame after another and chooses the colours from all."""
    graph: Any = None
    with av.open(str(path), "w", format="gif", options={"loop": "0"}) as target:
        stream: Any = target.add_stream("gif", rate=fps)
        stream.pix_fmt, stream.time_base = "pal8", Fraction(1, fps)
        for frame in _frames(shots, fps):
            if graph is None:
                stream.width, stream.height = frame.width, frame.height
                graph = _palette_graph(frame)
            graph.push(frame)
        graph.push(None)
        for frame in _pull(graph):
            target.mux(stream.encode(frame))
        target.mux(stream.encode())


def _frames(shots: Iterable[Shot], fps: int) -> Iterator[Any]:
    """A frame for each shot; the last comes twice, to say how long it stays."""
    at, last = 0, None
    for shot in shots:
        yield _frame(shot.pixels, at, fps)
        at += shot.lasts
        last = shot
    if last is not None and last.lasts > 1:
        yield _frame(last.pixels, at - 1, fps)


def _frame(pixels: np.ndarray, at: int, fps: int) -> Any:
    frame: Any = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgba")
    frame.pts, frame.time_base = at, Fraction(1, fps)
    return frame


def _palette_graph(frame: Any) -> Any:
    """From RGBA to 64 colours chosen from all frames."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format="rgba", time_base=frame.time_base)
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
