"""Several trainings: the size of each model against the loss that it reached, and the line through them."""

import math

from manim import LEFT, RIGHT, UP, Create, Dot, FadeIn, LaggedStart, VGroup

from .ground import ACCENT_LINE, LEFT_EDGE, REST, Ground, at, number_text, px, short

LEFT_AT, RIGHT_AT, TOP, BOTTOM = 320, 1760, 250, 850


class Scaling(Ground):
    """Dots from the smallest model to the largest, both axes logarithmic; then a power law, where three or more are."""

    def construct(self):
        self.points = sorted(self.given["points"], key=lambda point: point["size"])
        sizes, losses = ([point[name] for point in self.points] for name in ("size", "loss"))
        self.across, self.up = spread(sizes), spread(losses)
        self.add(self.axes())
        self.next_section("Sizes")
        dots, tags = self.dots()
        unit = self.given["unit"]
        listed = "; ".join(f"{p['name']}, {p['size']:,} parameters, {number_text(p['loss'], 3)}" for p in self.points)
        grow = LaggedStart(*(FadeIn(VGroup(*pair)) for pair in zip(dots, tags, strict=True)), lag_ratio=0.7)
        self.beat(f"{len(dots)} models, and the {unit} of each", grow, run_time=0.7 * len(dots) + 1, rest=1.5 * REST,
                  say=f"Parameters and {unit} of {len(dots)} models: {listed}.")  # fmt: skip
        if line := self.given["line"]:
            self.next_section("Law")
            ends = [self.place(size, line["factor"] * size ** -line["exponent"]) for size in (sizes[0], sizes[-1])]
            law = self.path(ends, self.theme.accent, ACCENT_LINE)
            exponent = number_text(line["exponent"], 3)
            say = (f"A straight line in logarithms: the {unit} falls as the size to the power {exponent}. "
                   f"Ten times the parameters multiply it by {number_text(10 ** -line['exponent'], 3)}.")  # fmt: skip
            law_told = f"{unit[0].upper()}{unit[1:]} ∼ size to the power −{exponent}"
            self.beat(law_told if line["exponent"] >= 0 else "No fall with the size",
                      Create(law), run_time=1.2, rest=2 * REST, say=say)  # fmt: skip

    def place(self, size, loss):
        """A model as a point of the stage."""
        (left, right), (low, high) = self.across, self.up
        x = (math.log(size) - left) / (right - left)
        y = (math.log(loss) - low) / (high - low)
        return at(LEFT_AT + x * (RIGHT_AT - LEFT_AT), BOTTOM - y * (BOTTOM - TOP))

    def dots(self):
        """A dot for each model, and its loss beside it."""
        dots: list[Dot] = []
        tags: list[VGroup] = []
        for number, point in enumerate(self.points):
            dot = Dot(self.place(point["size"], point["loss"]), px(18), color=self.theme.ink)
            side = LEFT if number == len(self.points) - 1 else RIGHT
            tag = self.code(number_text(point["loss"], 3)).next_to(dot, side, buff=px(20)).shift(UP * px(36))
            dots.append(dot)
            tags.append(VGroup() if any(meet(tag, other) for other in tags if other) else tag)
        return dots, tags

    def axes(self):
        """The sizes of the models below, as ticks; what goes up at the left."""
        drawn, used = VGroup(self.level(BOTTOM + 24, LEFT_AT - 40, RIGHT_AT + 40)), -1e9
        for point in self.points:
            x = self.place(point["size"], point["loss"])[0]
            mark = self.code(short(point["size"]), color=self.theme.muted)
            if x - mark.width / 2 > used:
                mark.move_to([x, at(0, BOTTOM + 80)[1], 0])
                used = x + mark.width / 2 + px(30)
                drawn.add(mark)
        drawn.add(self.left_of(f"↑ {self.given['unit']}", LEFT_EDGE, 180, self.theme.muted))
        foot = self.words("parameters →", color=self.theme.muted).move_to(at(RIGHT_AT + 40, BOTTOM + 164), RIGHT)
        return drawn.add(foot)


def meet(one, other):
    """Whether two labels would stand on each other."""
    across, up = (abs(a - b) for a, b in zip(one.get_center()[:2], other.get_center()[:2], strict=True))
    return across < (one.width + other.width) / 2 + px(12) and up < (one.height + other.height) / 2 + px(12)


def spread(values):
    """The logarithms of the least and the largest, with a margin."""
    low, high = math.log(min(values)), math.log(max(values))
    margin = 0.08 * (high - low) or 0.5
    return low - margin, high + margin
