"""How things come, go and move: every animation."""

import manim as m
import numpy as np
from manim import DL, DOWN, DR, LEFT, ORIGIN, PI, RIGHT, TAU, UL, UP, UR
from manim.utils.rate_functions import (
    ease_out_bounce,
    exponential_decay,
    linear,
    not_quite_there,
    rush_into,
    there_and_back,
    wiggle,
)

from .shared import SHORT, Words, sheet, six


class Creations(m.Scene):
    def construct(self):
        shapes = six(m.Star, fill_opacity=0.6)
        kinds = (m.Create, m.DrawBorderThenFill, m.Write, m.SpinInFromNothing, m.GrowFromCenter, m.FadeIn)
        self.play(*(kind(shape) for kind, shape in zip(kinds, shapes, strict=True)), run_time=0.5)
        spiral = sheet(m.Circle(), m.Square(), m.Triangle(), Words("in"))
        self.play(m.Uncreate(shapes[:3]), m.SpiralIn(spiral, fade_in_fraction=0.5), run_time=0.5)
        self.play(m.Unwrite(spiral), m.ShrinkToCenter(shapes[5]), run_time=SHORT)


class Growth(m.Scene):
    def construct(self):
        a, b, c, d, e, f = six(fill_opacity=1)
        arrow = m.Arrow(DL * 2, UR, color=m.WHITE).shift(DOWN * 2)
        self.play(
            m.GrowFromPoint(a, UL * 3), m.GrowFromEdge(b, DOWN), m.GrowFromCenter(c, point_color=m.WHITE),
            m.GrowArrow(arrow), m.SpinInFromNothing(d, angle=PI), m.FadeIn(e, target_position=ORIGIN), run_time=0.4,
        )  # fmt: skip
        self.play(m.FadeIn(f, shift=DOWN, scale=3), m.FadeOut(a, shift=UP), m.FadeOut(b, scale=0.2), run_time=SHORT)


class Transforms(m.Scene):
    def construct(self):
        a, b, c, d, e, f = six()
        self.add(a, b, c, d, e, f)
        self.play(
            m.Transform(a, m.Circle(color=m.WHITE, fill_opacity=1).shift(UL * 3)),
            m.ReplacementTransform(b, m.Star(6, color=m.GREEN, fill_opacity=0.5).shift(UP * 2)),
            m.TransformFromCopy(c, Words("copied").shift(DOWN * 3)),
            m.ClockwiseTransform(d, m.Dot(DOWN * 2 + RIGHT * 4, radius=0.4)),
            m.CounterclockwiseTransform(e, m.Annulus(0.2, 0.6, color=m.PINK).shift(UP * 2 + RIGHT * 3)),
            m.Transform(f, m.Line(DR, UR, stroke_width=20).shift(RIGHT * 4), path_arc=PI / 2), run_time=0.5,
        )  # fmt: skip
        self.play(m.Transform(a, m.VGroup(m.Circle(), m.Square(), m.Triangle()).arrange()), run_time=SHORT)


class Targets(m.Scene):
    def construct(self):
        a, b, c, d, e, f = six(m.Triangle, fill_opacity=0.8)
        a.generate_target().shift(UP * 2).set_fill(m.WHITE)
        b.save_state().scale(2).set_opacity(0.2)
        self.add(a, b, c, d, e, f)
        self.play(
            m.MoveToTarget(a), m.Restore(b), c.animate(rate_func=linear).shift(DOWN).set_color(m.RED).rotate(1),
            m.ApplyMethod(d.set_stroke, m.WHITE, 20), m.ApplyFunction(lambda x: x.scale([2, 0.5, 1]).flip(), e),
            m.ScaleInPlace(f, 2), run_time=0.4,
        )  # fmt: skip
        self.play(c.animate.become(m.Square().move_to(c)), m.FadeToColor(f, m.BLACK), run_time=SHORT)


class Warps(m.Scene):
    def construct(self):
        a, b, c, d, e, f = six(m.Square, fill_opacity=0.5)
        self.add(a, b, c, d, e, f)
        self.play(
            m.ApplyMatrix([[1, 1], [0, 1]], a), m.ApplyPointwiseFunction(lambda p: p * [1, np.cos(p[0]), 1], b),
            m.ApplyComplexFunction(lambda z: z + 0.3 * z**2, d),
            m.Homotopy(lambda x, y, z, t: (x, y + t * np.sin(4 * x), z), e),
            m.PhaseFlow(lambda p: np.array([-p[1], p[0] - 4, 0]), f, virtual_time=0.6), run_time=0.4,
        )  # fmt: skip
        self.play(
            m.ComplexHomotopy(lambda z, t: z * np.exp(1j * t / 4), e), m.ApplyWave(a, amplitude=0.5), run_time=0.4,
        )  # fmt: skip


class Matches(m.Scene):
    def construct(self):
        one, two = Words("the morse code").shift(UP), Words("here come dots", color=m.YELLOW).shift(DOWN)
        row = six().scale(0.7).to_edge(DOWN)
        self.add(one, row)
        self.play(m.TransformMatchingShapes(one, two, path_arc=1), m.CyclicReplace(*row[:4]), run_time=0.5)
        self.play(m.FadeTransform(two, m.Star()), m.Swap(*row[4:]), run_time=SHORT)
        pair = m.VGroup(m.Circle(), m.Dot()).arrange().to_edge(UP), m.VGroup(m.Square(), m.Star()).arrange()
        self.play(m.FadeTransformPieces(*pair), run_time=SHORT)


class Turns(m.Scene):
    def construct(self):
        a, b, c, d, e, f = six(fill_opacity=0.3)
        group = m.VGroup(e, f)
        self.add(a, b, c, d, group)
        self.play(
            m.Rotate(a, PI, about_point=UP), m.Rotating(b, angle=TAU / 3, rate_func=linear), m.Rotate(group, 1),
            m.Rotate(d, PI, axis=UP), c.animate.rotate(2).shift(DOWN), run_time=0.5,
        )  # fmt: skip
        self.play(m.MoveAlongPath(a, m.Circle(2)), m.Rotate(b, PI, axis=RIGHT + UP), run_time=0.4)
        # These two pass through a point.
        line = m.Line(UP * 2, UP * 2 + RIGHT * 3, stroke_width=12)
        bend = m.VMobject(stroke_width=12).set_points_as_corners([DOWN * 3, DOWN * 2 + RIGHT, DOWN * 3 + RIGHT * 2])
        self.play(m.Rotating(line, PI, axis=UP, about_edge=LEFT), bend.animate.scale(-1), run_time=0.5)


class Indications(m.Scene):
    def construct(self):
        a, b, c, d, e, f = six(m.Circle, fill_opacity=0.5)
        word = Words("waving").to_edge(UP)
        self.add(a, b, c, d, e, f, word)
        self.play(
            m.Indicate(a), m.Flash(b, flash_radius=1.2, num_lines=9), m.Circumscribe(c, m.Circle, fade_in=True),
            m.ShowPassingFlash(d.copy().set_color(m.WHITE).scale(1.3), time_width=0.4), m.Wiggle(e), m.FocusOn(f),
            m.ApplyWave(word), run_time=0.6,
        )  # fmt: skip
        self.play(
            m.ShowPassingFlashWithThinningStrokeWidth(m.Underline(word, stroke_width=12), n_segments=4),
            m.Broadcast(m.Circle(2, color=m.RED), n_mobs=3), m.Circumscribe(word, fade_out=True), run_time=0.5,
        )  # fmt: skip
        self.play(m.Blink(a, time_on=0.1, time_off=0.1), m.Flash(ORIGIN, color=m.BLUE, time_width=0.5), run_time=0.5)


class Compositions(m.Scene):
    """Animations of animations, their speeds, and the curves of time."""

    def construct(self):
        row = six(m.Square, side_length=0.6).to_edge(UP)
        self.play(m.LaggedStart(*map(m.FadeIn, row), lag_ratio=0.3), run_time=0.5)
        curves = (there_and_back, rush_into, ease_out_bounce, wiggle, not_quite_there(linear), exponential_decay)
        down = [square.animate(rate_func=f).shift(DOWN * 4) for square, f in zip(row, curves, strict=True)]
        self.play(m.AnimationGroup(*down, run_time=0.6))
        circle = m.Circle(color=m.RED)
        parts = m.Create(circle), m.Wait(0.1), circle.animate.shift(LEFT * 3), m.Add(m.Dot(RIGHT)), m.FadeOut(circle)
        self.play(m.Succession(*parts, run_time=0.6))
        self.play(m.LaggedStartMap(m.Indicate, row, lag_ratio=0.2, run_time=0.4))
        faster = m.AnimationGroup(row[0].animate(run_time=0.6, rate_func=linear).shift(RIGHT * 3))
        self.play(m.ChangeSpeed(faster, speedinfo={0.3: 1, 0.4: 0.5, 1: 2}))
