"""The frames of a scene as stock Manim draws them: what a recording is measured against.

Manim's own renderer and camera; the writer alone is ours, and keeps the frames instead of encoding them. They are the
same as long as the gallery, Manim and the typefaces are, so a store keeps them.
"""

import tests.clip_book  # isort: skip # noqa: F401 - imports Manim quietly, before anything else does

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cairo
import manimpango
import numpy as np
from manim import Scene, SceneFileWriter, tempconfig
from manim.mobject.svg.svg_mobject import SVG_HASH_TO_MOB_MAP

from cutaway.clips import keys as clip_keys
from cutaway.store import Store, digest
from cutaway.theme.palette import DARK

Size = tuple[int, int]
KIND = "stock"
HERE = Path(__file__).parent


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


def kept_frames(store: Store, scene_class: type[Scene], size: Size, fps: int) -> np.ndarray:
    """:func:`stock_frames` as one array (frame, height, width, RGBA), drawn where the store has none that are whole."""
    key = digest(KIND, scene_class.__module__, scene_class.__name__, size, fps, drawn_with())
    if store.whole(KIND, key):
        with np.load(store.path(KIND, key, ".npz"), allow_pickle=False) as arrays:
            return np.bitwise_xor.accumulate(arrays["changes"], axis=0)
    frames = np.stack(stock_frames(scene_class, size, fps))
    changes = frames.copy()
    changes[1:] ^= frames[:-1]  # nearly all of it is zero: a thousandth of the bytes
    store.write(KIND, key, ".npz", lambda path: np.savez_compressed(path, changes=changes))
    store.vouch(KIND, key, [".npz"])
    return frames


@cache
def drawn_with() -> str:
    """Digest of all that decides stock frames: gallery, what it imports of ours, packages, libraries, typefaces."""
    files = sorted((HERE / "gallery").glob("*.py"))
    ours = {name for path in files for name in re.findall(r"^from (cutaway\S*) import", path.read_text("utf-8"), re.M)}
    files += [Path(__file__), *(Path(str(spec.origin)) for name in sorted(ours) if (spec := find_spec(name)))]
    libraries = [sys.version, cairo.cairo_version_string(), manimpango.pango_version(), _typeface("DejaVu Sans")]
    return digest([path.read_bytes() for path in files], clip_keys.setup(drawing=False), libraries)


def _typeface(family: str) -> bytes:
    """The file that the system has for the typeface of the gallery's words (tests/gallery/shared.py)."""
    found = subprocess.check_output(["fc-match", "--format=%{file}", family], text=True)
    return Path(found).read_bytes()


def stock_frames(scene_class: type[Scene], size: Size, fps: int) -> list[np.ndarray]:
    """The frames (height, width, RGBA) of a scene; one alone where it has no animations."""
    with settings(size, fps):
        scene = scene_class()
        scene.renderer.file_writer = keeper = Keeper(scene.file_writer_settings)
        scene.render()
    return keeper.kept
