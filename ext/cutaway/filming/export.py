"""One clip outside the book, as a file: ``python -m cutaway clip attention.CausalMask --gif mask.gif``.

The steps that a scene may name are those of the book's last build; values by variable name need no build.
"""

from __future__ import annotations

import itertools
import shutil
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

from .. import runs
from ..book import Book
from ..names import Place
from ..render import Inputs, Wanted, render
from ..source import Span
from ..store import replacing
from . import recipe
from .recipe import KIND, find_scene

GIF_HEIGHT, GIF_FPS = 480, 15
GIF = {"gif": ("gif", "rgb8"), "webp": ("libwebp_anim", "yuv420p")}


class ClipError(LookupError):
    """The clip could not be drawn."""


def render_one(
    book: Book, scene: str, path: Path, kind: str, run: str | None = None, theme: str = "dark"
) -> Path:
    """Draw a scene, or take it from the store, and write it as ``mp4``, ``gif``, ``webp`` or ``png``."""
    find_scene(book, scene)  # says what there is instead, before anything runs
    known = recipe.hint(book.store, scene)
    run = run or known.get("run")
    outcomes = runs.ensure(book, _say, [run] if run else None)
    failed = [outcome.error for outcome in outcomes.values() if outcome.error]
    if failed:
        raise ClipError(failed[0])
    steps = {id: Place(step["object"], Span(*step["span"])) for id, step in known.get("steps", {}).items()}
    wanted = Wanted(scene, run or next(iter(outcomes), None))
    inputs = Inputs({name: outcome.trace for name, outcome in outcomes.items()}, steps)
    clip = render(book, [wanted], inputs, _say)[wanted]
    if clip.error:
        raise ClipError(clip.error)
    shown = theme if theme in clip.themes else clip.themes[0]
    film = book.store.path(KIND, clip.key, f"-{shown}.mp4")
    with replacing(path) as temporary:
        if kind in GIF:
            animate(film, temporary, kind)
        else:
            shutil.copyfile(film.with_suffix(f".{kind}"), temporary)
    return path


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def animate(film: Path, path: Path, kind: str) -> None:
    """A film as an animated picture for READMEs: 480 lines, 15 frames a second, for ever."""
    import av

    codec, pixels = GIF[kind]
    with av.open(str(film)) as source, av.open(str(path), "w", format=kind, options={"loop": "0"}) as target:
        video = source.streams.video[0]
        stream: Any = target.add_stream(codec, rate=GIF_FPS)
        stream.height, stream.width = GIF_HEIGHT, round(video.width * GIF_HEIGHT / video.height / 2) * 2
        stream.pix_fmt, stream.time_base = pixels, Fraction(1, GIF_FPS)
        graph = _graph(video, stream, kind)
        for frame in source.decode(video):
            graph.push(frame)
        graph.push(None)
        for number, frame in enumerate(_pull(graph)):
            frame.pts, frame.time_base = number, Fraction(1, GIF_FPS)
            target.mux(stream.encode(frame))
        target.mux(stream.encode())


def _graph(video: Any, stream: Any, kind: str) -> Any:
    """Scale and resample; for GIF, 64 colours chosen from the film itself."""
    import av

    graph = av.filter.Graph()
    steps = [graph.add_buffer(template=video), graph.add("fps", str(GIF_FPS))]
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
