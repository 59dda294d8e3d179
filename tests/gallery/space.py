"""Three dimensions: surfaces, solids and curves, and a camera that turns, comes near and goes aside."""

import manim as m
import numpy as np

from cutaway.clips.scene.space import SpaceScene

from .shared import SHORT, Words


def saddle(u: float, v: float) -> np.ndarray:
    return np.array([u, v, u * v])


class Saddle(m.ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=1, theta=0.5)
        self.add(m.Surface(saddle, [-1, 1], [-1, 1], resolution=4))
        self.wait(0.2)


class Solids(m.ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=1.1, theta=-0.7, zoom=1.3)
        solids = [m.Sphere(radius=0.9, resolution=8), m.Cube(1.3), m.Cone(0.7, 1.4, resolution=8)]
        self.add(m.VGroup(*solids).arrange(buff=0.6))
        self.wait(0.2)


class Turned(m.ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=0.4, theta=-1.2)
        self.add(m.ThreeDAxes([-2, 2], [-2, 2], [-2, 2], 4, 4, 4), m.Cube(1.2, fill_opacity=0.6))
        self.move_camera(phi=1.3, theta=0.4, gamma=0.3, run_time=SHORT)
        self.move_camera(zoom=1.6, focal_distance=9, run_time=SHORT)
        self.move_camera(frame_center=[0.5, 0.3, 0.2], run_time=SHORT)


class GoingRound(m.ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=1.2, theta=0.2)
        self.add(m.ParametricFunction(lambda t: np.array([np.cos(t), np.sin(t), t / 4]), [-6, 6]))
        self.begin_ambient_camera_rotation(rate=2)
        self.wait(0.5)
        self.stop_ambient_camera_rotation()
        self.wait(0.2)


class Captioned(m.ThreeDScene):
    """One that stays on the stage, one that goes with its place and faces the reader, one that lies in space."""

    def construct(self):
        self.set_camera_orientation(phi=1, theta=-0.5)
        title, upright = Words("Title").to_corner(m.UL), Words("upright").move_to([1, 1, 1])
        self.add_fixed_in_frame_mobjects(title)
        self.add_fixed_orientation_mobjects(upright)
        self.add(Words("lying"))
        self.move_camera(theta=0.5, run_time=SHORT)


class Moves(m.ThreeDScene):
    """What moves in space, seen from a camera that stands still and then does not."""

    def construct(self):
        self.set_camera_orientation(phi=1.1, theta=-0.6)
        square = m.Square(color=m.BLUE, fill_opacity=0.5)
        self.add(square)
        self.play(m.Rotate(square, 1.5, m.RIGHT), run_time=SHORT)
        self.play(square.animate.shift([0.4, 1, 1]).set_color(m.RED), run_time=SHORT)
        self.move_camera(phi=0.6, added_anims=[m.Transform(square, m.Circle())], run_time=SHORT)


class Gradient(m.ThreeDScene):
    def construct(self):
        self.set_camera_orientation(phi=1, theta=-0.6)
        self.add(m.Square(3, fill_opacity=1).set_color_by_gradient(m.RED, m.BLUE, m.GREEN))
        self.wait(0.1)


class Own(SpaceScene):
    """Circles that hide behind a disc, a dot that faces the reader, and a title that is flat without more ado."""

    def construct(self):
        self.set_camera_orientation(phi=1.2, theta=-0.6)
        rings = m.VGroup(*(m.Circle(2).rotate(1.57, m.UP).rotate(k, m.OUT) for k in (0, 0.8, 1.6)))
        halves = m.VGroup(*(half for ring in rings for half in m.CurvesAsSubmobjects(ring)))
        disc = m.Circle(2, color=self.theme.line).set_fill(self.theme.ground, 0.8)
        dot = m.Dot([0, -2, 0], 0.2, color=self.theme.accent)
        left = 2 * m.LEFT
        self.space(halves.set_stroke(self.theme.muted, 4), left)
        self.add(halves, self.facing(disc, left), self.facing(dot, left), Words("Title").to_corner(m.UL))
        self.add(self.space(m.Square(1, color=self.theme.ink), 4 * m.RIGHT + m.UP))
        self.move_camera(theta=0.8, added_anims=[m.Rotate(dot, 1, m.OUT, about_point=m.ORIGIN)], run_time=SHORT)
