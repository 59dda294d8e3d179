"""Find straight movements in samples of frames: from where to where, and how far along at each frame.

Whatever Manim animates, it mostly interpolates: points, colours and widths go from what they were to what they
will be, all by the same share. Samples of such a movement lie on a straight line in the space of all these
numbers. So two of them, and a share for each frame, say as much as all. Pure numpy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Stretch(NamedTuple):
    """Samples ``first`` to ``last`` on one line; ``weights`` says where on it each is: 0 at first, 1 at last."""

    first: int
    last: int
    weights: np.ndarray


def stretches(samples: np.ndarray, tolerance: float) -> list[Stretch]:
    """Cut ``samples`` (frames, numbers) where they leave a straight line by more than ``tolerance`` in any number.

    The cuts are those of Ramer, Douglas and Peucker: at the sample that is farthest off.

    >>> [(s.first, s.last) for s in stretches(np.array([[0.0], [1.0], [4.0], [2.0], [0.0]]), 0.1)]
    [(0, 2), (2, 4)]
    """
    found = []
    waiting = [(0, len(samples) - 1)]
    while waiting:
        first, last = waiting.pop()
        weights, off = _along(samples[first : last + 1])
        worst = int(off.argmax())
        if off[worst] <= tolerance or last - first < 2:
            found.append(Stretch(first, last, weights))
        else:
            waiting += [(first + worst, last), (first, first + worst)]  # the earlier half is taken first
    return found


def _along(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The share of each sample on the way from the first to the last, and how far off the line it is."""
    way = samples[-1] - samples[0]
    moved = samples - samples[0]
    length = float(way @ way)
    weights = moved @ way / length if length > 0 else np.zeros(len(samples))
    off = np.abs(moved - weights[:, None] * way).max(axis=1, initial=0.0)
    off[0] = off[-1] = 0.0
    return weights, off


def affine(one: np.ndarray, other: np.ndarray, tolerance: float) -> np.ndarray | None:
    """The matrix, (2, 2), that makes the points ``other`` of ``one``, both (n, 2) and without their places.

    None where no matrix does, or where the points of ``one`` don't span a plane.
    """
    if len(one) != len(other):
        return None
    if np.abs(one - other).max(initial=0.0) <= tolerance:
        return np.eye(2)
    gram = one.T @ one
    if np.linalg.det(gram) <= 1e-6 * max(1.0, float(np.trace(gram)) ** 2):
        return None
    matrix = np.linalg.solve(gram, one.T @ other).T
    return matrix if np.abs(one @ matrix.T - other).max() <= tolerance else None
