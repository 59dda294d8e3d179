"""From space to the stage: what an eye of a recording sees of points that have three numbers. Pure numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

BEHIND = 1e6  # how much what is behind the eye is blown up, as in Manim


class Eye(NamedTuple):
    """Where the reader stands; lengths are units."""

    rotation: np.ndarray  # (3, 3), from space to right, up, and towards the reader
    zoom: float
    distance: float
    centre: np.ndarray
    middle: np.ndarray  # (2,), of the stage

    @classmethod
    def read(cls, row: np.ndarray, size: Sequence[float]) -> Self:
        """Of a row of a recording's ``eyes``: phi, theta, gamma, zoom, distance, x, y, z."""
        phi, theta, gamma = np.radians(row[:3])
        rotation = _about_z(gamma) @ _about_x(-phi) @ _about_z(-theta - np.pi / 2)
        return cls(rotation, float(row[3]), float(row[4]), row[5:8], np.array(size, float) / 2)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Where on the stage points of space (n, 3) are seen: (n, 2), downwards."""
        turned = (points - self.centre) @ self.rotation.T
        room = self.distance - turned[:, 2]
        factor = np.where(room < 0, BEHIND, self.distance / np.where(room == 0, 1e-9, room)) * self.zoom
        return np.asarray(self.middle + turned[:, :2] * factor[:, None] * [1, -1])

    def depth(self, point: np.ndarray) -> float:
        """How near a point is, to sort by."""
        return float((self.rotation @ point)[2])


def _about_z(angle: float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def _about_x(angle: float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
