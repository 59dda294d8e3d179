"""Clips for docs/data/corpus.md: all documents of the corpus, shuffled and cut into shards."""

import json
import random

from manim import LEFT, RIGHT, FadeIn, Rectangle, ReplacementTransform, VGroup

from scenes.kit import REST, Stage, at, px

ROWS_AT, PITCH = (200, 240), (60, 80)  # middle of the first document; from one to the next, across and down
SIDE, GAP = 50, 16  # of a document, and what is left free between row groups
TOLD_AT = 1368  # left edge of the words at the right


class Shards(Stage):
    """Every document is a square; they are shuffled once, and cut into files of which the last is for validation."""

    def construct(self):
        count, self.followed = self.fact("shards.documents"), self.fact("shards.followed")
        self.bounds = [self.fact(f"shards.write/bounds[{i}]") for i in range(self.fact("shards.shards") + 1)]
        title, group = json.loads(self.fact("shards.titles"))[self.followed], self.fact("shards.row_group")
        self.order = list(range(count))  # which document comes at each place: what the recorded seed makes of any list
        random.Random(self.fact("shards.write/seed")).shuffle(self.order)
        longest = max(stop - start for start, stop in zip(self.bounds, self.bounds[1:], strict=False))

        self.next_section("Documents")
        as_found = self.tag(self.squares(lambda place, i: divmod(i, longest)), "corpus-sections-all")
        key = VGroup(self.square(self.followed), self.words(title)).arrange(RIGHT, buff=px(24))
        self.beat(
            f"{count} documents, in the handbook’s order",
            FadeIn(as_found),
            FadeIn(key.move_to(at(TOLD_AT, ROWS_AT[1]), LEFT)),
            say=f"{count} sections of the handbook. The stronger the colour, the later it comes; one is “{title}”.",
        )

        self.next_section("Shuffle")
        shuffled = self.tag(self.squares(lambda place, i: divmod(place, longest)), "corpus-make-shuffle")
        self.beat(
            "Shuffled, once",
            ReplacementTransform(as_found, shuffled),
            run_time=1.6,
            say="They are shuffled once, with a seed: from now on their order is a random one, always the same.",
        )

        self.next_section("Shards")
        cut = self.tag(self.squares(lambda place, i: self.in_shard(place)), "corpus-make-bounds")
        names = VGroup(*(self.code(str(n), color=self.theme.muted) for n in range(len(self.bounds) - 1)))
        for n, name in enumerate(names):
            name.move_to(at(128, ROWS_AT[1] + n * PITCH[1]), RIGHT)
        self.beat(
            f"Cut into {len(names)} shards",
            ReplacementTransform(shuffled, cut),
            FadeIn(names),
            run_time=1,
            say=f"Cut into {len(names)} files, the shards, of {self.bounds[1]} or {longest} documents each.",
        )

        self.next_section("Validation")
        last = self.squares(lambda place, i: self.in_shard(place), range(self.bounds[-2], count))
        told = self.words("validation").move_to(at(TOLD_AT, ROWS_AT[1] + (len(names) - 1) * PITCH[1]), LEFT)
        self.beat(
            "The last shard is for validation",
            FadeIn(frame := self.tag(self.focus(last), "corpus-split-last")),
            FadeIn(told),
            say=f"The last shard, {len(last)} documents, is for validation; all others are for training.",
        )

        self.next_section("Row group")
        first = self.followed // group * group
        together = self.squares(lambda place, i: self.in_shard(place), range(first, first + group))
        self.beat(
            f"Read {group} at a time: a row group",
            FadeIn(self.tag(self.focus(together), "corpus-make-groups")),
            away=[frame],
            rest=2 * REST,
            say=f"What is read at once is a row group of {group} documents. “{title}” goes on to the tokenizer.",
        )

    def squares(self, where, places=None):
        """The documents in their shuffled order (so that each stays itself), each at the row and column asked for."""
        squares = VGroup()
        for place in range(len(self.order)) if places is None else places:
            row, column = where(place, self.order[place])
            squares.add(self.square(place).move_to(at(ROWS_AT[0] + column * PITCH[0], ROWS_AT[1] + row * PITCH[1])))
        return squares

    def square(self, place):
        """A document, the darker the later it stands in the handbook; the followed one has a colour of its own."""
        paint = self.theme.weight(0.1 + 0.8 * self.order[place] / len(self.order))
        if place == self.followed:
            paint = self.theme.dimension("T")
        return Rectangle(paint, px(SIDE), px(SIDE), stroke_width=0).set_fill(paint, 1)

    def in_shard(self, place):
        """Row and column of a place, with a gap between row groups."""
        row = max(n for n, start in enumerate(self.bounds) if start <= place)
        column = place - self.bounds[row]
        return row, column + column // self.fact("shards.row_group") * GAP / PITCH[0]
