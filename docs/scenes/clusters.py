"""The tutorial's clip."""

from manim import Dot, FadeIn, Line, Transform, VGroup

from cutaway import RecordedScene


class Step(RecordedScene):
    """Points find their nearest centres, and these move to the means."""

    def construct(self):
        points, centres = self.value("points"), self.value("centres")
        nearest = self.value("kmeans-step-nearest")
        means = self.value("kmeans-step-moved")

        self.next_section("Points")
        dots = self.dots(points, self.theme.ink, 0.08)
        discs = self.dots(centres, self.theme.accent, 0.16)
        self.play(FadeIn(dots), subcaption="Twelve points.")
        self.play(FadeIn(discs), subcaption="Three of them are centres.")

        self.next_section("Nearest")
        lines = self.lines(dots, discs, nearest)
        self.tag(lines, "kmeans-step-nearest")
        self.play(FadeIn(lines), subcaption="Each point finds its nearest centre.")
        self.wait()

        self.next_section("Means")
        self.tag(discs, "kmeans-step-moved")
        places = self.dots(means, self.theme.accent, 0.16)
        self.play(
            Transform(discs, places),
            Transform(lines, self.lines(dots, places, nearest)),
            run_time=2,
            subcaption="Each centre moves to its points' mean.",
        )
        self.wait()

    def dots(self, places, colour, radius):
        return VGroup(*(Dot([x, y, 0], radius=radius, color=colour) for x, y in places))

    def lines(self, dots, discs, nearest):
        pairs = zip(dots, nearest, strict=True)
        ends = [(dot.get_center(), discs[k].get_center()) for dot, k in pairs]
        return VGroup(*(Line(*pair, color=self.theme.muted) for pair in ends)).set_z_index(-1)  # behind the points
