"""Clip for docs/guide/memory.md: what each part of a model keeps for the backward pass, in measured bytes."""

import numpy as np
from manim import LEFT, RIGHT, Dot, FadeIn, FadeOut, Line, Rectangle, Square, ValueTracker, VGroup, linear

from scenes.kit import EASE, HAIRLINE, REST, Stage, at, px

LEFT_EDGE, PITCH, WIDE, FOOT = 72, 296, 216, 904  # of the parts: where they begin, how wide, and their floor
UNIT = 26  # pixels of a MiB
ROW, NAMES = 196, 976  # heights of what stands above and below
MIB = 2**20


class Kept(Stage):
    """Bytes pile up on the way forward and go on the way back; rows, tokens and scores add some, checkpoints save."""

    def construct(self):
        self.read()
        self.add(self.floor(), self.size("B", self.B, 72, 200), self.size("T", self.T, 288, 456), self.total())
        usual = self.legend("BTC", self.theme.blue, 560)
        self.add(self.bars, self.dot(), usual)

        self.next_section("Forward")
        say = f"Forward: each part keeps what its way back will need, a block {self.told('usual', 1)}, the logits and "
        say += f"the loss {self.told('usual', -1)}."
        self.go("Forward: bytes pile up", self.forward("usual"), say, seconds=1.8, rest=REST / 2)

        self.next_section("Backward")
        say = "Backward: the last block is the first to let its bytes go. The loop holds the logits to the end."
        self.go("Backward: the last goes first", self.backward("usual"), say, seconds=1.6, rest=REST / 2)

        self.next_section("Rows")
        self.untold(self.walk([self.kept("usual")]))
        cuts, say = self.cuts("rows", 2), f"Forward again, with twice the rows: {self.told('rows')} wait, and not "
        say += f"{self.told('usual')}. Twice the tokens would keep {self.told('tokens')}."
        self.go("Twice the rows, twice the bytes", [self.kept("rows")], say, self.grow(self.B, 2), cuts=cuts)

        self.next_section("Scores", "poster")
        scores = self.legend("BHTT", self.theme.yellow, 840)
        self.untold(self.grow(self.B, 0.5), self.walk([self.kept("usual")]), away=[cuts])
        say = f"Where attention keeps its scores, T by T for each head, a block keeps {self.told('scores', 1)}."
        self.go("Scores kept: T by T", [self.kept("scores")], say, FadeIn(scores), rest=REST / 2)
        cuts, say = self.cuts("long", 2, 4), "Twice the tokens: all else doubles, scores grow fourfold. A block keeps "
        say += f"{self.told('long', 1)}."
        self.go("Twice the tokens: scores fourfold", [self.kept("long")], say, self.grow(self.T, 2), cuts=cuts)

        self.next_section("Checkpoints")
        before = self.outlines("usual")
        self.untold(self.grow(self.T, 0.5), self.walk([self.kept("usual")]), away=[cuts, scores])
        self.add(before)
        self.path = np.array([self.nothing()])
        say = f"With checkpointing a block keeps its input alone, {self.told('again', 1)}; the frames are what it kept."
        self.go("Checkpoints: inputs alone stay", self.forward("again"), say, seconds=0.8, rest=REST / 2)
        say = f"On the way back each block is computed again: {self.told_again()} at a time, for more operations."
        again = self.legend("computed again", self.theme.green, 840)
        self.go("One block at a time, again", self.backward("again"), say, FadeIn(again), seconds=1.8, rest=REST / 2)

        self.next_section("To keep")
        say = "What waits grows with blocks, rows and tokens; with checkpoints inputs and one block wait, and the way "
        say += "forward is gone twice."
        kept = [self.told(way).removesuffix(" MiB") for way in ("usual", "again")]
        self.go(f"{kept[0]} MiB, or {kept[1]} with checkpoints", [self.kept("again")], say, rest=1.5 * REST)

    def read(self):
        """Sizes, and the bytes of each way at each moment, (moments, parts)."""
        self.rows, self.tokens, self.layers = (self.fact(f"kept.{name}") for name in ("rows", "tokens", "n_layer"))
        self.B, self.T = ValueTracker(self.rows), ValueTracker(self.tokens)
        ways, self.parts = self.fact("kept.ways").split(", "), self.layers + 2
        self.bytes = {way: np.array([self.series(f"{way}_{i}") for i in range(self.parts)]).T for way in ways}
        self.computed = self.series("again_computed")
        self.path, self.share = np.array([self.nothing()]), ValueTracker(0)
        self.bars = VGroup(*(self.bar(kind, part) for kind in range(3) for part in range(self.parts)))
        for bars, step in ((self.bars[: self.parts], "forward"), (self.bars[self.parts :], "backward")):
            self.tag(bars, f"guide-trial-{step}")

    def series(self, name):
        return np.array(self.reading.find(f"kept.log/{name}").series)[:, 1]

    # States: bytes by kind and part (3, parts), kept ones, scores, computed again; and between which parts the pass is

    def state(self, kept, place=0, scores=0, computed=0):
        zero = np.zeros(self.parts)
        return np.concatenate([kept, zero + scores, zero + computed, [place]])

    def nothing(self):
        return self.state(np.zeros(self.parts))

    def kept(self, way):
        """All that waits at the end of a forward pass."""
        end, plain = self.bytes[way][self.parts], {"scores": "usual", "long": "tokens"}.get(way, way)
        base = self.bytes[plain][self.parts]
        return self.state(base, self.parts, scores=end - base)

    def forward(self, way):
        return [self.state(self.bytes[way][moment], moment) for moment in range(self.parts + 1)]

    def backward(self, way):
        """From moment to moment; where blocks are computed again, with that in between."""
        found = []
        for place in reversed(range(self.parts)):
            now = self.bytes[way][2 * self.parts - place]
            found.append(self.state(now, place))
            if way == "again" and 1 < place <= self.layers + 1:
                again = np.eye(self.parts)[place - 1] * self.computed[place - 2]
                found.append(self.state(now, place - 0.5, computed=again))
        return found

    def now(self):
        share = self.share.get_value()
        return np.array([np.interp(share, np.arange(len(self.path)), column) for column in self.path.T])

    def walk(self, states):
        """Go from here through these states."""
        self.path = np.array([self.now(), *states])
        self.share.set_value(0)
        return self.share.animate(rate_func=linear).set_value(len(states))

    def go(self, title, states, say, *more, seconds=EASE, rest=REST, away=(), cuts=None):
        if cuts is not None:
            more = (*more, FadeIn(cuts))
        self.beat(title, self.walk(states), *more, run_time=seconds, rest=rest, away=away, say=say)

    def untold(self, *animations, away=()):
        """Back to where the next beat begins; what was said leaves."""
        self.play(*animations, FadeOut(self.shown_title, *away), run_time=0.5)
        self.shown_title = None

    def grow(self, size, times):
        return size.animate(rate_func=linear).set_value(size.get_value() * times)

    # Words

    def told(self, way, part=None):
        """Bytes that wait at the end of the forward pass, of all parts or of one."""
        kept = self.bytes[way][self.parts]
        return f"{(kept.sum() if part is None else kept[part]) / MIB:.1f} MiB"

    def told_again(self):
        return f"{self.computed.max() / MIB:.1f} MiB"

    # What is drawn

    def middle(self, part):
        return LEFT_EDGE + (part + 0.5) * PITCH

    def floor(self):
        """The line on which the bars stand, and the parts' names."""
        names = ["embed", *(f"block {i}" for i in range(self.layers)), "logits"]
        marks = [self.words(name, color=self.theme.muted) for name in names]
        for part, mark in enumerate(marks):
            mark.move_to(at(self.middle(part), NAMES))
        right = LEFT_EDGE + self.parts * PITCH
        return VGroup(Line(at(LEFT_EDGE, FOOT), at(right, FOOT)).set_stroke(self.theme.line, 2 * HAIRLINE), *marks)

    def bar(self, kind, part):
        """One kind of bytes of one part; it stands on those before."""
        color = (self.theme.blue, self.theme.yellow, self.theme.green)[kind]
        bar = Rectangle(color, px(1), px(WIDE), stroke_width=0, fill_opacity=1)

        def stand(bar):
            heights = self.now()[:-1].reshape(3, self.parts)[: kind + 1, part] / MIB * UNIT
            bar.stretch_to_fit_height(px(max(heights[kind], 0.01)))
            bar.move_to(at(self.middle(part), FOOT - heights[:kind].sum() - heights[kind] / 2))

        bar.add_updater(stand)
        return bar

    def dot(self):
        """Where the pass is."""
        dot = Dot(radius=px(20), color=self.theme.accent).set_z_index(2)
        return dot.add_updater(lambda o: o.move_to(at(LEFT_EDGE + self.now()[-1] * PITCH, FOOT)))

    def size(self, letter, tracker, left, right):
        """A dimension's letter and its size now."""
        mark = self.words(letter, color=self.theme.dimension(letter), weight="BOLD").move_to(at(left, ROW), LEFT)
        count = self.digits(tracker.get_value(), 0, widest=2 * tracker.get_value()).move_to(at(right, ROW), RIGHT)
        count.add_updater(lambda o: o.set_value(round(tracker.get_value())))
        return VGroup(mark, count)

    def total(self):
        """All bytes that wait."""
        unit = self.words("MiB", color=self.theme.muted).move_to(at(LEFT_EDGE + self.parts * PITCH, ROW), RIGHT)
        count = self.digits(0, 1, widest=999).move_to(at(LEFT_EDGE + self.parts * PITCH - 150, ROW), RIGHT)
        count.add_updater(lambda o: o.set_value(self.now()[:-1].sum() / MIB))
        return VGroup(count, unit)

    def legend(self, letters, color, left):
        """A square of a colour, and the product with which its bytes grow, or a word."""
        square = Square(px(44), color=color, stroke_width=0, fill_opacity=1)
        if letters.isupper():
            parts = [self.words(each, color=self.theme.dimension(each), weight="BOLD") for each in letters]
        else:
            parts = [self.words(letters, color=self.theme.muted)]
        return VGroup(square, *parts).arrange(RIGHT, buff=px(16)).move_to(at(left, ROW), LEFT)

    def outlines(self, way):
        """What a way keeps, as frames."""
        frames = VGroup()
        for part, size in enumerate(self.bytes[way][self.parts] / MIB * UNIT):
            frame = Rectangle(height=px(size), width=px(WIDE)).set_stroke(self.theme.muted, 2 * HAIRLINE)
            frames.add(frame.move_to(at(self.middle(part), FOOT - size / 2)))
        return frames

    def cuts(self, way, *pieces):
        """Lines that cut the bars of a way into so many pieces: what it keeps, and its scores."""
        cuts, heights = VGroup(), self.kept(way)[: 2 * self.parts].reshape(2, self.parts) / MIB * UNIT
        for kind, count in enumerate(pieces):
            for part in range(self.parts):
                for i in range(1, count):
                    y = FOOT - heights[:kind, part].sum() - heights[kind, part] * i / count
                    x = self.middle(part)
                    if heights[kind, part] > 2 * UNIT:
                        line = Line(at(x - WIDE / 2, y), at(x + WIDE / 2, y))
                        cuts.add(line.set_stroke(self.theme.ground, 6))
        return cuts
