"""The eye that looks at a walk: where a point of space is seen, and from where a box fills the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

HALF = 0.35  # radians: half of the angle of view, from top to bottom
YAW, PITCH = 0.36, 0.16  # radians: how far the eye stands to the right, and above
MARGIN = 1.06  # times the distance at which a box just fits
ROUNDS = 12


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
        depth = np.maximum(-away @ back, self.far / 100)
        scale = height / 2 / math.tan(HALF) / depth
        return np.stack([width / 2 + away @ right * scale, height / 2 - away @ up * scale, depth], -1)


def framing(
    low: Sequence[float], high: Sequence[float], aspect: float, yaw: float = YAW, pitch: float = PITCH
) -> Camera:
    """The camera that sees a box whole and in the middle, in a picture ``aspect`` times as wide as it is high."""
    points = corners(low, high)
    target = (np.array(low, float) + np.array(high, float)) / 2
    for _ in range(ROUNDS):  # nearer corners are seen larger, so that the middle of the box is not that of the picture
        camera = Camera((float(target[0]), float(target[1]), float(target[2])), yaw, pitch, 1.0)
        right, up, back = camera.basis
        across, upwards, near = ((points - target) @ one for one in (right, up, back))
        tan = math.tan(HALF) / MARGIN
        far = float(max((np.abs(across) / (tan * aspect) + near).max(), (np.abs(upwards) / tan + near).max()))
        shown = [side / (far - near) for side in (across, upwards)]
        middle = [(one.max() + one.min()) / 2 for one in shown]
        target = target + far * (right * middle[0] + up * middle[1])
    return replace(camera, far=far)


def corners(low: Sequence[float], high: Sequence[float]) -> np.ndarray:
    """The eight corners of a box."""
    return np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
