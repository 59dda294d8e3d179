"""The parts of nGPT that are in each of its blocks, from near: attention, the feed-forward block, and the step after
each. Used by scenes/changes.py."""

import numpy as np
from manim import LEFT, RIGHT, Create, FadeIn, Line, MoveAlongPath, VGroup, VMobject

from scenes.inside import HEAD, Inside
from scenes.kit import ACCENT_LINE, EASE, HAIRLINE, REST, at, px
from scenes.rotary import Arrow

MIDDLE, RADIUS = (1180, 610), 330  # of the sphere on which a step is made
HIGH, LOW, BETWEEN = 380, 780, 580  # heights of the rows of a picture
SECOND = 640  # of the values, below queries and keys
BOX, SIGN = 120, (100, 100)  # pixels: the height of a box, the size of one with a sign
SQUARE = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))


class Halves(Inside):
    """Three pictures, which play as those of ``Inside`` do."""

    def attention(self):
        picture = VGroup(self.queries_and_keys(), self.values_and_mean())
        value = self.disc((200, SECOND), self.theme.ink)
        with self.said(
            f"This query of head {HEAD} has length {self.q[0]:.2f}; the norm makes it 1, and s_qk makes it "
            f"{self.q[2]:.2f}."
        ):
            self.play(FadeIn(picture), run_time=0.5)
            self.go((200, HIGH), (430, HIGH), length=self.q[0])
            self.go((1000, HIGH), length=self.q[1], run_time=0.8)
            self.go((1260, HIGH), length=self.q[2])
        with self.said(f"A softmax makes weights, and the mean of the values goes out, {self.out:.2f} long."):
            beside = MoveAlongPath(value, self.way((200, SECOND), (1610, SECOND)))
            self.go((1610, HIGH), (1610, SECOND), length=self.mean, run_time=0.8, beside=[beside])
            self.remove(value)
            self.go((1610, 960), length=self.out)
            self.wait(REST)
        return picture

    def queries_and_keys(self):
        step, optional = "ngpt-attention", self.words("optional", color=self.theme.muted)
        return VGroup(
            self.main((200, 970), (200, HIGH), (320, HIGH)),
            self.box("q, k", "normalised", (430, HIGH), (220, BOX), f"{step}-q"),
            self.main((540, HIGH), (645, HIGH)),
            self.box("turn", "traditional", (740, HIGH), (190, BOX), f"{step}-turn"),
            self.main((835, HIGH), (945, HIGH)),
            self.tag(VGroup(self.boundary((1000, HIGH)), self.change((1000, HIGH))), f"{step}-norm-q"),
            self.dashed_frame((1000, HIGH), (124, BOX)),
            optional.move_to(at(1000, HIGH + 104)),
            self.main((1062, HIGH), (1165, HIGH)),
            self.box(self.formula("s_qk"), "scale", (1260, HIGH), (190, BOX), f"{step}-scaled-q"),
            self.main((1355, HIGH), (1460, HIGH)),
            self.box("softmax", "traditional", (1610, HIGH), (300, BOX), "ngpt-attend-softmax"),
        )

    def values_and_mean(self):
        step, optional = "ngpt-attention", self.words("v of the first block: optional", color=self.theme.muted)
        return VGroup(
            self.main((200, SECOND), (320, SECOND)),
            self.box("v", "normalised", (430, SECOND), (220, BOX), f"{step}-values"),
            self.aside((430, 860), (430, SECOND + 62), optional=True),
            optional.move_to(at(500, 850), LEFT),
            self.main((540, SECOND), (1560, SECOND)),
            self.main((1610, HIGH + 60), (1610, SECOND - 50)),
            self.box(self.formula("times"), "traditional", (1610, SECOND), SIGN, "ngpt-attend-values"),
            self.main((1610, SECOND + 50), (1610, 770)),
            self.box("out", "normalised", (1610, 830), (220, BOX), f"{step}-out"),
            self.main((1610, 890), (1610, 975)),
        )

    def feed_forward(self):
        width, inner = self.fact("ngpt.dim"), self.fact("ngpt.dim_inner")
        sizes = VGroup(self.letter("C", f"{width}").move_to(at(330, 920)), self.letter("C", f"{width}"))
        sizes[1].move_to(at(1480, 920))
        sizes.add(self.words(f"{inner} numbers", color=self.theme.muted).move_to(at(720, BETWEEN)))
        picture, other = VGroup(self.two_rows(), self.one_row(), sizes), self.disc((200, LOW))
        with self.said(f"Scales multiply them before the SiLU; what goes out is {self.ff_out:.2f} long."):
            self.play(FadeIn(picture), run_time=0.5)
            self.add(other)
            beside = MoveAlongPath(other, self.way((200, LOW), (200, HIGH), (790, HIGH)))
            self.go((790, LOW), length=self.gate, run_time=1, beside=[beside])
            other.set_fill(self.theme.ink)
            beside = MoveAlongPath(other, self.way((790, HIGH), (1340, HIGH), (1340, BETWEEN)))
            self.go((1340, LOW), (1340, BETWEEN), length=self.bent, run_time=1, beside=[beside])
            self.remove(other)
            self.go((1610, BETWEEN), (1610, 960), length=self.ff_out)
            self.wait(REST)
        return picture

    def two_rows(self):
        return VGroup(
            self.main((200, 970), (200, HIGH), (310, HIGH)),
            self.main((200, LOW), (310, LOW)),
            self.box(self.formula("u"), "normalised", (390, HIGH), (160, BOX), "ngpt-ff-hidden"),
            self.box(self.formula("nu"), "normalised", (390, LOW), (160, BOX), "ngpt-ff-gate"),
            self.main((470, HIGH), (690, HIGH)),
            self.main((470, LOW), (640, LOW)),
            self.box(self.formula("s_u"), "scale", (790, HIGH), (200, BOX), "ngpt-ff-hidden"),
            self.box(self.formula("s_nu"), "scale", (790, LOW), (300, BOX), "ngpt-ff-gate"),
        )

    def one_row(self):
        step = "ngpt-ff-out"
        return VGroup(
            self.main((940, LOW), (1030, LOW)),
            self.box("SiLU", "traditional", (1140, LOW), (220, BOX), step),
            self.main((890, HIGH), (1340, HIGH), (1340, BETWEEN - 50)),
            self.main((1250, LOW), (1340, LOW), (1340, BETWEEN + 50)),
            self.box(self.formula("times"), "traditional", (1340, BETWEEN), SIGN, step),
            self.main((1390, BETWEEN), (1500, BETWEEN)),
            self.box("out", "normalised", (1610, BETWEEN), (220, BOX), step),
            self.main((1610, BETWEEN + 60), (1610, 975)),
        )

    def step(self):
        h, f, moved = self.in_plane
        state, wish = self.ray(h, 1, self.theme.ink, 18), self.ray(f, self.out, self.theme.muted, 9)
        for arrow in (state, wish):
            self.tag(arrow, "ngpt-step-out")
        ring, law, rows = self.boundary(MIDDLE, RADIUS, 80), self.law().move_to(at(96, 190), LEFT), self.rows()
        names = [self.formula("h").move_to(self.on(0.6 * h * np.exp(0.24j)))]
        names.append(self.formula("f", color=self.theme.muted).move_to(self.on(1.2 * f)))
        chord = Line(self.on(h), self.on(f)).set_stroke(self.theme.line, ACCENT_LINE)
        way = self.tag(Line(self.on(h), self.on(moved)).set_stroke(self.theme.yellow, 12), "ngpt-step-lerp")
        end = moved / abs(moved)
        back = self.tag(Line(self.on(moved), self.on(end)).set_stroke(self.theme.red, 12), "ngpt-step-back")
        with self.said(f"What the block suggests is {self.out:.2f} long. Normalised it is a point of the sphere."):
            self.play(FadeIn(VGroup(ring, state, wish, names[0], rows[0]), law), run_time=0.5)
            self.play(wish.animate.become(self.ray(f, 1, self.theme.muted, 9)), FadeIn(names[1]), run_time=0.8)
        with self.said(
            f"The state goes the share alpha of the chord, to a length of {self.moved:.2f}, and back to length 1."
        ):
            self.play(Create(chord), FadeIn(rows[1]), run_time=EASE)
            self.go(self.pixels(moved), length=self.moved, run_time=0.8, beside=[Create(way)])
            self.go(self.pixels(end), length=1, beside=[Create(back)])
            self.wait(REST)
        return VGroup(ring, state, wish, law, rows, *names, chord, way, back)

    def law(self):
        """The formula of the step in the colours of the picture."""
        ink, green = self.theme.ink, self.theme.green
        colours = {"new": green, "norm": green, "h": ink, "h2": ink, "alpha": self.theme.yellow}
        return self.formula("step", color=self.theme.muted, **colours)

    def rows(self):
        """How long the suggestion came, and the mean of alpha."""
        muted, yellow = self.theme.muted, self.theme.yellow
        given = self.formula("given", color=muted), self.words("came with length", color=muted), self.number(self.out)
        mean = self.formula("alpha", color=yellow), self.words("on average", color=muted)
        rows = VGroup(VGroup(*given), VGroup(*mean, self.number(self.alpha, color=yellow)))
        for row, y in zip(rows, (400, 520), strict=True):
            row.arrange(RIGHT, buff=px(28)).move_to(at(96, y), LEFT)
        return rows

    def pixels(self, z):
        return MIDDLE[0] + RADIUS * z.real, MIDDLE[1] - RADIUS * z.imag

    def on(self, z):
        return at(*self.pixels(z))

    def ray(self, z, length, color, width):
        return Arrow(at(*MIDDLE), width, color).point(px(RADIUS) * length * z)

    def dashed_frame(self, middle, size):
        """What is optional, in dashes."""
        corners = [at(middle[0] + sx * size[0] / 2, middle[1] + sy * size[1] / 2) for sx, sy in SQUARE]
        return self.dashed(VMobject().set_points_as_corners(corners)).set_stroke(self.theme.muted, 2 * HAIRLINE)
