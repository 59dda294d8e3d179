"""The frames of a scene as stock Manim draws them: what a recording is measured against.

Manim's own renderer and camera; the writer alone is ours, and keeps the frames instead of encoding them.
"""

import tests.clip_book  # isort: skip # noqa: F401 - imports Manim quietly, before anything else does

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from manim import Scene, SceneFileWriter, tempconfig
from manim.mobject.svg.svg_mobject import SVG_HASH_TO_MOB_MAP

from cutaway.palette import DARK

Size = tuple[int, int]


@contextmanager
def settings(size: Size, fps: int) -> Iterator[None]:
    """Manim as a run of a scene finds it: the same seed, ground, size and rate, nothing left of an earlier run."""
    width, height = size
    SVG_HASH_TO_MOB_MAP.clear()  # a Typst formula that Manim takes from there has thinner lines
    options = {
        "pixel_width": width,
        "pixel_height": height,
        "frame_rate": fps,
        "background_color": DARK.ground,
        "seed": 0,
        "disable_caching": True,
        "progress_bar": "none",
        "verbosity": "ERROR",
    }
    with tempfile.TemporaryDirectory() as media, tempconfig({**options, "media_dir": media}):
        yield


class Keeper(SceneFileWriter):
    """Keeps frames in memory; a pause is one array, repeated."""

    def __init__(self, settings: Any) -> None:
        self.kept: list[np.ndarray] = []
        super().__init__(settings)

    def add_partial_movie_file(self, hash_animation: str | None) -> None:
        self.sections[-1].partial_movie_files.append(hash_animation)

    def begin_animation(self, *_: Any, **__: Any) -> None:
        """No segment to open."""

    def end_animation(self, *_: Any, **__: Any) -> None:
        """No segment to close."""

    def is_already_cached(self, hash_invocation: str) -> bool:
        return False

    def write_frame(self, pixels: np.ndarray, *, repeat: int = 1) -> None:
        self.kept += [pixels] * repeat

    def save_image(self, pixels: np.ndarray) -> None:
        """The picture of a scene without animations."""
        self.write_frame(pixels)

    def finish(self) -> None:
        """Nothing to assemble."""


def stock_frames(scene_class: type[Scene], size: Size, fps: int) -> list[np.ndarray]:
    """The frames (height, width, RGBA) of a scene; one alone where it has no animations."""
    with settings(size, fps):
        scene = scene_class()
        scene.renderer.file_writer = keeper = Keeper(scene.file_writer_settings)
        scene.render()
    return keeper.kept
