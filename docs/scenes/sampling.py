"""Clip for docs/sample/sampling.md: a recorded draw, from the best logits to one token."""

from manim import LEFT, RIGHT, FadeIn, Rectangle, VGroup

from scenes.kit import FOCUS_AT, GAP, LARGE, REST, Stage, at, number_text, px

ROW = 92  # height of a candidate's line
NAME, LOGIT, SCALED, CHANCE, BEFORE, DRAWN = 264, 504, 744, 984, 1560, 1824  # right edges of the columns
BARS_AT, LONGEST = 1016, 304
EDGES = 96, 1848  # of the line below what stays


class Draw(Stage):
    """The largest logits of a real position are divided, made probabilities, cut off, and one of them is drawn."""

    def construct(self):
        logits, tokens = self.value("talk.draw@0/logits")[0], self.value("talk.draw/tokens")[0]
        temperature, top_p = (self.fact(f"talk.draw@0/{name}") for name in ("temperature", "top_p"))
        chances, before, left = (self.value(f"talk.draw{name}")[0] for name in ("@1/probs", "/better", "@0/probs"))
        kept, place = int((left > 0).sum()), int(self.value("talk.draw/place")[0, 0])
        names = [self.named(token) for token in tokens]
        count, all_of_them = len(tokens), self.fact("prose.vocab_size")

        self.next_section("Top-k")
        written = VGroup(*(self.in_line(self.code(name, LARGE), NAME, i) for i, name in enumerate(names)))
        written_head = self.head("token", NAME)
        best = VGroup(self.head("logit", LOGIT), self.numbers(logits, LOGIT, "sampling-next-best"))
        say = f"Of {all_of_them} logits the {count} largest stay: {names[0]} has {number_text(logits[0])}."
        self.beat(f"Top-k: the {count} best of {all_of_them}", FadeIn(written_head, written, best), say=say)

        self.next_section("Temperature")
        scaled = self.numbers(logits / temperature, SCALED, "sampling-next-softmax")
        scaled = VGroup(self.head(f"÷ {temperature}", SCALED), scaled)
        say = f"Divided by the temperature, {temperature}. Below one, the distances grow."
        self.beat(f"Divide by the temperature, {temperature}", FadeIn(scaled), say=say)
        bars = VGroup(*(self.bar(i, part) for i, part in enumerate(chances / chances[0])))
        self.tag(bars, "sampling-next-softmax")
        likely = VGroup(self.head("p", CHANCE), self.numbers(chances, CHANCE, "sampling-next-softmax", 3))
        say = f"Softmax makes probabilities of them. The best has {number_text(chances[0], 3)}."
        self.beat("Softmax: probabilities", FadeIn(likely), FadeIn(bars), say=say)

        self.next_section("Top-p")
        summed = VGroup(self.head("before", BEFORE), self.numbers(before, BEFORE, "sampling-nucleus-better", 3))
        edge = self.rule(*EDGES, FOCUS_AT[1] + kept * ROW)
        say = f"Whoever is preceded by less than {top_p} stays: {kept} of {count}."
        self.beat(f"Top-p: until {top_p} is reached", FadeIn(summed), FadeIn(edge), say=say)

        self.next_section("Draw", "poster")
        shares = left[:kept] / left.sum()
        chance = VGroup(self.head("share", DRAWN), self.numbers(shares, DRAWN, "sampling-next-nucleus", 3))
        cut = [part for rows in (written, best[1], scaled[1], likely[1], bars, summed[1]) for part in rows[kept:]]
        say = f"The {kept} that stay share what the others had."
        self.beat("Drop the rest", FadeIn(chance), away=cut, say=say)
        frame = self.focus(written[place], chance[1][place]).stretch_to_fit_height(px(ROW - GAP))
        frame.stretch_to_fit_width(px(EDGES[1] - EDGES[0])).move_to(self.middle(place))
        self.tag(frame, "sampling-next-drawn")
        say = f"The seeded generator draws {names[place]}, whose share was {number_text(shares[place], 3)}."
        self.beat(f"One draw: {names[place]}", FadeIn(frame), rest=2 * REST, say=say)

    def named(self, token):
        """The first 256 tokens are bytes; what is no visible letter is called by its number."""
        return chr(token) if 32 < token < 127 else f"#{token}"

    def middle(self, row):
        return at(sum(EDGES) / 2, FOCUS_AT[1] + (row + 0.5) * ROW)

    def in_line(self, what, right, row):
        return what.move_to(at(right, FOCUS_AT[1] + (row + 0.5) * ROW), aligned_edge=RIGHT)

    def numbers(self, values, right, step, digits=2):
        parts = (self.in_line(self.number(value, digits), right, i) for i, value in enumerate(values))
        return self.tag(VGroup(*parts), step)

    def bar(self, row, part):
        bar = Rectangle(self.theme.weight(0.75), px(ROW - 6 * GAP), px(max(LONGEST * part, 2)))
        bar.set_stroke(width=0).set_fill(opacity=1)
        return bar.move_to(at(BARS_AT, FOCUS_AT[1] + (row + 0.5) * ROW), aligned_edge=LEFT)
