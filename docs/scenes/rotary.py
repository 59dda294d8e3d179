"""The clip for docs/model/rotary.md: a query and a key of the trained model turn with their positions."""

import numpy as np
from manim import LEFT, RIGHT, Circle, Dot, FadeIn, ManimColor, ValueTracker, VGroup, VMobject, linear

from scenes.kit import ACCENT_LINE, EASE, HAIRLINE, REST, Stage, at, px

BLOCK, HEAD, QUERY, KEY = 2, 1, 12, 9
PLANES = (0, 2, 6)  # pairs that are drawn
CENTERS, MIDDLE, RADIUS = (312, 768, 1224), 420, 176
LEDGER, LEDGER_RIGHT = 1488, 1872
FAR = 24  # the largest distance of the chart
CHART_LEFT, STEP, CHART_MIDDLE, UNIT = 192, 48, 948, 24  # pixels: of a token across, of 1 up
SHIFT = 10  # how far both move together


class Arrow(VMobject):
    """An arrow from the middle of a plane, that may be pointed anew in every frame."""

    def __init__(self, middle: np.ndarray, width: float, color: str | ManimColor) -> None:
        super().__init__(stroke_width=0, fill_color=color, fill_opacity=1)
        self.middle, self.width_ = middle, px(width)

    def point(self, z: complex) -> "Arrow":
        """Show ``z``, in Manim's units."""
        long, w = abs(z), self.width_ / 2
        tip = min(5 * w, long)
        x = np.array([0, long - tip, long - tip, long, long - tip, long - tip, 0, 0])
        y = np.array([w, w, 2.5 * w, 0, -2.5 * w, -w, -w, w])
        turned = (x + 1j * y) * (z / long if long else 1)
        corners = np.stack([turned.real, turned.imag, np.zeros(len(x))], axis=1) + self.middle
        self.set_points_as_corners(corners)
        return self


class Turning(Stage):
    """Three pairs of one query and one key; positions set, moved together and moved apart."""

    def construct(self):
        self.read()
        self.m, self.n = ValueTracker(0), ValueTracker(0)
        arrows, shares, ledger = self.planes(), self.shares(), self.ledger()

        self.next_section("Pairs")
        self.beat(
            "A query and a key, pair by pair",
            FadeIn(arrows),
            FadeIn(shares, ledger),
            rest=2 * REST,
            say=f"Three of the {len(self.speed)} pairs of a query and a key, both still at position 0. Below each, "
            "what the pair gives to the score; the others are added up.",
        )

        self.next_section("Turn")
        self.beat(
            "Each turns by its own position",
            self.m.animate.set_value(QUERY),
            self.n.animate.set_value(KEY),
            run_time=2,
            rest=2 * REST,
            say=f"The query turns to position {QUERY}, the key to {KEY}: in the first pair fast, in the last slowly.",
        )

        self.next_section("Together")
        chart = self.chart()
        self.play(FadeIn(chart), run_time=EASE)
        self.beat(
            f"Both {SHIFT} tokens on: the score stays",
            self.m.animate(rate_func=linear).set_value(QUERY + SHIFT),
            self.n.animate(rate_func=linear).set_value(KEY + SHIFT),
            run_time=2,
            say="Moved together, both arrows turn alike; the angle between them stays, and so does the score.",
        )

        self.next_section("Apart")
        self.play(self.m.animate.set_value(KEY + SHIFT), run_time=EASE)
        self.beat(
            "Apart: the score changes",
            self.m.animate(rate_func=linear).set_value(KEY + SHIFT + FAR // 2),
            run_time=2,
            say="The key stays and the query moves on: the score follows the distance.",
        )
        self.beat(
            f"Up to {FAR} tokens apart",
            self.m.animate(rate_func=linear).set_value(KEY + SHIFT + FAR),
            run_time=2,
            rest=2 * REST,
            say=f"Up to {FAR} tokens apart; the curve has the score at each distance.",
        )

    def read(self):
        """Query and key as complex numbers before they are turned, of the length that QK norm gives them."""
        self.speed = self.value("rotary.tables/rotary-tables-speed").astype(float)
        self.q, self.k = (self.before(2 * BLOCK + part, t) for part, t in ((0, QUERY), (1, KEY)))
        self.meeting = self.q * self.k.conj() / np.sqrt(2 * len(self.speed))

    def before(self, activation, t):
        x1, x2 = (self.value(f"prose.forward@{activation}/{name}")[0, t, HEAD].astype(float) for name in ("x1", "x2"))
        return (x1 + 1j * x2) / np.sqrt((x1**2 + x2**2).mean() / 2)

    def terms(self, apart):
        """What each pair gives to the score at this distance."""
        return (self.meeting * np.exp(-1j * apart * self.speed)).real

    def apart(self):
        return self.m.get_value() - self.n.get_value()

    def planes(self):
        """Circles with arrows that follow the two positions."""
        longest = max(np.abs(z[list(PLANES)]).max() for z in (self.q, self.k))
        group = VGroup()
        for j, x in zip(PLANES, CENTERS, strict=True):
            middle, scale = at(x, MIDDLE), px(RADIUS) / longest
            ring = Circle(px(RADIUS)).set_stroke(self.theme.line, 2 * HAIRLINE).move_to(middle)
            name = self.words(f"pair {j}", color=self.theme.muted).move_to(at(x, 184))
            group.add(ring, name)
            looks = ((self.k[j], self.n, 9, self.theme.muted), (self.q[j], self.m, 18, self.theme.ink))
            for z, position, width, color in looks:
                arrow = Arrow(middle, width, color)
                follow = self.follower(scale * z, self.speed[j], position)
                follow(arrow)
                group.add(self.tag(arrow.add_updater(follow), "rotary-apply-y1"))
        return group

    def follower(self, z, speed, position):
        return lambda arrow: arrow.point(z * np.exp(-1j * speed * position.get_value()))

    def shares(self):
        """Below each plane what its pair gives to the score."""
        group = VGroup()
        for j, x in zip(PLANES, CENTERS, strict=True):
            number = self.digits(self.terms(0)[j], widest=-9.99).move_to(at(x, 672))
            number.add_updater(lambda d, j=j: d.set_value(self.terms(self.apart())[j]))
            group.add(number)
        return group

    def ledger(self):
        """The two positions, what all other pairs give, and the score."""
        others = [j for j in range(len(self.speed)) if j not in PLANES]
        lines = (
            ("q at", self.theme.ink, 0, 99, self.m.get_value),
            ("k at", self.theme.muted, 0, 99, self.n.get_value),
            ("others", self.theme.muted, 2, -9.99, lambda: self.terms(self.apart())[others].sum()),
            ("score", self.theme.ink, 2, -9.99, lambda: self.terms(self.apart()).sum()),
        )
        group = VGroup()
        for (name, color, digits, widest, read), y in zip(lines, (320, 416, 576, 672), strict=True):
            label = self.words(name, color=color).move_to(at(LEDGER, y), aligned_edge=LEFT)
            number = self.digits(read(), digits, widest=widest).move_to(at(LEDGER_RIGHT, y), aligned_edge=RIGHT)
            group.add(label, number.add_updater(lambda d, read=read: d.set_value(read())))
        return group

    def chart(self):
        """The score at every distance, and a dot at the present one."""
        axis = self.rule(CHART_LEFT, CHART_LEFT + FAR * STEP, CHART_MIDDLE)
        far = np.linspace(0, FAR, 8 * FAR + 1)
        places = [self.place(d) for d in far]
        curve = VMobject().set_points_as_corners(places).set_stroke(self.theme.ink, ACCENT_LINE)
        dot = Dot(self.place(self.apart()), px(16), color=self.theme.accent)
        dot.add_updater(lambda d: d.move_to(self.place(self.apart())))
        ends = VGroup(
            self.words("score", color=self.theme.muted).move_to(at(LEDGER, CHART_MIDDLE - 84), aligned_edge=LEFT),
            self.words("by distance", color=self.theme.muted).move_to(at(LEDGER, CHART_MIDDLE - 8), aligned_edge=LEFT),
        )
        marks = VGroup(
            *(
                self.words(str(d), color=self.theme.muted).move_to(at(x, CHART_MIDDLE))
                for d, x in ((0, CHART_LEFT - 48), (FAR, CHART_LEFT + FAR * STEP + 72))
            )
        )
        return VGroup(axis, ends, marks, curve, dot)

    def place(self, apart):
        return at(CHART_LEFT + apart * STEP, CHART_MIDDLE - UNIT * self.terms(apart).sum())
