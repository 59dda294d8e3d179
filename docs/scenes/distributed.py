"""Clip for docs/train/distributed.md: two processes, their own batches, the mean of their gradients, equal weights."""

import json

import numpy as np
from manim import LEFT, RIGHT, FadeIn, ReplacementTransform, VGroup

from scenes.kit import LARGE, REST, Stage, at, number_text

LETTER, COUNT, LINES = "e", 16, 2  # whose vector, how many of its numbers, lines of a window
SIDES, WIDTH = (88, 1016), 816  # left edges of the processes' halves, and how wide each is
MIDDLE = 552  # left edge of what belongs to both
CHARACTERS = 22  # of a line
HEAD, TEXT, LINE, STRIP, MEAN, WEIGHT = 176, 256, 72, 428, 608, 864  # heights on the stage
VISIBLE = {" ": "·", "\n": "¶"}  # what would not be seen


class Average(Stage):
    """Two ranks read different windows, average their gradients, and have equal weights after the step."""

    def construct(self):
        letters = json.loads(self.fact("distributed.letters"))
        self.row = letters.index(LETTER)
        g, mean, after = (self.part(name) for name in ("gradients", "means", "after"))
        before = self.value("distributed.params/before")[self.row, :COUNT]
        chosen, most = int(np.abs(g[0] - g[1]).argmax()), float(np.abs(g).max())
        shown = [number_text(value[chosen], 4) for value in (g[0], g[1], mean[0])]

        self.next_section("Batches")
        heads = [self.words(f"rank {rank}", LARGE, self.theme.muted) for rank in (0, 1)]
        heads = VGroup(*(head.move_to(at(left, HEAD), LEFT) for head, left in zip(heads, SIDES, strict=True)))
        windows = self.tag(VGroup(*(self.window(rank, letters) for rank in (0, 1))), "loop-train-seed")
        say = "Two processes, rank 0 and rank 1, each with windows of its own. Here is the beginning of one of each."
        self.beat("Two processes, other windows", FadeIn(heads), FadeIn(windows), say=say, rest=2 * REST)

        self.next_section("Gradients")
        strips = [self.strip("gradients", g[rank], SIDES[rank], STRIP, most, rank) for rank in (0, 1)]
        frames = VGroup(*(self.focus(strip[chosen]) for strip in strips))
        numbers = VGroup(
            *(self.under("gradients", g, rank, chosen) for rank in (0, 1)), *self.ends("gradient", STRIP + 88)
        )
        say = f"So each has another gradient, here for {COUNT} numbers of the vector of {LETTER}. "
        say += f"The framed ones are {shown[0]} and {shown[1]}."
        self.beat(f"Gradients of {COUNT} numbers of {LETTER}", FadeIn(*strips, lag_ratio=0.02), say=say, rest=REST / 2)
        self.play(FadeIn(frames, numbers), run_time=0.5)
        self.wait(REST)

        self.next_section("Mean")
        middle = self.strip("means", mean[0], MIDDLE, MEAN, most, 0)
        other = number_text(abs(g[1][chosen]), 4)
        sum_ = self.words(f"({shown[0]} {'−' if g[1][chosen] < 0 else '+'} {other}) ÷ 2 = {shown[2]}")
        sum_ = self.tag(sum_.move_to(at(960, MEAN + 92)), "loop-micro-sync")
        say = f"All-reduce: the mean of both, number by number. The framed ones give {shown[2]}."
        moved = [ReplacementTransform(strip.copy(), middle.copy()) for strip in strips]
        self.beat("All-reduce: the mean of both", *moved, run_time=1.2, say=say, rest=REST / 2)
        self.play(FadeIn(sum_, self.focus(middle[chosen])), run_time=0.5)
        self.wait(2 * REST)

        self.next_section("Step")
        weights = [self.strip("after", after[rank], SIDES[rank], WEIGHT, None, rank) for rank in (0, 1)]
        frames = [self.focus(strip[chosen]) for strip in weights]
        numbers = [self.moved_weight(before, after, rank, chosen) for rank in (0, 1)]
        ends = VGroup(*frames, *numbers, *self.ends("weights", WEIGHT - 84))
        say = "Both step with the same mean, from the same weights, so the weights after it are the same."
        self.beat("The same step, so the same weights", FadeIn(*weights), FadeIn(ends), say=say, rest=3 * REST)

    def part(self, name):
        """The numbers of the letter's vector, for both processes."""
        return self.value(f"distributed.params/{name}")[:, self.row, :COUNT]

    def window(self, rank, letters):
        """The beginning of that window of a process that has the most letters in it, in lines."""
        windows = self.value("distributed.params/windows")[rank]
        texts = ["".join(letters[i] for i in ids) for ids in windows.reshape(-1, windows.shape[-1])]
        text = max(texts, key=lambda text: sum(map(str.isalpha, text)))
        text = "".join(VISIBLE.get(letter, letter) for letter in text)
        lines = (self.code(text[i * CHARACTERS :][:CHARACTERS]) for i in range(LINES))
        return VGroup(*(line.move_to(at(SIDES[rank], TEXT + LINE * i), LEFT) for i, line in enumerate(lines)))

    def strip(self, name, values, left, y, most, rank):
        size = (WIDTH / COUNT, 72)
        cells = self.signed(values[None], (left, y - 36), size, most)
        return self.tensor(cells, f"distributed.params/{name}", (rank, self.row, slice(COUNT)))

    def under(self, name, values, rank, chosen):
        """One number, below its process's strip."""
        number = self.number(values[rank, chosen], 4).move_to(at(SIDES[rank], STRIP + 88), LEFT)
        return self.tensor(VGroup(number), f"distributed.params/{name}", (rank, self.row, slice(chosen, chosen + 1)))

    def ends(self, word, y):
        """What the numbers are, at the right end of each half."""
        return [self.words(word, color=self.theme.muted).move_to(at(left + WIDTH, y), RIGHT) for left in SIDES]

    def moved_weight(self, before, after, rank, chosen):
        """The framed number's weight before and after the step."""
        text = f"{number_text(before[chosen], 6)} → {number_text(after[rank, chosen], 6)}"
        return self.tag(self.code(text).move_to(at(SIDES[rank], WEIGHT + 96), LEFT), "adamw-update-step")
