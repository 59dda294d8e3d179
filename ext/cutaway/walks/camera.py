"""The eye that looks at a walk: where a point of space is seen, and from where a box fills the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

HALF = 0.35  # radians: half of the angle of view, from top to bottom
YAW, PITCH = 0.36, 0.16  # radians: how far the eye stands to the right, and above
MARGIN = 1.06  # times the distance at which a box just fits
CLOSEST = 0.01  # of the distance to the point in the middle: nothing is seen nearer to the eye


@dataclass(frozen=True)
class Camera:
    """``target``: the point in the middle; ``far``: the eye's distance from it, in cells."""

    target: tuple[float, float, float]
    yaw: float
    pitch: float
    far: float

    @property
    def basis(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """To the right, upwards and towards the eye, each of length 1. The space's y grows downwards."""
        cy, sy, cp, sp = math.cos(self.yaw), math.sin(self.yaw), math.cos(self.pitch), math.sin(self.pitch)
        back = np.array([sy * cp, -sp, cy * cp])
        right = np.array([cy, 0.0, -sy])
        return right, np.cross(right, back), back

    @property
    def eye(self) -> np.ndarray:
        return np.array(self.target) + self.basis[2] * self.far

    def project(self, points: np.ndarray, width: int, height: int) -> np.ndarray:
        """Where points (n, 3) are seen, in pixels, and how far they are from the eye: (n, 3)."""
        right, up, back = self.basis
        away = points - self.eye
        depth = np.maximum(-away @ back, self.far * CLOSEST)
        scale = height / 2 / math.tan(HALF) / depth
        return np.stack([width / 2 + away @ right * scale, height / 2 - away @ up * scale, depth], -1)


def framing(
    low: Sequence[float], high: Sequence[float], aspect: float, yaw: float = YAW, pitch: float = PITCH
) -> Camera:
    """The camera that sees a box whole and in the middle, in a picture ``aspect`` times as wide as it is high.

    An eye sees a point if it stands at least ``near + |side| / slope`` away, for either side; two of the corners
    decide, one for each edge, and the eye is as near to one as to the other. From a box as deep as a tunnel it stands
    farther away, as nothing is seen from too near.
    """
    points, middle = corners(low, high), (np.array(low, float) + np.array(high, float)) / 2
    right, up, back = Camera((0.0, 0.0, 0.0), yaw, pitch, 1.0).basis
    near, tan = (points - middle) @ back, math.tan(HALF) / MARGIN
    target, far = middle, float(near.max()) / (1 - CLOSEST)
    for side, slope in ((right, tan * aspect), (up, tan)):
        place = (points - middle) @ side / slope
        one, other = float((near + place).max()), float((near - place).max())
        far = max(far, (one + other) / 2)
        target = target + side * slope * (one - other) / 2
    return Camera((float(target[0]), float(target[1]), float(target[2])), yaw, pitch, far)


def corners(low: Sequence[float], high: Sequence[float]) -> np.ndarray:
    """The eight corners of a box."""
    return np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
