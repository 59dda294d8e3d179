"""What the recorder and the film have in common: a renderer that sees through the scene's own camera, and a file
writer that keeps sections and captions. Runs where scenes run: it needs Manim."""

from __future__ import annotations

from typing import Any

from manim import CairoRenderer, Scene, SceneFileWriter, config

from .reel import Reel, Section

POSTER = "poster"  # the type of a section whose last frame stands for the clip: next_section(..., "poster")


class Writer(SceneFileWriter):
    """Takes the place of Manim's writer: keeps sections and captions, writes nothing."""

    def __init__(self, settings: Any) -> None:
        self.reel = Reel()
        self.skipped = 0.0  # seconds of the scene's clock that are in sections left out
        self._heard = 0  # captions
        super().__init__(settings)

    def next_section(self, name: str, type_: str, skip_animations: bool) -> None:
        self.hear()
        super().next_section(name, type_, skip_animations)
        begun = self.reel.sections
        if begun and begun[-1].start == self.reel.frames:
            begun.pop()  # nothing was shown in it, like Manim's first one
        begun.append(Section(self.reel.frames, name, str(type_) == POSTER))

    def add_partial_movie_file(self, hash_animation: str | None) -> None:
        self.sections[-1].partial_movie_files.append(hash_animation)

    def begin_animation(self, *_: Any, **__: Any) -> None:
        """Nothing to open."""

    def end_animation(self, *_: Any, **__: Any) -> None:
        """Nothing to close."""

    def is_already_cached(self, hash_invocation: str) -> bool:
        return False

    def hear(self) -> None:
        """Take in the captions that came since the last time; Manim's clock goes on where a section is left out."""
        new, self._heard = self.subcaptions[self._heard :], len(self.subcaptions)
        if self.sections and self.sections[-1].skip_animations:
            return
        for caption in new:
            times = (t.total_seconds() - self.skipped for t in (caption.start, caption.end))
            start, end = (round(t * config["frame_rate"]) for t in times)
            self.reel.captions.append((start, end, caption.content))

    def finish(self) -> None:
        self.hear()


class Director(CairoRenderer):
    """What a renderer that records and one that films have in common: the scene's own camera, and captions on the
    right frames."""

    def init_scene(self, scene: Scene, *settings: Any) -> None:
        self.camera = scene.camera_class()
        super().init_scene(scene, *settings)

    def play(self, scene: Scene, *args: Any, **kwargs: Any) -> None:
        self.file_writer.hear()
        began, frames = self.time, self.file_writer.reel.frames
        super().play(scene, *args, **kwargs)
        if self.file_writer.reel.frames == frames:
            self.file_writer.skipped += self.time - began
