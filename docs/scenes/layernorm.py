"""Clips for docs/model/layernorm.md: one token's mean and spread, its normalised numbers, and all norms at once."""

import numpy as np
from manim import LEFT, RIGHT, FadeIn, Line, Rectangle, ReplacementTransform, VGroup

from scenes.kit import CELL, FOCUS_AT, GAP, GRID_AT, HAIRLINE, REST, Cells, Stage, at, number_text, px
from scenes.vectors import LISTED, THIN, Vectors

POSITION = 3  # of a B in the middle of the word
EPSILON = 1e-5
AXIS, REACH = 1010, 140  # where the bars begin, and the length of the longest
TOP, HIGH = GRID_AT[1], 88  # of the rows of Sizes: one for each norm
NORMS = [*(f"h.{block}.ln_{number}" for block in range(3) for number in (1, 2)), "ln_f"]


class Statistics(Vectors, Stage):
    """The mean and the spread of one token's numbers."""

    def construct(self):
        tokens, x = self.tokens(), self.vectors("embedding-forward-drop")
        values = self.value("embedding-forward-drop")[0, POSITION]
        count, mean = len(values), values.mean()
        squares = (values - mean) ** 2
        self.add(x, self.across(x, tokens, "token"), self.called("x", x))
        self.add(self.upright("C", "channel").move_to(at(132, 600)))
        scale = float(np.abs(self.value("embedding-forward-drop")).max())
        bars = self.tensor(self.bars(values, scale), "embedding-forward-drop", (0, POSITION))
        bottom = GRID_AT[1] + count * THIN
        axis = Line(at(AXIS, GRID_AT[1] - 8), at(AXIS, bottom + 8)).set_stroke(self.theme.line, 2 * HAIRLINE)

        self.next_section("Mean")
        self.beat(
            f"The {count} numbers of one {tokens[POSITION]}",
            FadeIn(VGroup(self.focus(x.column(POSITION)), axis)),
            ReplacementTransform(x.column(POSITION).copy(), bars),
            say=f"The vector of the {tokens[POSITION]} at position {POSITION} as bars: left of the line is negative.",
        )
        self.beat(
            "Their mean",
            FadeIn(self.line("sum", values.sum(), 300), self.line(f"÷ {count}: mean", mean, 372)),
            rest=2 * REST,
            say=f"All added up, divided by {count}: the mean, {number_text(mean, 4)}.",
        )

        self.next_section("Variance")
        self.beat(
            "Distances from the mean, squared",
            ReplacementTransform(bars, self.bars(squares, squares.max())),
            FadeIn(self.line("sum of squares", squares.sum(), 516)),
            say="The mean is subtracted and the rest squared: no square is negative.",
        )
        variance = squares.mean()
        self.beat(
            "Their mean: the variance",
            FadeIn(self.line(f"÷ {count}: variance", variance, 588, 5)),
            rest=2 * REST,
            say=f"Divided by {count} again: the variance, {number_text(variance, 4)}.",
        )

        self.next_section("Root")
        std = np.sqrt(variance + EPSILON)
        self.beat(
            "Its root: the typical distance",
            FadeIn(self.line("+ epsilon", variance + EPSILON, 732, 5), self.line("√: std", std, 804)),
            rest=2 * REST,
            say=f"The root of the variance, with a tiny epsilon added to it: {number_text(std, 4)}.",
        )

    def bars(self, values, scale):
        """A bar for each channel beside its row, in the colour of its cell; ``scale`` is that of the colours."""
        most, bars = float(np.abs(values).max()), VGroup()
        for i, value in enumerate(values):
            length, middle = REACH * value / most, GRID_AT[1] + (i + 0.5) * THIN
            bar = Rectangle(self.theme.sign(value / scale), px(THIN - GAP), px(max(abs(length), 1)))
            bars.add(bar.set_stroke(width=0).set_fill(opacity=1).move_to(at(AXIS + length / 2, middle)))
        return bars

    def line(self, what, value, y, digits=4):
        """A number and what it is."""
        name = self.words(what, color=self.theme.muted).move_to(at(1180, y), aligned_edge=LEFT)
        return VGroup(name, self.number(value, digits).move_to(at(1872, y), aligned_edge=RIGHT))


class Normalise(Vectors, Stage):
    """One token's numbers: less the mean, over the spread, times weight, plus bias; then every token's."""

    def construct(self):
        tokens = self.tokens()
        x, done = self.vectors("embedding-forward-drop"), self.vectors("layernorm-forward-norm")
        values = self.value("embedding-forward-drop")[0, POSITION]
        mean, std = values.mean(), np.sqrt(values.var() + EPSILON)
        name = self.called("x", x)
        self.add(x, self.across(x, tokens, "token"), self.upright("C", "channel").move_to(at(132, 600)), name)

        frame, parts = self.focus(self.shown(x, POSITION)), self.stages(values, mean, std)
        channels = self.channels(908)

        self.next_section("Subtract")
        self.beat(
            f"The {tokens[POSITION]} at position {POSITION}",
            FadeIn(frame),
            FadeIn(VGroup(channels, parts[0])),
            say=f"The first {LISTED} of its {len(values)} channels, rounded.",
        )
        self.beat(
            "Subtract the mean",
            FadeIn(parts[1]),
            say=f"Less the mean of all {len(values)}, {number_text(mean, 4)}.",
        )

        self.next_section("Divide")
        self.beat(
            "Divide by the spread",
            FadeIn(parts[2]),
            say=f"Over the spread, {number_text(std, 4)}: now the {len(values)} have variance 1.",
        )

        self.next_section("Weight and bias")
        self.beat(
            "Times weight, plus bias",
            FadeIn(parts[3]),
            rest=2 * REST,
            say="Each channel has a learned weight and a learned bias. Here they change little.",
        )

        self.next_section("Every token")
        self.beat(
            "The same for every token",
            ReplacementTransform(x, done),
            ReplacementTransform(name, self.called("ln_1(x)", done)),
            FadeIn(self.statistics(tokens)),
            away=[frame, channels, *parts],
            rest=2 * REST,
            say="Every token by itself, with its own mean and spread, and all with the same weights.",
        )

    def stages(self, values, mean, std):
        """The first channels of the token, as they come in, on the way, and as they go out."""
        step, result = (0, POSITION, slice(LISTED)), self.value("layernorm-forward-norm")[0, POSITION]
        x, y = self.listed(values, 1164), self.listed(result, 1868, 2)
        return [
            VGroup(self.head("x", 1164), self.tensor(x, "embedding-forward-drop", step)),
            VGroup(self.head("− mean", 1400), self.listed(values - mean, 1400)),
            VGroup(self.head("÷ std", 1624), self.listed((values - mean) / std, 1624, 2)),
            VGroup(self.head("× w + b", 1868), self.tensor(y, "layernorm-forward-norm", step)),
        ]

    def statistics(self, tokens):
        """Mean and spread of every token, before and after."""
        rows = self.down(Cells(np.zeros((len(tokens), 1)), (956, FOCUS_AT[1]), self.theme.sign), tokens)
        parts = VGroup(rows)
        for name, title, right, digits in (
            ("embedding-forward-drop", "x", 1200, 3),
            ("layernorm-forward-norm", "ln_1(x)", 1656, 2),
        ):
            values = self.value(name)[0]
            parts.add(self.code(title, color=self.theme.muted).move_to(at(right + 16, FOCUS_AT[1] - 104)))
            for what, column, edge in (("mean", values.mean(-1), right), ("std", values.std(-1), right + 212)):
                parts.add(self.head(what, edge), self.listed(column, edge, digits))
        return parts


class Sizes(Stage):
    """The spread of every token before and after each of the model's norms."""

    def construct(self):
        tokens, names = (
            self.tokens(),
            [[f"{norm}/{name}" for norm in NORMS] for name in ("input", "layernorm-forward-norm")],
        )
        before, after = (np.array([self.value(name)[0].std(-1) for name in each]) for each in names)
        most = max(before.max(), after.max())
        grids = [self.weights(v / most, (left, TOP), (CELL, HIGH)) for v, left in ((before, 120), (after, 1184))]
        self.tag(grids[1], "layernorm-forward-norm")
        rows = (
            self.code(norm, color=self.theme.muted).move_to(at(960, TOP + (i + 0.5) * HIGH))
            for i, norm in enumerate(NORMS)
        )
        self.add(VGroup(*rows), *(self.empty(grid.copy()) for grid in grids))
        self.add(self.across(grids[0], tokens, "std before"), self.across(grids[1], tokens, "std after"))

        self.next_section("Before")
        self.beat(
            "Before the norm: all sizes",
            FadeIn(grids[0]),
            FadeIn(self.extremes(before, names[0], grids[0])),
            rest=2 * REST,
            say=f"Each token's std, from {number_text(before.min())} to {number_text(before.max())}. "
            "Blocks add: at the end it is largest.",
        )

        self.next_section("After")
        self.beat(
            "After it: one size",
            FadeIn(grids[1]),
            FadeIn(self.extremes(after, names[1], grids[1])),
            rest=2 * REST,
            say=f"After each norm it is from {number_text(after.min())} to {number_text(after.max())}.",
        )

    def extremes(self, stds, names, grid):
        """Below a grid the least and the greatest std, and the number farthest from zero."""
        left, right, top = grid.corner[0], grid.corner[0] + grid.columns * CELL, TOP + len(NORMS) * HIGH
        arrays = {name: self.value(name) for name in names}
        name = max(names, key=lambda name: np.abs(arrays[name]).max())
        index = np.unravel_index(np.abs(arrays[name]).argmax(), arrays[name].shape)
        largest = self.number(arrays[name][index])
        self.tag(largest, name, [(largest, tuple(map(int, index)))])
        between = f"{number_text(stds.min())} … {number_text(stds.max())}"
        lines = VGroup()
        for row, (what, number) in enumerate((("std", self.code(between)), ("largest", largest))):
            y = top + 56 + 72 * row
            lines.add(self.words(what, color=self.theme.muted).move_to(at(left, y), aligned_edge=LEFT))
            lines.add(number.move_to(at(right, y), aligned_edge=RIGHT))
        return lines
