"""Clip for docs/model/beginning.md: the table that two layers share."""

import numpy as np
from manim import FadeIn, VGroup

from scenes.kit import GRID_AT, REST, Stage, at, px

CHANNEL = (72, 14)  # a number of a vector that stands upright


class Tying(Stage):
    """One table reads and writes: a letter's vector is copied from it, a letter's score is a dot product with it."""

    def construct(self):
        wte = self.value("sort.params/transformer.wte.weight").T
        first, last = self.value("sort.generate@1/idx")[0, [0, -1]]
        x, logits = self.value("sort.generate@0/x")[0, -1], self.value("sort.generate@1/logits")[0, 0]
        most = float(np.abs(wte).max())
        table = self.signed(wte, GRID_AT, CHANNEL, most)
        self.tensor(table, "sort.params/transformer.wte.weight", (slice(None),), transposed=True)
        heads = self.tag(self.across(table, "ABC"), "preliminary-init-tied")
        side = self.letter("V", "letters").move_to(at(356, 156))
        self.add(table, heads, side, self.upright("C", "wte").move_to(at(116, 600)))

        self.next_section("Read")
        read = self.vector(wte[:, first], 600, "tok_emb", most)
        self.tensor(read[0], "sort.generate@0/tok_emb", (0, 0))
        frame = self.focus(table.column(first))
        self.beat(
            f"To read {'ABC'[first]}: its column is copied",
            FadeIn(frame),
            FadeIn(read),
            say=f"wte holds a vector for each letter. A {'ABC'[first]} that goes in becomes a copy of its own.",
        )

        self.next_section("Between")
        final = self.vector(x, 600, "x", float(np.abs(x).max()))
        self.tensor(final[0], "sort.generate@0/x", (0, len(self.value("sort.generate@1/idx")[0]) - 1))
        self.beat(
            "Blocks and ln_f: the last vector",
            FadeIn(final),
            away=[read, frame],
            say=f"Much later, the vector x of the last {'ABC'[last]} comes out of the blocks and the final norm.",
        )

        self.next_section("Write")
        products = wte * x[:, None]
        strongest = np.abs(products).max()
        columns = [self.vector(p, 900 + 320 * i, f"{'ABC'[i]} × x", strongest) for i, p in enumerate(products.T)]
        self.beat(
            "To write: each column times x",
            FadeIn(*columns),
            say="The same table again: each letter's column is multiplied with x, number by number.",
        )
        sums = VGroup(*(self.number(v).move_to(at(936 + 320 * i, 992)) for i, v in enumerate(logits)))
        self.tensor(sums, "sort.generate@1/logits", (0, 0))
        best = self.focus(sums[logits.argmax()]).stretch_to_fit_height(px(88)).stretch_to_fit_width(px(248))
        self.beat(
            "Added up: the scores",
            FadeIn(sums, best),
            rest=2 * REST,
            say=f"The sums are the scores, the logits. The best fit is {'ABC'[logits.argmax()]}.",
        )

    def vector(self, values, left, name, most):
        """A vector that stands upright, and what it is, above it."""
        cells = self.signed(values[:, None], (left, GRID_AT[1]), CHANNEL, float(most))
        return VGroup(cells, self.code(name, color=self.theme.muted).move_to(at(left + 36, 220)))
