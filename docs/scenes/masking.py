"""The clip for docs/chat/masking.md: a packed row, which of its tokens teach, and the loss counted in two ways."""

from itertools import count, groupby

import numpy as np
from manim import LEFT, UP, FadeIn, Rectangle, VGroup

from scenes.kit import GAP, HAIRLINE, LARGE, REST, SMALL, Stage, at, number_text, px
from scenes.loss import losses

ROW = 1  # of the recorded batch
LEFT_EDGE, TOP, PITCH, TALL = 96, 200, 152, 84  # of the lines of pieces
LETTER, ROUND, APART, WIDTH = 36, 20, 12, 1728  # of a piece: a letter, its margins, the gap after it; of a line
NAT, BAR = 13, 14  # height of a loss of 1, and how wide its bar is
SPECIAL = ("bos", "user", "end", "assistant", "end", "python", "end", "output", "end")  # the special tokens, in short


class Mask(Stage):
    """Two conversations in one row: what teaches in fine-tuning, and what taught in midtraining."""

    def construct(self):
        ids, targets = self.value("sft.loss/idx")[ROW], self.value("sft.loss/targets")[ROW]
        self.bos = int(ids[-1])  # it fills up the row
        used = len(ids) - int((ids == self.bos)[::-1].argmin())
        costs = losses(self.value("sft.loss/logits")[ROW, : used - 1].astype(float), ids[1:used])
        taught = np.append(False, targets[: used - 1] >= 0)
        self.x, self.y = LEFT_EDGE, TOP
        read, said, bars = VGroup(), VGroup(), {False: VGroup(), True: VGroup()}
        for start, stop, text in self.pieces(ids[:used]):
            teaches = bool(taught[start])
            chips, places = self.flow(text, start < stop - 1 or int(ids[start]) < self.bos, stop - start, teaches)
            (said if teaches else read).add(*chips)
            known = [(place, costs[start + i - 1]) for i, place in enumerate(places) if start + i]
            bars[teaches].add(*(self.bar(place, cost, teaches) for place, cost in known))
        rest, _ = self.flow(f"{len(ids) + 1 - used} × bos", False, 1, False)
        dull = VGroup(*(self.chip(*chip.made, False) for chip in said))
        self.tag(VGroup(*rest), "masking-tokens-filled")

        self.next_section("Row")
        whole = int((ids[:used] == self.bos).sum())
        say = f"A row of {len(ids) + 1} tokens: {whole} whole conversations, and what is left is filled up."
        self.beat("A packed row", FadeIn(read, dull, *rest, lag_ratio=0.05), run_time=1.2, rest=2 * REST, say=say)

        self.next_section("Mask")
        self.tag(said, "masking-supervised-ignored")
        say = f"{taught.sum()} tokens teach: what the assistant says, its questions to the calculator, and its stops."
        self.beat("What the assistant says teaches", FadeIn(said), away=[dull], rest=2 * REST, say=say)

        self.next_section("Loss")
        mean = self.mean(f"mean of {taught.sum()}", costs[taught[1:]].mean(), 900)
        say = f"A bar for each token's loss. The mean of those that teach is {number_text(costs[taught[1:]].mean())}."
        self.beat("Their losses", FadeIn(bars[True]), FadeIn(mean), rest=2 * REST, say=say)

        self.next_section("Midtraining")
        every = self.mean(f"of all {len(costs)}", costs.mean(), 1800)
        share = costs[~taught[1:]].sum() / costs.sum()
        mean = number_text(costs.mean())
        say = f"Midtraining counts all {len(costs)}: a mean of {mean}, {share:.0%} of it from the others."
        self.beat("As midtraining counts", FadeIn(bars[False]), FadeIn(every), rest=3 * REST, say=say)

    def pieces(self, ids):
        """Where each piece of the row begins and stops, and its text: a special token, or what was encoded at once."""
        texts = [text for text, same in groupby(self.recorded_texts()) if len(list(same)) == 2]
        known, start = dict(zip(self.recorded_ids(), texts, strict=True)), 0
        for is_text, tokens in groupby(ids.tolist(), lambda token: token < self.bos):
            piece = tuple(tokens)
            parts = [(piece, known[piece])] if is_text else [((token,), SPECIAL[token - self.bos]) for token in piece]
            for part, text in parts:
                yield start, start + len(part), text
                start += len(part)

    def recorded_texts(self):
        """Texts as they were rendered; what is encoded comes twice, from a function and from the one that it calls."""
        for n in count():
            try:
                yield self.fact(f"sft.batch@{n}/text")
            except LookupError:
                return

    def recorded_ids(self):
        """The ids of each text that was encoded: those lists that don't begin as a conversation does."""
        for n in count():
            try:
                value = self.reading.find(f"sft.batch@{n}/ids").value
            except LookupError:
                return
            if value.items and value.items[0].scalar != self.bos:
                yield tuple(item.scalar for item in value.items)

    def flow(self, text, is_text, tokens, teaches):
        """The piece in one line or two, and for each of its tokens a place below it."""
        text, chips, places = text.replace("\n", "↵").replace(" ", "␣") if is_text else text, [], []
        left = text
        while left:
            room = int((LEFT_EDGE + WIDTH - self.x - 2 * ROUND) // LETTER)
            cut = len(left) if len(left) <= room else (left.rfind("␣", 0, room) + 1 if is_text else 0)
            if cut:
                chips.append(self.chip(left[:cut], self.x, self.y, is_text, teaches))
                places += [(self.x + ROUND + (i + 0.5) * LETTER, self.y) for i in range(cut)]
                self.x, left = self.x + cut * LETTER + 2 * ROUND + APART, left[cut:]
            if left:
                self.x, self.y = LEFT_EDGE, self.y + PITCH
        return chips, [places[int((i + 0.5) / tokens * len(text))] for i in range(tokens)]

    def chip(self, text, x, y, is_text, teaches):
        """A piece in its box, filled where it teaches."""
        ground = self.theme.weight(0.75) if teaches else self.theme.panel
        box = Rectangle(ground, px(TALL), px(len(text) * LETTER + 2 * ROUND), stroke_width=HAIRLINE, fill_opacity=1)
        box.set_stroke(self.theme.line).move_to(at(x, y), LEFT)
        ink = self.theme.on(ground) if teaches or is_text else self.theme.muted
        chip = VGroup(box, self.code(text, SMALL, ink).move_to(box))
        chip.made = (text, x, y, is_text)
        return chip

    def bar(self, place, cost, teaches):
        """A token's loss, hanging below its piece."""
        x, y = place
        colour = self.theme.ink if teaches else self.theme.muted
        bar = Rectangle(colour, px(max(2, cost * NAT)), px(BAR), stroke_width=0, fill_opacity=1)
        return bar.move_to(at(x, y + TALL / 2 + GAP), UP)

    def mean(self, words, value, right):
        number = self.number(value, size=LARGE).move_to(at(right, 984), LEFT).shift(LEFT * px(150))
        return VGroup(self.words(words, color=self.theme.muted).next_to(number, LEFT, buff=px(32)), number)
