"""Clips for docs/data/tokenizer.md: a text becomes token ids; a vocabulary is learned, merge by merge."""

from itertools import pairwise

import numpy as np
from manim import LEFT, RIGHT, FadeIn, FadeOut, Rectangle, ReplacementTransform, VGroup

from scenes.kit import ACCENT_LINE, GAP, HAIRLINE, LARGE, REST, SMALL, Stage, at, px
from scenes.moving import glyphs

LEFT_EDGE, RIGHT_EDGE = 96, 1824
SHOWN = {" ": "·", "\n": "↵"}  # what would not be seen
TALL = 96  # height of a token's box
TABLE_AT, BARS_AT, LONGEST_BAR = 480, 640, 880
LEARNED = "tokens.params/merges"


class Pieces:
    """Characters in boxes: the boxes of a token's characters lie on each other and look like one."""

    def __init__(self, stage, text, left, y, step):
        self.stage, self.left, self.y, self.step = stage, left, y, step
        line = stage.code("".join(SHOWN.get(letter, letter) for letter in text), LARGE)
        spread = px(step) - glyphs(line.font, line.font_size).advance
        middle = (line.get_top()[1] + line.get_bottom()[1]) / 2
        first = line[0].get_center()[0]
        line.shift(at(left + step / 2, y) - [first, middle, 0])
        for i, glyph in enumerate(line):
            glyph.shift(RIGHT * spread * i)
        self.line = line.set_z_index(1)
        self.boxes = VGroup()

    def cut(self, lengths, now=()):
        """The boxes for pieces of these lengths; those whose numbers are in ``now`` are marked."""
        boxes, start = VGroup(), 0
        for number, length in enumerate(lengths):
            box = Rectangle(width=px(length * self.step - 2 * GAP), height=px(TALL))
            box.move_to(at(self.left + (start + length / 2) * self.step, self.y))
            box.set_stroke(self.stage.theme.muted, HAIRLINE * 2)
            if number in now:
                box.set_stroke(self.stage.theme.accent, ACCENT_LINE)
            boxes.add(*(box.copy() for _ in range(length)))
            start += length
        return boxes

    def become(self, lengths, now=()):
        """The animation in which the boxes join or part."""
        before, self.boxes = self.boxes, self.cut(lengths, now)
        return ReplacementTransform(before, self.boxes)


class Vocabulary(Stage):
    """A stage that knows the tokens of the run."""

    def setup(self):
        super().setup()
        self.vocabulary = [bytes([i]) for i in range(256)]
        for left, right, *_ in self.value(LEARNED):
            self.vocabulary.append(self.vocabulary[left] + self.vocabulary[right])

    def written(self, token):
        text = self.vocabulary[token].decode(errors="replace")
        return "".join(SHOWN.get(letter, letter) for letter in text)

    def lengths(self, ids):
        return [len(self.vocabulary[token]) for token in ids]

    def row_of(self, name, number):
        """A row of token ids, without what fills it up."""
        return [int(token) for token in self.value(f"tokens.params/{name}")[number] if token >= 0]

    def joined(self, before, after):
        """Which tokens of ``after`` were several in ``before``."""
        ends = np.cumsum(self.lengths(before))
        lasts = np.cumsum(self.lengths(after))
        return [i for i, end in enumerate(lasts) if np.sum((ends > end - self.lengths(after)[i]) & (ends <= end)) > 1]


class Encoding(Vocabulary):
    """A text is cut into chunks, a chunk's bytes are merged, and what comes out is a row of token ids."""

    def construct(self):
        text, chunk = self.fact("tokens.text"), self.fact("tokens.chunk")
        chunks = self.fact("tokens.split").split("\n")
        ids = [int(token) for token in self.value("tokens.params/text")]
        steps = [self.row_of("steps", i) for i in range(len(self.value("tokens.params/steps")))]
        whole = Pieces(self, text, LEFT_EDGE, 220, (RIGHT_EDGE - LEFT_EDGE) / len(text))
        part = Pieces(self, chunk, LEFT_EDGE, 460, 144)
        self.add(whole.line)

        self.next_section("Split")
        whole.boxes = self.tag(whole.cut([len(piece) for piece in chunks]), "tokenizer-split-find")
        self.beat(
            f"{len(text)} characters, {len(chunks)} chunks",
            FadeIn(whole.boxes),
            rest=2 * REST,
            say="The text is cut by a pattern: words with the space before them, digits in twos, marks.",
        )

        self.next_section("Bytes")
        part.boxes = self.tag(part.cut([1] * len(chunk)), "tokenizer-steps-bytes")
        numbers = self.numbers(steps[0], part)
        self.beat(
            f"One chunk: {len(steps[0])} bytes",
            FadeIn(part.line, part.boxes),
            FadeIn(numbers),
            say="Each chunk is looked at by itself. Its bytes, as numbers, are its first tokens.",
        )

        self.next_section("Merges")
        self.beat(
            "Merge the earliest learned pair first",
            FadeOut(numbers),
            rest=REST / 2,
            say=f"Of all pairs that were learned, the earliest is merged first: {len(steps) - 1} merges here.",
        )
        label = VGroup()
        for before, after in pairwise(steps):
            joined = self.joined(before, after)
            name = f"merge {after[joined[0]] - 255}:  {self.written(after[joined[0]])}"
            new = self.code(name, color=self.theme.muted).move_to(at(LEFT_EDGE, 580), aligned_edge=LEFT)
            self.play(part.become(self.lengths(after), joined), FadeOut(label), run_time=0.4)
            self.play(FadeIn(new), run_time=0.3)
            self.tag(part.boxes, "tokenizer-steps-merge")
            self.wait(REST / 2)
            label = new

        self.next_section("Ids", "poster")
        listed = self.ids(ids).add(self.numbers(steps[-1], part))
        self.beat(
            f"{len(text.encode())} bytes, {len(ids)} tokens",
            whole.become(self.lengths(ids)),
            FadeIn(listed),
            away=[label],
            rest=3 * REST,
            run_time=1.0,
            say="The same with every chunk. The model gets the numbers, and never sees a letter.",
        )

    def numbers(self, ids, pieces):
        """A token id below each box."""
        numbers = VGroup()
        for end, length, token in zip(np.cumsum(self.lengths(ids)), self.lengths(ids), ids, strict=True):
            middle = pieces.left + (end - length / 2) * pieces.step
            numbers.add(self.code(str(token), color=self.theme.muted).move_to(at(middle, 580)))
        return numbers

    def ids(self, ids):
        """All token ids in two lines, and what they are called."""
        half = (len(ids) + 1) // 2
        lines = [" ".join(f"{token:>3}" for token in part) for part in (ids[:half], ids[half:])]
        listed = VGroup(self.words("ids", color=self.theme.muted).move_to(at(LEFT_EDGE, 740), aligned_edge=LEFT))
        for y, line in zip((840, 940), lines, strict=True):
            listed.add(self.code(line, LARGE).move_to(at(LEFT_EDGE, y), aligned_edge=LEFT))
        return self.tag(listed, "tokenizer-encode-chunks")


class Merging(Vocabulary):
    """The most frequent pair of the whole corpus becomes a token: the first merges, and the last."""

    FIRST = 4  # merges that are shown one by one

    def construct(self):
        line, merges = self.fact("tokens.line"), self.value(LEARNED)
        pieces = Pieces(self, line, LEFT_EDGE, 220, min(96, (RIGHT_EDGE - LEFT_EDGE) / len(line)))
        pieces.boxes = self.tag(pieces.cut([1] * len(line)), "tokenizer-train-bytes")
        count = self.count(len(line), "bytes")

        self.next_section("Bytes")
        self.beat(
            "One line of the corpus, byte by byte",
            FadeIn(pieces.line, pieces.boxes),
            FadeIn(count),
            say=f"A line of the corpus, {len(line)} bytes, each of them a token. A dot is a space.",
        )

        self.next_section("First merges")
        shown, before = [], self.row_of("line", 0)
        for number in range(self.FIRST):
            after = self.row_of("line", number + 1)
            left, right, new, times = merges[number]
            rows = self.rivals(number)
            joined = [i for i, token in enumerate(after) if token == new]
            here = len(joined)
            where = {0: "not in this line", 1: "once in this line"}.get(here, f"{here} times in this line")
            self.beat(
                f"Merge {number + 1}: {self.written(left)} and {self.written(right)}",
                FadeIn(rows),
                away=shown,
                rest=REST / 2,
                say=f"The pair that the corpus has most often, {times:,} times, becomes token {new}; {where}.",
            )
            frame = self.focus(rows[0]).stretch_to_fit_height(px(TALL)).stretch_to_fit_width(px(1776))
            self.play(pieces.become(self.lengths(after), joined), FadeIn(frame), FadeOut(count), run_time=0.6)
            self.tag(pieces.boxes, "tokenizer-merging-replace")
            count = self.count(len(after))
            self.play(FadeIn(count), run_time=0.3)
            self.wait(REST / 2)
            shown, before = [rows, frame], after

        self.next_section("And so on", "poster")
        for number, merged in ((-2, 64), (-1, len(merges))):
            after = self.row_of("line", number)
            old, count, tokens = count, self.count(len(after)), self.longest(merged)
            self.beat(
                f"After {merged} merges",
                pieces.become(self.lengths(after), self.joined(before, after)),
                FadeIn(tokens),
                FadeIn(count),
                away=[*shown, old],
                say=f"After {merged} merges. Below are the longest tokens of letters so far.",
            )
            shown, before = [tokens], after
        self.wait(REST)

    def count(self, number, what="tokens"):
        return self.words(f"{number} {what}", color=self.theme.muted).move_to(at(LEFT_EDGE, 332), aligned_edge=LEFT)

    def rivals(self, number):
        """The most frequent pairs before a merge: their tokens, a bar, their counts."""
        pairs = self.value("tokens.params/rivals")
        rows = VGroup()
        for place, (left, right, times) in enumerate(pairs[number]):
            y, width = TABLE_AT + 128 * place, max(4, LONGEST_BAR * times / pairs[0, 0, 2])
            name = self.code(f"{self.written(left)} + {self.written(right)}").move_to(
                at(LEFT_EDGE + 16, y), aligned_edge=LEFT
            )
            bar = Rectangle(width=px(width), height=px(48), stroke_width=0, fill_opacity=1)
            bar.set_fill(self.theme.line).move_to(at(BARS_AT, y), aligned_edge=LEFT)
            total = self.number(times, 0).move_to(at(RIGHT_EDGE - 16, y), aligned_edge=RIGHT)
            rows.add(VGroup(name, bar, total))
        return self.tag(rows, "tokenizer-pairs-highest")

    def longest(self, merged):
        """The longest tokens of letters, in two columns."""
        words = [i for i in range(256, 256 + merged) if self.vocabulary[i].strip().isalpha()]
        best = sorted(words, key=lambda i: (-len(self.vocabulary[i]), i))[:8]
        tokens = VGroup()
        for place, token in enumerate(best):
            where = at(LEFT_EDGE + 864 * (place % 2), TABLE_AT + 128 * (place // 2))
            tokens.add(self.code(self.written(token), SMALL).move_to(where, aligned_edge=LEFT))
        return self.tag(tokens, "tokenizer-train-append")
