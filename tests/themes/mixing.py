from manim import FadeIn, Square, VGroup

from cutaway import RecordedScene


class Mixing(RecordedScene):
    def construct(self):
        scores = self.value("mix-step-scores")
        most = float(abs(scores).max())
        cells = VGroup(*(Square(0.8).set_fill(self.theme.sign(float(v) / most), 1) for v in scores.ravel()))
        cells.arrange_in_grid(*scores.shape)
        self.tag(cells, "mix-step-scores")
        self.play(FadeIn(cells), run_time=1)
        self.next_section("Turn")
        self.play(cells.animate.rotate(0.4), run_time=1)
