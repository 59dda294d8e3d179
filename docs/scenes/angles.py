"""The clip for docs/ngpt/attention.md: scores of a GPT's attention and of nGPT's, side by side, up to the weights."""

import numpy as np
from manim import FadeIn, FadeOut, Line, VGroup

from scenes.formulae import formula
from scenes.kit import HAIRLINE, REST, SMALL, Stage, at

TOKENS, HEAD, SIDE = 12, 1, 50  # of the text, of the attention; pixels of a cell
LEFT_AT, RIGHT_AT, UNDER = (192, 224), (1128, 224), 880
GPT, NGPT = "ngpt.gpt", "ngpt.forward/layers.1.0.fn"


class TwoScores(Stage):
    """Products against cosines, their scales, and the weights that both become."""

    def construct(self):
        self.read()
        edge = Line(at(960, 200), at(960, 940)).set_stroke(self.theme.line, 2 * HAIRLINE)
        names = VGroup(self.named("a GPT", 0, self.theme.blue), self.named("nGPT", 1, self.theme.green))
        old = self.grids(self.products, self.cosines, "products", "cosines")

        self.next_section("Compared")
        self.beat(
            "Each query meets each key",
            FadeIn(edge, names),
            FadeIn(old),
            rest=2 * REST,
            say=f"{TOKENS} tokens, one head of each. A GPT's products go from {self.products.min():.1f} to "
            f"{self.products.max():.1f}. nGPT's queries and keys have length 1, so that it has cosines.",
        )

        self.next_section("Rotated")
        turned = self.turned()
        self.beat(
            "Turned by position before that",
            FadeIn(turned),
            rest=2 * REST,
            say="Rotary positions are there in both. A rotation keeps lengths, so that turning first and normalising "
            f"then gives the same as the other way round: here up to {self.off:.0e}.",
        )

        self.next_section("Scales")
        new = self.grids(self.scaled[0], self.between, "divided by √D", "times s_qk, twice")
        self.swap("Learned numbers scale cosines", old, new, away=(turned,), say=self.said_of_scales())
        old, new, laws = new, self.grids(*self.scaled, "divided by √D", "and times √D"), self.laws()
        self.swap(
            "A GPT shrinks, nGPT enlarges",
            old,
            new,
            say=f"A GPT divides by the root of {self.width}, nGPT multiplies by it: scores up to "
            f"{np.abs(self.scaled[1]).max():.0f}.",
            beside=(laws,),
        )

        self.next_section("Weights")
        weights = self.grids(*self.attention, "weights", "weights", weights=True)
        self.swap(
            "A softmax makes weights",
            new,
            weights,
            say="What lies ahead is masked, and in each row a softmax makes weights of scores, in both the same way.",
            away=(laws,),
        )

        self.next_section("To keep", "poster")
        self.beat(
            "Length 1 first, then learned scales",
            rest=2 * REST,
            say="nGPT gives queries and keys length 1, then a learned scale. A GPT takes them as they come.",
        )

    def read(self):
        """Scores of one head, (tokens, tokens): queries down, keys across."""
        part = (0, HEAD, slice(TOKENS))
        q, k = (self.value(f"{GPT}/{name}")[part].astype(float) for name in "qk")
        unit_q, unit_k = (self.value(f"{NGPT}/ngpt-attention-norm-{name}")[part].astype(float) for name in "qk")
        s_qk = self.value(f"{NGPT}/s_qk")[HEAD].astype(float)
        self.width = q.shape[-1]
        self.products, self.cosines = q @ k.T, unit_q @ unit_k.T
        self.between = (unit_q * s_qk) @ (unit_k * s_qk).T
        self.scaled = self.products / self.width**0.5, self.between * self.width**0.5
        self.attention = [self.value(f"{name}/att")[0, HEAD, :TOKENS, :TOKENS] for name in (GPT, NGPT)]
        before = self.value(f"{NGPT}/ngpt-attention-turn")[part].astype(float)
        self.off = np.abs(before / np.linalg.norm(before, axis=-1, keepdims=True) - unit_q).max()

    def grids(self, left, right, left_name, right_name, weights=False):
        """Both grids with their names, the scores each with its own range."""
        found = VGroup()
        for values, corner, name in ((left, LEFT_AT, left_name), (right, RIGHT_AT, right_name)):
            grid = (self.weights if weights else self.signed)(np.array(values), corner, (SIDE, SIDE))
            middle = corner[0] + TOKENS * SIDE / 2
            reach = name if weights else f"{name}: ±{np.abs(values).max():.1f}"
            self.tag(grid, "ngpt-attend-softmax" if weights else "ngpt-attend-scores")
            found.add(VGroup(grid, self.words(reach).move_to(at(middle, UNDER))))
        return found

    def named(self, text, side, color):
        middle = (LEFT_AT, RIGHT_AT)[side][0] + TOKENS * SIDE / 2
        return self.words(text, color=color).move_to(at(middle, 176))

    def turned(self):
        return self.words(f"norm and rotation: {self.off:.0e} apart", color=self.theme.muted).move_to(at(960, 1000))

    def said_of_scales(self):
        s_qk = np.abs(self.value(f"{NGPT}/s_qk")[HEAD])
        return (
            f"Queries and keys are multiplied by s_qk, a learned number for each place, here {s_qk.min():.1f} to "
            f"{s_qk.max():.1f}."
        )

    def laws(self):
        """What both scores are, below them; a learned scale is yellow."""
        yellow, blue, green = self.theme.yellow, self.theme.blue, self.theme.green
        gpt = formula(self.theme, "products", SMALL, blue)
        ngpt = formula(self.theme, "cosines", SMALL, green, s=yellow, s2=yellow)
        middles = (corner[0] + TOKENS * SIDE / 2 for corner in (LEFT_AT, RIGHT_AT))
        for law, middle in zip((gpt, ngpt), middles, strict=True):
            law.move_to(at(middle, 1000))
        return self.tag(VGroup(gpt, ngpt), "ngpt-attend-scores")

    def swap(self, title, old, new, say, away=(), beside=()):
        """New grids in the place of the old ones."""
        self.play(FadeOut(old, *away), run_time=0.4)
        self.beat(title, FadeIn(new, *beside), rest=2 * REST, say=say)
