"""Axes, planes, graphs and fields."""

import manim as m
import numpy as np
from manim import DOWN, LEFT, RIGHT, TAU, UP, UR
from manim.utils.rate_functions import linear

from .shared import SHORT, Words


class Charts(m.Scene):
    def construct(self):
        chart = m.BarChart(
            [1, -2, 3.5], y_range=[-3, 4, 1], x_length=6, y_length=5, bar_colors=[m.BLUE, m.RED],
            y_axis_config={"label_constructor": Words},
        ).to_edge(LEFT)  # fmt: skip
        space = m.SampleSpace(height=3, width=3).to_edge(RIGHT)
        space.divide_horizontally([0.3, 0.5])
        space.get_top_part, parts = None, space.horizontal_parts
        self.play(m.Create(chart), m.FadeIn(space, parts), run_time=0.4)
        self.play(chart.animate.change_bar_values([3, 1, -1]), run_time=SHORT)


class Plots(m.Scene):
    def construct(self):
        axes = m.Axes(x_range=[-1, 6], y_range=[-1, 4], x_length=9, y_length=6, tips=True)
        axes.add_coordinates({k: Words(str(k)).scale(0.5) for k in (1, 3, 5)})
        graph = axes.plot(lambda x: 2 + np.sin(x), color=m.YELLOW)
        area = axes.get_area(graph, [0.5, 2], color=[m.BLUE, m.GREEN], opacity=0.6)
        bars = axes.get_riemann_rectangles(graph, [2, 4], dx=0.25, stroke_width=0.5)
        line = m.NumberLine([0, 5], length=6, include_numbers=True, label_constructor=Words, include_tip=True)
        log = axes.plot_line_graph([0, 1, 2, 5], [0, 1, 0.5, 0.1], add_vertex_dots=True)
        self.add(axes, line.to_edge(UP))
        self.play(m.Create(graph), m.FadeIn(area), m.Create(log), run_time=0.4)
        self.play(m.FadeIn(bars, lag_ratio=0.3), m.Indicate(line), run_time=0.4)
        self.play(m.Transform(graph, axes.plot(lambda x: 0.1 * x**2)), run_time=SHORT)


class Planes(m.Scene):
    def construct(self):
        plane = m.NumberPlane(x_range=[-4, 4], y_range=[-3, 3], background_line_style={"stroke_opacity": 0.6})
        polar = m.PolarPlane(radius_max=3, size=3.5, azimuth_units="degrees").to_corner(UR)
        polar.set_z_index(1)
        self.play(m.Create(plane), m.FadeIn(polar), run_time=0.4)
        self.play(m.ApplyMatrix([[1, 0.6], [0, 1.2]], plane), m.Rotate(polar, 0.5), run_time=0.4)
        plane.prepare_for_nonlinear_transform(8)
        self.play(plane.animate.apply_function(lambda p: p + 0.3 * np.sin(p[1]) * RIGHT), run_time=SHORT)


class Curves(m.Scene):
    def construct(self):
        heart = m.ImplicitFunction(lambda x, y: (x * x + y * y - 1) ** 3 - x * x * y**3, [-2, 2], [-2, 2], color=m.RED)
        knot = m.ParametricFunction(lambda t: [2 * np.cos(2 * t), 2 * np.sin(3 * t), 0], [0, TAU], color=m.BLUE)
        rough = m.ParametricFunction(lambda t: [t, abs(t % 1 - 0.5), 0], [-3, 3, 0.5], use_smoothing=False)
        self.add(rough.to_edge(DOWN))
        self.play(m.Create(heart.scale(2).to_edge(LEFT)), m.Create(knot), run_time=0.4)
        dot = m.Dot(color=m.YELLOW)
        trail = m.TracedPath(dot.get_center, stroke_color=m.GREEN, dissipating_time=0.3, stroke_opacity=[0, 1])
        self.add(trail, m.TracedPath(dot.get_center, stroke_width=1))
        self.play(m.MoveAlongPath(dot, knot, rate_func=linear), run_time=0.8)


class Fields(m.Scene):
    def construct(self):
        arrows = m.ArrowVectorField(
            lambda p: np.array([p[1], -p[0], 0]) / 3, x_range=[-6, 0, 1.5], y_range=[-3, 3, 1.5]
        )
        streams = m.StreamLines(
            lambda p: np.array([1, np.sin(p[0]), 0]), x_range=[1, 6, 1], y_range=[-2, 2, 1], padding=0, dt=0.2,
            virtual_time=3, stroke_width=4, color=m.BLUE,
        )  # fmt: skip
        self.add(arrows, streams)
        streams.start_animation(warm_up=False, flow_speed=3)
        self.wait(0.5)
        dot = m.Dot(LEFT * 3 + UP, color=m.RED)
        dot.add_updater(arrows.get_nudge_updater())
        self.add(dot)
        self.play(streams.end_animation(), run_time=0.2)


class Graphs(m.Scene):
    def construct(self):
        graph = m.Graph(
            [1, 2, 3, 4], [(1, 2), (2, 3), (3, 4), (1, 3)], layout="circular",
            labels={k: Words(str(k), color=m.BLACK) for k in range(1, 5)},
            vertex_config={2: {"fill_color": m.RED}}, edge_config={(1, 3): {"stroke_color": m.YELLOW}},
        ).to_edge(LEFT)  # fmt: skip
        directed = m.DiGraph([0, 1, 2], [(0, 1), (1, 2), (2, 0)], layout="spring", layout_scale=2).to_edge(RIGHT)
        self.play(m.Create(graph), m.FadeIn(directed), run_time=0.4)
        self.play(graph[1].animate.shift(UR), directed[0].animate.move_to(DOWN * 3), run_time=SHORT)
        self.play(graph.animate.remove_edges((1, 3)), run_time=SHORT)


class Linear(m.LinearTransformationScene):
    """Manim's own scene for matrices: two planes, basis vectors, ghosts."""

    def __init__(self, **options):
        super().__init__(show_coordinates=False, leave_ghost_vectors=True, **options)

    def construct(self):
        self.add_vector([1, 2], color=m.YELLOW)
        self.add_unit_square(animate=False)
        self.apply_matrix([[1, 1], [0, 2]], run_time=0.4)
