"""A training's loss: a point runs along it, then what stands out by the rules of ``fieldguide loss`` is marked."""

import math

from manim import LEFT, RIGHT, UP, Circle, Create, Dot, FadeIn, Line, Square, ValueTracker, VGroup, linear

from .ground import ACCENT_LINE, HAIRLINE, REST, SMALL, Ground, at, number_text, px

LEFT_AT, RIGHT_AT, TOP, BOTTOM = 320, 1800, 232, 912
RUN_S = 4.0  # seconds that the point takes
MARKED = 3  # spikes that get their numbers on the stage


class Loss(Ground):
    """The loss step by step with a moving point; validation, spikes, a plateau, where it broke, and the findings."""

    def construct(self):
        given = self.given
        self.steps, self.values = given["steps"], given["values"]
        others = given["validation"]["values"] if given["validation"] else []
        self.reach = (self.steps[0], max(self.steps[-1], given["bad"] or 0, self.steps[0] + 1))
        self.low, self.high = bounds([*self.values, *others])
        self.add(self.axes())
        self.whole = VGroup()
        parts = [("Loss", self.running, True), ("Validation", self.validation, bool(others)),
                 ("Spikes", self.spikes, bool(given["spikes"])), ("Plateau", self.plateau, bool(given["flat"])),
                 ("Broken", self.broken, given["bad"] is not None)]  # fmt: skip
        shown = [(name, part) for name, part, there in parts if there]
        for name, part in shown:  # the last is what a still shows
            self.next_section(name, *(["poster"] if name == shown[-1][0] else []))
            part()
        self.findings(given["findings"])

    def running(self):
        """The curve, drawn by a point that carries the step and the value."""
        points = [self.place(step, value) for step, value in zip(self.steps, self.values, strict=True)]
        noisy = bool(self.given["smooth"])
        curve = self.path(points, self.theme.muted if noisy else self.theme.ink, HAIRLINE if noisy else ACCENT_LINE)
        dot, now = Dot(points[0], px(14), color=self.theme.accent).set_z_index(2), ValueTracker(0)
        value = self.counter(max(map(abs, self.values)), 3).move_to(at(1800, 180), aligned_edge=RIGHT)
        step = self.counter(self.steps[-1], 0, SMALL, self.theme.muted).move_to(at(1430, 180), aligned_edge=RIGHT)
        told = VGroup(self.left_of(self.given["name_of_loss"], 1460, 180), self.words("step", color=self.theme.muted))
        told[1].next_to(step, LEFT, buff=px(24))
        last = len(points) - 1
        place = lambda: min(last, max(0, round(now.get_value())))  # noqa: E731
        dot.add_updater(lambda o: o.move_to(points[place()]))
        value.add_updater(lambda o: o.set_value(self.values[place()]))
        step.add_updater(lambda o: o.set_value(self.steps[place()]))
        self.add(told, value, step, dot)
        say = (f"{self.given['count']:,} losses of {self.given['file']}, from {number_text(self.values[0], 3)} at step "
               f"{self.steps[0]:,} to {number_text(self.values[-1], 3)} at step {self.steps[-1]:,}.")  # fmt: skip
        title = f"{self.given['count']:,} losses"
        self.whole.add(curve, told, value, step, dot)
        self.beat(title, Create(curve, rate_func=linear), now.animate(rate_func=linear).set_value(last),
                  run_time=RUN_S, say=say)  # fmt: skip
        for each in (dot, value, step):
            each.clear_updaters()
        if noisy:
            smooth = self.given["smooth"]
            mean = self.path([self.place(*pair) for pair in zip(self.steps, smooth, strict=True)], self.theme.ink,
                             ACCENT_LINE)  # fmt: skip
            self.whole.add(mean)
            say = f"A running mean takes out most of the noise; at the end it is {number_text(smooth[-1], 3)}."
            self.beat(f"A running mean, at the end {number_text(smooth[-1], 3)}", Create(mean), run_time=1.2, say=say)

    def validation(self):
        """What was measured on other text."""
        given = self.given["validation"]
        marks = VGroup()
        for step, value in zip(given["steps"], given["values"], strict=True):
            mark = Circle(px(14)).set_fill(self.theme.ground, 1).set_stroke(self.theme.blue, ACCENT_LINE)
            marks.add(mark.move_to(self.place(step, value)))
        points = [mark.get_center() for mark in marks]
        line = self.path(points, self.theme.blue, HAIRLINE) if len(points) > 1 else VGroup()
        self.whole.add(line, marks)
        say = f"{given['name']}, measured {len(points)} times: {number_text(given['values'][-1], 3)} at the end."
        title = f"○ validation, at the end {number_text(given['values'][-1], 3)}"
        self.beat(title, FadeIn(line, marks), say=say)

    def spikes(self):
        """Rings around values far above what those before them led to expect."""
        found, marks = self.given["spikes"], VGroup()
        for number, spike in enumerate(found):
            ring = Circle(px(26)).set_stroke(self.theme.red, ACCENT_LINE).move_to(
                self.place(spike["top"], spike["value"]))  # fmt: skip
            marks.add(ring)
            if number < MARKED:
                tag = self.words(f"step {spike['step']:,}", color=self.theme.red)
                tag.next_to(ring, RIGHT, buff=px(16))
                if tag.get_right()[0] > at(RIGHT_AT, 0)[0]:
                    tag.next_to(ring, LEFT, buff=px(16))
                marks.add(tag)
        self.whole.add(marks)
        listed = "; ".join(f"step {s['step']:,}: {number_text(s['value'], 3)} where {number_text(s['expected'], 3)} "
                           "was expected" for s in found)  # fmt: skip
        title = f"{len(found)} spike{'s' * (len(found) > 1)}"
        self.beat(title, FadeIn(marks), rest=1.5 * REST, say=f"Spikes, by the rule of fieldguide loss: {listed}.")

    def plateau(self):
        """A bar along a stretch without a fall."""
        flat = self.given["flat"]
        y = self.place(flat["first"], flat["level"])[1]
        bar = Line([self.place(flat["first"], 0)[0], y, 0], [self.place(flat["last"], 0)[0], y, 0])
        bar.set_stroke(self.theme.yellow, 2 * ACCENT_LINE).shift(UP * px(40))
        tag = self.words(f"flat at {number_text(flat['level'], 3)}", color=self.theme.yellow)
        tag.next_to(bar, UP, buff=px(12))
        tag.shift(LEFT * max(0, tag.get_right()[0] - at(RIGHT_AT, 0)[0]))
        self.whole.add(bar, tag)
        say = (f"A plateau, by the rule of fieldguide loss: from step {flat['first']:,} to {flat['last']:,} no fall "
               f"can be told from the noise; the level is {number_text(flat['level'], 3)}.")  # fmt: skip
        title = f"A plateau from step {flat['first']:,} to {flat['last']:,}"
        self.beat(title, FadeIn(bar, tag), rest=1.5 * REST, say=say)

    def broken(self):
        """Where the loss is no number any more."""
        step = self.given["bad"]
        x = self.place(step, self.low)[0]
        line = Line([x, at(0, TOP)[1], 0], [x, at(0, BOTTOM)[1], 0]).set_stroke(self.theme.red, ACCENT_LINE)
        tag = self.words("NaN", color=self.theme.red, weight="MEDIUM").next_to(line, LEFT, buff=px(16)).align_to(
            line, UP)  # fmt: skip
        self.whole.add(line, tag)
        say = f"At step {step:,} the loss is no finite number."
        self.beat(f"No number from step {step:,} on", FadeIn(line, tag), rest=1.5 * REST, say=say)

    def findings(self, found):
        """What the tool says, the worst first."""
        self.next_section("Findings")
        colors = {"error": self.theme.red, "warning": self.theme.yellow, "good": self.theme.green}
        shown, top = VGroup(), 260
        for level, what in found:
            lines = self.paragraph(what, top, 280)
            mark = Square(px(36)).set_fill(colors.get(level, self.theme.muted), 1).set_stroke(width=0)
            shown.add(VGroup(mark.move_to(at(216, top)), lines))
            top += 84 * len(lines) + 48
        say = "fieldguide loss says: " + " ".join(f"{what}." for _, what in found)
        self.beat("What fieldguide loss says", FadeIn(shown), away=[self.whole, self.drawn], rest=3, say=say)

    # The ground

    def place(self, step, value):
        """A step and a loss as a point of the stage."""
        first, last = self.reach
        x = LEFT_AT + (step - first) / (last - first) * (RIGHT_AT - LEFT_AT)
        return at(x, BOTTOM - (value - self.low) / (self.high - self.low) * (BOTTOM - TOP))

    def axes(self):
        """Lines at round losses, and the first and last step."""
        self.drawn = VGroup()
        marks = ticks(self.low, self.high)
        digits = max(0, -math.floor(math.log10(marks[1] - marks[0]))) if len(marks) > 1 else 2
        for value in marks:
            y = BOTTOM - (value - self.low) / (self.high - self.low) * (BOTTOM - TOP)
            self.drawn.add(self.level(y, LEFT_AT, RIGHT_AT))
            self.drawn.add(self.right_of(number_text(value, digits), LEFT_AT - 32, y, self.theme.muted))
        first, last = self.reach
        self.drawn.add(self.left_of(f"step {first:,}", LEFT_AT, 992, self.theme.muted))
        self.drawn.add(self.words(f"step {last:,}", color=self.theme.muted).move_to(at(RIGHT_AT, 992), RIGHT))
        name = self.words(self.given["file"], color=self.theme.muted)
        self.drawn.add(self.fit(name, 560).move_to(at((LEFT_AT + RIGHT_AT) / 2, 992)))
        return self.drawn


def bounds(values):
    """The least and the largest, with a margin; never the same."""
    low, high = min(values), max(values)
    margin = 0.04 * (high - low) or 0.5
    return low - margin, high + margin


def ticks(low, high, most=5):
    """Up to so many round numbers between two."""
    unit = 10 ** math.floor(math.log10((high - low) / most))
    step = next(step for step in (unit, 2 * unit, 5 * unit, 10 * unit) if (high - low) / step <= most)
    return [step * k for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
