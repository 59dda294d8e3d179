"""A sphere in space, and vectors on it and in it: shared by the clips of nGPT's part that have three dimensions."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from manim import DEGREES, Arc, Circle, Dot, Line, VGroup

from cutaway import SpaceScene
from scenes.kit import ACCENT_LINE, HAIRLINE, Stage, at, px

RADIUS = px(300)  # of the sphere of length 1
CHORDS = 12  # of a circle of the grid: what is behind the ball and what is before it are other pieces
PHI, THETA = 68 * DEGREES, -52 * DEGREES


class SpaceStage(Stage, SpaceScene):
    """A stage with room for spheres; ``aside`` is where on the stage the middle of one stands."""

    def setup(self) -> None:
        super().setup()
        self.set_camera_orientation(phi=PHI, theta=THETA)

    def ball(self, aside: np.ndarray, radius: float = 1) -> VGroup:
        """A sphere as a grid of circles; half of them are seen through it."""
        rings = [Circle(RADIUS * radius * np.cos(t)).shift([0, 0, RADIUS * radius * np.sin(t)]) for t in (-0.7, 0, 0.7)]
        half = Arc(RADIUS * radius, -np.pi / 2, np.pi).rotate(np.pi / 2, [1, 0, 0], about_point=np.zeros(3))
        rings += [half.copy().rotate(k * np.pi / 4, [0, 0, 1], about_point=np.zeros(3)) for k in range(8)]
        pieces = VGroup(*(piece for ring in rings for piece in cut(ring)))
        disc = self.outline(radius, aside).set_fill(self.theme.ground, 0.62)
        return VGroup(disc, self.space(pieces.set_stroke(self.theme.line, HAIRLINE), aside))

    def outline(self, radius: float, aside: np.ndarray) -> Circle:
        """The edge of a sphere, with nothing before or behind it."""
        return self.facing(Circle(RADIUS * radius).set_stroke(self.theme.muted, HAIRLINE), aside)

    def vector(self, read: Callable[[], np.ndarray], color: str, aside: np.ndarray, size: float = 10) -> VGroup:
        """A line from the middle to ``read()``, which has length 1 on the sphere, with a dot at its end."""
        line = Line(np.zeros(3), np.full(3, 0.01)).set_stroke(color, ACCENT_LINE)
        line.add_updater(lambda o: o.set_points_as_corners([np.zeros(3), RADIUS * read()]))
        dot = Dot(radius=px(size), color=color).add_updater(lambda o: o.move_to(RADIUS * read()))
        for part in (line, dot):
            part.update()
        return VGroup(self.space(line, aside), self.facing(dot, aside))

    def label(self, text: str, read: Callable[[], np.ndarray], color: str, aside: np.ndarray) -> VGroup:
        """A letter at the end of a vector, always a little outside of it."""

        def place() -> np.ndarray:
            end = read()
            return end * (RADIUS + px(48) / max(np.linalg.norm(end), 0.2))

        word = self.words(text, color=color).add_updater(lambda o: o.move_to(place()))
        return self.facing(word.update(), aside)

    def under(self, text: str, color: str, aside: np.ndarray) -> VGroup:
        """What a sphere stands for, in the colour of its vectors."""
        return self.words(text, color=color).move_to([aside[0], at(0, 1030)[1], 0])


def cut(ring: Circle) -> list[Circle]:
    """The pieces of a circle or arc, each by itself in the order of distances."""
    shares = np.linspace(0, 1, CHORDS + 1)
    return [ring.copy().pointwise_become_partial(ring, a, b) for a, b in pairwise(shares)]
