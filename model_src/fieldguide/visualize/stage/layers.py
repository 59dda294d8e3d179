"""A checkpoint: its parts from the first to the last, one layer opened with the shape of each tensor, and shares."""

import math

from manim import LEFT, RIGHT, UP, FadeIn, LaggedStart, ValueTracker, VGroup

from .ground import HAIRLINE, REST, SMALL, Ground, at, short

TOWER, TOWER_TOP, TOWER_FOOT = (192, 620), 200, 1000
MOST = 14  # parts of the tower that are drawn one by one
SCALE_TOP, SCALE_FOOT = 216, 1000
BAR = (192, 1800)


class Architecture(Ground):
    """The model as a tower; then a layer's tensors, each to scale; then what has how many of the parameters."""

    def construct(self):
        self.next_section("Parts")
        tower, number = self.tower()
        self.next_section("One layer")
        shown = self.opened([tower, number])
        self.next_section("Shares")
        self.shares(shown)

    def tower(self):
        """Its parts, bottom up as a token meets them, and a count that grows with them."""
        given, parts = self.given, self.given["parts"]
        height = min(104.0, (TOWER_FOOT - TOWER_TOP) / len(parts))
        left, right = TOWER
        rows, at_end, total = VGroup(), [], 0
        for place, part in enumerate(parts):
            color = {"layer": self.theme.blue, "outside": self.theme.green}.get(part["kind"], self.theme.muted)
            y = TOWER_FOOT - (place + 1) * height
            bar = self.box(left, y, right - left, height - 8, color)
            size = SMALL if height > 60 else max(30, int(height * 0.72))
            name = self.fit(self.words(part["name"], size, self.theme.on(color)), right - left - 40)
            rows.add(VGroup(bar, name.move_to(bar)))
            total += part["count"]
            at_end.append(total)
        count = self.counter(given["total"], 0, 112).move_to(at(1800, 360), aligned_edge=RIGHT)
        now = ValueTracker(0)
        count.add_updater(lambda o: o.set_value(at_end[min(len(at_end), round(now.get_value())) - 1]
                                                if round(now.get_value()) else 0))  # fmt: skip
        count.set_value(0)
        told = VGroup(self.words("parameters", color=self.theme.muted).move_to(at(1800, 470), aligned_edge=RIGHT))
        for line, text in enumerate((given["kind"], given["file"])):
            told.add(self.fit(self.words(text, color=self.theme.muted), 1060).move_to(at(1800, 640 + 90 * line), RIGHT))
        self.add(count, told)
        grow = LaggedStart(*(FadeIn(row, shift=UP * 0.1) for row in rows), lag_ratio=0.5)
        seconds = min(4.0, 0.5 + 0.35 * len(rows))
        say = (f"{given['file']}, {given['kind']}: {given['total']:,} parameters in {given['layers']} layers. "
               + "; ".join(f"{part['name']}, {part['count']:,}" for part in parts) + ".")  # fmt: skip
        self.beat(f"{given['layers']} layers", grow, now.animate.set_value(len(parts)), run_time=seconds, say=say)
        count.clear_updaters()
        return VGroup(rows), VGroup(count, told)

    def opened(self, away):
        """The tensors of a layer: name, shape, count, and a rectangle in which a pixel is as many numbers for all."""
        layer = self.given["layer"]
        rows, tensors = VGroup(), layer["tensors"]
        step = min(112.0, (SCALE_FOOT - SCALE_TOP) / max(len(tensors), 1))
        size = SMALL if step > 80 else 48
        widest = max([each["count"] for each in tensors] or [1])
        for place, each in enumerate(tensors):
            y = SCALE_TOP + (place + 0.5) * step
            name = self.fit(self.code(each["name"], size), 640).move_to(at(192, y), aligned_edge=LEFT)
            shape = self.fit(self.code(each["shape"], size, self.theme.muted), 400)
            shape = shape.move_to(at(1220, y), aligned_edge=RIGHT) if each["shape"] else VGroup()
            count = self.right_of(short(each["count"]), 1500, y, size=size)
            area = math.sqrt(each["count"] / widest) * (step - 12)
            square = self.box(1560, y - area / 2, area * 2.2, area, self.theme.blue)
            rows.add(VGroup(name, shape, count, square))
        listed = "; ".join(f"{each['name']} {each['shape']}, {each['count']:,}" for each in tensors)
        say = f"{layer['name']} has {layer['count']:,} parameters: {listed}."
        title = f"{layer['name']}: {short(layer['count'])} parameters"
        grow = LaggedStart(*(FadeIn(row) for row in rows), lag_ratio=0.4)
        self.beat(title, grow, away=away, run_time=min(4.0, 0.6 + 0.4 * len(rows)), rest=2 * REST, say=say)
        return rows

    def shares(self, away):
        """One bar for all parameters, cut where the parts end, and their shares in words."""
        shares, left = self.given["shares"], float(BAR[0])
        colors = [self.theme.blue, self.theme.green, self.theme.yellow, self.theme.red, self.theme.muted]
        bar, told = VGroup(), VGroup()
        for number, share in enumerate(shares):
            width = share["share"] * (BAR[1] - BAR[0])
            color = colors[number % len(colors)]
            bar.add(self.box(left, 240, max(width - 6, 2), 150, color))
            y = 500 + number * 96
            told.add(VGroup(self.box(192, y - 26, 52, 52, color), self.left_of(share["name"], 280, y),
                            self.right_of(f"{share['count']:,}", 1480, y, self.theme.muted),
                            self.right_of(f"{share['share']:.1%}", 1800, y)))  # fmt: skip
            left += width
        line = self.level(420).set_stroke(self.theme.line, HAIRLINE)
        listed = "; ".join(f"{share['name']}, {share['share']:.1%}" for share in shares)
        grow = LaggedStart(*(FadeIn(VGroup(*pair)) for pair in zip(bar, told, strict=True)), lag_ratio=0.4)
        self.beat("Where the parameters are", grow, FadeIn(line), away=[away], run_time=2, rest=2.5 * REST,
                  say=f"Shares of the parameters: {listed}.")  # fmt: skip
