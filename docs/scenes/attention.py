"""Clips for docs/model/attention.md: one head of block 0, from scores to mixed values; then all its heads."""

import numpy as np
from manim import LEFT, RIGHT, FadeIn, LaggedStart, ReplacementTransform, VGroup

from scenes.kit import CELL, EASE, FOCUS_AT, GRID_AT, LARGE, REST, Stage, at, number_text, px

HEAD = 0
QUERY = 5  # the last letter of the input: from here on the model writes


class Scores(Stage):
    """The dot product of one token's q with another's k, then of every pair."""

    def construct(self):
        tokens = self.tokens()
        q, k = (self.value(f"attention-forward-{name}")[0, HEAD] for name in "qk")
        scores = self.value("attention-forward-scores")[0, HEAD]
        scaled = self.value("attention-forward-scaled")[0, HEAD]
        row, column = QUERY, int(scores[QUERY, : QUERY + 1].argmax())
        full = self.tensor(self.signed(scores, GRID_AT), "attention-forward-scores", (0, HEAD))
        grid = self.tag(self.empty(full.copy()), "attention-forward-scores")
        self.add(grid, self.across(full, tokens, "looked at: k"), self.down(full, tokens, "looking: q"))
        frame = self.focus(full.cell(row, column))

        self.next_section("One pair")
        operands, products = self.ledger(q, row, k, column)
        self.beat(
            f"One {tokens[row]} looks at one {tokens[column]}",
            FadeIn(frame),
            FadeIn(operands),
            say=f"The q of one {tokens[row]} and the k of one {tokens[column]}: {len(q[row])} numbers each.",
        )
        self.beat(
            "Multiply, channel by channel",
            FadeIn(products, lag_ratio=0.1),
            run_time=1.2,
            say="Each number of q is multiplied by its partner in k.",
        )
        total = self.tag(self.result("sum", scores[row, column]), "attention-forward-scores")
        self.tensor(total[1:], "attention-forward-scores", (0, HEAD, row, column))
        self.beat(
            "Add up: their score",
            FadeIn(total),
            ReplacementTransform(grid[row * full.columns + column], full.cell(row, column)),
            say=f"The products add up to one number, the score {number_text(scores[row, column])}.",
        )

        self.next_section("Every pair")
        empty = [VGroup(*grid[i * full.columns :][: full.columns]) for i in range(full.rows)]
        rows = [ReplacementTransform(cells, full.row(i)) for i, cells in enumerate(empty)]
        self.beat(
            "The same for every pair",
            LaggedStart(*rows, lag_ratio=0.3),
            run_time=2.0,
            say="Every token's q meets every token's k: a matrix of scores.",
        )

        self.next_section("Scale")
        divided = self.tag(self.result(f"sum ÷ √{q.shape[1]}", scaled[row, column]), "attention-forward-scale")
        self.tensor(divided[1:], "attention-forward-scaled", (0, HEAD, row, column))
        self.beat(
            "Divided by the root of D",
            ReplacementTransform(total, divided),
            rest=2 * REST,
            say="Divided by the square root of the head's size, so that scores don't grow with it.",
        )

    def ledger(self, q, row, k, column):
        """A q and a k as numbers, and the colours of their products, in two blocks of half the channels each."""
        half, (x, y) = q.shape[1] // 2, FOCUS_AT
        most, product = max(np.abs(q[row]).max(), np.abs(k[column]).max()), q[row] * k[column]
        operands, products = VGroup(), VGroup()
        for left, part in ((x, slice(half)), (x + 456, slice(half, None))):
            for name, token, values, right in (("q", row, q, left + 160), ("k", column, k, left + 320)):
                cells = self.signed(values[token, part, None], (right - 160, y), (160, 72), most)
                inks = [self.theme.on(self.theme.sign(v / most)) for v in values[token, part]]
                numbers = (self.number(v, 1, color=ink) for v, ink in zip(values[token, part], inks, strict=True))
                pairs = (VGroup(cell, n.move_to(cell)) for cell, n in zip(cells, numbers, strict=True))
                operands.add(self.tensor(VGroup(*pairs), f"attention-forward-{name}", (0, HEAD, token, part)))
                operands.add(self.head(name, right - 64))
            products.add(*self.signed(product[part, None], (left + 328, y), (72, 72), float(np.abs(product).max())))
            products.add(self.head("×", left + 380))
        return operands, products

    def result(self, what, value):
        number = self.number(value, size=LARGE).move_to(at(1800, 912), aligned_edge=RIGHT)
        return VGroup(self.words(what, LARGE, self.theme.muted).next_to(number, LEFT, buff=px(48)), number)


class CausalMask(Stage):
    """Scores ahead of a token become minus infinity; softmax makes each row weights that sum to one."""

    def construct(self):
        tokens = self.tokens()
        masked = self.value("attention-forward-mask")[0, HEAD]
        scores = self.value("attention-forward-scaled")[0, HEAD]
        weights = self.value("attention-forward-softmax")[0, HEAD]
        most = float(np.abs(scores).max())
        grid = self.tensor(self.signed(scores, GRID_AT), "attention-forward-scaled", (0, HEAD))
        hidden = self.tensor(self.signed(masked, GRID_AT, most=most), "attention-forward-mask", (0, HEAD))
        shares = self.tensor(self.weights(weights, GRID_AT), "attention-forward-softmax", (0, HEAD))
        self.empty([*hidden.ahead(), *shares.ahead()])
        self.add(grid, self.across(grid, tokens, "looked at"), self.down(grid, tokens, "looking"))
        letters = self.down(self.signed(scores[:, :1], (FOCUS_AT[0] + 72, FOCUS_AT[1])), tokens)
        row = 0, HEAD, QUERY
        before = self.tensor(self.column(scores[QUERY], 1304), "attention-forward-scaled", row)
        masked_row = self.tensor(self.column(masked[QUERY], 1304, QUERY + 1), "attention-forward-mask", row)
        after = self.tensor(self.column(weights[QUERY], 1800, QUERY + 1), "attention-forward-softmax", row)
        swatches = self.weights(weights[QUERY][:, None], (1536, FOCUS_AT[1]))
        self.empty(self.tensor(swatches, "attention-forward-softmax", row)[QUERY + 1 :])

        self.next_section("Scores")
        self.beat(
            f"The scores of one {tokens[QUERY]}",
            FadeIn(self.focus(grid.row(QUERY))),
            FadeIn(VGroup(letters, before, self.head("score", 1304))),
            say=f"The row of the {tokens[QUERY]} at position {QUERY}: its score for every token.",
        )

        self.next_section("Mask")
        self.beat(
            "The future is hidden",
            ReplacementTransform(grid, hidden),
            ReplacementTransform(before, masked_row),
            rest=2 * REST,
            say="Scores above the diagonal become minus infinity: no token may look ahead.",
        )

        self.next_section("Softmax")
        self.beat(
            "Softmax: weights that sum to 1",
            ReplacementTransform(hidden, shares),
            FadeIn(VGroup(after, swatches, self.head("weight", 1800))),
            say="Softmax turns each row into weights; minus infinity becomes zero.",
        )
        total = self.column([weights[QUERY].sum()], 1800, top=FOCUS_AT[1] + grid.rows * CELL + 16)
        self.play(FadeIn(VGroup(self.rule(1536, 1800, 888), total)), run_time=EASE)
        self.wait(2 * REST)


class WeightedSum(Stage):
    """One token's weights scale the columns of v; their sum is its y."""

    def construct(self):
        tokens = self.tokens()
        weights = self.value("attention-forward-softmax")[0, HEAD, QUERY]
        v = self.value("attention-forward-v")[0, HEAD].T
        y = self.value("attention-forward-values")[0, HEAD, QUERY]
        channel, most = int(np.abs(y).argmax()), float(np.abs(v).max())
        size, corner = (CELL, 40), (GRID_AT[0], GRID_AT[1] + 72)
        offered = self.tensor(self.signed(v, corner, size), "attention-forward-v", (0, HEAD), transposed=True)
        looks = self.tensor(self.weights(weights[None], GRID_AT), "attention-forward-softmax", (0, HEAD, QUERY))
        mixed = self.signed(y[:, None], (GRID_AT[0] + 640, corner[1]), size, most)
        self.tensor(mixed, "attention-forward-values", (0, HEAD, QUERY))
        name = self.words("y", color=self.theme.muted).move_to(at(mixed.corner[0] + 28, GRID_AT[1] + 28))
        self.empty(VGroup(*looks[QUERY + 1 :]))
        self.add(offered, self.across(looks, tokens, "looked at"))
        self.add(self.upright("D", "v").move_to(at(132, 656)))

        self.next_section("Weights")
        self.beat(
            f"The weights of one {tokens[QUERY]}",
            FadeIn(looks),
            FadeIn(self.words("w", color=self.theme.muted).move_to(at(132, 292))),
            say=f"The {tokens[QUERY]} at position {QUERY} has a weight for each token, and each token a v.",
        )

        self.next_section("Sum")
        scaled = self.tag(self.signed(v * weights, corner, size, most), "attention-forward-values")
        for j in range(QUERY + 1, len(tokens)):
            self.empty(scaled.column(j))
        self.beat(
            "Scale each column of v",
            ReplacementTransform(offered, scaled),
            run_time=0.8,
            say="Each column of v is multiplied by its weight.",
        )
        seen = [scaled.column(j).copy() for j in range(QUERY + 1)]
        self.beat(
            "Add the columns: y",
            LaggedStart(*(ReplacementTransform(column, mixed) for column in seen), lag_ratio=0.2),
            FadeIn(name),
            run_time=1.6,
            say="The sum of the scaled columns is this token's y.",
        )

        self.next_section("One channel")
        letters = self.down(self.signed(v.T[:, :1], (FOCUS_AT[0] + 104, FOCUS_AT[1])), tokens)
        terms = {"w": (1288, weights), "v": (1528, v[channel]), "w × v": (1800, weights * v[channel])}
        heads = VGroup(*(self.head(text, x) for text, (x, _) in terms.items()))
        w, values, products = (self.column(numbers, x, QUERY + 1) for x, numbers in terms.values())
        self.tensor(w, "attention-forward-softmax", (0, HEAD, QUERY))
        self.tensor(values, "attention-forward-v", (0, HEAD, slice(None), channel))
        self.beat(
            "One channel, in numbers",
            FadeIn(self.focus(scaled.row(channel), mixed.cell(channel, 0))),
            FadeIn(VGroup(letters, heads, w, values, products)),
            say=f"One channel: each token's weight times its v, and their sum {number_text(y[channel])}.",
        )
        total = self.column([y[channel]], 1800, top=FOCUS_AT[1] + len(tokens) * CELL + 16)
        self.tensor(total, "attention-forward-values", (0, HEAD, QUERY, channel))
        self.play(FadeIn(VGroup(self.rule(1608, 1800, 888), total)), run_time=EASE)
        self.wait(2 * REST)


class Heads(Stage):
    """The weights of three heads side by side: where each looks while the model writes."""

    def construct(self):
        tokens = self.tokens()
        answer = self.tokens("targets")
        weights = self.value("attention-forward-softmax")[0]
        grids = [self.weights(w, (120 + head * 600, GRID_AT[1]), (48, 48)) for head, w in enumerate(weights)]
        for head, grid in enumerate(grids):
            self.empty(self.tensor(grid, "attention-forward-softmax", (0, head)).ahead())
            name = self.letter("H", f"head {head}").move_to(at(grid.corner[0] + 264, GRID_AT[1] - 100))
            self.add(grid, name, self.across(grid, tokens), self.down(grid, tokens))

        self.next_section("Heads")
        self.beat(
            f"{len(grids)} heads, {len(grids)} ways to look",
            say="Each head has its own weights for the same tokens.",
        )
        self.next_section("While it writes")
        shown = []
        for row in range(QUERY, len(tokens)):
            equal = [j for j in range(row + 1) if tokens[j] == answer[row]]
            marks = VGroup(*(self.focus(grid.cell(row, j)) for grid in grids for j in equal))
            shares = [float(w[row, equal].sum()) for w in weights]
            texts = VGroup(*map(self.share, grids, shares))
            listed = ", ".join(f"head {head} {number_text(share)}" for head, share in enumerate(shares))
            self.beat(
                f"About to write {answer[row]}: weight on {answer[row]}",
                FadeIn(marks, texts),
                away=shown,
                say=f"Position {row}, about to write {answer[row]}; weight on {answer[row]}: {listed}.",
            )
            shown = [marks, texts]

    def share(self, grid, share):
        return self.number(share, size=LARGE).move_to(at(grid.corner[0] + 264, 872))
