"""Clip for docs/guide/loss.md: a training with a spike and a plateau, found by the tool's rules; the same, mended."""

import numpy as np
from manim import (
    LEFT,
    RIGHT,
    Circle,
    Create,
    Dot,
    FadeIn,
    FadeOut,
    Line,
    Polygon,
    ValueTracker,
    VGroup,
    VMobject,
    linear,
)

from scenes.kit import ACCENT_LINE, EASE, HAIRLINE, REST, Stage, at, number_text, px

LEFT_EDGE, RIGHT_EDGE, TOP, BOTTOM = 160, 1848, 176, 928
LOWEST, HIGHEST, TICKS = 2.2, 8.6, (3, 5, 7)  # nats


class Found(Stage):
    """The loss as a moving point; the spike leaves its limit, the plateau's line is level, and both are mended."""

    def construct(self):
        self.read()
        point, said = self.point("broken", self.theme.accent), self.loss_now()
        self.add(self.frame(), point, said)

        self.next_section("Loss")
        trail = self.tag(self.trail("broken", 0, self.at_spike - 1, self.theme.ink), "guide-spike-rule-course")
        say = f"The loss of a small model, batch by batch, to step {self.at_spike - 1}."
        going = self.going("broken", trail, self.at_spike - 1)
        self.beat("The loss of each batch", *going, run_time=2, rest=REST / 2, say=say)

        self.next_section("Limit")
        line = self.tag(self.past(), "guide-expect-line")
        limit = self.tag(self.limit(), "guide-spike-rule-far")
        say = f"A line through the 50 losses before, and above it {self.far:g} times their spread: the limit."
        self.beat("Expected, and the limit", Create(line), FadeIn(limit), rest=REST / 2, say=say)

        self.next_section("Spike")
        jump = self.trail("broken", self.at_spike - 1, self.at_spike, self.theme.ink)
        self.play(*self.going("broken", jump, self.at_spike), run_time=0.5)
        ring, why = self.ring(), self.words("a damaged batch").move_to(at(self.across(self.at_spike) + 64, 200), LEFT)
        say = f"Step {self.at_spike}: {number_text(self.spike)} where {number_text(self.expected)} was expected, "
        say += f"{self.excess:.0f} spreads above. Its batch came from a damaged file: decode it, and leave it out."
        marked = self.tag(VGroup(ring, why), "guide-spike-rule-far")
        self.beat(f"Step {self.at_spike}: {self.excess:.0f} spreads above", FadeIn(marked), rest=REST, say=say)

        self.next_section("Plateau")
        rest = self.tag(self.trail("broken", self.at_spike, self.last, self.theme.ink), "guide-flat-ends")
        self.play(FadeOut(self.shown_title, line, limit, why), run_time=EASE / 2)
        self.shown_title = None
        self.play(*self.going("broken", rest, self.last), run_time=1.2)
        window, begin = self.window()
        self.add(window)
        say = "A straight line goes through ever shorter ends of the course, until it falls no more than noise could."
        self.beat("Does it still fall?", begin.animate.set_value(self.flat), run_time=2, rest=REST / 4, say=say)
        way = "lower" if self.fall > 0 else "higher"
        say = f"From step {self.flat} on it ends {number_text(abs(self.fall))} {way}, within twice its error of "
        self.beat(f"Flat from step {self.flat} on", say=say + f"{number_text(self.error)}: a plateau.")

        self.next_section("Cause")
        say = f"Guessing by how often each letter occurs costs {number_text(self.frequencies)}. So the context is of "
        say += f"no use; and indeed, shuffled, it costs {number_text(self.shuffled)}. The targets are of other rows."
        level, asked = self.level(), self.words(f"context shuffled: {number_text(self.shuffled)}")
        shown = FadeIn(asked.move_to(at(RIGHT_EDGE, self.height(4.5)), RIGHT))
        self.beat("Its level: letters' frequencies", Create(level), shown, away=[window], rest=REST, say=say)

        self.next_section("Mended", "poster")
        self.followed = "mended"
        self.add(self.point("mended", self.theme.green))
        mended = self.tag(self.trail("mended", 0, self.last, self.theme.green), "guide-flat-halves")
        say = f"Both mended: the batch left out, each row paired with its own targets. At the end {self.mended:.2f}."
        quiet = VGroup(trail, jump, rest).animate.set_stroke(self.theme.muted, 2 * HAIRLINE)
        going, away = self.going("mended", mended, self.last), [point, level, asked]
        self.beat("Batch left out, rows paired", *going, quiet, run_time=1.8, away=away, rest=REST / 2, say=say)

        self.next_section("To keep")
        say = "The rules say where to look, the level of a plateau says what is of no use."
        self.beat("Rules say where, levels say why", rest=1.5 * REST, say=say)

    def read(self):
        """The run's losses, and what the tool's rules found in them."""
        self.losses = {kind: self.series(kind) for kind in ("broken", "mended")}
        self.last, self.followed = len(self.losses["broken"]) - 1, "broken"
        self.place = {kind: ValueTracker(0) for kind in self.losses}
        facts = ("spike_step", "spike_loss", "expected", "excess", "flat_first", "flat_fall", "flat_error")
        self.at_spike, self.spike, self.expected, self.excess, self.flat, self.fall, self.error = (
            self.fact(f"broken.{name}") for name in facts
        )
        self.frequencies, self.shuffled = (self.fact(f"broken.{name}") for name in ("frequencies", "broken_shuffled"))
        self.far = self.fact("broken.judge/far")
        self.mended = self.losses["mended"][-30:].mean()

    def series(self, kind):
        return np.array(self.reading.find(f"broken.log/{kind}").series)[:, 1]

    def going(self, kind, trail, step):
        """The point goes on to a step and leaves its trail."""
        return self.place[kind].animate(rate_func=linear).set_value(step), Create(trail, rate_func=linear)

    def across(self, step):
        return LEFT_EDGE + step / self.last * (RIGHT_EDGE - LEFT_EDGE)

    def height(self, loss):
        return BOTTOM - (loss - LOWEST) / (HIGHEST - LOWEST) * (BOTTOM - TOP)

    def spot(self, step, loss):
        return at(self.across(step), self.height(loss))

    def now(self, kind):
        """The place of a moving point: its step and loss, on the line between two losses."""
        step = self.place[kind].get_value()
        return step, float(np.interp(step, np.arange(self.last + 1), self.losses[kind]))

    def point(self, kind, color):
        dot = Dot(self.spot(*self.now(kind)), px(18), color=color).set_z_index(2)
        return dot.add_updater(lambda o: o.move_to(self.spot(*self.now(kind))))

    def loss_now(self):
        """The loss where the point is."""
        count = self.digits(self.losses["broken"][0], 2).move_to(at(RIGHT_EDGE, 68), RIGHT)
        count.add_updater(
            lambda o: o.set_value(self.losses[self.followed][round(self.place[self.followed].get_value())])
        )
        return VGroup(self.words("loss", color=self.theme.muted).move_to(at(RIGHT_EDGE - 160, 68), RIGHT), count)

    def frame(self):
        """Lines at whole losses, the names of both axes, the first and the last step."""
        frame = VGroup(self.words("0", color=self.theme.muted).move_to(at(LEFT_EDGE, 1000), LEFT))
        for loss in TICKS:
            y = self.height(loss)
            frame.add(Line(at(LEFT_EDGE, y), at(RIGHT_EDGE, y)).set_stroke(self.theme.line, HAIRLINE))
            frame.add(self.number(loss, 0, color=self.theme.muted).move_to(at(LEFT_EDGE - 40, y), RIGHT))
        return frame.add(self.words(f"step {self.last}", color=self.theme.muted).move_to(at(RIGHT_EDGE, 1000), RIGHT))

    def trail(self, kind, first, last, color):
        places = [self.spot(step, self.losses[kind][step]) for step in range(first, last + 1)]
        return VMobject().set_points_as_corners(places).set_stroke(color, ACCENT_LINE)

    def past(self):
        """The line through the losses before the spike, and one step further."""
        before = len(self.losses["broken"]) - len(self.value("broken.judge/spread"))
        level, slope = self.value("broken.judge/lines")[self.at_spike - before]
        ends = (self.spot(self.at_spike - before + t, level + slope * t) for t in (0, before))
        return Line(*ends).set_stroke(self.theme.blue, 2 * ACCENT_LINE).set_z_index(1)

    def limit(self):
        """The band from the line to the limit, over the same steps."""
        before = len(self.losses["broken"]) - len(self.value("broken.judge/spread"))
        first, spread = self.at_spike - before, self.value("broken.judge/spread")[self.at_spike - before]
        level, slope = self.value("broken.judge/lines")[first]
        low = [self.spot(first + t, level + slope * t) for t in (0, before)]
        high = [self.spot(first + t, level + slope * t + self.far * spread) for t in (before, 0)]
        band = Polygon(*low, *high, stroke_width=0).set_fill(self.theme.blue, 0.2)
        return VGroup(band, Line(*high).set_stroke(self.theme.blue, ACCENT_LINE))

    def ring(self):
        return Circle(px(32)).set_stroke(self.theme.accent, ACCENT_LINE).move_to(self.spot(self.at_spike, self.spike))

    def window(self):
        """The end of the course from a step on, as a band, and the line that fits it best."""
        begin, losses = ValueTracker(0), self.losses["broken"]
        line, band = (Line().set_stroke(self.theme.blue, width) for width in (2 * ACCENT_LINE, 2))
        line.set_z_index(1)

        def fit(shown):
            first = round(begin.get_value())
            slope, level = np.polyfit(np.arange(first, self.last + 1), losses[first:], 1)
            ends = [self.spot(step, level + slope * step) for step in (first, self.last)]
            shown.put_start_and_end_on(*ends)

        def span(shown):
            x = self.across(round(begin.get_value()))
            shown.put_start_and_end_on(at(x, TOP + 96), at(x, BOTTOM))

        for shown, update in ((line, fit), (band, span)):
            update(shown)
            shown.add_updater(update)
        return self.tag(VGroup(line, band), "guide-flat-fall"), begin

    def level(self):
        """What the frequencies of letters cost."""
        y = self.height(self.frequencies)
        line = Line(at(LEFT_EDGE, y), at(RIGHT_EDGE, y)).set_stroke(self.theme.yellow, 2 * ACCENT_LINE).set_z_index(1)
        return self.tag(line, "guide-flat-fall")
