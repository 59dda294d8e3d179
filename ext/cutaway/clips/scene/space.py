"""Scenes in three dimensions: what of them stands in space, and through which eye it is seen. Needs Manim.

Manim draws a ``ThreeDScene`` as points of space that its camera projects. A recording keeps the points as they are, and
the camera's turns beside them: so a reader can turn what the scene shows.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from manim import ORIGIN, Camera, Mobject, ThreeDCamera, ThreeDScene, VMobject

from .scene import RecordedScene


class SpaceCamera(ThreeDCamera):
    """Manim's camera for three dimensions, without its light; what is not marked as three-dimensional is flat."""

    def __init__(self, **options: Any) -> None:
        super().__init__(should_apply_shading=False, **options)

    def transform_points_pre_display(self, mobject: Mobject, points: np.ndarray) -> np.ndarray:
        standing = Standing.of(self, mobject)
        if standing is None:
            return points
        if standing.is_upright:
            return np.asarray(points + self.project_point(standing.anchor) - standing.anchor + standing.aside)
        return np.asarray(self.project_points(points) + standing.aside)


class SpaceScene(RecordedScene, ThreeDScene):
    """Base of scenes in three dimensions that read a run. What goes through ``space`` or ``facing`` stands in space,
    sorted by its distance; all else is flat and in front, as in any scene."""

    def __init__(self, camera_class: type[Camera] = SpaceCamera, **options: Any) -> None:
        super().__init__(camera_class=camera_class, **options)

    def space(self, mobject: VMobject, aside: np.ndarray = ORIGIN) -> VMobject:
        """Put ``mobject`` into space, where its points have three numbers, and return it.

        ``aside``: how far on the stage it is shifted once it is projected. So two spaces side by side turn as one
        camera does, each about its own middle.
        """
        for part in mobject.get_family():
            part.shade_in_3d, part.cutaway_aside = True, aside
        return mobject

    def facing(self, mobject: VMobject, aside: np.ndarray = ORIGIN) -> VMobject:
        """Put a label or dot into space whose centre moves with the camera and which always faces the reader."""
        for part in self.space(mobject, aside).get_family():
            part.cutaway_upright = mobject
        return mobject


class Standing(NamedTuple):
    """Where a mobject stands in space: the point by which its distance counts, in Manim's units."""

    is_upright: bool  # its outline is flat and faces the reader
    anchor: np.ndarray
    aside: np.ndarray = ORIGIN  # on the stage

    @classmethod
    def of(cls, camera: Camera, mobject: VMobject) -> Self | None:
        """None for what is flat."""
        if isinstance(camera, SpaceCamera):
            if not mobject.shade_in_3d:
                return None
            top, aside = getattr(mobject, "cutaway_upright", None), getattr(mobject, "cutaway_aside", ORIGIN)
            return cls(top is not None, (top or mobject).get_center(), aside)
        if not isinstance(camera, ThreeDCamera) or mobject in camera.fixed_in_frame_mobjects:
            return None
        if mobject in camera.fixed_orientation_mobjects:
            return cls(True, np.asarray(camera.fixed_orientation_mobjects[mobject]()))
        return cls(False, mobject.get_z_index_reference_point())


def eye_of(camera: ThreeDCamera, unit: float) -> np.ndarray:
    """Three angles in thousandths of a degree, the zoom in ten-thousandths; distance and centre in units."""
    angles = np.degrees([camera.get_phi(), camera.get_theta(), camera.get_gamma()]) * 1000
    lengths = np.array([camera.get_focal_distance(), *camera.frame_center]) * unit
    return np.array([*angles, camera.get_zoom() * 10000, *lengths])
