"""A film as an animated picture, which a README can show where it can show no film."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

HEIGHT, FPS = 480, 15
KINDS = {"gif": ("gif", "rgb8"), "webp": ("libwebp_anim", "yuv420p")}


def animate(film: Path, path: Path, kind: str) -> None:
    """A film as an animated picture for READMEs: 480 lines, 15 frames a second, for ever."""
    import av

    codec, pixels = KINDS[kind]
    with av.open(str(film)) as source, av.open(str(path), "w", format=kind, options={"loop": "0"}) as target:
        video = source.streams.video[0]
        stream: Any = target.add_stream(codec, rate=FPS)
        stream.height, stream.width = HEIGHT, round(video.width * HEIGHT / video.height / 2) * 2
        stream.pix_fmt, stream.time_base = pixels, Fraction(1, FPS)
        graph = _graph(video, stream, kind)
        for frame in source.decode(video):
            graph.push(frame)
        graph.push(None)
        for number, frame in enumerate(_pull(graph)):
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            target.mux(stream.encode(frame))
        target.mux(stream.encode())


def _graph(video: Any, stream: Any, kind: str) -> Any:
    """Scale and resample; for GIF, 64 colours chosen from the film itself."""
    import av

    graph = av.filter.Graph()
    steps = [graph.add_buffer(template=video), graph.add("fps", str(FPS))]
    steps.append(graph.add("scale", f"{stream.width}:{stream.height}:flags=lanczos"))
    sink = graph.add("buffersink")
    for one, other in itertools.pairwise(steps):
        one.link_to(other)
    if kind == "gif":
        split, choose = graph.add("split"), graph.add("palettegen", "stats_mode=diff:max_colors=64")
        use = graph.add("paletteuse", "dither=none:diff_mode=rectangle")
        steps[-1].link_to(split)
        split.link_to(choose, 0, 0)
        split.link_to(use, 1, 0)
        choose.link_to(use, 0, 1)
        use.link_to(sink)
        stream.pix_fmt = "pal8"
    else:
        convert = graph.add("format", "yuv420p")
        steps[-1].link_to(convert)
        convert.link_to(sink)
    graph.configure()
    return graph


def _pull(graph: Any) -> Any:
    import av

    while True:
        try:
            yield graph.pull()
        except av.error.EOFError:
            return
