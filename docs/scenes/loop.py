"""Clip for docs/train/loop.md: the first step of nanoGPT's loop with its recorded numbers, then the next losses."""

import json

import numpy as np
from manim import LEFT, RIGHT, Create, Dot, FadeIn, Line, Rectangle, ReplacementTransform, VGroup, VMobject

from scenes.kit import ACCENT_LINE, HAIRLINE, REST, Stage, at, number_text, px

NAMES_AT, VALUES_AT = 88, 464  # left edges of the six names and of what stands beside them
TOP, PITCH, HIGH = 232, 144, 72  # the first row, from one to the next, and the height of a strip
WIDE = 1368  # of a strip
UNIT = 216  # pixels of a gradient norm of 1
NEXT = 100  # steps whose losses are shown: the warmup
CHART = (288, 1800, 216, 928)  # left, right, top and bottom
VISIBLE = {" ": "·", "\n": "¶"}  # what would not be seen


class Step(Stage):
    """Batch, forward, loss, backward, clip, step: once in full, with the run's own numbers; then only the losses."""

    def construct(self):
        log = np.array(self.reading.find("chars.log/loss").series)[:NEXT]
        V, B, T = self.fact("chars.vocab_size"), self.fact("chars.batch_size"), self.fact("chars.block_size")
        norm, most, lr = (self.fact(name) for name in ("chars.loop/norm", "chars.grad_clip", "chars.loop/lr"))
        count = self.fact("chars.n_params") + T * self.fact("chars.n_embd")  # positions are not counted in the fact

        self.next_section("Batch")
        text = self.tag(self.row(0, "batch", self.window()), "loop-train-batches")
        say = f"A batch: {B} windows of {T} characters. This is the beginning of the first."
        self.beat(f"A batch: {B} windows of {T}", FadeIn(text), say=say)

        self.next_section("Forward")
        logits = self.value("chars.loop@2/logits")[0, -1].astype(float)
        strip = self.strip(1, logits)
        self.tensor(strip, "chars.loop@2/logits", (0, T - 1))
        say = f"Forward: for every position {V} logits, one for each character; here those of one position."
        self.beat(f"Forward: {V} logits a position", FadeIn(self.row(1, "forward", strip)), say=say)

        self.next_section("Loss")
        even = self.words(f"even guess: {number_text(np.log(V))}", color=self.theme.muted)
        loss = VGroup(self.number(log[0, 1]), even).arrange(RIGHT, buff=px(96))
        loss = self.tag(self.row(2, "loss", loss), "loop-micro-forward")
        say = f"The loss is {number_text(log[0, 1])}: the model is fresh, and an even guess costs hardly more."
        self.beat("The loss: one number", FadeIn(loss), say=say)

        self.next_section("Backward")
        slopes = self.value("adamw.step@0/adamw-step-gradient").astype(float)
        strip = self.tag(self.row(3, "backward", self.strip(3, slopes)), "loop-micro-backward")
        say = f"Backward: a gradient for each of {count:,} numbers. Here one number of each character's vector."
        self.beat(f"Backward: {count:,} gradients", FadeIn(strip), say=say)

        self.next_section("Clip")
        long, short = self.length(norm, norm), self.length(most, norm)
        say = f"All gradients together are {number_text(norm)} long, and are shortened to {most:g}."
        self.beat(f"Their length: {number_text(norm)}", FadeIn(self.row(4, "clip", long)), say=say, rest=REST / 2)
        self.tag(short, "adamw-update-clip")
        self.beat(f"Clipped to {most:g}", ReplacementTransform(long, short), say=f"Clipped to {most:g}.")

        self.next_section("Step")
        moves = -self.value("adamw.step@0/adamw-step-mean-corrected").astype(float)
        strip = self.strip(5, moves / (self.value("adamw.step@0/adamw-step-root").astype(float) + 1e-8))
        strip = self.tag(self.row(5, "step", strip), "adamw-update-step")
        say = f"AdamW's first step: nearly every number moves by one learning rate, {lr:.1e}, up or down."
        self.beat(f"Step: all by about {lr:.1e}".replace("e-0", "e−"), FadeIn(strip), rest=2 * REST, say=say)

        self.next_section("Again")
        curve, frame, first = self.chart(log)
        away = [m for m in self.mobjects if m is not self.shown_title]
        ends = [number_text(loss) for loss in log[[0, -1], 1]]
        say = f"And again. The losses of the first {NEXT} steps, from {ends[0]} to {ends[1]}."
        self.beat(f"And again: {NEXT} steps", FadeIn(frame, first), away=away, say=say, rest=0.2)
        self.play(Create(curve), run_time=2)
        end = self.number(log[-1, 1]).move_to(at(CHART[1], self.height(3.4)), RIGHT)
        self.play(FadeIn(end), run_time=0.5)
        self.wait(2 * REST)

    def row(self, number, name, what):
        """The name of a part of the loop, and what stands beside it."""
        y = TOP + PITCH * number
        label = self.code(name, color=self.theme.muted).move_to(at(NAMES_AT, y), LEFT)
        return VGroup(label, what if number in (1, 3, 5) else what.move_to(at(VALUES_AT, y), LEFT))

    def window(self):
        letters = json.loads(self.fact("shards.characters_of_chars"))
        read = [letters[i] for i in self.value("chars.loop@2/idx")[0, :36]]
        return self.code("".join(VISIBLE.get(letter, letter) for letter in read))

    def strip(self, number, values):
        """One cell for each number."""
        top, wide = float(np.abs(values).max()), WIDE / len(values)
        cells = VGroup()
        for i, value in enumerate(values):
            cell = Rectangle(self.theme.sign(value / top), px(HIGH), px(wide - 2), stroke_width=0, fill_opacity=1)
            cells.add(cell.move_to(at(VALUES_AT + (i + 0.5) * wide, TOP + PITCH * number)))
        return cells

    def length(self, norm, most):
        """A bar as long as the gradient, on the line of the longest, and where the limit is."""
        y, bar = TOP + PITCH * 4, Rectangle(self.theme.accent, px(HIGH / 2), px(norm * UNIT), stroke_width=0)
        bar.set_fill(self.theme.accent, 1).move_to(at(VALUES_AT, y), LEFT)
        rail = Line(at(VALUES_AT, y), at(VALUES_AT + most * UNIT, y)).set_stroke(self.theme.line, HAIRLINE)
        end = self.number(most, color=self.theme.muted).move_to(at(VALUES_AT + most * UNIT + 16, y), LEFT)
        return VGroup(rail, end, bar)

    def height(self, loss):
        return CHART[3] - (loss - 2.2) / 2.6 * (CHART[3] - CHART[2])

    def chart(self, log):
        """The losses as a line, the frame with its marks, and the first loss as a dot."""
        left, right, _, bottom = CHART
        frame = VGroup()
        for loss in (3, 4):
            y = self.height(loss)
            frame.add(Line(at(left, y), at(right, y)).set_stroke(self.theme.line, HAIRLINE))
            frame.add(self.number(loss, 0, color=self.theme.muted).move_to(at(left - 32, y), RIGHT))
        frame.add(self.words("loss", color=self.theme.muted).move_to(at(left, 152), LEFT))
        feet = (self.words(text, color=self.theme.muted) for text in ("step 0", f"step {NEXT - 1}"))
        sides = ((left, LEFT), (right, RIGHT))
        frame.add(*(foot.move_to(at(x, bottom + 64), side) for foot, (x, side) in zip(feet, sides, strict=True)))
        places = [at(left + step / (NEXT - 1) * (right - left), self.height(loss)) for step, loss in log]
        curve = VMobject().set_points_as_corners(places).set_stroke(self.theme.ink, ACCENT_LINE)
        return self.tag(curve, "loop-train-report"), frame, Dot(places[0], px(14), color=self.theme.accent)
