"""The clip for docs/train/muon.md: the singular values of a real gradient while it is orthogonalised."""

import numpy as np
from manim import LEFT, RIGHT, FadeIn, Rectangle, ReplacementTransform, VGroup

from scenes.kit import GAP, LARGE, REST, Stage, at, number_text, px

WIDE, LEFT_EDGE = 24, 192  # of a bar, and where the first begins
GROUND, UNIT = 960, 560  # the line of 0, and the height of 1
LEDGER = 1440
RESULT = {"orthogonalise": "muon-newton-result", "polar": "muon-polar-result"}


class Spectrum(Stage):
    """Five polynomials move all singular values of one gradient towards 1."""

    def construct(self):
        values = [self.spectrum("orthogonalise", steps) for steps in range(6)]
        polar = self.spectrum("polar", 5)
        count, right = len(values[0]), LEFT_EDGE + len(values[0]) * WIDE
        for level in (0, 1):
            y = GROUND - level * UNIT
            self.add(self.rule(LEFT_EDGE, right, y))
            self.add(self.words(str(level), color=self.theme.muted).move_to(at(LEFT_EDGE - 60, y)))
        bars, ledger = self.bars(values[0], "muon-newton-scaled"), self.ledger(values[0])

        self.next_section("Gradient")
        self.beat(
            f"{count} singular values of a gradient",
            FadeIn(bars, lag_ratio=0.05),
            FadeIn(ledger),
            run_time=1.2,
            rest=2 * REST,
            say=f"The singular values of one gradient, divided by its norm: one is {number_text(values[0][0])}, "
            f"the least {number_text(values[0][-1], 4)}.",
        )

        self.next_section("Newton-Schulz")
        for steps in range(1, 6):
            new, numbers = self.bars(values[steps], RESULT["orthogonalise"]), self.ledger(values[steps])
            least, most = number_text(values[steps][-1]), number_text(values[steps][0])
            self.beat(
                f"After polynomial {steps}",
                ReplacementTransform(bars, new),
                FadeIn(numbers),
                away=[ledger],
                rest=REST / 2 if steps < 5 else 2 * REST,
                say=f"After {steps} polynomial{'s' * (steps > 1)} they lie between {least} and {most}.",
            )
            bars, ledger = new, numbers

        self.next_section("Polar Express")
        new, numbers = self.bars(polar, RESULT["polar"]), self.ledger(polar)
        self.beat(
            "Polar Express instead",
            ReplacementTransform(bars, new),
            FadeIn(numbers),
            away=[ledger],
            rest=2 * REST,
            say=f"Five polynomials of the later kind: between {number_text(polar[-1])} and {number_text(polar[0])}.",
        )

    def spectrum(self, run_pass, steps):
        """Singular values of what came out, the largest first."""
        matrix = self.value(f"muon.{run_pass}@{(steps + 1) % 6}/{RESULT[run_pass]}")  # five are recorded first
        return np.linalg.svd(matrix.astype(float), compute_uv=False)

    def bars(self, values, step):
        bars = VGroup()
        for i, value in enumerate(values):
            bar = Rectangle(self.theme.weight(0.75), px(max(UNIT * value, 1)), px(WIDE - GAP))
            bar.set_stroke(width=0).set_fill(opacity=1)
            bars.add(bar.move_to(at(LEFT_EDGE + (i + 0.5) * WIDE, GROUND - UNIT * value / 2)))
        return self.tag(bars, step)

    def ledger(self, values):
        """The largest and the smallest value, and how many lie between a half and one and a half."""
        near = int(((values > 0.5) & (values < 1.5)).sum())
        numbers = number_text(values[0], 4), number_text(values[-1], 4), f"{near} of {len(values)}"
        parts = VGroup()
        for i, (what, number) in enumerate(zip(("largest", "smallest", "from 0.5 to 1.5"), numbers, strict=True)):
            y = 380 + i * 200
            parts.add(self.words(what, color=self.theme.muted).move_to(at(LEDGER, y), aligned_edge=LEFT))
            parts.add(self.code(number, LARGE).move_to(at(1840, y + 80), aligned_edge=RIGHT))
        return parts
