"""Clips for docs/model/softmax.md: one row of scores becomes weights; the logits under a changing temperature."""

import numpy as np
from manim import LEFT, RIGHT, FadeIn, LaggedStart, Rectangle, ReplacementTransform, ValueTracker, VGroup

from scenes.kit import CELL, FOCUS_AT, GRID_AT, LARGE, REST, Stage, at, number_text, px

HEAD = 2
QUERY = 5  # the last letter of the word: from here on the model writes
HOT, WARM = 10, 3  # temperatures


class Row(Stage):
    """Subtract the largest score, raise e to the rest, divide by the sum: the weights of one token."""

    def construct(self):
        tokens = self.tokens()
        masked = self.value("attention-forward-mask")[0, HEAD]
        weights = self.value("attention-forward-softmax")[0, HEAD]
        scores, live = masked[QUERY], QUERY + 1
        below = scores - scores.max()
        powers = np.exp(below)
        grid = self.tensor(self.signed(masked, GRID_AT), "attention-forward-mask", (0, HEAD))
        shares = self.tensor(self.weights(weights, GRID_AT), "attention-forward-softmax", (0, HEAD))
        self.empty([*grid.ahead(), *shares.ahead()])
        self.add(grid, self.across(grid, tokens, "looked at"), self.down(grid, tokens, "looking"))
        letters = self.down(self.signed(masked[:, :1], (FOCUS_AT[0] + 16, FOCUS_AT[1])), tokens)
        score, less, power, weight = (
            VGroup(self.head(name, right), self.column(numbers, right, live))
            for name, numbers, right in (
                ("score", scores, 1164),
                ("− max", below, 1376),
                ("exp", powers, 1588),
                ("weight", weights[QUERY], 1800),
            )
        )
        self.tensor(score[1], "attention-forward-mask", (0, HEAD, QUERY))
        self.tensor(weight[1], "attention-forward-softmax", (0, HEAD, QUERY))
        self.tag(VGroup(less, power), "attention-forward-softmax")

        self.next_section("Row")
        say = f"One row: the scores of the {tokens[QUERY]} at position {QUERY}; what it must not see is minus infinity."
        self.beat(f"The scores of one {tokens[QUERY]}", FadeIn(self.focus(grid.row(QUERY)), letters, score), say=say)

        self.next_section("Maximum")
        largest = self.focus(score[1][int(scores.argmax())])
        say = f"The largest, {number_text(scores.max())}, is subtracted from each; now none is above zero."
        self.beat("Subtract the largest", FadeIn(largest), FadeIn(less), say=say)

        self.next_section("Exponential")
        say = "e to that power is never negative: 1 for the largest, 0 for minus infinity."
        self.beat("Raise e to each", FadeIn(power), away=[largest], say=say)

        self.next_section("Divide")
        total = self.tag(self.total(powers.sum(), 1588), "attention-forward-softmax")
        self.beat("Add up", FadeIn(total), say=f"The powers add up to {number_text(powers.sum())}.")
        say = f"Each power divided by {number_text(powers.sum())}: weights that add up to one."
        row = ReplacementTransform(grid.row(QUERY), shares.row(QUERY))
        self.beat("Divide by the sum", FadeIn(weight), FadeIn(self.total(weights[QUERY].sum(), 1800)), row, say=say)

        self.next_section("Every row")
        rows = [ReplacementTransform(grid.row(i), shares.row(i)) for i in range(grid.rows) if i != QUERY]
        say = "The same for every row by itself: each adds up to one."
        self.beat("Every row by itself", LaggedStart(*rows, lag_ratio=0.2), run_time=1.6, rest=2 * REST, say=say)

    def total(self, value, right):
        """A rule under a column of numbers, and their sum."""
        foot = FOCUS_AT[1] + len(self.tokens()) * CELL
        return VGroup(self.rule(right - 150, right, foot + 8), self.column([value], right, top=foot + 16))


class Temperature(Stage):
    """The same three logits, divided by a temperature that rises and falls."""

    def construct(self):
        logits = self.value("logits")[0, QUERY]
        letters = [chr(ord("A") + i) for i in range(len(logits))]
        self.heat = ValueTracker(1)
        rows = [(row, 488 + 160 * row) for row in range(len(logits))]
        names = [self.words(letters[row], LARGE).move_to(at(228, y)) for row, y in rows]
        given = VGroup(*(self.number(logits[row], size=LARGE).move_to(at(600, y), RIGHT) for row, y in rows))
        self.tag(given, "output-forward-head", [(number, (0, QUERY, row)) for row, number in enumerate(given)])
        cooled = [self.live(lambda row=row: logits[row] / self.heat.get_value(), 936, y) for row, y in rows]
        chances = [self.live(lambda row=row: self.chances(logits)[row], 1800, y) for row, y in rows]
        bars = [self.bar(logits, row, y) for row, y in rows]
        self.tag(VGroup(*chances, *bars), "softmax-generate-logits")
        heat = self.live(self.heat.get_value, 936, 264, widest=HOT)
        label = self.words("temperature", LARGE, self.theme.muted).move_to(at(600, 270), RIGHT)
        heads = {"logit": 600, "÷ temp.": 936, "probability": 1800}
        shown = [self.words(text, color=self.theme.muted).move_to(at(x, 376), RIGHT) for text, x in heads.items()]
        self.add(*names, given, label, heat, *shown, *cooled, *bars, *chances)

        self.next_section("One")
        best = letters[int(logits.argmax())]
        say = f"The model's logits for its first letter; at temperature one it is all but certain of {best}."
        self.beat(f"At 1, almost always {best}", say=say, rest=2 * REST)

        self.next_section("Hot")
        say = f"Divided by {HOT}, the logits move together, and so do the probabilities. Their order stays."
        self.beat("Hot: more even", self.heat.animate.set_value(HOT), run_time=2, rest=2 * REST, say=say)

        self.next_section("Cool")
        say = f"At {WARM} the differences are larger again: the lower the temperature, the sharper."
        self.beat("Cooler: sharper", self.heat.animate.set_value(WARM), run_time=2, rest=2 * REST, say=say)

    def chances(self, logits):
        powers = np.exp((logits - logits.max()) / self.heat.get_value())
        return powers / powers.sum()

    def live(self, value, right, y, widest=-9.99):
        """A number that follows the temperature, ``right`` being its right edge."""
        digits = self.digits(value(), size=LARGE, widest=widest).move_to(at(right, y), RIGHT)
        return digits.add_updater(lambda d: d.set_value(value()))

    def bar(self, logits, row, y):
        """A bar as long as the probability: 560 pixels for one."""
        shape = Rectangle(self.theme.ink, px(72), px(560), stroke_width=0, fill_opacity=1)

        def follow(bar):
            bar.stretch_to_fit_width(px(2 + 558 * self.chances(logits)[row])).move_to(at(1040, y), LEFT)

        follow(shape)
        return shape.add_updater(follow)
