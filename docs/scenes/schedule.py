"""Clip for docs/train/schedule.md: the learning rate of nanoGPT's own run, from its log, and the loss under it."""

import numpy as np
from manim import LEFT, RIGHT, UR, Create, Dot, FadeIn, Line, VGroup, VMobject

from scenes.kit import ACCENT_LINE, HAIRLINE, REST, Stage, at, number_text, px

LEFT_EDGE, RIGHT_EDGE = 288, 1800
RATE, LOSS = (192, 552), (672, 952)  # top and bottom of the panels
PARTS_AT = 608  # the names of the schedule's parts
EVERY = 10  # steps from one point to the next


class Rate(Stage):
    """The three parts of the schedule, point by point; the loss of the same steps grows with them."""

    def construct(self):
        self.rate, self.loss = (self.series(name) for name in ("lr", "loss"))
        self.last = len(self.rate) - 1
        up, end = self.fact("chars.warmup_iters"), self.fact("chars.lr_decay_iters")
        peak, floor = self.fact("chars.learning_rate"), self.fact("chars.min_lr")
        self.rate_on, self.loss_on = self.scale(RATE, 0, peak), self.scale(LOSS, 1.5, 5)
        self.add(self.panel("rate", RATE, self.rate_on, (peak,)), self.panel("loss", LOSS, self.loss_on, (2, 5)))
        self.add(self.foot())

        self.next_section("Warmup")
        name = FadeIn(self.name("warmup", self.across(up / 2)))
        say = f"In the first {up} steps the rate rises along a line, from {self.rate[0]:.2g} to {peak:g}."
        self.part("Warmup: a line up", range(0, up, EVERY), "schedule-rate-rise", name, say=say)

        self.next_section("Half a cosine")
        middle = (up + end) // 2
        name = FadeIn(self.name("half a cosine", self.across(middle)))
        say = f"Then it follows half a cosine, level at first. There is a point for every {EVERY}th step."
        self.part("Half a cosine down", range(up, middle + 1, EVERY), "schedule-rate-cosine", name, say=say)
        mark = self.focus(Dot(self.place(middle, self.rate[middle], self.rate_on), px(24)))
        told = self.code(f"{self.rate[middle]:g}").next_to(mark, UR, buff=px(8))
        say = f"Halfway, in step {middle}, it is the mean of the highest rate and the least: {self.rate[middle]:g}."
        self.beat("Halfway: the mean of both", FadeIn(mark, told), say=say)
        say = f"The second half ends as the first began, level, at {floor:g}."
        later = range(middle + EVERY, end + 1, EVERY)
        self.part("And level again", later, "schedule-rate-cosine", say=say, away=[mark, told])

        self.next_section("Floor")
        level = Line(self.place(up, floor, self.rate_on), self.place(self.last, floor, self.rate_on))
        level = self.tag(level.set_stroke(self.theme.accent, ACCENT_LINE), "schedule-rate-past")
        name = FadeIn(self.name("floor", RIGHT_EDGE - 80))
        say = f"The decay never goes below {floor:g}; whoever trains on stays there. This run ends as it gets there."
        self.beat("Never below the floor", FadeIn(level), name, rest=2 * REST, say=say)

        self.next_section("Loss")
        means = [self.loss[:up].mean(), self.loss[-up:].mean()]
        first, last = (number_text(mean) for mean in means)
        lines = VGroup()
        for mean, start in zip(means, (0, self.last - up), strict=True):
            lines.add(Line(self.place(start, mean, self.loss_on), self.place(start + up, mean, self.loss_on)))
        say = f"The mean loss of the first {up} steps is {first}, of the last {up} it is {last}."
        lines.set_stroke(self.theme.accent, ACCENT_LINE)
        self.beat(f"Loss: from {first} to {last}", FadeIn(lines), rest=2 * REST, say=say)

    def part(self, title, steps, tag, *names, say, away=()):
        """Points of the rate for these steps, and the loss up to them."""
        dots = VGroup(*(Dot(self.place(s, self.rate[s], self.rate_on), px(7), color=self.theme.ink) for s in steps))
        stop = min(steps[-1] + EVERY, self.last) + 1
        points = [self.place(s, self.loss[s], self.loss_on) for s in range(steps[0], stop)]
        curve = VMobject().set_points_as_corners(points).set_stroke(self.theme.muted, HAIRLINE * 2)
        self.tag(dots, tag)
        self.tag(curve, "loop-train-report")
        drawn = FadeIn(dots, lag_ratio=0.2), Create(curve, rate_func=lambda t: t)
        self.beat(title, *drawn, *names, run_time=1.8, say=say, away=away)

    def series(self, name):
        """The values of a series of the run's log; every step has one."""
        return np.array(self.reading.find(f"chars.log/{name}").series)[:, 1]

    def scale(self, panel, low, high):
        """From a value to its height on the stage, in pixels."""
        top, bottom = panel
        return lambda value: bottom - (value - low) / (high - low) * (bottom - top)

    def across(self, step):
        return LEFT_EDGE + step / self.last * (RIGHT_EDGE - LEFT_EDGE)

    def place(self, step, value, scale):
        return at(self.across(step), scale(value))

    def panel(self, name, panel, scale, ticks):
        """The frame of a panel: its name and its marks at the left, a line at its foot and at each mark."""
        label = self.words(name, color=self.theme.muted).move_to(at(LEFT_EDGE - 32, sum(panel) / 2), RIGHT)
        marks = [
            self.code(f"{t:g}", color=self.theme.muted).move_to(at(LEFT_EDGE - 32, scale(t)), RIGHT) for t in ticks
        ]
        return VGroup(label, *(self.level(y) for y in (panel[1], *map(scale, ticks))), *marks)

    def level(self, y):
        return Line(at(LEFT_EDGE, y), at(RIGHT_EDGE, y)).set_stroke(self.theme.line, HAIRLINE)

    def foot(self):
        steps = self.words(f"{self.last} steps", color=self.theme.muted).move_to(at(RIGHT_EDGE, 1016), RIGHT)
        return VGroup(self.words("0", color=self.theme.muted).move_to(at(LEFT_EDGE, 1016), LEFT), steps)

    def name(self, text, x):
        """A part's name around ``x``; all stand on one line, whatever letters they have."""
        word = self.words("H" + text, color=self.theme.muted)
        capital, letters = word[0], word[1:]
        place = at(x, PARTS_AT)
        return letters.shift([place[0] - letters.get_x(), place[1] - capital.get_y(), 0])
