"""What a Manim object looks like at one moment, as numbers. Runs where scenes run: it needs Manim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from manim import Camera, VMobject, config
from manim.constants import CapStyleType, LineJointType

from .space import Standing
from .tracks import DEEP, UNITS, Look

JOINTS = {LineJointType.ROUND: 1, LineJointType.BEVEL: 2}
CAPS = {CapStyleType.ROUND: 1, CapStyleType.SQUARE: 2}
LINE_WIDTH = 0.01  # Manim's units of a line of width 1, unless a camera has another idea
COLOUR = 255.0  # so that a colour's tolerance is that of a place


class Stage(NamedTuple):
    """From Manim's places to the units of the recording, however far a camera has zoomed in."""

    unit: float  # units in one of Manim's
    height: float  # the picture's shape decides it, not Manim's own frame
    scale: np.ndarray
    middle: np.ndarray

    @classmethod
    def now(cls) -> Self:
        """As Manim's config has it."""
        unit = UNITS / float(config["frame_width"])
        height = float(UNITS * config["pixel_height"] / config["pixel_width"])
        return cls(unit, height, np.array([unit, -unit]), np.array([UNITS / 2, height / 2]))

    def units(self, points: np.ndarray) -> np.ndarray:
        """Points of Manim (n, 3) in the units of the recording (n, 2)."""
        return points[:, :2] * self.scale + self.middle

    def around(self, standing: Standing, points: np.ndarray) -> np.ndarray:
        """Points of Manim (n, 3) in units about the anchor of what stands in space: (n, 2) if it is upright, else
        (n, 3) as Manim has them, the second upwards and the third to the reader."""
        moved = points - standing.anchor
        return moved[:, :2] * self.scale if standing.is_upright else moved * self.unit


def raw_of(mobject: VMobject) -> tuple[Any, ...]:
    """A cheap fingerprint of how an object is drawn; only for comparison."""
    fill, stroke = mobject.get_fill_rgbas(), mobject.get_stroke_rgbas()
    sheen = mobject.sheen_direction.tobytes() if len(fill) > 1 or len(stroke) > 1 else b""
    arrays = (mobject.points, fill, stroke, mobject.get_stroke_rgbas(True))
    widths = (mobject.stroke_width, mobject.background_stroke_width)
    return (*[array.tobytes() for array in arrays], sheen, *widths, mobject.joint_type, mobject.cap_style)


def look_of(mobject: VMobject, stage: Stage, camera: Camera) -> Look:
    """The look of a mobject: its outline in units; widths, colours and the gradient's line as numbers."""
    standing = Standing.of(camera, mobject)

    def units(points: np.ndarray) -> np.ndarray:
        return stage.around(standing, points) if standing else stage.units(points)

    points = mobject.points
    if not np.isfinite(points).all():
        points = np.zeros((0, 3))  # Manim draws nothing then
    outline = units(points[: len(points) // 4 * 4])
    found = camera.get_fill_rgbas(mobject), *(camera.get_stroke_rgbas(mobject, back) for back in (False, True))
    fill, stroke, back = (np.atleast_2d(part) if part.ndim < 2 else part for part in found)
    line: Sequence[float] = ()
    if max(len(fill), len(stroke), len(back)) > 1:
        line = units(np.array(mobject.get_gradient_start_and_end_points())).ravel().tolist()
    widths = [width * LINE_WIDTH * stage.unit for width in (mobject.get_stroke_width(), mobject.get_stroke_width(True))]
    anchor = np.zeros(0)
    if standing:
        anchor = np.concatenate([standing.anchor * stage.unit, standing.aside[:2] * stage.scale])
    style = np.concatenate([widths, line, anchor, fill.ravel(), stroke.ravel(), back.ravel()])
    colours = style[2 + len(line) + len(anchor) :]
    colours[:] = np.maximum(np.minimum(colours, 1), 0) * COLOUR
    pen = 3 * JOINTS.get(mobject.joint_type, 0) + CAPS.get(mobject.cap_style, 0)
    pen += DEEP if standing and mobject.shade_in_3d else 0
    kind = (outline.size, len(fill), len(stroke), len(back), len(line), pen, len(anchor))
    return Look(kind, outline, style)
