"""Clip for docs/model/counting.md: where the parameters are, to scale."""

import math

import numpy as np
from manim import LEFT, RIGHT, FadeIn, Rectangle, VGroup

from scenes.kit import HAIRLINE, REST, Stage, at, px

SCALE = 3.2  # pixels for one number
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
