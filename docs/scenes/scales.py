"""The clip for docs/ngpt/scales.md: how far a stored and a used number move, and what larger scales do."""

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, Dot, FadeIn, FadeOut, Line, Rectangle, ValueTracker, VGroup, VMobject, linear

from scenes.kit import ACCENT_LINE, HAIRLINE, Stage, at, number_text, px

BLOCK = "layers.1."  # whose scales and gates are shown
KINDS = {  # where the stored numbers of each are, and their ``scale``, as a power of the width
    "α": (f"{BLOCK}0.branch_scale", -0.5),
    "s_u, s_ν": (f"{BLOCK}1.fn.hidden_scale", 0),
    "s_qk": (f"{BLOCK}0.fn.qk_scale", -0.5),
    "s_z": ("logit_scale", -0.5),
}
FIRST, STEPS, TOKENS = "s_qk", 20, 12  # who is shown first; steps of Adam; tokens of the text, for the attention
LEAST, MOST, BENT = 0.25, 4, 2  # times what was learned; for gates
STORED, USED, UNIT, ROW, NEXT = (
    440,
    1120,
    280,
    392,
    160,
)  # pixels: where lines begin; of 1; first line, and from line to line
SLIDER, ALONG, Y = 1160, 1816, 208  # the line of the factor: from, to, and its height
LEFT_EDGE, RIGHT_EDGE, FLOOR, TALL = 192, 1848, 912, 500  # of bars: edges and ground, and the height of 1
GATES, BYTES, ORIGIN = 24, 6, (1180, 868)  # dots on the curve; bars of their own; where the curve is 0
VISIBLE = {" ": "␣", "\n": "↵"}


class Speeds(Stage):
    """Stored numbers move alike and used ones do not; then larger and smaller scales in three places."""

    def construct(self):
        self.read()
        rows = {name: self.pair(row) for row, name in enumerate(KINDS)}
        (heads, clock), first = self.heads(), rows[FIRST]
        begin, times = self.start[FIRST], self.ratio[FIRST]

        self.next_section("Stored and used")
        said = f"{FIRST} is stored as {begin:.2f}, and used times init / scale, {times:.2f}: as {begin * times:.2f}."
        self.beat("One number, stored and used", FadeIn(heads, first), rest=0.5, say=said)
        others = VGroup(*(row for row in rows.values() if row is not first))
        said = "The others in the same way, each kind with an init and a scale of its own."
        self.beat("Each has its own init / scale", FadeIn(others), rest=0.3, say=said)

        self.next_section("Steps")
        shown, said = (FadeIn(clock), self.step.animate(rate_func=linear).set_value(STEPS)), self.said_of_steps()
        self.beat("Same steps, other distances", *shown, run_time=1.5, rest=0.6, say=said)

        self.next_section("Attention")
        self.attention([heads, clock, *rows.values()])

        self.next_section("Gates")
        gone = self.gates()
        self.next_section("Logits")
        self.logits(gone)

    # What was recorded

    def read(self):
        """Init / scale of each kind, (used, over stored), and what the factor multiplies: scores, gates and logits."""
        self.step, self.power, self.ratio, self.start = ValueTracker(0), ValueTracker(0), {}, {}
        self.rate, width = self.fact("ngpt.step/learning_rate"), self.fact("ngpt.dim")
        here = lambda name: self.value(f"ngpt.forward/{BLOCK}{name}")  # noqa: E731
        x, hidden, gate, bent = (here(f"1.fn{name}")[0] for name in ("/x", "/hidden", "/gate", ".to_out/x"))
        z, logits, targets, idx = (self.value(f"ngpt.forward/{name}")[0] for name in ("z", "logits", "targets", "idx"))
        u, v = (x @ self.value(f"ngpt.params/{BLOCK}1.fn.{name}.linear.weight").T for name in ("to_hidden", "to_gate"))
        used = here("0/alpha"), hidden / u, here("0.fn/s_qk").ravel(), logits / z
        self.text = "".join(map(chr, idx))
        for (name, (path, power)), numbers in zip(KINDS.items(), used, strict=True):
            ratios = numbers / self.value(f"ngpt.params/{path}.scale")
            self.ratio[name], self.start[name] = float(np.median(ratios)), float(width) ** power
            assert np.quantile(np.abs(ratios / self.ratio[name] - 1), 0.99) < 1e-2
        s_gate = self.value(f"ngpt.params/{BLOCK}1.fn.gate_scale.scale") * self.ratio["s_u, s_ν"]
        assert np.allclose(gate, v * s_gate * np.sqrt(width), atol=1e-3)
        assert np.allclose(hidden * silu(gate), bent, atol=1e-4)
        self.gate = np.quantile(gate[TOKENS - 1], np.linspace(0.05, 0.95, GATES), method="nearest").astype(float)
        self.ends = self.gate[[0, -1]]
        right = [t for t in range(len(logits)) if logits[t].argmax() == targets[t]]
        self.token = min(right, key=lambda t: abs(softmax(logits[t].astype(float)).max() - 0.4))
        order = logits[self.token].argsort()[::-1]
        self.logit, self.likely = logits[self.token][order].astype(float), order[:BYTES]
        self.scores = min(self.heads_of_all(), key=lambda scores: abs(softmax(scores).max() - 0.5))

    def heads_of_all(self):
        """Scores of the last of the tokens in each head of each block where a letter has the largest weight."""
        for block in range(self.fact("ngpt.depth")):
            q, k, att = (self.value(f"ngpt.forward/layers.{block}.0.fn/{name}")[0] for name in ("q", "k", "att"))
            for head, (query, keys) in enumerate(zip(q[:, TOKENS - 1], k[:, :TOKENS], strict=True)):
                scores = keys.astype(float) @ query * np.sqrt(len(query))
                assert np.allclose(softmax(scores), att[head, TOKENS - 1, :TOKENS], atol=1e-4)
                if self.text[scores.argmax()].isalpha():
                    yield scores

    def factor(self):
        return float(2 ** self.power.get_value())

    def to(self, factor):
        return self.power.animate.set_value(np.log2(factor))

    # Stored and used

    def pair(self, row):
        """The name of a kind, its two number lines, and between them what one is multiplied with."""
        name, y = list(KINDS)[row], ROW + row * NEXT
        ratio, begin = self.ratio[name], self.start[name]
        stored = self.track(STORED, 1.3, y, lambda: begin + self.rate * self.step.get_value(), self.theme.ink)
        read = lambda: ratio * (begin + self.rate * self.step.get_value())  # noqa: E731
        used = self.track(USED, 2.6, y, read, self.theme.yellow)
        times = self.code(f"× {ratio:.2f}", color=self.theme.yellow).move_to(at(962, y))
        self.tag(stored, "ngpt-scale-class-stored")
        self.tag(VGroup(times, used), "ngpt-scale-class-factor")
        return VGroup(self.words(name).move_to(at(LEFT_EDGE, y), aligned_edge=LEFT), stored, times, used)

    def track(self, left, reach, y, read, color):
        """A number line from 0 on, the way that a number has gone on it, and the number."""
        place, begin = lambda value: at(left + UNIT * value, y), read()
        ticks = [Line(place(i) + px(12) * UP, place(i) + px(12) * DOWN) for i in range(int(reach) + 1)]
        line = VGroup(Line(place(0), place(reach)), *ticks).set_stroke(self.theme.line, 2 * HAIRLINE)
        way = Line(place(begin), place(begin + 0.01)).set_stroke(color, 3 * ACCENT_LINE)
        way.add_updater(lambda o: o.put_start_and_end_on(place(begin), place(max(read(), begin + 0.01))))
        dot = Dot(place(begin), px(18), color=color).add_updater(lambda o: o.move_to(place(read())))
        return VGroup(line, way, dot, self.live(read, at(left + UNIT * reach, y - 60)))

    def live(self, read, place, widest=None, color=None, digits=2):
        """A number that follows ``read()``, with its right edge at a place."""
        number = self.digits(read(), digits, color=color, widest=widest).move_to(place, aligned_edge=RIGHT)
        return number.add_updater(lambda o: o.set_value(read()))

    def heads(self):
        """What stands in each column, and below the last lines what their ticks are; and how many steps there were."""
        found = VGroup()
        for text, x, color in (("stored", STORED, "muted"), ("init / scale", 768, "yellow"), ("used", USED, "muted")):
            found.add(self.words(text, color=getattr(self.theme, color)).move_to(at(x, 224), aligned_edge=LEFT))
        for left, last in ((STORED, 1), (USED, 2)):
            for i in range(last + 1):
                found.add(self.number(i, 0, color=self.theme.muted).move_to(at(left + UNIT * i, 936)))
        count = self.live(lambda: round(self.step.get_value()), at(RIGHT_EDGE, 224), STEPS, digits=0)
        word = self.words("steps", color=self.theme.muted).move_to(at(1740, 224), aligned_edge=RIGHT)
        return found, self.tag(VGroup(word, count), "ngpt-optimizer-adam")

    def said_of_steps(self):
        far, ratios = self.rate * STEPS, self.ratio.values()
        least, most = (1 + far / start for start in (max(self.start.values()), min(self.start.values())))
        said = f"{STEPS} steps of {self.rate:g} move what is stored by {far:.2f}, what is used by "
        said += f"{far * min(ratios):.2f} to {far * max(ratios):.2f}: with the small scale to {most:.2f} times what it "
        return said + f"was, with scale 1 to {least:.2f} times."

    # What the factor does

    def slider(self):
        """The line of the factor, from a quarter to four times what was learned, and the factor."""
        place = lambda power: at(SLIDER + (ALONG - SLIDER) * (power + 2) / 4, Y)  # noqa: E731
        found = VGroup(Line(place(-2), place(2)).set_stroke(self.theme.line, 2 * HAIRLINE))
        for power, text in ((-2, "× ¼"), (0, "× 1"), (2, "× 4")):
            found[0].add(Line(place(power) + px(14) * UP, place(power) + px(14) * DOWN).match_style(found[0]))
            found.add(self.words(text, color=self.theme.muted).move_to(place(power) + px(64) * DOWN))
        dot = Dot(place(0), px(20), color=self.theme.yellow)
        found.add(dot.add_updater(lambda o: o.move_to(place(self.power.get_value()))))
        found.add(self.code("×", color=self.theme.yellow).move_to(at(420, Y)))
        found.add(self.live(self.factor, at(620, Y), color=self.theme.yellow))
        return self.tag(found, "ngpt-scale-class-factor")

    def clear(self, *gone):
        """What was shown leaves, and the factor goes back to 1."""
        self.play(FadeOut(self.shown_title, *gone), self.to(1), run_time=0.4)
        self.shown_title = None

    def named(self, text):
        return self.words(text, color=self.theme.yellow).move_to(at(LEFT_EDGE, Y), aligned_edge=LEFT)

    def bars(self, read, labels, wide):
        """A bar for each of ``read()``, 1 being the full height, with a line where it was learned to be."""
        found, step, values = VGroup(), (RIGHT_EDGE - LEFT_EDGE) / len(labels), read()
        for i, (label, value) in enumerate(zip(labels, values, strict=True)):
            shape = Rectangle(self.theme.green, px(TALL), px(wide), stroke_width=0, fill_opacity=1)
            foot, half = at(LEFT_EDGE + (i + 0.5) * step, FLOOR), px(wide / 2 + 12)
            high = lambda i=i: px(max(TALL * read()[i], 2))  # noqa: E731
            follow = lambda o, h=high, at=foot: o.stretch_to_fit_height(h()).move_to(at, aligned_edge=DOWN)  # noqa: E731
            mark = Line(half * LEFT, half * RIGHT).set_stroke(self.theme.ink, 2 * HAIRLINE)
            name = self.words(label, color=self.theme.muted).move_to(foot + px(56) * DOWN)
            found.add(VGroup(shape.add_updater(follow).update(), mark.move_to(foot + px(TALL * value) * UP), name))
        top = int(values.argmax())
        above = lambda o: o.set_value(read()[top]).move_to(found[top][0].get_top() + px(48) * UP)  # noqa: E731
        return found.add(self.digits(values[top]).add_updater(above).update())

    def attention(self, gone):
        """The weights of a recorded row."""
        labels = [VISIBLE.get(letter, letter) for letter in self.text[:TOKENS]]
        self.chart = self.bars(lambda: softmax(self.scores * self.factor() ** 2), labels, 80)
        self.tag(self.chart, "ngpt-attend-softmax")
        line = self.words("line: as learned", color=self.theme.muted)
        self.name = VGroup(self.named("s_qk"), line.move_to(at(LEFT_EDGE, Y + 80), aligned_edge=LEFT))
        learned, least, most = (softmax(self.scores * factor**2).max() for factor in (1, LEAST, MOST))
        said = f"What the last of {TOKENS} tokens looks at, in one head: the largest weight is {learned:.2f}."
        shown = FadeIn(self.slider(), self.name), FadeIn(self.chart)
        self.beat("s_qk: what a token looks at", *shown, away=gone, rest=0.3, say=said)
        said = f"A quarter of s_qk, which counts twice, in queries and in keys: {least:.2f}."
        self.beat("A quarter: more even", self.to(LEAST), run_time=0.7, rest=0.4, say=said)
        self.beat("Four times: sharper", self.to(MOST), run_time=1, rest=0.5, say=f"Four times: {most:.2f}.")

    def gates(self):
        """Gates of one token on the curve of SiLU."""
        self.clear(self.chart, self.name)
        plane, name = self.plane(), self.named("s_ν")
        low, high = ([number_text(value) for f in (LEAST, BENT) for value in (f * g, silu(f * g))] for g in self.ends)
        said = f"{GATES} gates of one token. At a quarter of s_ν the least is {low[0]}, and SiLU makes it {low[1]}."
        self.beat("s_ν: where SiLU bends", FadeIn(plane, name), self.to(LEAST), run_time=0.8, rest=0.4, say=said)
        said = f"At twice s_ν it is {low[2]} and becomes {low[3]}; the largest is {high[2]} and becomes {high[3]}."
        self.beat("Twice: spread past the bend", self.to(BENT), run_time=1.2, rest=0.5, say=said)
        return plane, name

    def plane(self):
        """SiLU, the gates on it, and what becomes of the largest and the least."""
        (low, high), unit = BENT * self.ends, (ORIGIN[1] - 360) / (BENT * self.ends[1])
        place = lambda x, y: at(ORIGIN[0] + unit * x, ORIGIN[1] - unit * y)  # noqa: E731
        axes = VGroup(Line(place(low, 0), place(high, 0)), Line(place(0, silu(-1.28)), place(0, high)))
        curve = VMobject().set_points_as_corners([place(x, silu(x)) for x in np.linspace(low, high, 97)])
        found = VGroup(axes.set_stroke(self.theme.line, 2 * HAIRLINE), curve.set_stroke(self.theme.ink, ACCENT_LINE))
        for gate in self.gate:
            follow = lambda o, gate=gate: o.move_to(place(self.factor() * gate, silu(self.factor() * gate)))  # noqa: E731
            found.add(Dot(radius=px(14), color=self.theme.green).add_updater(follow).update())
        found.add(self.words("gate → SiLU", color=self.theme.muted).move_to(at(LEFT_EDGE, 400), aligned_edge=LEFT))
        for y, gate in zip((584, 496), self.ends, strict=True):
            found.add(self.live(lambda gate=gate: self.factor() * gate, at(LEFT_EDGE + 180, y), -9))
            found.add(self.live(lambda gate=gate: silu(self.factor() * gate), at(LEFT_EDGE + 420, y), -9))
        return self.tag(found, "ngpt-ff-gate")

    def logits(self, gone):
        """Probabilities of the next byte: of the likeliest, and of all others together."""
        read = lambda: np.add.reduceat(softmax(self.logit * self.factor()), range(BYTES + 1))  # noqa: E731
        learned, least, most = (softmax(self.logit * factor)[0] for factor in (1, LEAST, MOST))
        letters = [VISIBLE.get(chr(byte), chr(byte)) for byte in self.likely]
        self.clear(*gone)
        chart = self.tag(self.bars(read, [*letters, "others"], 120), "ngpt-logits-return")
        shown = FadeIn(chart, self.named("s_z"), self.name[1])
        said = f"After “{self.text[: self.token + 1].strip()}”: learned was {learned:.2f} for “{letters[0]}”; with a "
        said += f"quarter of s_z it is {least:.2f}."
        self.beat("s_z: how sure of a byte", shown, self.to(LEAST), run_time=0.8, rest=0.4, say=said)
        self.beat("Four times: surer", self.to(MOST), run_time=1.4, rest=0.7, say=f"Four times: {most:.2f}.")


def softmax(scores):
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def silu(x):
    return x / (1 + np.exp(-x))
