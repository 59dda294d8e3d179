"""What a Manim object looks like at one moment, as numbers. Runs where scenes run: it needs Manim."""

from __future__ import annotations

import numpy as np
from manim import VMobject, config
from manim.constants import CapStyleType, LineJointType

from .tracks import UNITS, Look

JOINTS = {LineJointType.ROUND: 1, LineJointType.BEVEL: 2}
CAPS = {CapStyleType.ROUND: 1, CapStyleType.SQUARE: 2}
LINE_WIDTH = 0.01  # Manim's units of a line of width 1, unless a camera has another idea
COLOUR = 255.0  # so that a colour's tolerance is that of a place


def raw_of(mobject: VMobject) -> bytes:
    """Everything that decides what is drawn, to be compared and nothing else."""
    fill, stroke = mobject.get_fill_rgbas(), mobject.get_stroke_rgbas()
    back = mobject.get_stroke_rgbas(True)
    sheen = mobject.sheen_direction.tobytes() if len(fill) > 1 or len(stroke) > 1 else b""
    rest = f"{mobject.stroke_width} {mobject.background_stroke_width} {mobject.joint_type} {mobject.cap_style}"
    arrays = (mobject.points, fill, stroke, back)
    return b"|".join([*(array.tobytes() for array in arrays), sheen, rest.encode()])


def look_of(mobject: VMobject) -> Look:
    """The look of a mobject: its outline in units; widths, colours and the gradient's line as numbers."""
    points = mobject.points
    if not np.isfinite(points).all():
        points = np.zeros((0, 3))  # Manim draws nothing then
    outline = _units(points[: len(points) // 4 * 4])
    fill = np.atleast_2d(mobject.get_fill_rgbas())
    stroke, back = np.atleast_2d(mobject.get_stroke_rgbas()), np.atleast_2d(mobject.get_stroke_rgbas(True))
    line = np.zeros(0)
    if max(len(fill), len(stroke), len(back)) > 1:
        line = _units(np.array(mobject.get_gradient_start_and_end_points())).ravel()
    widths = np.array([mobject.get_stroke_width(), mobject.get_stroke_width(True)]) * LINE_WIDTH * unit()
    colours = [np.clip(part, 0, 1).ravel() * COLOUR for part in (fill, stroke, back)]
    pen = 3 * JOINTS.get(mobject.joint_type, 0) + CAPS.get(mobject.cap_style, 0)
    kind = (len(outline), len(fill), len(stroke), len(back), len(line), pen)
    return Look(kind, outline, np.concatenate([widths, line, *colours]))


def _units(points: np.ndarray) -> np.ndarray:
    """Points of Manim (n, 3) in the units of the recording (n, 2)."""
    return np.column_stack([UNITS / 2 + points[:, 0] * unit(), stage_height() / 2 - points[:, 1] * unit()])


def unit() -> float:
    """Units of the recording in one of Manim's, however far a camera has zoomed in."""
    return UNITS / float(config["frame_width"])


def stage_height() -> float:
    """Height of the stage in units: the picture's shape decides it, not Manim's own frame."""
    return float(UNITS * config["pixel_height"] / config["pixel_width"])
