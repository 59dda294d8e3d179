"""Clips for docs/model/projection.md: heads put together and mixed; one number of the residual stream in its parts."""

import numpy as np
from manim import LEFT, RIGHT, UP, Arrow, FadeIn, LaggedStart, VGroup

from scenes.kit import ACCENT_LINE, CELL, EASE, GRID_AT, LARGE, REST, Stage, at, number_text, px

QUERY = 5  # the last letter of the word: from here on the model writes
THIN = 14  # height of a channel's cell
APART = 40  # between two heads
LINE = 104  # from one line of the account to the next
WEIGHT, BIAS = "sort.params/h.0.attn.c_proj.weight", "sort.params/h.0.attn.c_proj.bias"
BEFORE, AFTER = "sort.forward/h.0.ln_1/input", "block-forward-add-attn"


class Reassemble(Stage):
    """The results of all heads, stacked to one vector for each token, and a matrix that mixes them."""

    def construct(self):
        tokens = self.tokens()
        y = self.value("attention-forward-values")[0]
        mixed = self.value("attention-forward-project")[0].T
        heads, _, width = y.shape
        size, most = (CELL, THIN), float(np.abs(y).max())
        blocks, depth = [], width * THIN
        for head, values in enumerate(y):
            corner = (GRID_AT[0], GRID_AT[1] + head * (depth + APART))
            cells = self.signed(values.T, corner, size, most)
            self.tensor(cells, "attention-forward-values", (0, head), transposed=True)
            name = self.letter("H", f"{head}").move_to(at(108, corner[1] + depth / 2))
            blocks.append(VGroup(cells, name))
        depths = VGroup(*(self.upright("D", f"{width}").next_to(block, RIGHT, px(16)) for block in blocks))
        self.add(self.across(blocks[0][0], tokens), *blocks, depths)
        result = self.signed(mixed, (1200, GRID_AT[1]), size)
        self.tensor(result, "attention-forward-project", (0,), transposed=True)

        self.next_section("Heads")
        say = f"Each of the {heads} heads has made {width} numbers for every token."
        self.beat(f"{heads} heads, {width} numbers each", say=say, rest=2 * REST)

        self.next_section("Stack")
        moves = [block.animate.shift(px(APART * head) * UP) for head, block in enumerate(blocks)]
        say = f"Stacked, they are one vector of {heads * width} numbers for each token: no number has changed."
        self.beat("Stacked: one vector a token", *moves[1:], away=[depths], run_time=1, say=say)
        for head, block in enumerate(blocks):
            self.tensor(block[0], "attention-forward-concat", (0, slice(None), head), transposed=True)
        stack = VGroup(*(block[0] for block in blocks))
        self.play(FadeIn(self.upright("C", f"{heads * width}").next_to(stack, RIGHT, px(16))), run_time=EASE)
        self.wait(REST)

        self.next_section("Mix")
        arrow = Arrow(at(904, 600), at(1160, 600), buff=0, color=self.theme.muted, stroke_width=ACCENT_LINE)
        name = self.tag(self.code("c_proj").move_to(at(1024, 540)), "attention-forward-project")
        columns = [FadeIn(result.column(j)) for j in range(result.columns)]
        frame = self.focus(*(block[0].column(QUERY) for block in blocks))
        say = f"The matrix of c_proj makes {heads * width} new numbers for a token of all the {heads * width} it had."
        self.beat("c_proj mixes the heads", FadeIn(arrow, name, frame), FadeIn(result.column(QUERY)), say=say)
        self.beat(
            "The same for every token",
            FadeIn(self.across(result, tokens)),
            LaggedStart(*columns[:QUERY], *columns[QUERY + 1 :], lag_ratio=0.2),
            away=[frame],
            run_time=1.6,
            rest=2 * REST,
            say="Every token by itself, with the same matrix.",
        )


class Parts(Stage):
    """One number that attention adds to one token: what each head has given, the bias, and their sum."""

    def construct(self):
        letter = self.tokens()[QUERY]
        y, weight = self.value("attention-forward-concat")[0, QUERY], self.value(WEIGHT)
        given, bias = self.value("attention-forward-project")[0, QUERY], self.value(BIAS)
        before, after = self.value(BEFORE)[0, QUERY], self.value(AFTER)[0, QUERY]
        heads, width = y.shape
        channel = self.channel(y, weight, bias, given, before)
        row = weight[channel].reshape(heads, width)
        products = y * row
        starts = range(0, heads * width, width)
        columns = [self.blocks(y, 264), self.blocks(row, 464), self.blocks(products, 664)]
        for head, start in enumerate(starts):
            self.tensor(columns[0][head], "attention-forward-concat", (0, QUERY, head))
            self.tensor(columns[1][head], WEIGHT, (channel, slice(start, start + width)))
        self.tag(columns[2], "attention-forward-project")
        texts = {"y": 336, "w": 536, "y × w": 736}
        names = [self.words(text, color=self.theme.muted).move_to(at(x, 228)) for text, x in texts.items()]

        self.next_section("Products")
        middles = [GRID_AT[1] + head * (width * THIN + APART) + width * THIN / 2 for head in range(heads)]
        labels = VGroup(*(self.letter("H", f"{head}").move_to(at(132, y)) for head, y in enumerate(middles)))
        say = f"The {heads * width} numbers of the {letter} at position {QUERY}, and row {channel} of c_proj's matrix."
        self.beat(f"One {letter}, one row of c_proj", FadeIn(labels, *columns[:2], *names[:2]), say=say)
        self.beat("Multiply, number by number", FadeIn(columns[2], names[2]), say="Each number meets its weight.")

        self.next_section("Heads")
        lines = [self.line(f"head {h}", part.sum(), 264 + LINE * h) for h, part in enumerate(products)]
        self.tag(VGroup(*lines), "attention-forward-project")
        say = "Added up head by head: what each head gives to this number."
        self.beat("Add up, head by head", FadeIn(*lines, lag_ratio=0.4), run_time=1.2, say=say)

        self.next_section("Sum")
        at_bias = self.line("bias", bias[channel], 264 + LINE * heads, BIAS, (channel,))
        place = 0, QUERY, channel
        total = self.line("sum", given[channel], 280 + LINE * (heads + 1), "attention-forward-project", place)
        rule = self.rule(960, 1800, 212 + LINE * (heads + 1))
        say = f"With the bias, that is what attention adds: {number_text(given[channel], 3)}."
        self.beat("Their sum, and a bias", FadeIn(at_bias), FadeIn(rule, total), say=say)

        self.next_section("Residual")
        x = self.line("x before", before[channel], 280 + LINE * (heads + 2), BEFORE, place)
        new = self.line("x after", after[channel], 296 + LINE * (heads + 3), AFTER, place)
        rule = self.rule(960, 1800, 228 + LINE * (heads + 3))
        was, now = (number_text(numbers[channel], 3) for numbers in (before, after))
        say = f"Added to what was there, {was}: the residual stream goes on with {now}."
        self.beat("Added to what was there", FadeIn(x), FadeIn(rule, new), rest=2 * REST, say=say)

    def channel(self, y, weight, bias, given, before):
        """The channel to which attention adds most, of those whose rounded parts have the rounded sums."""
        shares = np.einsum("hd,chd->hc", y, weight.reshape(-1, *y.shape))
        parts = np.round([*shares, bias], 3).sum(0) - given.round(3)
        sums = before.round(3) + given.round(3) - (before + given).round(3)
        return int(np.where((abs(parts) < 5e-4) & (abs(sums) < 5e-4), abs(given), 0).argmax())

    def blocks(self, values, left):
        """A vector as a column of thin cells, with a gap between heads: values (H, D)."""
        depth, most = values.shape[1] * THIN + APART, float(np.abs(values).max())
        corners = ((left, GRID_AT[1] + head * depth) for head in range(len(values)))
        columns = zip(values, corners, strict=True)
        return VGroup(*(self.signed(part[:, None], corner, (144, THIN), most) for part, corner in columns))

    def line(self, text, value, y, name="", where=()):
        """A line of the account: what, and how much."""
        number = self.number(value, 3, LARGE).move_to(at(1800, y), RIGHT)
        label = self.words(text, LARGE, self.theme.muted).move_to(at(960, y), LEFT)
        return VGroup(label, self.tensor(VGroup(number), name, where) if name else number)
