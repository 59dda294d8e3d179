"""Shapes, lines, and what they are drawn with: dashes, gradients, strokes."""

import tempfile
from pathlib import Path

import manim as m
import numpy as np
from manim import DL, DOWN, DR, LEFT, ORIGIN, PI, RIGHT, UL, UP, UR

from .shared import SHORT, SIX, Words, sheet, six

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 40">
<rect x="2" y="2" width="56" height="36" rx="6" fill="#4a53c4" stroke="#f2d52f" stroke-width="2"/>
<path d="M10 30 Q20 5 30 20 T50 10" fill="none" stroke="#ffffff" stroke-width="1.5"/>
<circle cx="30" cy="20" r="7" fill="#da7756" fill-opacity="0.6"/><path d="M5 5h8v8h-8z M7 7v4h4v-4z" fill="#3ec980"/>
</svg>"""


class Shapes(m.Scene):
    def construct(self):
        star = m.Star(7, color=m.YELLOW, fill_opacity=0.5)
        corners = [ORIGIN, RIGHT * 2, UR * 1.5]
        objects = sheet(
            m.Circle(), m.Square(fill_opacity=1), m.Rectangle(height=1, width=3), m.Triangle(color=m.GREEN),
            m.Polygon(*corners, fill_color=m.BLUE, fill_opacity=0.7), m.RegularPolygon(6), star, m.Ellipse(3, 1.5),
            m.RoundedRectangle(corner_radius=0.5), m.Arc(1, 0, 4, stroke_width=12), m.ArcBetweenPoints(LEFT, RIGHT),
            m.Annulus(0.5, 1), m.Sector(radius=1.5), m.AnnularSector(0.5, 1.5, PI, color=m.RED),
            m.ArcPolygon(*corners, fill_opacity=0.4), m.RegularPolygram(7, color=m.PINK),
            m.Cutout(m.Square(2), m.Circle(0.5), m.Star().scale(0.3), fill_opacity=1, color=m.TEAL),
            m.ConvexHull(*np.random.default_rng(0).normal(size=(12, 3)) * [1, 1, 0], color=m.ORANGE),
            m.Elbow(width=1), m.CubicBezier(LEFT, UL, DR, RIGHT, color=m.MAROON), cols=7,
        )  # fmt: skip
        self.play(m.Create(objects, lag_ratio=0.1), run_time=0.6)
        self.wait(0.2)
        self.play(m.Uncreate(objects), run_time=SHORT)


class Booleans(m.Scene):
    def construct(self):
        one, two = m.Circle(1.2), m.Square(2).shift(RIGHT + 0.3 * UP)
        kinds = (m.Union, m.Difference, m.Intersection, m.Exclusion)
        drawn = sheet(*(kind(one, two, fill_opacity=0.6, color=c) for kind, c in zip(kinds, SIX, strict=False)))
        self.play(m.DrawBorderThenFill(drawn), run_time=0.5)
        self.play(drawn.animate.arrange().set_fill(opacity=1), run_time=SHORT)


class Lines(m.Scene):
    def construct(self):
        one, two = m.Line(ORIGIN, RIGHT * 2), m.Line(ORIGIN, UR * 1.5, color=m.RED)
        tips = (m.StealthTip, m.ArrowCircleTip, m.ArrowSquareFilledTip, m.ArrowTriangleTip)
        arrows = m.VGroup(*(m.Arrow(LEFT, RIGHT, tip_shape=tip, color=c) for tip, c in zip(tips, SIX, strict=False)))
        arrows += [m.Vector(UR), m.DoubleArrow(LEFT, RIGHT), m.CurvedArrow(LEFT, RIGHT, color=m.YELLOW)]
        arrows += [m.CurvedDoubleArrow(LEFT, RIGHT, angle=-1), m.Arrow(LEFT, RIGHT).add_tip(at_start=True)]
        rest = [
            one, m.Angle(one, two, radius=0.8), m.RightAngle(m.Line(LEFT, RIGHT), m.Line(DOWN, UP), length=0.7),
            m.DashedLine(LEFT * 2, RIGHT * 2), m.DashedLine(LEFT, UR, dashed_ratio=0.2, dash_length=0.3),
            m.TangentLine(m.Circle(), 0.3, length=3), m.Angle(one, two, dot=True, other_angle=True),
        ]  # fmt: skip
        sheet(*arrows, *rest, cols=5)
        self.add(*rest)
        self.play(*(m.GrowArrow(a) for a in arrows[:5]), m.Create(arrows[5:]), m.Rotate(rest[3], 1), run_time=0.5)
        self.play(arrows[0].animate.put_start_and_end_on(DL * 3, UR * 3), rest[4].animate.scale(2), run_time=SHORT)


class Labels(m.Scene):
    def construct(self):
        dots = m.VGroup(m.Dot(), m.AnnotationDot(), m.LabeledDot(Words("ab", color=m.BLACK)))
        dots.add(m.LabeledDot(Words("c"), color=m.RED)).arrange(buff=1).to_edge(UP)
        word, other = Words("braces").shift(LEFT * 3), Words("crossed", color=m.GREEN).shift(RIGHT * 3)
        around = m.VGroup(
            m.Brace(word, UP, color=m.BLUE), m.BraceText(word, "below"),
            m.SurroundingRectangle(word, corner_radius=0.2),
            m.Underline(other), m.Cross(other), m.BraceBetweenPoints(DL * 3, DR * 2),
            m.BraceLabel(dots, "d", UP, Words), m.ArcBrace(m.Arc(1, 0.2, 2)).shift(DOWN),
            m.LabeledLine(Words("line"), start=DOWN * 3 + LEFT * 6, end=DOWN * 2 + LEFT * 2),
            m.LabeledArrow(Words("arrow"), start=DOWN * 3 + RIGHT * 6, end=DOWN * 2 + RIGHT * 2),
        )  # fmt: skip
        ground = m.BackgroundRectangle(other, color=m.MAROON, fill_opacity=0.8, buff=0.3)
        self.add(m.Line(LEFT * 7, RIGHT * 7, stroke_width=30, color=m.GREY), ground, word, other)
        self.play(m.LaggedStart(*map(m.Create, dots), lag_ratio=0.2), m.FadeIn(around, shift=UP), run_time=0.5)
        self.play(m.FadeOut(word), m.Wiggle(around[4]), run_time=SHORT)


class Dashes(m.Scene):
    def construct(self):
        ring = m.DashedVMobject(m.Circle(2, color=m.YELLOW), num_dashes=11, dashed_ratio=0.7)
        wave = m.FunctionGraph(np.sin, [-3, 3], color=m.RED)
        moved = m.VGroup(*(m.DashedVMobject(wave, 15, dash_offset=k / 2).shift(UP * k) for k in range(3)))
        pieces = m.CurvesAsSubmobjects(m.Star(9, outer_radius=2)).set_color_by_gradient(m.BLUE, m.PINK).shift(DOWN)
        self.play(m.Create(ring), m.Create(moved), m.FadeIn(pieces), run_time=0.4)
        self.play(m.Rotate(ring, 1), moved.animate.arrange(DOWN, buff=0.1).to_edge(LEFT), run_time=SHORT)


class Drawings(m.Scene):
    """An SVG file, an SVG path and Manim's banner."""

    def construct(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "drawing.svg"
            path.write_text(SVG)
            drawing = m.SVGMobject(path, height=3).to_edge(LEFT)
        banner = m.ManimBanner(dark_theme=True).scale(0.6).to_edge(RIGHT)
        self.play(m.DrawBorderThenFill(drawing), banner.create(run_time=0.5))
        self.play(banner.expand(run_time=0.4), drawing.animate.rotate(0.4))


class Gradients(m.Scene):
    def construct(self):
        a, b, c, d, e, f = six(m.Circle, fill_opacity=1, stroke_width=10)
        a.set_color([m.RED, m.YELLOW, m.BLUE])
        b.set_fill([m.RED, m.BLUE], opacity=[1, 0.3])
        c.set_sheen(0.7, UR)
        d.set_sheen_direction(DOWN).set_stroke([m.RED, m.GREEN, m.WHITE], 14).set_fill(opacity=0)
        e.set_color([m.PURPLE, m.WHITE]).set_sheen_direction(LEFT)
        row = six(m.Square).set_color_by_gradient(m.GREEN, m.PINK).to_edge(UP)
        word = Words("gradients", gradient=(m.BLUE, m.RED)).set_color([m.TEAL, m.ORANGE]).to_edge(DOWN)
        self.add(row)
        smaller = m.Transform(row, row.copy().scale(0.5))
        self.play(m.FadeIn(a, b, c, d), m.Create(e), m.Write(word), smaller, run_time=0.5)
        redder = c.animate.set_fill([m.WHITE, m.RED])
        self.play(m.Rotate(a, 2), b.animate.shift(UP), redder, e.animate.scale(0.5), run_time=0.4)
        self.play(m.Transform(d, e.copy().shift(DOWN * 2)), f.animate.set_color([m.RED, m.BLUE]), run_time=SHORT)


class Strokes(m.Scene):
    """Strokes behind fills, joints, caps, widths."""

    def construct(self):
        word = Words("behind", font_size=120, color=m.YELLOW).set_stroke(m.RED, 16, background=True)
        both = m.Circle(fill_opacity=0.5).set_stroke(m.WHITE, 30, 0.5, background=True).set_stroke(m.BLUE, 8)
        corners = [[0, 0, 0], [1, 1.5, 0], [1.2, 0, 0], [1.4, 1.5, 0]]
        joints = (m.LineJointType.AUTO, m.LineJointType.ROUND, m.LineJointType.BEVEL, m.LineJointType.MITER)
        caps = (m.CapStyleType.AUTO, m.CapStyleType.ROUND, m.CapStyleType.BUTT, m.CapStyleType.SQUARE)
        pens = (m.VMobject(stroke_width=25, joint_type=j, cap_style=c) for j, c in zip(joints, caps, strict=True))
        bends = m.VGroup(*(pen.set_points_as_corners(corners) for pen in pens)).arrange(buff=1)
        bends.set_color_by_gradient(*SIX)
        m.VGroup(m.VGroup(word, both).arrange(buff=1), bends).arrange(DOWN, buff=1)
        thin = m.VGroup(*(m.Line(LEFT * 6, RIGHT * 6, stroke_width=w).shift(UP * (3 + w / 4)) for w in (0.2, 1, 2)))
        self.add(thin, m.Line(LEFT * 7, RIGHT * 7, stroke_width=40, color=m.GREY), bends)
        self.play(m.Write(word), m.Create(both), run_time=0.4)
        self.play(word.animate.set_stroke(width=4, background=True), both.animate.set_stroke(opacity=0), run_time=SHORT)
        self.play(bends.animate.set_stroke(width=2), run_time=SHORT)


class Opacities(m.Scene):
    """See-through things in plays and in still waits, over one another."""

    def construct(self):
        row = six(m.Circle, radius=1, fill_opacity=0.4, stroke_width=20, stroke_opacity=0.5).arrange(buff=-0.8)
        self.add(row)
        self.wait(0.2)
        self.play(row[2].animate.set_opacity(1), m.FadeOut(row[5]), run_time=SHORT)
        self.play(row[0].animate.shift(UP), run_time=SHORT)
        self.wait(0.2)
