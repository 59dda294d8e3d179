"""A picture of a walk without a GPU: for each block a ray through every pixel that it may cover, in NumPy."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .camera import CLOSEST, HALF, Camera, corners
from .colours import Paints, cells
from .scene import Box

NEAR, WHOLE = 0.7, 3.0  # pixels a cell: below the first a block is its mean, above the other each cell has its own
EDGES = (6.0, 14.0)  # pixels a cell: between these the lines between cells appear
SIDES = (0.68, 0.80, 1.0)  # light on the faces that look along x, y and z


def cast(boxes: Sequence[Box], camera: Camera, paint: Paints, size: tuple[int, int], samples: int = 2) -> np.ndarray:
    """The picture: (height, width, 3) of bytes. ``samples``: rays a pixel in each direction."""
    width, height = size[0] * samples, size[1] * samples
    picture = np.tile(paint.ground, (height, width, 1))
    depth = np.full((height, width), np.inf)
    for box in sorted(boxes, key=lambda box: box.kind == "beam"):  # through which the others are seen
        _draw(box, camera, paint, picture, depth, samples)
    whole = picture.reshape(size[1], samples, size[0], samples, 3).mean((1, 3))
    return (np.clip(whole, 0, 1) * 255).round().astype(np.uint8)


def _draw(box: Box, camera: Camera, paint: Paints, picture: np.ndarray, depth: np.ndarray, samples: int) -> None:
    height, width = depth.shape
    low, high = np.array(box.low), np.array(box.high)
    points = corners(box.low, box.high)
    points[:, 0] += box.slant * (points[:, 1] == high[1])
    if ((points - camera.eye) @ camera.basis[2] > -camera.far * CLOSEST).all():
        return  # behind the eye
    seen = camera.project(points, width, height)
    left, top = (max(0, math.floor(seen[:, i].min())) for i in (0, 1))
    right, bottom = (min(end, math.ceil(seen[:, i].max()) + 1) for i, end in ((0, width), (1, height)))
    if left >= right or top >= bottom:
        return
    to_right, up, back = camera.basis
    tan, eye = math.tan(HALF), camera.eye
    across = ((np.arange(left, right) + 0.5) / width * 2 - 1) * width / height * tan
    down = ((np.arange(top, bottom) + 0.5) / height * 2 - 1) * tan
    ray = across[None, :, None] * to_right - down[:, None, None] * up - back
    if box.slant:  # in a space that is slanted the other way, it stands upright
        lean = box.slant / (high[1] - low[1])
        ray = ray - lean * ray[..., 1:2] * [1, 0, 0]
        eye = eye - lean * (eye[1] - low[1]) * np.array([1, 0, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (low - eye) / ray, (high - eye) / ray
    near = np.minimum(one, other)
    enters, leaves, axis = near.max(-1), np.maximum(one, other).min(-1), near.argmax(-1)
    place = (slice(top, bottom), slice(left, right))
    hit = (enters <= leaves) & (enters > 0) & (enters < depth[place])
    if box.kind == "beam":  # each of its two faces hides a part, and together as much as it is dense
        faces = hit[..., None] * (1 + (leaves < depth[place])[..., None])
        left_over = (1 - box.dense) ** (faces / 2)
        picture[place] = picture[place] * left_over + box.mean * (1 - left_over)
    elif hit.any():
        at = eye + ray[hit] * enters[hit][:, None] - low
        big = height / samples / 2 / tan / enters[hit]  # pixels a cell, seen from the front
        shown = _colour(box, paint, at, axis[hit], big) * np.array(SIDES)[axis[hit]][:, None]
        picture[place][hit] = shown
        depth[place][hit] = enters[hit]


def _colour(box: Box, paint: Paints, at: np.ndarray, axis: np.ndarray, big: np.ndarray) -> np.ndarray:
    """Colours of points on a block's surface."""
    if not box.has_cells:
        return np.tile(box.mean, (len(at), 1))
    columns, rows = box.cells
    where = np.clip(np.floor(at[:, :2]), 0, [columns - 1, rows - 1]).astype(int)
    found = np.tile(box.mean, (len(at), 1))
    if box.numbers is not None:
        part = _smooth(NEAR, WHOLE, big)
        own = cells(paint, box.numbers[where[:, 0], where[:, 1]], box.most, box.kind)
        found = box.mean * (1 - part) + own * part
    inside = np.where(axis[:, None] == np.array([0, 1]), 0.0, np.abs(at[:, :2] - np.floor(at[:, :2]) - 0.5))
    edge = inside.max(-1)[:, None]
    line = _smooth_(0.5 - 1.2 / big[:, None], 0.5, edge) * _smooth(*EDGES, big) * 0.6
    return found * (1 - line) + paint.ground * line


def _smooth(low: float, high: float, x: np.ndarray) -> np.ndarray:
    return _smooth_(np.full((len(x), 1), low), high, x[:, None])


def _smooth_(low: np.ndarray, high: float, x: np.ndarray) -> np.ndarray:
    part = np.clip((x - low) / (high - low), 0, 1)
    return part * part * (3 - 2 * part)
