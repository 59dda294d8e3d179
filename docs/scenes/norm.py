"""The clip for docs/ngpt/vectors.md: a vector is divided by its length, then all are, and a shell of lengths."""

import numpy as np
from manim import DEGREES, LEFT, RIGHT, FadeIn, FadeOut, ValueTracker, VGroup

from scenes.ball import SpaceStage
from scenes.kit import REST, at

BALL, LETTER = at(560, 560), "o"
NAMES, NUMBERS, TOP, LINE = 1180, 1848, 264, 104  # pixels


class ToTheSphere(SpaceStage):
    """One vector gets length 1, then every vector, then only those that are outside of a shell."""

    def construct(self):
        self.read()
        ball, one = self.ball(BALL), self.one()
        self.next_section("A length")
        self.beat(
            "A vector has a length",
            FadeIn(ball, one),
            FadeIn(self.ledger()),
            rest=2 * REST,
            say=f"The embedding of “{LETTER}” in a trained GPT, three numbers. Its length is {self.length:.2f}, the "
            "root of the sum of their squares.",
        )

        self.next_section("Divided")
        self.beat(
            "Each number is divided by it",
            self.share.animate.set_value(1),
            run_time=1.6,
            rest=2 * REST,
            say="All three are divided by the length: the direction stays, and the length becomes 1.",
        )

        self.next_section("All of them")
        every = self.many(self.unit, self.theme.green)
        self.beat(
            "All come to the sphere",
            FadeIn(every),
            self.all.animate.set_value(1),
            away=(one,),
            run_time=1.6,
            rest=2 * REST,
            say=f"All {len(self.raw)} vectors, divided each by its own length: the same length for all.",
        )

        self.next_section("A shell")
        self.a_shell(every, ball)

        self.next_section("To keep")
        self.beat(
            "Directions stay, lengths are set",
            rest=2 * REST,
            say="A norm keeps each vector's direction, and sets its length: to 1, or to the shell's nearer side.",
        )

    def a_shell(self, every, ball):
        """All vectors come to a shell of lengths instead."""
        shell = VGroup(self.ball(BALL, 1 - self.eps), self.outline(1 + self.eps, BALL))
        shell.add(self.many(self.inner, self.theme.green))
        self.play(FadeOut(every, self.rows, ball), run_time=0.4)
        self.all.set_value(0)
        self.beat(
            "A shell leaves some of them",
            FadeIn(shell, self.legend()),
            run_time=1,
            say=f"With norm_eps = {self.eps:g} only those that are shorter than {1 - self.eps:g} or longer than "
            f"{1 + self.eps:g} change:",
        )
        self.beat(
            "Only what is outside of it moves",
            self.all.animate.set_value(1),
            self.camera.theta_tracker.animate.increment_value(50 * DEGREES),
            run_time=2,
            rest=2 * REST,
            say=f"{self.moved} of {len(self.raw)} come to the nearer side of the shell, the others stay.",
        )

    def read(self):
        """All embeddings of the GPT, as they are, at length 1, and with the shell, (tokens, 3)."""
        self.raw = self.value("sphere.shell/t").astype(float)
        self.inner = self.value("sphere.shell/ngpt-l2norm-shell").astype(float)
        self.unit = self.raw / np.linalg.norm(self.raw, axis=-1, keepdims=True)
        self.eps = self.fact("sphere.eps")
        self.moved = int((np.abs(self.raw - self.inner).max(-1) > 1e-4).sum())
        self.own = self.raw[self.fact("sphere.letters").index(LETTER)]
        self.length = float(np.linalg.norm(self.own))
        self.share, self.all = ValueTracker(0), ValueTracker(0)

    def now(self):
        """The one vector on its way: divided by a growing part of its length."""
        return self.own * (1 + self.share.get_value() * (1 / self.length - 1))

    def one(self):
        vector = self.vector(self.now, self.theme.blue, BALL)
        return self.tag(VGroup(vector, self.label(LETTER, self.now, self.theme.ink, BALL)), "ngpt-l2norm-normalize")

    def many(self, ends, color):
        """All vectors on their way to ``ends``."""
        found = VGroup()
        for start, end in zip(self.raw, ends, strict=True):
            read = lambda start=start, end=end: start + self.all.get_value() * (end - start)  # noqa: E731
            found.add(self.vector(read, color, BALL, size=8))
        return self.tag(found, "ngpt-l2norm-normalize" if ends is self.unit else "ngpt-l2norm-shell")

    def ledger(self):
        """The three numbers, and the length."""
        self.rows = VGroup()
        for row in range(4):
            read = (lambda: np.linalg.norm(self.now())) if row == 3 else (lambda row=row: self.now()[row])
            ink = self.theme.ink if row < 3 else self.theme.red
            name = self.words("length" if row == 3 else f"number {row}", color=self.theme.muted)
            number = self.digits(read(), color=ink, widest=-1).add_updater(lambda o, read=read: o.set_value(read()))
            y = TOP + LINE * (row + (row == 3))
            number.move_to(at(NUMBERS, y), aligned_edge=RIGHT)
            self.rows.add(VGroup(name.move_to(at(NAMES, y), aligned_edge=LEFT), number))
        return self.tag(self.rows, "ngpt-l2norm-length")

    def legend(self):
        lines = (f"ε = {self.eps:g}", f"inside: 1 − ε = {1 - self.eps:g}", f"outside: 1 + ε = {1 + self.eps:g}")
        words = VGroup(*(self.words(line, color=self.theme.muted) for line in lines))
        for row, line in enumerate(words):
            line.move_to(at(NAMES, TOP + LINE * row), aligned_edge=LEFT)
        return words
