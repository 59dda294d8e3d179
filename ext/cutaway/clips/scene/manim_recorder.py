"""Run a scene and record its display list instead of drawing it. Runs where scenes run: it needs Manim.

A renderer and a file writer for Manim, subclasses of its own: where Manim would draw a frame, what would be drawn is
noted. Nothing is rasterised and nothing is encoded. What a display list can't hold raises :class:`Unrecordable`.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
from manim import Camera, ManimColor, Mobject, MovingCamera, Scene, ThreeDCamera, VMobject
from manim.mobject.types.image_mobject import AbstractImageMobject
from manim.mobject.types.point_cloud_mobject import PMobject
from manim.utils.iterables import list_update

from ..format.compose import compose
from .looks import LINE_WIDTH, Stage, look_of, raw_of
from .reel import Reel
from .scene import RecordedScene
from .space import SpaceCamera, eye_of
from .tracks import UNITS, Look, Track
from .writer import Director, Writer
from .z_order import Order


class Unrecordable(Exception):
    """Why a scene can't be a recording; it is filmed then."""


def record(scene_class: type[Scene], fps: int) -> dict[str, Any]:
    """Run a scene once and give its recording, as plain data. Manim's config must hold the same rate.

    The colours of a :class:`RecordedScene` are recorded by their names, those of another scene as they are.
    """
    theme = scene_class.theme if issubclass(scene_class, RecordedScene) else None
    return compose(watch(scene_class), fps, theme)


def watch(scene_class: type[Scene]) -> Reel:
    """Run a scene and give what was seen of it."""
    renderer = Renderer(file_writer_class=Writer)
    scene = scene_class(renderer=renderer)
    _check_camera(renderer.camera)
    scene.render()
    return renderer.reel


def _check_camera(camera: Camera) -> None:
    if type(camera) not in (Camera, MovingCamera, ThreeDCamera, SpaceCamera):
        raise Unrecordable(f"it is seen through a {type(camera).__name__}, which a recording can't follow")
    if isinstance(camera, ThreeDCamera) and camera.exponential_projection:
        raise Unrecordable("its camera projects exponentially")
    if camera.background_image:
        raise Unrecordable("its background is an image")
    if camera.cairo_line_width_multiple != LINE_WIDTH:
        raise Unrecordable("its camera widens all lines")


class Renderer(Director):
    """Manim's renderer, which notes what it would have drawn."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._order: Order[Track] = Order(lambda _: Track())
        self._view, self._eye = Track(), Track()
        self._static: list[VMobject] = []
        self._unchanged = 0  # how many of them were compared in this play already
        self._shown: list[VMobject] = []  # in this frame
        self._tracks: dict[Hashable, Track] = {}  # of the frame before
        self._objects: dict[Hashable, VMobject] = {}
        self._kept: dict[int, VMobject] = {}  # a mobject that is gone would leave its id to another

    @property
    def reel(self) -> Reel:
        return self.file_writer.reel

    # What Manim calls

    def play(self, scene: Scene, *args: Any, **kwargs: Any) -> None:
        super().play(scene, *args, **kwargs)
        self._settle()

    def save_static_frame_data(self, scene: Scene, static_mobjects: Iterable[Mobject]) -> None:
        self._static = self._displayed(static_mobjects) if static_mobjects else []
        self._unchanged = 0

    def update_frame(self, scene: Scene, mobjects: Iterable[Mobject] | None = None, **_: Any) -> None:
        moving = mobjects or list_update(scene.mobjects, scene.foreground_mobjects)
        self._shown = [*self._static, *self._displayed(moving)]

    def get_frame(self) -> Any:
        """No pixels: what is shown was noted by update_frame."""

    def add_frame(self, frame: Any, num_frames: int = 1) -> None:
        if self.skip_animations:
            return
        self.time += num_frames / self.camera.frame_rate
        if num_frames > 0:
            self._note(self.reel.frames)
            self.reel.frames += num_frames

    def scene_finished(self, scene: Scene) -> None:
        if not self.reel.frames:
            self._static = []
            self.update_frame(scene)
            self._note(0)
            self.reel.frames = round(self.camera.frame_rate)
        self._settle()
        self.file_writer.finish()
        self.reel.tracks, self.reel.view = self._order.entries, self._view
        self.reel.eye = self._eye
        stage = Stage.now()
        self.reel.unit, self.reel.height = stage.unit, round(stage.height)

    # What is noted

    def _displayed(self, mobjects: Iterable[Mobject]) -> list[VMobject]:
        """What the camera would draw, in its order; of what stands in space, who draws sorts it by its distance."""
        aim = getattr(self.camera, "_frame_center", None)  # a point that Manim moves, and nobody sees
        found = [m for m in Camera.get_mobjects_to_display(self.camera, mobjects) if m is not aim]
        for mobject in found:
            if isinstance(mobject, AbstractImageMobject):
                raise Unrecordable(f"it shows an image ({type(mobject).__name__})")
            if isinstance(mobject, PMobject):
                raise Unrecordable(f"it shows a point cloud ({type(mobject).__name__})")
            if isinstance(mobject, VMobject) and mobject.get_background_image():
                raise Unrecordable(f"an image colours its {type(mobject).__name__}")
        return [mobject for mobject in found if isinstance(mobject, VMobject)]

    def _note(self, frame: int) -> None:
        """Compare what is shown with the frame before."""
        objects, stage = _by_key(self._shown), Stage.now()
        if list(objects) != list(self._objects) or any(
            self._tracks[key].tag is not getattr(mobject, "cutaway_tag", None) for key, mobject in objects.items()
        ):
            self._rearrange(frame, objects)
        for key, track in itertools.islice(self._tracks.items(), self._unchanged, None):
            raw = raw_of(objects[key])
            if raw != track.raw:
                track.raw = raw
                track.see(frame, look_of(objects[key], stage, self.camera))
        self._unchanged = len(self._static)
        self._note_view(frame, stage)
        self._note_background()

    def _rearrange(self, frame: int, objects: dict[Hashable, VMobject]) -> None:
        """Find the track of each object in a new order; one that is tagged anew gets a new track."""
        for key, mobject in objects.items():
            self._kept[id(mobject)] = mobject
            known = self._tracks.get(key)
            if known is not None and known.tag is not getattr(mobject, "cutaway_tag", None):
                self._order.renew(key)
        tracks = self._order.place(list(objects))
        for track in set(self._tracks.values()) - set(tracks.values()):
            track.hide(frame)
            track.raw = ()
        for key, track in tracks.items():
            track.tag = getattr(objects[key], "cutaway_tag", None)
        self._tracks, self._objects = tracks, objects

    def _note_background(self) -> None:
        _check_camera(self.camera)
        background = tuple(float(part) for part in ManimColor(self.camera.background_color).to_rgb())
        if self.reel.frames and background != self.reel.background:
            raise Unrecordable("its background changes colour")
        self.reel.background = background

    def _note_view(self, frame: int, stage: Stage) -> None:
        camera, in_space = self.camera, isinstance(self.camera, ThreeDCamera)
        centre = np.zeros(2) if in_space else camera.frame_center[:2]  # in space the eye has it
        x, y, width = np.array([*centre, camera.frame_width]) * stage.unit
        _see(self._view, frame, np.array([UNITS / 2 + x, stage.height / 2 - y, width]))
        if in_space:
            _see(self._eye, frame, eye_of(camera, stage.unit))

    def _settle(self) -> None:
        """A play is over: note where its objects were left, which may never be shown."""
        last, stage = self.reel.frames - 1, Stage.now()
        for key, track in self._tracks.items():
            if track.moved_at(last):
                raw = raw_of(self._objects[key])
                if raw != track.raw:
                    track.raw = raw
                    track.leave(last + 1, look_of(self._objects[key], stage, self.camera))
            track.settle()
        self._view.settle()
        self._eye.settle()


def _see(track: Track, frame: int, numbers: np.ndarray) -> None:
    """Note what the camera's numbers are, if they are new."""
    raw = tuple(numbers)
    if raw != track.raw:
        track.raw = raw
        track.see(frame, Look(("numbers",), np.zeros((0, 2)), numbers))


def _by_key(mobjects: Iterable[VMobject]) -> dict[Hashable, VMobject]:
    """Each mobject by its id; one that is shown twice in a frame stands there twice."""
    found: dict[Hashable, VMobject] = {}
    for mobject in mobjects:
        key: Hashable = id(mobject)
        while key in found:
            key = (key, "again")
        found[key] = mobject
    return found
