"""A little source of one's own: no torch, no package of ours."""

import numpy as np


def mix(x, weight):
    """Rows of x, mixed by softmaxed weights."""
    rows, _ = x.shape
    scores = x @ weight
    if rows > 100:
        scores = scores * 0
    scores[0, 0] = 1.5
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    left, right = np.split(shares, 2, axis=1)
    total = 0.0
    for row in left:
        total += row.sum()
    return left + right, total
