"""The clip for docs/sample/conclusion.md: what the book's own model can do after each of its stages."""

import numpy as np
from manim import LEFT, RIGHT, FadeIn, Line, Rectangle, ReplacementTransform, VGroup

from scenes.kit import ACCENT_LINE, GRID_AT, HAIRLINE, REST, Stage, at, px

TASKS = ("arithmetic", "letters", "sorting", "choice")
ZERO, FULL = 576, 1424  # where the axis of accuracies begins and ends
FIRST, PITCH, THICK = 320, 164, 88  # middle of the first row, from one to the next, height of a bar
BOTTOM, RIGHT_EDGE = 920, 1864


def interval(share: float, asked: int, z: float = 1.96) -> tuple[float, float]:
    """The accuracies from which this one is no more than z standard deviations away (Wilson, 1927)."""
    ends = np.roots([1 + z**2 / asked, -(2 * share + z**2 / asked), share**2]).real
    return float(ends.min()), float(ends.max())


class Stages(Stage):
    """Accuracies of four tasks grow from stage to stage, with their intervals; then what rewards do to one of them."""

    def construct(self):
        asked, seeds = self.fact("mid.asked"), self.fact("rl.seeds")
        self.asked = asked
        names, legend = self.names(TASKS), self.legend(f"right of {asked}, in %, and the interval")
        guess = self.guess(0.25)
        self.add(self.axis(), names, legend)

        self.next_section("Base model")
        now = [f"mid.before_{task}" for task in TASKS]
        bars, numbers = self.bars(now), self.numbers(now)
        self.beat(
            "The base model",
            FadeIn(bars),
            FadeIn(VGroup(numbers, guess)),
            say=f"The base model: {self.told(TASKS, now)}",
        )

        for section, title, run in (
            ("Midtraining", "After midtraining", "mid.after"),
            ("Fine-tuning", "After fine-tuning", "sft.masked_1"),
        ):
            self.next_section(section)
            now, old = [f"{run}_{task}" for task in TASKS], numbers
            new, numbers = self.bars(now), self.numbers(now)
            grow = ReplacementTransform(bars, new)
            self.beat(
                title,
                grow,
                FadeIn(numbers),
                away=[old],
                run_time=1.2,
                rest=2 * REST,
                say=f"{title}: {self.told(TASKS, now)}",
            )
            bars = new

        self.next_section("Rewards")
        rows = ("before", *(f"seed {seed + 1}" for seed in range(seeds)))
        first, *after = "rl.right_before", *(f"rl.right_after_{seed + 1}" for seed in range(seeds))
        flat, named = self.bars([first] * len(rows)), self.names(rows)
        start = self.numbers([first] + [None] * seeds)
        say = f"Another task: sorting three letters. After midtraining {self.percent(first)} % are right."
        away = [bars, numbers, names, guess]
        self.beat("Sorting three letters", FadeIn(flat, named), FadeIn(start), away=away, say=say)
        grown, numbers = self.bars([first, *after]), self.numbers([None, *after])
        say = f"After training by rewards alone, with {seeds} seeds: {self.told(rows[1:], after)}"
        grow = ReplacementTransform(flat, grown)
        self.beat("Three letters, by rewards", grow, FadeIn(numbers), run_time=1.2, rest=2 * REST, say=say)

    def percent(self, name):
        return round(100 * self.fact(name))

    def told(self, rows, facts):
        return ", ".join(f"{row} {self.percent(name)} %" for row, name in zip(rows, facts, strict=True)) + "."

    def point(self, share, row):
        return at(ZERO + share * (FULL - ZERO), FIRST + row * PITCH)

    def names(self, rows):
        return VGroup(
            *(self.words(text).move_to(at(GRID_AT[0], FIRST + n * PITCH), LEFT) for n, text in enumerate(rows))
        )

    def legend(self, text):
        return self.words(text, color=self.theme.muted).move_to(at(GRID_AT[0], 184), LEFT)

    def axis(self):
        marks = VGroup(self.rule(ZERO, FULL, BOTTOM))
        for share in (0, 0.5, 1):
            x = ZERO + share * (FULL - ZERO)
            marks.add(Line(at(x, BOTTOM), at(x, BOTTOM + 16)).set_stroke(self.theme.line, HAIRLINE))
            marks.add(self.words(f"{100 * share:.0f}", color=self.theme.muted).move_to(at(x, 972)))
        return marks

    def guess(self, share):
        """Where guessing leads, in the row of multiple choice."""
        row = TASKS.index("choice")
        x, y = ZERO + share * (FULL - ZERO), FIRST + row * PITCH
        tick = Line(at(x, y - 64), at(x, y + 64)).set_stroke(self.theme.accent, ACCENT_LINE)
        return VGroup(tick.set_z_index(2), self.words("a guess", color=self.theme.muted).move_to(at(x + 140, y), LEFT))

    def bars(self, facts):
        """A bar for each accuracy, and on it the line of its interval."""
        bars = VGroup()
        for row, name in enumerate(facts):
            share = self.fact(name)
            low, high = (self.point(end, row) for end in interval(share, self.asked))
            bar = Rectangle(self.theme.weight(0.5), px(THICK), px(max(share * (FULL - ZERO), 4)), stroke_width=0)
            bar.set_fill(opacity=1).move_to(self.point(0, row), aligned_edge=LEFT)
            line = Line(low, high).set_stroke(self.theme.ink, ACCENT_LINE)
            bars.add(self.tag(VGroup(bar, line), name))
        return bars

    def numbers(self, facts):
        """The accuracies and their intervals in per cent; where there is no fact, nothing."""
        found = [(row, name) for row, name in enumerate(facts) if name]
        return VGroup(*(self.tag(self.number_of(name, row), name) for row, name in found))

    def number_of(self, name, row):
        low, high = (round(100 * end) for end in interval(self.fact(name), self.asked))
        text = self.code(f"{self.percent(name)} ({low}–{high})")
        return text.move_to(at(RIGHT_EDGE, FIRST + row * PITCH), RIGHT)
