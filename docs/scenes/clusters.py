"""The tutorial's clip."""

from manim import Dot, FadeIn, Line, VGroup

from cutaway import RecordedScene


class Step(RecordedScene):
    """Each point is given to its nearest centre, and each centre moves to the mean of its points."""

    def construct(self):
        points, centres = self.value("points"), self.value("centres")
        nearest = self.value("kmeans-step-nearest")
        moved = self.value("kmeans-step-moved")

        self.next_section("Points")
        dots = VGroup(*(Dot([x, y, 0], color=self.theme.ink) for x, y in points))
        discs = VGroup(*(Dot([x, y, 0], radius=0.16, color=self.theme.accent) for x, y in centres))
        self.play(FadeIn(dots), subcaption="Twelve points.")
        self.play(FadeIn(discs), subcaption="Three of them are the first centres.")

        self.next_section("Nearest")
        ends = zip(dots, (discs[k] for k in nearest), strict=True)
        lines = VGroup(*(Line(dot.get_center(), disc.get_center(), color=self.theme.muted) for dot, disc in ends))
        lines.set_z_index(-1)  # behind the points
        self.tag(lines, "kmeans-step-nearest")
        self.play(FadeIn(lines), subcaption="Each point finds its nearest centre.")
        self.wait()

        self.next_section("Means")
        self.tag(discs, "kmeans-step-moved")
        means = [[x, y, 0] for x, y in moved]
        centres_move = [disc.animate.move_to(mean) for disc, mean in zip(discs, means, strict=True)]
        lines_follow = [
            line.animate.put_start_and_end_on(dot.get_center(), means[k])
            for line, dot, k in zip(lines, dots, nearest, strict=True)
        ]
        self.play(*centres_move, *lines_follow, run_time=2, subcaption="Each centre moves to the mean of its points.")
        self.wait()
