"""What a scene does between and besides animations: updaters, order, the camera, sections."""

import manim as m
import numpy as np
from manim import DL, DOWN, LEFT, RIGHT, UP, UR

from cutaway.clips.scene.scene import RecordedScene

from .shared import SHORT, Words, six


class Updaters(m.Scene):
    """A tracked value moves things; some are drawn anew for each frame."""

    def construct(self):
        t = m.ValueTracker(0)
        dot = m.Dot(color=m.YELLOW).add_updater(lambda d: d.move_to([4 * t.get_value(), np.sin(5 * t.get_value()), 0]))
        line = m.always_redraw(lambda: m.Line(DL * 2, dot.get_center(), color=m.BLUE))
        label = m.always_redraw(lambda: Words(f"{t.get_value():.1f}").next_to(dot, UP))
        follower = m.f_always(m.Square(0.5).move_to, lambda: dot.get_center() + DOWN)
        spinner = m.Triangle().to_corner(UR).add_updater(lambda shape, dt: shape.rotate(3 * dt))
        self.add(dot, line, label, follower, spinner)
        self.play(t.animate.set_value(1), run_time=0.5)
        self.wait(0.3)
        spinner.suspend_updating()
        self.play(
            m.UpdateFromFunc(line, lambda x: x), m.MaintainPositionRelativeTo(follower, dot),
            m.UpdateFromAlphaFunc(spinner, lambda x, a: x.set_fill(m.RED, a)), t.animate.increment_value(-1),
            run_time=0.4,
        )  # fmt: skip
        self.wait_until(lambda: True, 0.5)


class Traces(m.Scene):
    def construct(self):
        square = m.Square(3, color=m.GREEN)
        edge = m.AnimatedBoundary(square, colors=[m.RED, m.BLUE], cycle_rate=2)
        dot = m.Dot().move_to(LEFT * 4)
        self.add(edge, square, m.TracedPath(dot.get_center, stroke_color=[m.RED, m.YELLOW], stroke_width=8), dot)
        self.play(dot.animate(path_arc=-2).move_to(RIGHT * 4), run_time=0.5)
        self.wait(0.3)


class Order(m.Scene):
    """What stands before what changes while the scene runs."""

    def construct(self):
        a, b, c, d, e, f = row = six(m.Square, side_length=2, fill_opacity=0.9).arrange(buff=-1.2)
        self.add(*row)
        self.add_foreground_mobject(m.Line(LEFT * 6, RIGHT * 6, stroke_width=20))
        self.play(a.animate.shift(RIGHT), run_time=SHORT)
        self.bring_to_front(a)
        self.bring_to_back(f)
        self.play(m.Rotate(a, 1), run_time=SHORT)
        c.set_z_index(3)
        self.wait(0.2)
        self.play(e.animate.set_z_index(5).shift(LEFT), run_time=SHORT)
        self.remove(b)
        self.wait(0.1)
        self.add(b)
        self.play(m.Wiggle(b), run_time=SHORT)
        self.remove_foreground_mobjects(*self.foreground_mobjects)
        self.clear()
        self.add(d)
        self.play(m.FadeOut(d), run_time=SHORT)


class Nests(m.Scene):
    """Groups of groups, by name and by number, and a group that is changed between plays."""

    def construct(self):
        inner = [m.VGroup(m.Square(), m.VGroup(m.Circle(), m.Dot())) for _ in range(3)]
        outer = m.VGroup(*inner).arrange(buff=1).shift(UP)
        named = m.VDict({"a": m.Triangle(color=m.RED), "b": m.Star()}).shift(DOWN * 2)
        self.play(m.Create(outer), m.FadeIn(m.Group(named)), run_time=0.4)
        self.play(outer[1][1].animate.set_color(m.YELLOW), named["b"].animate.shift(RIGHT * 2), run_time=SHORT)
        outer[0].remove(outer[0][1])
        outer[2].add(m.Cross(outer[2]))
        self.play(m.Rotate(outer, 0.5), run_time=SHORT)
        shared = m.Dot(color=m.GREEN)
        self.add(m.VGroup(shared), m.VGroup(shared, m.Square(0.5)))
        self.play(shared.animate.shift(LEFT * 5), run_time=SHORT)


class Camera(m.MovingCameraScene):
    def construct(self):
        row, word = six(fill_opacity=0.5), Words("small", font_size=20).shift(UP)
        self.add(row, word)
        frame = self.camera.frame.save_state()
        self.play(frame.animate.set(width=5).move_to(word), row[2].animate.rotate(1), run_time=0.4)
        self.wait(0.2)
        self.play(self.camera.auto_zoom([row[4], row[5]], margin=1), run_time=SHORT)
        self.play(m.Restore(frame), m.Rotate(row, 0.3), run_time=SHORT)
        frame.add_updater(lambda f: f.move_to(row[0]))
        self.play(row[0].animate.shift(UP * 2), run_time=SHORT)


class Sections(m.Scene):
    """Sections, one of which is left out."""

    def construct(self):
        self.next_section("Begin")
        square = m.Square()
        self.play(m.Create(square), run_time=SHORT, subcaption="A square.")
        self.next_section("Left out", skip_animations=True)
        self.play(square.animate.shift(LEFT * 4).set_color(m.RED), run_time=0.5)
        self.wait(0.5)
        self.next_section("End")
        self.play(square.animate.shift(UP * 2), run_time=SHORT)
        self.add(m.Dot())
        self.add_subcaption("Nothing moves.", duration=0.2)
        self.pause(0.2)


class Still(m.Scene):
    """Nothing is played."""

    def construct(self):
        self.add(m.Circle(fill_opacity=0.5), Words("still"))


class Empty(m.Scene):
    """A wait in which nothing is to be seen, and a shape that comes later."""

    def construct(self):
        self.wait(0.3)
        self.play(m.FadeIn(m.Square()), run_time=SHORT)
        self.clear()
        self.wait(0.2)


class Palette(RecordedScene):
    """Colours of the theme, which are recorded by name, alone and mixed."""

    def construct(self):
        theme = self.theme
        tensors = m.VGroup(*(m.Square(0.9, color=theme.dimension(letter), fill_opacity=1) for letter in "BTCHDV"))
        colors = [theme.sign(k / 4 - 1) for k in range(9)]
        cells = m.VGroup(*(m.Square(0.9, stroke_width=0, fill_opacity=1, fill_color=color) for color in colors))
        word = Words("accent", color=theme.accent)
        m.VGroup(tensors.arrange(), cells.arrange(buff=0.1), word).arrange(DOWN)
        self.add(m.Rectangle(color=theme.line, fill_color=theme.panel, fill_opacity=1, height=5, width=13), tensors)
        self.play(m.FadeIn(cells, lag_ratio=0.2), m.GrowFromCenter(word), run_time=0.5)
        self.tag(word, "no-such-step")
        self.play(tensors.animate.set_color(theme.muted), word.animate.set_color(theme.ink), run_time=SHORT)


class Ground(m.Scene):
    """A ground of its own."""

    def construct(self):
        self.camera.background_color = m.BLUE_E
        self.play(m.FadeIn(m.Circle(fill_opacity=0.5)), run_time=SHORT)
