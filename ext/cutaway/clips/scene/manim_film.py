"""The film of a scene that can't be recorded: Manim draws every frame, and one encoder takes them all. Runs where
scenes run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from manim import Scene

from ..raster.mp4 import Film
from . import writer as director
from .reel import Reel


class Writer(director.Writer):
    """Takes the place of Manim's writer: everything goes to one film; the last frame of each section is kept."""

    film: Film

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self.stills: dict[int, np.ndarray] = {}  # the last frame of a section, by the section's start
        self._last: np.ndarray | None = None

    def next_section(self, name: str, type_: str, skip_animations: bool) -> None:
        self._keep_still()
        super().next_section(name, type_, skip_animations)

    def _keep_still(self) -> None:
        if self.reel.sections and self._last is not None:
            self.stills[self.reel.sections[-1].start] = self._last.copy()

    def write_frame(self, pixels: np.ndarray, *, repeat: int = 1) -> None:
        if repeat > 0:
            self.film.add(pixels, repeat)
            self.reel.frames += repeat
            self._last = pixels

    def finish(self) -> None:
        self._keep_still()
        self.film.close()
        super().finish()


class Renderer(director.Director):
    """Manim's renderer without a copy of each frame: the encoder has read it before the next is drawn."""

    def render(self, scene: Any, time: float, moving_mobjects: Any = None) -> None:
        self.update_frame(scene, moving_mobjects)
        self.add_frame(self.camera.pixel_array)

    def scene_finished(self, scene: Any) -> None:
        if not self.num_plays:
            self.static_image = None
            self.update_frame(scene)
            self.file_writer.write_frame(self.get_frame(), repeat=self.file_writer.film.fps)
        self.file_writer.finish()


def film(scene_class: type[Scene], path: Path, size: tuple[int, int], fps: int) -> tuple[Reel, dict[int, np.ndarray]]:
    """Run a scene and write it to ``path`` as an MP4; returns its sections and captions, and the last frame (height,
    width, RGBA) of each section by the section's start. Manim's config must hold the same size and rate."""
    renderer = Renderer(file_writer_class=Writer)
    scene = scene_class(renderer=renderer)
    writer = renderer.file_writer
    writer.film = Film(path, size, fps)
    scene.render()
    return writer.reel, writer.stills
