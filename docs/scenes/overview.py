"""Clips for docs/model/overview.md: one pass through the whole model, then the loop that writes a sorted word."""

import math
from itertools import chain

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, FadeIn, Polygon, Rectangle, ReplacementTransform, VGroup

from scenes.kit import EASE, GRID_AT, HAIRLINE, HUGE, LARGE, REST, Stage, at, number_text, px

PASS = "sort.generate@0"  # of whatever ran once in each pass of the loop: its first time
IN_BLOCK = ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")  # modules with parameters


class OnePass(Stage):
    """Six letters, six vectors, three blocks that change them, and three scores read off the last vector."""

    def construct(self):
        word = [chr(ord("A") + int(token)) for token in self.value("sort.generate@1/idx")[0]]
        half = [(f"h.{i}/block-forward-add-attn", f"h.{i}/x") for i in range(self.fact("n_layer"))]
        first, *streams = (self.stream(f"{PASS}/{name}") for name in ("h.0.ln_1/input", *chain(*half)))
        logits = self.value("sort.generate@1/logits")[0, 0]  # activation 0 is the loop itself
        chances = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        boxes, sizes = self.boxes()
        frame = self.focus(boxes[0])
        ids = self.across(first[0], [f"{ord(letter) - ord('A')}" for letter in word])
        self.add(self.across(first[0], word).shift(UP * px(72)), boxes, sizes)
        self.add(self.letter("T", "tokens").move_to(at(776, 156)))
        channels = self.tag(self.upright("C", "channels"), "overview-config-n-embd")

        self.next_section("Letters")
        self.beat(
            "Letters are tokens, tokens are numbers",
            FadeIn(ids, self.code("idx", color=self.theme.muted).move_to(at(96, 228))),
            say=f"The word {''.join(word)} as the model reads it: A is 0, B is 1, C is 2.",
        )

        self.next_section("Vectors")
        self.beat(
            f"Each becomes a vector of {first[0].rows}",
            FadeIn(first),
            FadeIn(channels.move_to(at(116, 600))),
            FadeIn(frame),
            say=f"Each token gets {first[0].rows} numbers, made from its letter and its place.",
        )

        self.next_section("Blocks")
        stream = first
        for number, halves in enumerate(zip(streams[::2], streams[1::2], strict=True)):
            self.block(number, stream, halves, boxes[number + 1], frame)
            stream = halves[1]

        self.next_section("Scores")
        table = self.table(logits, chances)
        self.beat(
            "The last vector gives the scores",
            frame.animate.become(self.focus(*boxes[-2:])),
            FadeIn(self.focus(stream[0].column(len(word) - 1))),
            FadeIn(*table[:3]),
            away=[sizes],
            say="The last vector is normalised and compared with each letter's own: three scores, the logits.",
        )

        self.next_section("Choice", "poster")
        self.beat(
            f"Softmax: chances. {'ABC'[chances.argmax()]} comes next",
            FadeIn(*table[3:]),
            rest=2 * REST,
            say=f"As probabilities: {'ABC'[chances.argmax()]} gets {number_text(chances.max(), 4)}.",
        )

    def block(self, number, before, after, boxes, frame):
        """The stream before, after attention and after the MLP, as the frame goes from box to box."""
        attended, done = after
        self.beat(
            f"Block {number}: attention, then MLP",
            ReplacementTransform(before, attended),
            frame.animate.become(self.focus(boxes[0])),
            rest=REST / 4,
            say=f"Block {number}: tokens look at each other, then each works alone. Both results are added.",
        )
        self.play(ReplacementTransform(attended, done), frame.animate.become(self.focus(boxes[1])), run_time=EASE)
        self.wait(REST / 4)

    def stream(self, name):
        """The vectors of all tokens as columns, with what the strongest colour stands for."""
        values = self.value(name)[0].T
        cells = self.tensor(self.signed(values, GRID_AT, (72, 14)), name, (0,), transposed=True)
        strongest = self.words(f"strongest: {number_text(np.abs(values).max(), 1)}", color=self.theme.muted)
        return VGroup(cells, strongest.move_to(at(408, 984)))

    def boxes(self):
        """The model as boxes below each other, a block being two side by side; and how many parameters each row has."""
        rows = VGroup(self.box("wte + wpe", "embedding-forward-sum"))
        counts = [("", "", self.count("wte.weight", "wpe.weight"))]
        for i in range(self.fact("n_layer")):
            parts = self.box("attn", "block-forward-attn", 200), self.box("mlp", "block-forward-ffn", 200)
            rows.add(VGroup(*parts).arrange(RIGHT, buff=px(20)))
            names = (f"h.{i}.{module}.{kind}" for module in IN_BLOCK for kind in ("weight", "bias"))
            counts.append((f"block {i}", "block-loop-next", self.count(*names)))
        rows.add(self.box("ln_f", "output-forward-norm"), self.box("lm_head", "output-forward-shortcut"))
        counts += [("", "", self.count("ln_f.weight", "ln_f.bias")), ("", "", 0)]
        rows.arrange(DOWN, buff=px(28)).move_to(at(1000, 624))
        sizes = VGroup(self.words("parameters", color=self.theme.muted).move_to(at(1840, 212), RIGHT))
        for row, (name, step, count) in zip(rows, counts, strict=True):
            number = self.code(f"{count:,}" if count else "= wte").move_to([at(1840, 0)[0], row.get_y(), 0], RIGHT)
            sizes.add(number)
            if name:
                label = self.words(name, color=self.theme.muted).move_to([at(1248, 0)[0], row.get_y(), 0], LEFT)
                sizes.add(self.tag(label, step))
        return rows, sizes

    def box(self, name, step, width=420):
        panel = Rectangle(self.theme.line, px(96), px(width), stroke_width=HAIRLINE).set_fill(self.theme.panel, 1)
        return self.tag(VGroup(panel, self.code(name)), step)

    def count(self, *names):
        """How many numbers these parameters have together."""
        return sum(math.prod(self.shape(f"sort.params/{name}")) for name in names)

    def table(self, logits, chances):
        """Heads and rows: letter, score, chance."""
        rows = [at(0, 560 + 88 * i)[1] for i in range(3)]
        letters = VGroup(*(self.words("ABC"[i]).move_to([at(1296, 0)[0], y, 0]) for i, y in enumerate(rows)))
        scores, shares = VGroup(), VGroup()
        for values, right, digits, column in ((logits, 1600, 2, scores), (chances, 1872, 4, shares)):
            for y, value in zip(rows, values, strict=True):
                column.add(self.number(value, digits).move_to([at(right, 0)[0], y, 0], aligned_edge=RIGHT))
        self.tensor(scores, "sort.generate@1/logits", (0, 0))
        self.tag(letters, "overview-config-vocab-size")
        heads = [
            self.words(text, color=self.theme.muted).move_to(at(right, 472), aligned_edge=RIGHT)
            for text, right in (("logit", 1600), ("chance", 1872))
        ]
        best = roomy(self.focus(letters[chances.argmax()], shares[chances.argmax()]))
        return [letters, scores, heads[0], shares, heads[1], best]


class Generation(Stage):
    """The whole loop: the word goes in, one letter comes out, is appended, and goes in with the next pass."""

    def construct(self):
        every = [chr(ord("A") + int(token)) for token in self.value("sort.generate@0/idx")[0]]
        half = len(every) // 2
        slots = VGroup(*(self.slot(144 + 136 * i + 24 * (i >= half)) for i in range(len(every))))
        letters = [self.words(letter, HUGE).move_to(slot) for letter, slot in zip(every, slots, strict=True)]
        self.add(slots, *letters[:half], self.over("word", slots[:half]), self.over("answer", slots[half:]))
        model = VGroup(self.panel(480, 360), self.words("GPT", HUGE, weight="MEDIUM")).move_to(at(480, 792))
        self.add(self.tag(model, "output-generate-logits"))
        self.tag(VGroup(*letters[half:]), "output-generate-append")
        funnel, table = VGroup(), VGroup()

        for step in range(half):
            count, first = half + step, step == 0
            slow, rest = (EASE, REST) if first else (0.4, 0.2)
            if step < 2:
                self.next_section("One letter" if first else "Again")
            read, scores = self.funnel(slots[:count], model), self.scores(f"sort.generate@{step + 1}/logits")
            self.beat(
                f"{count} letters in, scores for the next",
                ReplacementTransform(funnel, read) if step else FadeIn(read),
                away=[table],
                rest=rest,
                run_time=slow,
                say=f"Pass {step + 1}: {''.join(every[:count])} goes in, {every[count]} comes out and is appended.",
            )
            self.play(FadeIn(scores), run_time=slow)
            self.wait(rest)
            chosen = scores[1 + "ABC".index(every[count])][0].copy()
            self.play(ReplacementTransform(chosen, letters[count]), run_time=slow)
            self.wait(rest)
            funnel, table = read, scores

        self.next_section("Sorted", "poster")
        answer = "".join(every[half:])
        self.beat(
            f"Sorted: {answer}",
            FadeIn(self.focus(*slots[half:])),
            rest=2 * REST,
            say=f"After {half} passes the answer is complete: {answer}.",
        )

    def panel(self, width, height):
        return Rectangle(self.theme.line, px(height), px(width), stroke_width=HAIRLINE).set_fill(self.theme.panel, 1)

    def slot(self, x):
        return Rectangle(self.theme.line, px(128), px(120), stroke_width=HAIRLINE).move_to(at(x, 284))

    def over(self, text, slots):
        return self.words(text, color=self.theme.muted).align_to(at(0, 196), DOWN).align_to(slots, LEFT)

    def funnel(self, slots, model):
        """What the model reads, all at once: from the letters' lower edge to its upper one."""
        top, bottom = slots.get_bottom()[1] - px(12), model.get_top()[1] + px(4)
        sides = slots.get_left()[0], slots.get_right()[0], model.get_right()[0], model.get_left()[0]
        corners = [[x, y, 0] for x, y in zip(sides, (top, top, bottom, bottom), strict=True)]
        return Polygon(*corners, stroke_width=0, fill_color=self.theme.line, fill_opacity=1)

    def scores(self, name):
        """The logits and chances of the three letters, the best one framed: heads, then a row for each letter."""
        logits = self.value(name)[0, 0]
        chances = np.exp(logits) / np.exp(logits).sum()
        rows = VGroup()
        for i, (logit, chance) in enumerate(zip(logits, chances, strict=True)):
            y = 700 + 104 * i
            score = self.number(logit).move_to(at(1240, y), aligned_edge=RIGHT)
            self.tensor(VGroup(score), name, (0, 0, slice(i, i + 1)))
            bar = self.weights(np.ones((1, 1)), (1320, y - 30), (max(12, 232 * chance), 60))
            share = self.number(chance, 4).move_to(at(1816, y), aligned_edge=RIGHT)
            rows.add(VGroup(self.words("ABC"[i], LARGE).move_to(at(960, y)), score, bar, share))
        heads = (("logit", 1240), ("chance", 1816))
        words = (self.words(text, color=self.theme.muted).move_to(at(x, 612), aligned_edge=RIGHT) for text, x in heads)
        return VGroup(VGroup(*words), *rows, roomy(self.focus(rows[int(logits.argmax())])))


def roomy(frame):
    """A frame with air around the line of type that it stands around."""
    return frame.stretch_to_fit_height(px(88)).stretch_to_fit_width(frame.width + px(32))
