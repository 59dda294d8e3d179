"""One film of one scene: a renderer and a file writer for Manim that feed one H.264 encoder. Runs where
scenes run.

Manim's own writer encodes a file for each animation and joins them. Here the frames of the whole scene go to
one encoder; a pause is one long frame; colours are converted with BT.709 and tagged as such, so that a
browser shows the palette's; a key frame stands at least every two seconds, so that the reader can seek.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from manim import CairoRenderer, Camera, Scene, SceneFileWriter
from PIL import Image

KEY_FRAME_S = 2.0
POSTER = "poster"  # the type of a section whose last frame stands for the clip: next_section(..., "poster")
BT709 = 1  # FFmpeg's number of it, as primaries, transfer and matrix alike
LIMITED = 1  # FFmpeg's number of the range 16..235
COLOURS: dict[str, Any] = {"dst_colorspace": "ITU709", "src_color_range": "JPEG", "dst_color_range": "MPEG"}


class Film:
    """An MP4 file that takes frames and how long each stays."""

    def __init__(self, path: Path, size: tuple[int, int], fps: int, threads: int = 1) -> None:
        self.fps, self.frames, self._last_key = fps, 0, -(10**9)
        self._container = av.open(str(path), "w", options={"movflags": "+faststart"})
        options = {"preset": "veryfast", "crf": "23", "threads": str(threads), "bf": "0"}
        stream: Any = self._container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, fps)
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED
        self._stream = stream
        self._pending: Any = None
        self._convert = VideoReformatter()  # one for all frames: to set it up costs more than to use it

    def add(self, pixels: np.ndarray, count: int) -> None:
        """Show ``pixels`` (height, width, RGBA) for ``count`` frames."""
        frame: Any = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels), format="rgba")
        frame = self._convert.reformat(frame, format="yuv420p", **COLOURS)
        self._encode(frame, self.frames)
        self.frames += count
        self._pending = frame

    def close(self) -> None:
        if self._pending is not None and self._stream.codec_context.is_open:
            if self._shown < self.frames - 1:
                self._encode(self._pending, self.frames - 1, False)  # says how long the last one stays
            self._container.mux(self._stream.encode())
        self._container.close()

    def _encode(self, frame: Any, at: int, may_be_key: bool = True) -> None:
        frame.pts, frame.time_base = at, Fraction(1, self.fps)
        is_key = may_be_key and at - self._last_key >= KEY_FRAME_S * self.fps
        frame.pict_type = av.video.frame.PictureType.I if is_key else av.video.frame.PictureType.NONE
        if is_key:
            self._last_key = at
        self._shown = at
        self._container.mux(self._stream.encode(frame))


@dataclass
class Section:
    """A stretch of a scene: its name, and when it begins, in seconds."""

    name: str
    start: float
    type: str = ""


@dataclass
class Takes:
    """What a scene gave besides its frames."""

    seconds: float = 0.0
    sections: list[Section] = field(default_factory=list)
    captions: list[tuple[float, float, str]] = field(default_factory=list)
    poster: Image.Image | None = None


class Writer(SceneFileWriter):
    """Takes the place of Manim's writer: no segments, no cache, everything to one film."""

    film: Film

    def __init__(self, settings: Any) -> None:
        self.takes = Takes()
        self._last: np.ndarray | None = None
        self._begun: list[tuple[int, str, str]] = []
        super().__init__(settings)

    def next_section(self, name: str, type_: str, skip_animations: bool) -> None:
        super().next_section(name, type_, skip_animations)
        frames = self.film.frames if hasattr(self, "film") else 0
        self._end_section()
        if self._begun and self._begun[-1][0] == frames:
            self._begun.pop()  # nothing was shown in it, like Manim's first one
        self._begun.append((frames, name, str(type_)))

    def _end_section(self) -> None:
        if self._begun and self._begun[-1][2] == POSTER and self._last is not None:
            self.takes.poster = _image(self._last)

    def add_partial_movie_file(self, hash_animation: str | None) -> None:
        self.sections[-1].partial_movie_files.append(hash_animation)

    def begin_animation(self, *_: Any, **__: Any) -> None:
        """Nothing to open: the film is."""

    def end_animation(self, *_: Any, **__: Any) -> None:
        """Nothing to close: the film goes on."""

    def is_already_cached(self, hash_invocation: str) -> bool:
        return False

    def write_frame(self, pixels: np.ndarray, *, repeat: int = 1) -> None:
        if repeat > 0:
            self.film.add(pixels, repeat)
            self._last = pixels

    def save_image(self, image: np.ndarray) -> None:
        """The one frame of a scene without animations."""
        self.write_frame(image, repeat=self.film.fps)

    def finish(self) -> None:
        """End the film, and give what the page needs besides it."""
        self._end_section()
        self.film.close()
        fps, takes = self.film.fps, self.takes
        takes.seconds = self.film.frames / fps
        takes.sections = [Section(name, start / fps, kind) for start, name, kind in self._begun]
        if takes.poster is None and self._last is not None:
            takes.poster = _image(self._last)
        takes.captions = [
            (s.start.total_seconds(), min(s.end.total_seconds(), takes.seconds), s.content) for s in self.subcaptions
        ]


class Renderer(CairoRenderer):
    """Manim's renderer without a copy of each frame: the encoder has read it before the next is drawn."""

    def render(self, scene: Any, time: float, moving_mobjects: Any = None) -> None:
        self.update_frame(scene, moving_mobjects)
        self.add_frame(self.camera.pixel_array)

    def scene_finished(self, scene: Any) -> None:
        if not self.num_plays:
            self.static_image = None
            self.update_frame(scene)
            self.file_writer.save_image(self.get_frame())
        self.file_writer.finish()


def film(scene_class: type[Scene], path: Path, size: tuple[int, int], fps: int, threads: int = 1) -> Takes:
    """Run a scene and write it to ``path`` as an MP4. Manim's config must hold the same size and rate."""
    renderer = Renderer(file_writer_class=Writer, camera_class=_camera_class(scene_class))
    scene = scene_class(renderer=renderer)
    writer = renderer.file_writer
    writer.film = Film(path, size, fps, threads)
    scene.render()
    return writer.takes


def _camera_class(scene_class: type[Scene]) -> type[Camera]:
    """The camera that a scene brings along, as MovingCameraScene does in its signature."""
    parameter = inspect.signature(scene_class).parameters.get("camera_class")
    if parameter is None or parameter.default is inspect.Parameter.empty:
        return Camera
    return parameter.default


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.array(pixels[..., :3]))


def web_vtt(captions: list[tuple[float, float, str]]) -> str:
    """Captions as WebVTT; ``-->`` and ``<`` have a meaning there."""
    cues = [f"{_clock(a)} --> {_clock(b)}\n{_plain(text)}\n" for a, b, text in sorted(captions) if b > a]
    return "\n".join(["WEBVTT\n", *cues])


def _plain(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]  # an empty line would end the cue
    return "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float) -> str:
    millis = round(seconds * 1000)
    return f"{millis // 3600000:02}:{millis // 60000 % 60:02}:{millis // 1000 % 60:02}.{millis % 1000:03}"
