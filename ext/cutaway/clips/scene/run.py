"""Run one scene and leave a clip's files in a folder. Runs where scenes run: it needs Manim.

A scene becomes a recording, drawn in the page; one that can't be recorded is filmed, once in each theme.
"""

from __future__ import annotations

import gzip
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from manim import Scene, tempconfig
from PIL import Image

from ...source.find import Span
from ...theme.palette import BY_NAME, DARK, THEMES
from ...trace.names import Names, Place
from ...trace.reading import Traces
from ..format.contents import Contents, contents_of, contents_of_reel
from ..format.script import script_of
from ..raster.painter import Painter
from .fast_copy import copy_fast
from .manim_recorder import Unrecordable, record
from .reel import captions_of
from .scene import Reading, RecordedScene

# No cache of Manim's (its key costs more than drawing), no bars, and the same random numbers every time.
QUIET = {"disable_caching": True, "progress_bar": "none", "verbosity": "ERROR", "seed": 0}
LARGEST = 1_000_000  # bytes of a compressed recording; above it a film is lighter


def draw(job: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Write the files of a clip (``recording.js`` or ``dark.mp4``, ..., stills ``0-dark.png``, ..., ``captions.vtt``);
    return what is to be known of it."""
    copy_fast()
    scene_class = _scene_class(job)
    reading = Reading(_names(job))
    themes: tuple[str, ...] = THEMES if issubclass(scene_class, RecordedScene) else THEMES[:1]
    if issubclass(scene_class, RecordedScene):
        scene_class.reading = reading
    why_film = ""
    literal: list[str] = []
    try:
        contents, literal = _record(job, scene_class, themes, folder)
    except Unrecordable as error:
        why_film = str(error)
        contents = _film(job, scene_class, themes, folder)
    return {
        "reads": reading.reads,
        "notices": reading.notices,
        "themes": list(themes),
        "why_film": why_film,
        "literal": literal if len(themes) > 1 else [],
        "fps": job["fps"],
        "size": job["size"],
        **contents,
    }


def _record(
    job: Mapping[str, Any], scene_class: type[Scene], themes: tuple[str, ...], folder: Path
) -> tuple[Contents, list[str]]:
    if issubclass(scene_class, RecordedScene):
        scene_class.theme = DARK  # the colours are recorded by their names in it
    with tempconfig(_settings(job, "dark", folder)):
        recording = record(scene_class, job["fps"])
    script = script_of(recording).encode()
    size = len(gzip.compress(script, 9))
    if size > LARGEST:
        raise Unrecordable(f"its recording would be {size / 1e6:.1f} MB")
    (folder / "recording.js").write_bytes(script)
    contents = contents_of(recording)
    ends = [*(section["start"] for section in contents["sections"][1:]), recording["frames"]]
    for theme in themes:
        painter = Painter(recording, BY_NAME[theme])
        for number, end in enumerate(ends):
            _save(painter.pixels(end - 1, tuple(job["size"])), folder / f"{number}-{theme}.png")
    return contents, [paint for paint in recording["paints"] if isinstance(paint, str) and paint.startswith("#")]


def _film(job: Mapping[str, Any], scene_class: type[Scene], themes: tuple[str, ...], folder: Path) -> Contents:
    from ..raster.mp4 import web_vtt  # few scenes need an encoder, and it takes long to load
    from .manim_film import film

    for theme in themes:
        if issubclass(scene_class, RecordedScene):
            scene_class.theme = BY_NAME[theme]
        with tempconfig(_settings(job, theme, folder)):
            reel, stills = film(scene_class, folder / f"{theme}.mp4", tuple(job["size"]), job["fps"])
        for number, start in enumerate(sorted(stills)):
            _save(stills[start], folder / f"{number}-{theme}.png")
    captions = [(start / job["fps"], end / job["fps"], text) for start, end, text in captions_of(reel)]
    (folder / "captions.vtt").write_text(web_vtt(captions), "utf-8")
    return contents_of_reel(reel)


def _settings(job: Mapping[str, Any], theme: str, folder: Path) -> dict[str, Any]:
    """Manim's config for a take."""
    width, height = job["size"]
    return {
        **QUIET,
        "pixel_width": width,
        "pixel_height": height,
        "frame_rate": job["fps"],
        "background_color": BY_NAME[theme].ground,
        "media_dir": str(folder / "media"),
    }


def _save(pixels: np.ndarray, path: Path) -> None:
    """A still with a palette of 256 colours: flat drawings lose nothing that shows, and two thirds of the bytes."""
    picture = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
    picture.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path)


def _names(job: Mapping[str, Any]) -> Names:
    steps = {id: Place(step["object"], Span(*step["span"])) for id, step in job["steps"].items()}
    return Names(Traces(job["traces"]), steps, job["run"])


def _scene_class(job: Mapping[str, Any]) -> type[Scene]:
    module, _, name = job["scene"].rpartition(".")
    found = getattr(importlib.import_module(f"{Path(job['scenes']).name}.{module}"), name)
    if not (isinstance(found, type) and issubclass(found, Scene)):
        ours = "cutaway.clips.scene.scene.RecordedScene"
        raise TypeError(f"{job['scene']} is no Manim scene; base it on Scene or {ours}")
    return found
