"""Clip for docs/train/curve.md: the run's own curve, its learning rate and gradient norm, and what stands out in it."""

import json

import numpy as np
from manim import LEFT, RIGHT, Circle, Create, FadeIn, Line, Square, VGroup, VMobject

from scenes.kit import ACCENT_LINE, HAIRLINE, REST, Stage, at, number_text, px

LEFT_EDGE, RIGHT_EDGE = 288, 1800
LOSS, RATE, NORM = (176, 584), (640, 752), (808, 960)  # top and bottom of the panels
BETA = 0.9  # of the smoothing, as nanochat's log has it
FLAT_AT = 412  # where the plateaus are marked
WINDOWS = "100", "200"  # steps, of those in which the run looked for plateaus


def smoothed(values: np.ndarray, beta: float = BETA) -> np.ndarray:
    """Running mean that forgets, divided by the weight that it has so far (n,)."""
    mean, means = 0.0, []
    for step, value in enumerate(values, 1):
        mean = beta * mean + (1 - beta) * value
        means.append(mean / (1 - beta**step))
    return np.array(means)


class Curve(Stage):
    """The loss step by step, smoothed and evaluated; below it the learning rate and the norm of the gradient."""

    def construct(self):
        loss, rate, norm = (self.series(name)[:, 1] for name in ("loss", "lr", "grad_norm"))
        clip = self.fact("chars.grad_clip")
        self.last, smooth = len(loss) - 1, smoothed(loss)
        loss_on, rate_on, norm_on = self.scale(LOSS, 1.5, 5), self.scale(RATE, 0, 1e-3), self.scale(NORM, 0, 6)
        self.add(self.panel("loss", LOSS, loss_on, (2, 4)), self.panel("lr", RATE, rate_on, ()))
        self.add(self.panel("norm", NORM, norm_on, ()), self.foot())

        self.next_section("Loss")
        raw = self.tag(self.curve(loss, loss_on, self.theme.muted, HAIRLINE), "loop-train-report")
        say = f"The loss of each step's batch, from {number_text(loss[0])} to {number_text(loss[-1])}."
        self.beat(f"The loss of {len(loss)} batches", Create(raw), run_time=1.6, say=say)

        self.next_section("Smoothed")
        mean = self.tag(self.curve(smooth, loss_on, self.theme.ink, ACCENT_LINE), "curve-smooth-debias")
        end = self.words(f"smoothed, at the end {number_text(smooth[-1])}").move_to(at(RIGHT_EDGE, 352), RIGHT)
        say = f"A running mean takes out most of the noise; at the end it is {number_text(smooth[-1])}."
        self.beat("A running mean", Create(mean), FadeIn(end), run_time=1.2, say=say)

        self.next_section("Evaluations")
        marks, told = self.evaluations(loss_on)
        say = f"Every {told[1][0]} steps the loss is estimated on both parts of the text: {self.listed(told)}."
        key = self.words("○ validation   □ training", color=self.theme.muted).move_to(at(RIGHT_EDGE, 212), RIGHT)
        self.beat("Evaluations, on both parts", FadeIn(marks), FadeIn(key), say=say)

        self.next_section("Learning rate")
        drawn = self.tag(self.curve(rate, rate_on, self.theme.ink, ACCENT_LINE), "loop-train-rate")
        say = f"The learning rate rises for {int(rate.argmax())} steps, then falls to a tenth."
        self.beat("The learning rate", Create(drawn), run_time=1, say=say)

        self.next_section("Gradient norm")
        drawn = self.tag(self.curve(norm, norm_on, self.theme.ink, HAIRLINE), "adamw-update-clip")
        limit = self.level(norm_on(clip)).set_stroke(self.theme.accent)
        share = f"{np.mean(norm > clip):.0%}"
        say = f"The norm of the gradient. Above {clip:g}, the line, it is clipped: in {share} of the steps."
        self.beat(f"Gradients, clipped at {clip:g}", Create(drawn), FadeIn(limit), run_time=1.2, say=say)

        self.next_section("Spikes")
        found = json.loads(self.fact("chars.spikes"))
        rings = [self.ring(step, loss_on(loss[step])) for step in found["loss"]]
        rings += [self.ring(step, norm_on(norm[step])) for step in found["norm"]]
        listed = "; ".join(f"{name}: {', '.join(map(str, steps)) or 'none'}" for name, steps in found.items())
        say = f"Spikes: steps far above what those before them let one expect. {listed}."
        title = f"Spikes: {len(found['loss'])} in loss, {len(found['norm'])} in norm"
        shown = [FadeIn(self.tag(VGroup(*rings), "curve-spike-mark"))] if rings else []
        self.beat(title, *shown, rest=1.5 * REST, say=say)

        self.next_section("Plateaus")
        before = VGroup()
        for window, stretches in ((window, json.loads(self.fact("chars.plateaus"))[window]) for window in WINDOWS):
            listed = ", ".join(f"steps {first} to {last}" for first, last in stretches) or "none"
            bars = self.tag(VGroup(*(self.flat(*ends) for ends in stretches)), "curve-plateau-mark")
            title = f"Plateaus, of {window} steps: {len(stretches) or 'none'}"
            say = f"Windows of {window} steps in which no fall can be told from noise: {listed}."
            shown = [FadeIn(bars)] if stretches else []
            self.beat(title, *shown, away=[before] if before else [], rest=1.5 * REST, say=say)
            before = bars

    def series(self, name):
        """A series of the run's log: (n, 2), steps and values."""
        return np.array(self.reading.find(f"chars.log/{name}").series)

    def scale(self, panel, low, high):
        """From a value to its height on the stage, in pixels."""
        top, bottom = panel
        return lambda value: bottom - (value - low) / (high - low) * (bottom - top)

    def across(self, step):
        return LEFT_EDGE + step / self.last * (RIGHT_EDGE - LEFT_EDGE)

    def panel(self, name, place, scale, ticks):
        """The frame of a panel: its name or its marks at the left, a line at its foot and at each mark."""
        top, bottom = place
        lines = [self.level(y) for y in (bottom, *map(scale, ticks))]
        label = self.words(name, color=self.theme.muted).move_to(at(LEFT_EDGE - 32, (top + bottom) / 2), RIGHT)
        marks = [self.number(t, 0, color=self.theme.muted).move_to(at(LEFT_EDGE - 32, scale(t)), RIGHT) for t in ticks]
        return VGroup(*lines, label, *marks)

    def level(self, y):
        return Line(at(LEFT_EDGE, y), at(RIGHT_EDGE, y)).set_stroke(self.theme.line, HAIRLINE)

    def foot(self):
        steps = self.words(f"{self.last} steps", color=self.theme.muted).move_to(at(RIGHT_EDGE, 1016), RIGHT)
        return VGroup(self.words("0", color=self.theme.muted).move_to(at(LEFT_EDGE, 1016), LEFT), steps)

    def curve(self, values, scale, colour, width):
        points = [at(self.across(step), scale(value)) for step, value in enumerate(values)]
        return VMobject().set_points_as_corners(points).set_stroke(colour, width)

    def evaluations(self, scale):
        """A ring for each validation loss, a square for each training loss; and what they are."""
        told = [
            (int(step), float(train), float(val))
            for (step, train), (_, val) in zip(self.series("train_loss"), self.series("val_loss"), strict=True)
        ]
        marks = VGroup()
        for step, train, val in told:
            for shape, value in ((Square(px(28)), train), (Circle(px(16)), val)):
                shape.set_fill(self.theme.ground, 1).set_stroke(self.theme.ink, ACCENT_LINE)
                marks.add(shape.move_to(at(self.across(step), scale(value))))
        return self.tag(marks, "curve-estimate-mean"), told

    def listed(self, told):
        return "; ".join(f"step {step}, training {train:.2f}, validation {val:.2f}" for step, train, val in told)

    def flat(self, first, last):
        """A bar over a stretch that looks flat."""
        return Line(at(self.across(first), FLAT_AT), at(self.across(last), FLAT_AT)).set_stroke(
            self.theme.accent, 2 * ACCENT_LINE
        )

    def ring(self, step, y):
        return Circle(px(24)).set_stroke(self.theme.accent, ACCENT_LINE).move_to(at(self.across(step), y))
