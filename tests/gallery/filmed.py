"""Scenes that can't be recordings: pixels, points, several cameras, another ground. They stay films."""

import tempfile
from pathlib import Path

import manim as m
import numpy as np
from PIL import Image


def checks() -> np.ndarray:
    """A picture, 2 by 2 pixels."""
    return np.uint8([[[255, 0, 0, 255], [0, 255, 0, 255]], [[0, 0, 255, 255], [255, 255, 0, 255]]])


class Picture(m.Scene):
    why = "image"

    def construct(self):
        self.play(m.FadeIn(m.ImageMobject(checks()).set(height=3)), run_time=0.2)


class PictureInGroup(m.Scene):
    why = "image"

    def construct(self):
        self.play(m.FadeIn(m.Group(m.Square(), m.ImageMobject(checks()).set(height=3))), run_time=0.2)


class Cloud(m.Scene):
    why = "point cloud"

    def construct(self):
        self.add(m.PointCloudDot(color=m.RED))
        self.wait(0.2)


class Exponential(m.ThreeDScene):
    why = "exponentially"

    def construct(self):
        self.camera.exponential_projection = True
        self.add(m.Cube())
        self.wait(0.2)


class Zoomed(m.ZoomedScene):
    why = "MultiCamera"

    def construct(self):
        self.add(m.Dot())
        self.activate_zooming()
        self.wait(0.2)


class ZoomedInItsOwnWay(m.ZoomedScene):
    """Nothing but the scene itself knows which camera it asks for."""

    why = "MultiCamera"

    def __init__(self, **options):
        super().__init__(zoom_factor=0.3, **options)

    def construct(self):
        self.wait(0.2)


class Papered(m.Scene):
    """A shape filled with a picture."""

    why = "image colours"

    def construct(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "paper.png"
            Image.fromarray(np.kron(checks(), np.ones((180, 320, 1), np.uint8))).save(path)
            self.play(m.FadeIn(m.Circle(fill_opacity=1).color_using_background_image(str(path))), run_time=0.2)


class Streams(m.Scene):
    """Manim colours stream lines by an image of the field, unless they have one colour."""

    why = "image colours"

    def construct(self):
        lines = m.StreamLines(lambda p: p[[1, 0, 2]], x_range=[-2, 2, 2], y_range=[-2, 2, 2], virtual_time=0.5, dt=0.2)
        self.add(lines)
        self.wait(0.2)


class Repainted(m.Scene):
    why = "background changes"

    def construct(self):
        self.wait(0.1)
        self.camera.background_color = m.MAROON
        self.wait(0.1)


class Widened(m.Scene):
    why = "widens"

    def construct(self):
        self.camera.cairo_line_width_multiple = 0.03
        self.add(m.Square())
