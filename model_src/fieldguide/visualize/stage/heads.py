"""Attention of the reader's own model: each token's row of weights, then all heads of the layer."""

import math

from manim import LEFT, PI, RIGHT, UP, FadeIn, LaggedStart, Rectangle, VGroup

from .ground import ACCENT_LINE, REST, SMALL, Ground, at, number_text, px

CORNER, SIDE = (360, 320), 680  # pixels: of the grid of weights
BARS = (1180, 1800)  # left edge of the words, right edge of the bars
SHOWN = 6  # tokens that are listed with their weights
ALL = (8, 4)  # heads that are drawn side by side at most, and columns


class Attention(Ground):
    """A grid, row by row: how much each token takes from each of those before it."""

    def construct(self):
        given = self.given
        self.labels, self.weights = given["tokens"], given["weights"]
        self.cell = SIDE / len(self.labels)
        where = f"layer {given['layer']}, head {given['head']}"
        self.next_section("Tokens")
        marks = self.marks()
        self.beat(f"{len(self.labels)} tokens", FadeIn(marks), say="The tokens: " + " ".join(self.labels) + ".")
        self.next_section("Rows")
        grid = self.rows(where)
        self.next_section("Last", "poster")
        listed = self.strongest(where)
        if len(given["heads"]) > 1:
            self.next_section("Heads")
            self.all_heads([marks, grid, listed])

    def marks(self):
        """The tokens above the columns and beside the rows."""
        size = SMALL if self.cell > 62 else max(22, int(self.cell * 0.9))
        found = VGroup()
        for i, label in enumerate(self.labels):
            across = self.code(label, size, self.theme.muted)
            if len(label) > 1:
                across.rotate(PI / 2)
            if across.height > px(130):
                across.scale_to_fit_height(px(130))
            x, y = CORNER[0] + (i + 0.5) * self.cell, CORNER[1] + (i + 0.5) * self.cell
            across.move_to(at(x, CORNER[1] - 16), aligned_edge=-UP)
            down = self.fit(self.code(label, size, self.theme.muted), 150)
            found.add(across, down.move_to(at(CORNER[0] - 16, y), aligned_edge=RIGHT))
        return found

    def square(self, i, j, weight):
        """One weight."""
        shape = self.box(CORNER[0] + j * self.cell, CORNER[1] + i * self.cell, self.cell - 4, self.cell - 4,
                         self.theme.weight(weight))  # fmt: skip
        return shape

    def rows(self, where):
        """The rows come one after the other: each adds up to 1."""
        rows = VGroup(*(VGroup(*(self.square(i, j, self.weights[i][j]) for j in range(i + 1)))
                        for i in range(len(self.labels))))  # fmt: skip
        grow = LaggedStart(*(FadeIn(row) for row in rows), lag_ratio=0.8)
        seconds = min(5.0, 1 + 0.35 * len(rows))
        most = [max(range(i + 1), key=lambda j: self.weights[i][j]) for i in range(len(rows))]
        told = "; ".join(f"{self.labels[i]} at {i} most from {self.labels[j]} at {j}, "
                         f"{number_text(self.weights[i][j])}" for i, j in enumerate(most))  # fmt: skip
        self.beat(f"Attention, {where}", grow, run_time=seconds, say=f"Row by row, {where}: {told}.")
        return rows

    def strongest(self, where):
        """The last token's row in numbers, the largest first."""
        last = len(self.labels) - 1
        order = sorted(range(last + 1), key=lambda j: -self.weights[last][j])[:SHOWN]
        frame = Rectangle(width=px(SIDE), height=px(self.cell)).set_stroke(self.theme.accent, ACCENT_LINE)
        frame.move_to(at(CORNER[0] + SIDE / 2 - 2, CORNER[1] + (last + 0.5) * self.cell - 2)).set_z_index(2)
        listed = VGroup(self.left_of("the last token takes", BARS[0], 320, self.theme.muted))
        for row, j in enumerate(order):
            y, weight = 430 + row * 100, self.weights[last][j]
            label = self.fit(self.code(self.labels[j]), 130).move_to(at(BARS[0], y), aligned_edge=LEFT)
            label = VGroup(label, self.right_of(f"at {j}", BARS[0] + 250, y, self.theme.muted, 48))
            length = weight / max(self.weights[last]) * 190
            bar = self.box(BARS[0] + 280, y - 24, length, 48, self.theme.weight(0.35 + 0.65 * weight))
            listed.add(VGroup(label, bar, self.right_of(number_text(weight), BARS[1], y)))
        told = "; ".join(f"{self.labels[j]} at {j}, {number_text(self.weights[last][j])}" for j in order)
        self.beat(f"Attention, {where}", FadeIn(frame, listed), rest=2 * REST,
                  say=f"What the last token takes, the largest first: {told}.")  # fmt: skip
        return VGroup(frame, listed)

    def all_heads(self, away):
        """The same tokens in every head of the layer."""
        heads = self.given["heads"][: ALL[0]]
        columns = min(ALL[1], len(heads))
        lines = math.ceil(len(heads) / columns)
        side = min(1560 / columns - 60, 760 / lines - 110)
        shown = VGroup()
        for number, weights in enumerate(heads):
            x = 192 + (number % columns) * (side + 60)
            y = 230 + (number // columns) * (side + 110)
            cell = side / len(self.labels)
            cells = VGroup(*(self.box(x + j * cell, y + i * cell, cell - 1, cell - 1, self.theme.weight(weight))
                             for i, row in enumerate(weights) for j, weight in enumerate(row[: i + 1])))  # fmt: skip
            color = self.theme.ink if number == self.given["head"] else self.theme.muted
            shown.add(VGroup(cells, self.left_of(f"head {number}", x, y + side + 44, color)))
        count = len(self.given["heads"])
        told = "All heads" if count <= len(heads) else f"{len(heads)} of {count} heads"
        grow = LaggedStart(*(FadeIn(each) for each in shown), lag_ratio=0.4)
        self.beat(f"{told} of layer {self.given['layer']}", grow, away=away, run_time=1.6, rest=2 * REST,
                  say=f"{told} of layer {self.given['layer']}, for the same tokens.")  # fmt: skip
