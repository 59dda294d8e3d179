"""The clip for docs/ngpt/vectors.md: the embeddings of a GPT and of nGPT while they learn, three numbers for each."""

import numpy as np
from manim import DEGREES, RIGHT, FadeIn, ValueTracker, VGroup, linear

from scenes.ball import SpaceStage
from scenes.kit import REST, at

LEFT_BALL, RIGHT_BALL = at(500, 520), at(1420, 520)
VOWELS, OTHERS = "aeiou", "tqb"


class Both(SpaceStage):
    """A GPT's vectors get lengths of their own; nGPT's turn, and all keep length 1."""

    def construct(self):
        self.read()
        gpt, ngpt = self.vectors(0, LEFT_BALL, self.theme.blue), self.vectors(1, RIGHT_BALL, self.theme.green)

        self.next_section("Before training")
        self.beat(
            "Three numbers for each letter",
            FadeIn(self.ball(LEFT_BALL), self.ball(RIGHT_BALL), self.names(), self.clock()),
            FadeIn(gpt, ngpt),
            rest=2 * REST,
            say="Letters as vectors, before training: on the left a GPT's, hardly longer than nothing; on the right "
            "nGPT's, all on the sphere of length 1.",
        )

        self.next_section("Training")
        self.beat(
            "Training moves them",
            self.look.animate(rate_func=linear).set_value(self.last),
            run_time=2,
            rest=2 * REST,
            say=f"{self.steps} steps. The GPT's vectors turn and change their lengths; nGPT's only turn.",
        )

        self.next_section("Lengths")
        self.beat(
            f"A GPT's: {self.short:.2f} to {self.long:.2f} long",
            self.camera.theta_tracker.animate.increment_value(45 * DEGREES),
            run_time=2,
            rest=2 * REST,
            say=f"Of the GPT's 27 vectors the shortest has length {self.short:.2f}, the longest {self.long:.2f}. "
            "What the lengths mean, every layer that follows has to find out. Of nGPT's each has length 1.",
        )

        self.next_section("Directions")
        self.beat(
            "Directions say the rest",
            self.camera.theta_tracker.animate.increment_value(80 * DEGREES),
            run_time=2,
            rest=2 * REST,
            say=f"Two vowels of nGPT's are {self.vowels:.0f} degrees apart on average, any two letters "
            f"{self.any_two:.0f}.",
        )

        self.next_section("To keep")
        self.beat(
            "At length 1 only directions differ",
            rest=2 * REST,
            say="With one length for all, what tells two vectors apart is the angle between them.",
        )

    def read(self):
        """The places of all embeddings, (kinds, looks, tokens, 3), and what is said of the last of them."""
        self.paths = self.value("sphere.learning/t").astype(float)
        self.letters, self.steps, every = (self.fact(f"sphere.{name}") for name in ("letters", "steps", "every"))
        self.every, self.last, self.look = every, self.paths.shape[1] - 1, ValueTracker(0)
        lengths = np.linalg.norm(self.paths[0, -1], axis=-1)
        self.short, self.long = lengths.min(), lengths.max()
        cosines = np.clip(self.paths[1, -1] @ self.paths[1, -1].T, -1, 1)
        degrees, some = np.degrees(np.arccos(cosines)), [self.letters.index(vowel) for vowel in VOWELS]
        self.any_two = degrees[np.triu_indices(len(degrees), 1)].mean()
        self.vowels = degrees[np.ix_(some, some)][np.triu_indices(len(some), 1)].mean()

    def place(self, kind, letter):
        """Where a letter is now: between two looks on the straight way, nGPT's at length 1."""
        look = min(int(self.look.get_value()), self.last - 1)
        a, b = self.paths[kind, look : look + 2, self.letters.index(letter)]
        now = a + (self.look.get_value() - look) * (b - a)
        return now / np.linalg.norm(now) if kind else now

    def vectors(self, kind, aside, color):
        found = VGroup()
        for letter in VOWELS + OTHERS:
            read = lambda letter=letter: self.place(kind, letter)  # noqa: E731
            ink = self.theme.ink if letter in VOWELS else self.theme.muted
            found.add(self.vector(read, color, aside), self.label(letter, read, ink, aside))
        return self.tag(found, "ngpt-l2norm-normalize" if kind else "ngpt-l2norm-length")

    def names(self):
        gpt = self.under("a GPT's: any length", self.theme.blue, LEFT_BALL)
        return VGroup(gpt, self.under("nGPT's: length 1", self.theme.green, RIGHT_BALL))

    def clock(self):
        """The step of the training."""
        count = self.digits(0, 0, widest=self.steps).move_to(at(1848, 68), aligned_edge=RIGHT)
        count.add_updater(lambda o: o.set_value(self.every * round(self.look.get_value())))
        return VGroup(self.words("step", color=self.theme.muted).move_to(at(1700, 68), aligned_edge=RIGHT), count)
