"""Clips for docs/model/preliminary.md: where the parameters are, to scale; and the table that two layers share."""

import math

import numpy as np
from manim import LEFT, RIGHT, FadeIn, Rectangle, VGroup

from scenes.kit import GRID_AT, HAIRLINE, REST, Stage, at, px

SCALE = 3.2  # pixels for one number
CHANNEL = (72, 14)  # a number of a vector that stands upright
EMBEDDINGS = ("transformer.wte", "transformer.wpe")
ATTENTION = ("h.0.attn.c_attn", "h.0.attn.c_proj")
MLP = ("h.0.mlp.c_fc", "h.0.mlp.c_proj")
NORMS = ("h.0.ln_1", "h.0.ln_2")


class Parameters(Stage):
    """Every tensor of the embeddings and of one block as a rectangle of its shape, all in one scale."""

    def construct(self):
        layers, total = self.fact("n_layer"), self.fact("n_params")
        numbers = [sum(math.prod(self.size(name)) for name in part) for part in (EMBEDDINGS, ATTENTION, MLP)]
        counts = [numbers[0], layers * numbers[1], layers * numbers[2]]
        parts = ("embeddings", "attention", "MLP", "the rest")
        rows = [self.row(*pair, i) for i, pair in enumerate(zip(parts, [*counts, total - sum(counts)], strict=True))]

        self.next_section("Embeddings")
        tables = [
            self.vectors(EMBEDDINGS[0], (120, 320), "preliminary-init-wte"),
            self.matrix(EMBEDDINGS[1], (120, 440), "preliminary-init-wpe"),
        ]
        self.beat(
            "Two tables of vectors",
            FadeIn(*tables),
            FadeIn(rows[0]),
            say=f"One row for each letter, one for each position: {counts[0]} numbers of {total:,}.",
        )

        self.next_section("A block")
        attention = [
            self.matrix(ATTENTION[0], (440, 320), "attention-layers-c-attn"),
            self.matrix(ATTENTION[1], (440, 880), "attention-layers-c-proj"),
        ]
        self.beat(
            "Attention: two matrices",
            FadeIn(*attention),
            FadeIn(rows[1]),
            say=f"In each of {layers} blocks: one matrix makes queries, keys and values, one mixes the heads.",
        )
        mlp = [self.matrix(name, (x, 320), "preliminary-init-blocks") for name, x in zip(MLP, (792, 1080), strict=True)]
        self.beat(
            "MLP: two larger ones",
            FadeIn(*mlp),
            FadeIn(rows[2]),
            say="To four times the width, and back: most of the model is here.",
        )
        self.beat(
            "Biases and norms: as thin as lines",
            FadeIn(self.lines()),
            FadeIn(rows[3]),
            say="A bias beside each matrix, a gain and a shift for each norm: drawn to scale, they are lines.",
        )

        self.next_section("All")
        everything = self.row(f"all, {layers} blocks", total, 4)
        self.beat(
            f"All of it: {total:,} numbers",
            FadeIn(everything[0], everything[1]),
            rest=2 * REST,
            say=f"With {layers} blocks alike, the model has {total:,} parameters.",
        )

    def size(self, name, kind="weight"):
        return self.shape(f"sort.params/{name}.{kind}")

    def sheet(self, shape, corner):
        """A rectangle with as many pixels down and across as the tensor has numbers, times the scale."""
        height, width = (max(SCALE, length * SCALE) for length in shape)
        sheet = Rectangle(self.theme.muted, px(height), px(width), stroke_width=HAIRLINE)
        return sheet.set_fill(self.theme.line, 1).move_to(at(corner[0] + width / 2, corner[1] + height / 2))

    def vectors(self, name, corner, step):
        """A table small enough to show every number."""
        name, matrix = f"sort.params/{name}.weight", self.matrix(name, corner, step)
        values = self.value(name)
        cells = [
            Rectangle(self.theme.sign(v / np.abs(values).max()), px(SCALE), px(SCALE), stroke_width=0, fill_opacity=1)
            for v in values.flat
        ]
        table = VGroup(*cells).arrange_in_grid(*values.shape, buff=0).move_to(matrix[0])
        return VGroup(self.tensor(table, name, (slice(None),)), matrix[1])

    def matrix(self, name, corner, step):
        sheet = self.sheet(self.size(name), corner)
        label = self.code(name.split(".")[-1]).move_to(at(0, corner[1] - 44)).align_to(sheet, LEFT)
        return self.tag(VGroup(sheet, label), step)

    def lines(self):
        """The biases of the four matrices, right of them, and what the block's norms have."""
        corners = ((440, 320), (440, 880), (792, 320), (1080, 320))
        lines = VGroup()
        for name, (x, y) in zip((*ATTENTION, *MLP), corners, strict=True):
            lines.add(self.sheet((*self.size(name, "bias"), 1), (x + self.size(name)[1] * SCALE + 12, y)))
        for i, name in enumerate(NORMS):
            for j, kind in enumerate(("weight", "bias")):
                lines.add(self.sheet((*self.size(name, kind), 1), (120 + 48 * i + 16 * j, 672)))
        return lines.add(self.code("ln").move_to(at(0, 628)).align_to(at(120, 0), LEFT))

    def row(self, part, count, place):
        """What the rectangles of a part come to: its name, its share of all parameters."""
        y, share = 592 + 88 * place, count / self.fact("n_params")
        name = self.words(part, color=self.theme.muted).move_to(at(1080, y), aligned_edge=LEFT)
        return VGroup(name, self.code(f"{share:.1%}").move_to(at(1840, y), aligned_edge=RIGHT))


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
