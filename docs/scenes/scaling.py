"""Clip for docs/train/scaling.md: sizes at equal tokens and their law, then equal operations and the best sizes."""

from itertools import pairwise

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, Circle, Create, Dot, FadeIn, LaggedStart, Line, Polygon, VGroup, VMobject

from scenes.kit import ACCENT_LINE, HAIRLINE, REST, Stage, at, number_text, px

LEFT_EDGE, RIGHT_EDGE, TOP, BOTTOM = 288, 1800, 216, 920
SIZES, BPB = (8e3, 4e5), (2.2, 2.9)  # what the axes reach over; both are logarithmic
SIZE_TICKS, BPB_TICKS = (10_000, 30_000, 100_000, 300_000), (2.2, 2.4, 2.6, 2.8)
DRAWN = 40  # points of a curve


class Sizes(Stage):
    """Models at equal tokens, the line through them and its band; then three budgets, and the best size of each."""

    def construct(self):
        equal, *lines = self.measured()
        line, draws = (self.value(f"scaling.fit/scaling-{step}") for step in ("fit-polynomial", "bootstrap-refit"))
        self.add(self.axes())

        self.next_section("Sizes")
        dots = self.tag(self.dots(equal, self.theme.ink), "scaling-equal-steps")
        listed = "; ".join(f"{size:,.0f} parameters, {bpb:.2f}" for size, bpb in equal)
        ends = VGroup(*(self.number(equal[i, 1]).next_to(dots[i], UP, buff=px(20)) for i in (0, -1)))
        say = f"Bits per byte of {len(equal)} sizes, each trained on the same text: {listed}."
        grow = LaggedStart(*(FadeIn(dot, scale=2) for dot in dots), lag_ratio=0.6)
        self.beat(f"{len(equal)} sizes, equal tokens", grow, FadeIn(ends), run_time=2, say=say)

        self.next_section("Law")
        reach = np.geomspace(equal[0, 0], equal[-1, 0], DRAWN)
        law = self.tag(self.curve(reach, powers(line, reach), self.theme.ink), "scaling-fit-polynomial")
        band = self.tag(self.band(reach, powers(draws, reach)), "scaling-bootstrap-refit")
        b, low, high = self.interval("exponent", 3)
        told = self.words(f"exponent {b} ({low} to {high})").move_to(at(RIGHT_EDGE, 260), RIGHT)
        say = f"A line in logarithms, and the band of its bootstrap. Its exponent is {b}, between {low} and {high}."
        self.beat("The law, with its error band", FadeIn(band), Create(law), FadeIn(told), run_time=1.6, say=say)

        self.next_section("One budget")
        budgets = [self.fact(f"scaling.flops{number + 1}") for number in range(len(lines))]
        valleys = [self.valley(points, budget) for points, budget in zip(lines, budgets, strict=True)]
        say = f"Now every size gets {budgets[0]:.2g} operations. Larger ones see less text: a valley."
        away = [dots, ends, law, band, told]
        self.beat("Equal operations: a valley", FadeIn(valleys[0]), away=away, run_time=1.2, say=say)

        self.next_section("More budgets")
        say = f"{len(lines)} budgets, {', '.join(f'{budget:.2g}' for budget in budgets)} operations."
        self.beat("More operations, lower valleys", *map(FadeIn, valleys[1:]), run_time=1.2, say=say)

        self.next_section("Best sizes")
        marks, sizes = self.best_sizes(lines)
        say = f"The lowest place of each valley, with its error bar: {', '.join(sizes)} parameters."
        self.beat("The best size of each budget", FadeIn(marks), rest=2 * REST, say=say)

        self.next_section("Exponent")
        path = VGroup(*(Line(a.get_center(), b.get_center()) for a, b in pairwise(mark[0][1] for mark in marks)))
        path.set_stroke(self.theme.accent, ACCENT_LINE)
        b, low, high = self.interval("exponent_of_best", 2)
        told = self.words(f"exponent {b} ({low} to {high})").move_to(at(RIGHT_EDGE, 850), RIGHT)
        say = f"The best size grows as the budget to the power {b}; the interval is {low} to {high}."
        self.beat("The best size grows with the budget", Create(path), FadeIn(told), rest=2 * REST, say=say)

    def measured(self):
        """Parameters and bits per byte (n, 2): of the models at equal tokens, then of each IsoFLOP line."""
        points = np.array(self.reading.find("scaling.log/bpb").series)
        first, each = self.fact("scaling.sizes"), self.fact("scaling.line_sizes")
        return np.split(points, range(first, len(points), each))

    def interval(self, name, digits):
        """A number and its bounds, printed."""
        return [number_text(self.fact(f"scaling.{name}{end}"), digits) for end in ("", "_low", "_high")]

    def axes(self):
        marks = VGroup(self.words("bits per byte", color=self.theme.muted).move_to(at(LEFT_EDGE, 164), LEFT))
        marks.add(self.words("parameters", color=self.theme.muted).move_to(at(RIGHT_EDGE, 1034), RIGHT))
        for tick in BPB_TICKS:
            y = self.y(tick)
            marks.add(Line(at(LEFT_EDGE, y), at(RIGHT_EDGE, y)).set_stroke(self.theme.line, HAIRLINE))
            marks.add(self.number(tick, 1, color=self.theme.muted).move_to(at(LEFT_EDGE - 32, y), RIGHT))
        for tick in SIZE_TICKS:
            x = self.x(tick)
            marks.add(Line(at(x, BOTTOM), at(x, BOTTOM + 16)).set_stroke(self.theme.line, HAIRLINE))
            marks.add(self.words(f"{tick:,}", color=self.theme.muted).move_to(at(x, 968)))
        return marks

    def x(self, size):
        return LEFT_EDGE + place(size, SIZES) * (RIGHT_EDGE - LEFT_EDGE)

    def y(self, bpb):
        return BOTTOM - place(bpb, BPB) * (BOTTOM - TOP)

    def point(self, size, bpb):
        return at(self.x(size), self.y(bpb))

    def dots(self, points, colour):
        return VGroup(*(Dot(self.point(*point), px(14), color=colour) for point in points))

    def curve(self, sizes, values, colour):
        return VMobject().set_points_as_corners(list(map(self.point, sizes, values))).set_stroke(colour, ACCENT_LINE)

    def band(self, sizes, curves):
        """The middle of all curves (draws, n), as wide as the run's level."""
        level = self.fact("scaling.level")
        low, high = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
        outline = [*map(self.point, sizes, low), *map(self.point, sizes[::-1], high[::-1])]
        return Polygon(*outline).set_fill(self.theme.line, 1).set_stroke(width=0).set_z_index(-1)

    def valley(self, points, budget):
        """The points of a line, the parabola through them, and its budget."""
        reach = np.geomspace(points[0, 0], points[-1, 0], DRAWN)
        drawn = self.curve(reach, powers(parabola(points), reach), self.theme.muted)
        dots = self.tag(self.dots(points, self.theme.ink), "scaling-line-budget")
        name = self.words(f"{budget / 1e9:g} bn operations", color=self.theme.muted)
        return VGroup(drawn, dots, name.next_to(dots[-1], RIGHT, buff=px(28)))

    def best_sizes(self, lines):
        """Error bar and ring at the lowest place of each valley, its number below the budget; and these numbers."""
        marks, sizes = VGroup(), []
        for number, points in enumerate(lines, 1):
            best, low, high = (self.fact(f"scaling.best{number}{end}") for end in ("", "_low", "_high"))
            bottom = powers(parabola(points), np.array([best]))[0]
            bar = Line(self.point(low, bottom), self.point(high, bottom))
            ring = Circle(px(24)).move_to(self.point(best, bottom))
            sizes.append(f"{best:,.0f}")
            name = self.words(f"best: {sizes[-1]}").next_to(self.point(*points[-1]), RIGHT, buff=px(42))
            name.shift(DOWN * px(64))
            marks.add(VGroup(VGroup(bar, ring).set_stroke(self.theme.accent, ACCENT_LINE), name))
        return self.tag(marks, "scaling-lowest-where"), sizes


def place(value, ends):
    """Where a value stands on a logarithmic axis, from 0 to 1."""
    low, high = np.log(ends)
    return float((np.log(value) - low) / (high - low))


def parabola(points):
    """The coefficients of a valley in logarithms, the constant first."""
    return np.polynomial.polynomial.polyfit(*np.log(points).T, 2)


def powers(coefficients, sizes):
    """Power laws or valleys (..., degree + 1) at these sizes (n,): (..., n)."""
    return np.exp(coefficients @ np.log(sizes) ** np.arange(np.shape(coefficients)[-1])[:, None])
