"""Run one scene in each theme and leave its files in a folder. Runs where scenes run: it needs Manim."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from manim import Scene, tempconfig

from ..names import Names, Place
from ..palette import BY_NAME, THEMES
from ..source import Span
from ..trace import load
from . import encode
from .animate import animate
from .scene import Reading, RecordedScene

# No cache of Manim's (its key costs more than drawing), no bars, and the same random numbers every time.
QUIET = {"disable_caching": True, "progress_bar": "none", "verbosity": "ERROR", "seed": 0}


def draw(job: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Write ``dark.mp4``, ``dark.png``, ``light.mp4``, ..., ``readme.webp``, ``captions.vtt``; return the rest."""
    scene_class = _scene_class(job)
    reading = Reading(_names(job))
    takes = encode.Takes()
    themes: tuple[str, ...] = THEMES
    if issubclass(scene_class, RecordedScene):
        scene_class.reading = reading
    else:
        themes = themes[:1]  # its colours are its own: one film for both
    for theme in themes:
        if issubclass(scene_class, RecordedScene):
            scene_class.theme = BY_NAME[theme]
        takes = _film(job, scene_class, theme, folder)
    animate(folder / f"{themes[0]}.mp4", folder / "readme.webp", "webp")
    (folder / "captions.vtt").write_text(encode.web_vtt(takes.captions), "utf-8")
    return {
        "reads": reading.reads,
        "notices": reading.notices,
        "themes": list(themes),
        "seconds": takes.seconds,
        "sections": [asdict(section) for section in takes.sections],
        "captions": [text for _, _, text in takes.captions],
        "size": job["size"],
    }


def _film(job: Mapping[str, Any], scene_class: type[Scene], theme: str, folder: Path) -> encode.Takes:
    width, height = job["size"]
    settings = {
        "pixel_width": width,
        "pixel_height": height,
        "frame_rate": job["fps"],
        "background_color": BY_NAME[theme].ground,
        "media_dir": str(folder / "media"),
    }
    with tempconfig({**QUIET, **settings}):
        takes = encode.film(scene_class, folder / f"{theme}.mp4", (width, height), job["fps"])
    assert takes.poster is not None
    takes.poster.save(folder / f"{theme}.png", optimize=True)
    return takes


def _names(job: Mapping[str, Any]) -> Names:
    steps = {id: Place(step["object"], Span(*step["span"])) for id, step in job["steps"].items()}
    return Names({run: load(Path(path)) for run, path in job["traces"].items()}, steps, job["run"])


def _scene_class(job: Mapping[str, Any]) -> type[Scene]:
    module, _, name = job["scene"].rpartition(".")
    found = getattr(importlib.import_module(f"{Path(job['scenes']).name}.{module}"), name)
    if not (isinstance(found, type) and issubclass(found, Scene)):
        raise TypeError(f"{job['scene']} is no Manim scene; base it on Scene or cutaway.filming.scene.RecordedScene")
    return found
