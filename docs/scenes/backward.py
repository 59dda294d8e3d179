"""Clips for docs/backward/attention.md: a row of gradients goes back through softmax, and every row with it."""

from manim import FadeIn, LaggedStart, ReplacementTransform, VGroup

from scenes.kit import CELL, FOCUS_AT, GRID_AT, REST, Stage, number_text

HEAD = 2
QUERY = 5  # the last letter of the word: the first position with a target
UNIT = 1000  # gradients are shown in thousandths
WEIGHTS = "attention-forward-softmax"
BY_WEIGHTS = "backward.forward-grad/h.0.attn/attention-forward-softmax"
BY_SCORES = "backward.forward-grad/h.0.attn/attention-forward-mask"


class Softmax(Stage):
    """Take the row's mean off its gradients, by the weights; multiply by the weights: the gradients of the scores."""

    def construct(self):
        tokens = self.tokens()
        weights, by_weights, by_scores = (self.value(name)[0, HEAD] for name in (WEIGHTS, BY_WEIGHTS, BY_SCORES))
        live, row = QUERY + 1, (0, HEAD, QUERY)
        mean = float((weights[QUERY] * by_weights[QUERY]).sum())
        grid = self.tensor(self.signed(by_weights, GRID_AT), BY_WEIGHTS, (0, HEAD))
        back = self.tensor(self.signed(by_scores, GRID_AT), BY_SCORES, (0, HEAD))
        self.empty(back.ahead())
        self.add(grid, self.across(grid, tokens, "looked at"), self.down(grid, tokens, "looking"))
        letters = self.down(self.signed(weights[:live, :1], (FOCUS_AT[0] + 16, FOCUS_AT[1])), tokens[:live])
        weight, grad, above, score = (
            VGroup(self.head(name, right), self.column(numbers[:live], right))
            for name, numbers, right in (
                ("weight", weights[QUERY], 1160),
                ("grad", by_weights[QUERY] * UNIT, 1376),
                ("− mean", (by_weights[QUERY] - mean) * UNIT, 1608),
                ("× weight", by_scores[QUERY] * UNIT, 1872),
            )
        )
        self.tensor(weight[1], WEIGHTS, (*row, slice(live)))
        self.tensor(grad[1], BY_WEIGHTS, (*row, slice(live)))
        self.tensor(score[1], BY_SCORES, (*row, slice(live)))

        self.next_section("Arrives")
        say = f"The gradient by each weight of one row, in thousandths: the {tokens[QUERY]} at position {QUERY} looks."
        self.beat("By the weights", FadeIn(self.focus(grid.row(QUERY)), letters, weight, grad), say=say, rest=2 * REST)

        self.next_section("Mean")
        foot = FOCUS_AT[1] + live * CELL
        middle = VGroup(self.rule(1226, 1376, foot + 8), self.column([mean * UNIT], 1376, top=foot + 16))
        say = f"Their mean by the weights is {number_text(mean * UNIT)}: a weight can only grow if others shrink."
        self.beat("Their mean, by weight", FadeIn(middle), say=say)
        say = "The mean is taken off. What lies above it will push its score down, what lies below, up."
        self.beat("Take off the mean", FadeIn(above), say=say)

        self.next_section("Weight")
        say = "Times the weight: the gradients by the scores. A score with no weight gets none."
        turned = ReplacementTransform(grid.row(QUERY), back.row(QUERY))
        self.beat("Times the weight", FadeIn(score), turned, say=say)
        nothing = abs(by_scores[QUERY].sum()) * UNIT
        total = VGroup(self.rule(1722, 1872, foot + 8), self.column([nothing], 1872, top=foot + 16))
        say = "They add up to zero: a shift of all scores changes nothing."
        self.beat("They add up to zero", FadeIn(total), say=say)

        self.next_section("Every row")
        rows = [ReplacementTransform(grid.row(i), back.row(i)) for i in range(grid.rows) if i != QUERY]
        say = "The same for every row. The first row gets none: who can only look at itself has nothing to choose."
        self.beat("Every row by itself", LaggedStart(*rows, lag_ratio=0.2), run_time=1.6, rest=2 * REST, say=say)
