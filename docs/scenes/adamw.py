"""Clips for docs/train/adamw.md: one number of nanoGPT's through AdamW's step, and three of different gradients."""

import numpy as np
from manim import LEFT, RIGHT, FadeIn, FadeOut, Rectangle, ReplacementTransform, VGroup, VMobject

from scenes.kit import ACCENT_LINE, GAP, REST, SMALL, Stage, at, number_text, px

SHOWN = 24  # steps, of those that the run recorded
LETTER = "e"
LEFT_EDGE, WIDE = 120, 40  # of the chart: where it begins, and the width of a step
MIDDLE, REACH = 580, 300  # its zero line, and the height of the largest number
LEDGER = 1140


class Steps(Stage):
    """What was recorded of one character in each step, as series; and bars and curves of a series."""

    def series(self, name, letter):
        """One number for each step: of this character's, under a step's id or a variable's name."""
        row = self.fact("adamw.characters").index(letter)
        return np.array([self.value(f"adamw.step@{step}/{name}")[row] for step in range(SHOWN)], float)

    def ratio(self, letter):
        """The step in units of the learning rate: mean over root, both corrected."""
        return self.series("adamw-step-mean-corrected", letter) / (self.series("adamw-step-root", letter) + 1e-8)

    def bars(self, values, most, left=LEFT_EDGE, middle=MIDDLE, reach=REACH, wide=WIDE):
        """A bar for each step, up or down from ``middle``, in the colour of its value."""
        bars = VGroup()
        for step, value in enumerate(values):
            high = reach * value / most
            bar = Rectangle(self.theme.sign(value / most), px(max(abs(high), 2)), px(wide - GAP))
            bar.set_stroke(width=0).set_fill(opacity=1)
            bars.add(bar.move_to(at(left + (step + 0.5) * wide, middle - high / 2)))
        return bars

    def curve(self, values, most, color):
        places = [at(LEFT_EDGE + (step + 0.5) * WIDE, MIDDLE - REACH * v / most) for step, v in enumerate(values)]
        return VMobject().set_points_as_corners(places).set_stroke(color, ACCENT_LINE)


class OneNumber(Steps):
    """One number's gradients, their two running means, the correction, and what becomes the step."""

    def construct(self):
        g, m, v = (self.series(f"adamw-step-{name}", LETTER) for name in ("gradient", "mean", "square"))
        m_hat, root = (self.series(f"adamw-step-{name}", LETTER) for name in ("mean-corrected", "root"))
        most, part = float(np.abs(g).max()), 1 - self.fact("adamw.beta1")
        bars = self.tag(self.bars(g, most), "adamw-step-gradient")
        self.add(self.axis(), self.heads())

        self.next_section("Gradient")
        self.beat(
            f"One number of the letter {LETTER}",
            FadeIn(bars, lag_ratio=0.1),
            FadeIn(self.line("g", "gradient", 0)),
            run_time=1.2,
            say=f"The gradient of one number, of the letter {LETTER}, in the first {SHOWN} steps of training.",
        )

        self.next_section("Two means")
        mean = self.tag(self.curve(m, most, self.theme.dimension("T")), "adamw-step-mean")
        self.beat(
            "m: the mean, remembered",
            FadeIn(mean),
            FadeIn(self.line("m", "mean", 1, "T")),
            rest=2 * REST,
            say=f"m moves {part:.0%} of the way to each gradient: noise is averaged out, and it follows late.",
        )
        size = self.tag(self.curve(np.sqrt(v), most, self.theme.dimension("C")), "adamw-step-square")
        self.beat(
            "√v: the typical size",
            FadeIn(size),
            FadeIn(self.line("√v", np.sqrt(v), 2, "C")),
            rest=2 * REST,
            say="v does the same with the squares, more slowly; its root is the typical size of a gradient.",
        )

        self.next_section("Corrected")
        late = self.tag(self.curve(m_hat, most, self.theme.dimension("T")), "adamw-step-mean-corrected")
        large = self.tag(self.curve(root, most, self.theme.dimension("C")), "adamw-step-root")
        self.beat(
            "Both began at 0: corrected",
            ReplacementTransform(mean, late),
            ReplacementTransform(size, large),
            FadeIn(self.line("m_hat", "mean-corrected", 3, "T"), self.line("√v_hat", "root", 4, "C")),
            run_time=1.2,
            rest=2 * REST,
            say="Both began at zero and are too small at first; divided by what they lack, they are not.",
        )

        self.next_section("Step")
        ratio = m_hat / (root + 1e-8)
        step = self.tag(self.bars(ratio, float(np.abs(ratio).max())), "adamw-step-move")
        self.play(FadeOut(late, large), run_time=0.3)
        self.beat(
            "Their quotient: the step",
            ReplacementTransform(bars, step),
            FadeIn(self.line("ratio", ratio, 5)),
            rest=2 * REST,
            say="One by the other: so many learning rates the number moves, against the sign. The first is 1 or −1.",
        )

    def axis(self):
        """The chart's zero line, and where its steps begin and end."""
        right = LEFT_EDGE + SHOWN * WIDE
        first, last = (self.words(f"step {step}", color=self.theme.muted) for step in (1, SHOWN))
        first.move_to(at(LEFT_EDGE, 960), aligned_edge=LEFT)
        return VGroup(self.rule(LEFT_EDGE, right, MIDDLE), first, last.move_to(at(right, 960), aligned_edge=RIGHT))

    def heads(self):
        """Above the ledger: the first and the last step."""
        heads = (self.words(f"step {step}", color=self.theme.muted) for step in (1, SHOWN))
        return VGroup(*(h.move_to(at(x, 260), aligned_edge=RIGHT) for h, x in zip(heads, (1610, 1880), strict=True)))

    def line(self, what, series, number, dimension=None):
        """A line of the ledger, at the first and the last step: a series by its step's name, or computed values."""
        y = 372 + number * 96
        color = self.theme.dimension(dimension) if dimension else self.theme.muted
        parts = VGroup(self.code(what, SMALL, color).move_to(at(LEDGER, y), aligned_edge=LEFT))
        row = self.fact("adamw.characters").index(LETTER)
        for step, x in ((0, 1610), (SHOWN - 1, 1880)):
            value = self.series(f"adamw-step-{series}", LETTER)[step] if isinstance(series, str) else series[step]
            text = self.number(value, 4).move_to(at(x, y), aligned_edge=RIGHT)
            if isinstance(series, str):
                self.tensor(VGroup(text), f"adamw.step@{step}/adamw-step-{series}", (slice(row, row + 1),))
            parts.add(text)
        return parts


class Alike(Steps):
    """Three characters: gradients of very different sizes, steps of about the same."""

    LETTERS = " eZ"

    def construct(self):
        gradients = {letter: self.series("adamw-step-gradient", letter) for letter in self.LETTERS}
        most, wide = max(float(np.abs(g).max()) for g in gradients.values()), 24
        columns = (380, 1160)
        heads = [self.words(text, color=self.theme.muted) for text in ("gradient", "step ÷ learning rate")]
        for head, x in zip(heads, columns, strict=True):
            head.move_to(at(x, 200), aligned_edge=LEFT)
        rows, steps, names = VGroup(), VGroup(), VGroup()
        for number, (letter, g) in enumerate(gradients.items()):
            y = 370 + number * 260
            name = "space" if letter == " " else letter
            names.add(self.words(name).move_to(at(120, y), aligned_edge=LEFT))
            names.add(*(self.rule(x, x + SHOWN * wide, y) for x in columns))
            rows.add(*self.bars(g, most, columns[0], y, 110, wide))
            steps.add(*self.bars(self.ratio(letter), 1.1, columns[1], y, 110, wide))
        self.add(names)
        self.tag(rows, "adamw-step-gradient")
        self.tag(steps, "adamw-step-move")

        self.next_section("Gradients")
        sizes = [np.sqrt((g**2).mean()) for g in gradients.values()]
        self.beat(
            "Gradients of different sizes",
            FadeIn(heads[0]),
            FadeIn(rows, lag_ratio=0.02),
            run_time=1.2,
            rest=2 * REST,
            say=f"One number each of three characters, one scale: the space's gradients are {sizes[0] / sizes[2]:.0f} "
            "times as large as those of the Z.",
        )
        self.next_section("Steps")
        lengths = [np.abs(self.ratio(letter)).mean() for letter in self.LETTERS]
        said = ", ".join(number_text(length) for length in lengths)
        self.beat(
            "Steps of about one size",
            FadeIn(heads[1]),
            FadeIn(steps, lag_ratio=0.02),
            run_time=1.2,
            rest=2 * REST,
            say=f"Divided by its own typical size, each takes steps of about a learning rate: on average {said}.",
        )
