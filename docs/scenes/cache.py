"""The clip for docs/sample/cache.md: the cache of one head, filled by a prompt and then column by column."""

import numpy as np
from manim import LEFT, RIGHT, FadeIn, LaggedStart, Rectangle, VGroup

from scenes.kit import GAP, LARGE, REST, Stage, at, number_text, px

BLOCK, EVERY = 3, 4  # the last block; of a head's numbers every fourth is drawn
LEFT_EDGE, RIGHT_EDGE, TALL = 272, 1872, 30  # of the columns, and the height of a cell
KEYS, GROUND, VALUES = 232, 712, 760  # tops of the grids, and where the bars between them stand
HIGH = 140  # of a bar of all the weight
STEPS = 5  # new tokens that are shown one by one


class Columns(Stage):
    """A prompt fills the cache; each new token adds a column and asks all."""

    def construct(self):
        self.read()
        keys, values = self.grid("keys", KEYS), self.grid("values", VALUES)
        count, total = self.prompt, keys.columns
        wrote = ("kv-cache-attention-write-k", "kv-cache-attention-write-v")
        names = VGroup(self.name("keys", KEYS + 4 * TALL, wrote[0]), self.name("values", VALUES + 4 * TALL, wrote[1]))
        role = self.letter("T", "one column a token").move_to(at(LEFT_EDGE, 172), aligned_edge=LEFT)
        self.add(self.tag(role, "kv-cache-prefill-logits"))

        self.next_section("Prefill")
        first = [VGroup(keys.column(j), values.column(j)) for j in range(count)]
        self.beat(
            f"The prompt: {count} tokens at once",
            LaggedStart(*(FadeIn(column) for column in first), lag_ratio=0.02),
            FadeIn(names),
            run_time=1,
            say=f"Prefill: {count} tokens go through the model at once. Each leaves a key and a value in every head.",
        )

        self.next_section("Decode")
        before = VGroup()
        for step in range(1, STEPS + 1):
            column, (peak, weight) = count + step - 1, self.peak(step)
            new, asked = VGroup(keys.column(column), values.column(column)), self.asking(step)
            asked.add(*(self.tag(self.focus(part), name) for part, name in zip(new, wrote, strict=True)))
            who = f"Token {column + 1}{self.quoted(column)}"
            self.beat(
                f"{who} asks all",
                FadeIn(new),
                FadeIn(asked),
                away=[before],
                rest={1: 2 * REST, STEPS: REST}.get(step, REST / 2),
                say=f"{who} goes through alone and adds its column. Of the weight of its query {number_text(weight)} "
                f"goes to token {peak + 1}{self.quoted(peak)}.",
            )
            before = asked

        self.next_section("All")
        later = [VGroup(keys.column(j), values.column(j)) for j in range(count + STEPS, total)]
        anew = sum(range(count, total + 1))
        ledger = VGroup(self.line("computed with the cache", total, 548), self.line("without", anew, 652))
        self.beat(
            f"At the end: {total} columns",
            LaggedStart(*(FadeIn(column) for column in later), lag_ratio=0.1),
            FadeIn(ledger),
            away=[before],
            run_time=1.2,
            rest=1.5 * REST,
            say=f"At the end {total} columns were computed, one for each token. Without the cache they would have been "
            f"computed anew for each: {anew:,} columns.",
        )

    def read(self):
        """The tokens, and the head that gives most of its weight to one of them."""
        prompt = self.value("talk.answer/kv-cache-prefill-prompt")[0]
        new = [self.value(f"talk.answer@{3 + i}/idx")[0, 0] for i in range(STEPS)]  # after those of the prompt
        self.prompt, self.ids = len(prompt), [*prompt, *new]
        self.head = int(self.weights_of(1).max(axis=1).argmax())

    def weights_of(self, step):
        """What each head of the block gives to each token, (H, T)."""
        return self.value(self.named(step))[0, :, 0]

    def named(self, step):
        return f"talk.answer@{step}/h.{BLOCK}.attn/att"

    def peak(self, step):
        """The token that gets most, by its position, and how much."""
        weights = self.weights_of(step)[self.head]
        return int(weights.argmax()), weights.max()

    def quoted(self, position):
        """The token's text where that is one visible byte: tokens below 256 are bytes."""
        token = int(self.ids[position])
        return f" “{chr(token)}”" if 32 < token < 127 else ""

    def grid(self, what, top):
        """All columns of the cache, as they stand after the last token."""
        name = f"talk.answer@{int(self.fact('talk.answer_tokens'))}/h.{BLOCK}.attn/kv-cache-attention-{what}"
        numbers = self.value(name)[0, :, self.head, ::EVERY].T
        self.wide = (RIGHT_EDGE - LEFT_EDGE) / numbers.shape[1]
        cells = self.signed(numbers, (LEFT_EDGE, top), (self.wide, TALL), float(np.abs(numbers).max()))
        part = (0, slice(None), self.head, slice(None, None, EVERY))
        self.tensor(cells, name, part, transposed=True)
        return cells

    def asking(self, step):
        """Bars for the weights of one query, the highest with its token's column and number."""
        weights = self.weights_of(step)[self.head]
        bars = VGroup()
        for i, weight in enumerate(weights):
            high = max(HIGH * weight, 1)
            bar = Rectangle(self.theme.weight(0.75), px(high), px(self.wide - GAP), stroke_width=0, fill_opacity=1)
            bars.add(bar.move_to(at(LEFT_EDGE + (i + 0.5) * self.wide, GROUND - high / 2)))
        self.tag(bars, "kv-cache-attention-keys")  # a bar's length is its weight, not its colour
        peak, weight = self.peak(step)
        label = self.code(f"{self.quoted(peak)} {number_text(weight)}".strip())
        x = max(LEFT_EDGE + (peak + 0.5) * self.wide, LEFT_EDGE + 160)
        label.move_to(at(x, GROUND - HIGH * weight - 40))
        return VGroup(bars, label, self.name("weights", GROUND - 64, "kv-cache-attention-keys"))

    def name(self, text, y, step):
        words = self.words(text, color=self.theme.muted).move_to(at(LEFT_EDGE - 24, y), aligned_edge=RIGHT)
        return self.tag(words, step)

    def line(self, text, number, y):
        words = self.words(text, color=self.theme.muted).move_to(at(1500, y), aligned_edge=RIGHT)
        result = self.code(f"{number:,}", LARGE).move_to(at(RIGHT_EDGE, y), aligned_edge=RIGHT)
        return self.tag(VGroup(words, result), "kv-cache-decode-step")
