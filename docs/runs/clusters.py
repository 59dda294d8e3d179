"""What is run and recorded: the tutorial's twelve points."""

import numpy as np

from cutaway import Run


class Clusters(Run):
    """Twelve points, four around each of three places."""

    name = "clusters"
    sources = ("clusters",)

    def train(self, log):
        from clusters.kmeans import distances, step

        points, centres = example()
        for n in range(8):
            spread = distances(points, centres).min(axis=1).mean()
            log(n, spread=spread)
            centres = step(points, centres)
        return {"centres": centres}

    def trace(self, weights, record):
        from clusters.kmeans import step

        points, centres = example()
        with record("forward"):
            step(points, centres)
        with record("trained"):
            step(points, weights["centres"])
        many = np.random.default_rng(0).normal(size=(7, 4))
        with record.sizes("forward", N=7, K=5, D=4):
            step(many, many[:5])
        record.fact(size=len(points))


def example():
    """Points, (12, 2), and three of them as the first centres, (3, 2)."""
    places = np.array([[-3.0, -1.0], [0.0, 2.0], [3.0, -1.0]])
    noise = np.random.default_rng(2).normal(scale=0.7, size=(12, 2))
    points = places.repeat(4, axis=0) + noise
    return points, points[[0, 1, 8]]
