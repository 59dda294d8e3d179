"""k-means: points gather around centres (Lloyd 1982)."""

import numpy as np


def distances(points, centres):
    """Squared distance of each point from each centre, (N, K)."""
    apart = points[:, None, :] - centres[None, :, :]
    return (apart**2).sum(axis=-1)


def step(points, centres):
    """Give each point to its nearest centre; return their means, (K, D)."""
    far = distances(points, centres)
    nearest = far.argmin(axis=1)
    chosen = np.eye(len(centres))[nearest]
    counts = chosen.sum(axis=0)
    return chosen.T @ points / counts[:, None]
