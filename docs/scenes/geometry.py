"""The clips for docs/ngpt/geometry.md and docs/ngpt/steps.md: from one state of the trained nGPT to another, in the
plane of their great circle."""

import numpy as np
from manim import LEFT, RIGHT, Arc, Create, Dot, FadeIn, FadeOut, Line, Rectangle, ValueTracker, VGroup, linear

from scenes.formulae import formula
from scenes.kit import ACCENT_LINE, EASE, HAIRLINE, NORMAL, REST, Stage, at, px
from scenes.rotary import Arrow

MODULE, TOKEN = "layers.1.0", 12
MIDDLE, RADIUS = (640, 840), 560
LEDGER, LEDGER_RIGHT = 1360, 1848
START = np.radians(118)  # where the state lies on the circle


class Plane(Stage):
    """The plane of the two vectors: the circle with both, the chord's point and the arc's, and the ledger."""

    def read(self):
        """Both vectors as complex numbers of the plane in which they lie, turned so that they stand well."""
        x = self.value(f"ngpt.forward/{MODULE}/x")[0, TOKEN].astype(float)
        out = self.value(f"ngpt.forward/{MODULE}/ngpt-step-out")[0, TOKEN].astype(float)
        angle = np.arccos(x @ out / np.linalg.norm(x) / np.linalg.norm(out))
        self.theta, self.x = np.degrees(angle), np.exp(1j * START)
        self.out = self.x * np.exp(-1j * angle)
        self.t = ValueTracker(0)

    def place(self, z):
        return at(MIDDLE[0] + RADIUS * z.real, MIDDLE[1] - RADIUS * z.imag)

    def arrow(self, z, width, color, tag):
        return self.tag(Arrow(at(*MIDDLE), width, color).point(px(RADIUS) * z), tag)

    def name(self, text, z):
        edge = LEFT if z.real > 0 else RIGHT
        return self.words(text, color=self.theme.muted).move_to(self.place(1.06 * z), aligned_edge=edge)

    def on_chord(self):
        return self.x + self.t.get_value() * (self.out - self.x)

    def on_arc(self):
        return self.x * np.exp(-1j * np.radians(self.theta) * self.t.get_value())

    def chord_angle(self):
        """Degrees that the chord's point has covered, seen from the middle."""
        return float(np.degrees(-np.angle(self.on_chord() / self.x)))

    def below(self):
        dot = Dot(self.place(self.x), px(16), color=self.theme.ink)
        return self.tag(dot.add_updater(lambda d: d.move_to(self.place(self.on_chord()))), "ngpt-step-lerp")

    def ray(self):
        """From the middle through the chord's point to the sphere."""
        line = Line(at(*MIDDLE), self.place(self.x)).set_stroke(self.theme.line, 2 * HAIRLINE).set_z_index(-1)
        follow = lambda o: o.put_start_and_end_on(at(*MIDDLE), self.place(self.on_sphere()))  # noqa: E731
        return line.add_updater(follow)

    def on_sphere(self):
        z = self.on_chord()
        return z / abs(z)

    def above(self):
        dot = Dot(self.place(self.x), px(20), color=self.theme.green)
        return self.tag(dot.add_updater(lambda d: d.move_to(self.place(self.on_sphere()))), "ngpt-step-back")

    def exact(self):
        dot = Dot(self.place(self.x), px(20)).set_fill(self.theme.ground).set_stroke(self.theme.ink, ACCENT_LINE)
        return self.tag(dot.add_updater(lambda d: d.move_to(self.place(self.on_arc()))), "ngpt-slerp-point")

    def ledger(self):
        """Alpha, and the degrees that either way has covered."""
        lines = (
            ("alpha", 2, self.t.get_value),
            ("chord, °", 1, self.chord_angle),
            ("arc, °", 1, lambda: self.theta * self.t.get_value()),
        )
        group = VGroup()
        for (name, digits, read), y in zip(lines, (264, 376, 488), strict=True):
            label = self.words(name, color=self.theme.muted).move_to(at(LEDGER, y), aligned_edge=LEFT)
            ink = self.theme.yellow if name == "alpha" else self.theme.ink
            number = self.digits(read(), digits, color=ink, widest=199).move_to(at(LEDGER_RIGHT, y), aligned_edge=RIGHT)
            group.add(VGroup(label, number.add_updater(lambda d, read=read: d.set_value(read()))))
        return group

    def circle_and_arrows(self):
        circle = Arc(px(RADIUS), np.radians(-8), np.radians(196)).move_arc_center_to(at(*MIDDLE))
        circle.set_stroke(self.theme.line, 2 * HAIRLINE)
        state = self.arrow(self.x, 18, self.theme.ink, "ngpt-step-out")
        wish = self.arrow(self.out, 9, self.theme.muted, "ngpt-step-out")
        names = VGroup(self.name("state", self.x), self.name("suggestion", self.out))
        return VGroup(circle, state, wish, names)

    def chord(self):
        return Line(self.place(self.x), self.place(self.out)).set_stroke(self.theme.line, ACCENT_LINE)


class Ways(Plane):
    """A GPT's sum, the chord and the way back to the sphere, and the great circle."""

    def construct(self):
        self.read()
        self.next_section("Two points")
        self.two_points()
        self.next_section("A sum")
        self.a_sum()
        self.next_section("The chord")
        self.the_chord()

    def two_points(self):
        self.beat(
            "Two points of the sphere",
            FadeIn(self.circle_and_arrows()),
            rest=2 * REST,
            say=f"The state of a token and what the attention suggests, both of length 1, {self.theta:.0f} degrees "
            "apart, in the plane in which they lie.",
        )

    def a_sum(self):
        total = abs(self.x + self.out)
        added = Line(self.place(self.x), self.place(self.x + self.out)).set_stroke(self.theme.muted, ACCENT_LINE)
        dot = Dot(self.place(self.x + self.out), px(16), color=self.theme.accent)
        self.beat(
            f"A GPT adds: length {total:.2f}",
            Create(added),
            FadeIn(dot),
            rest=2 * REST,
            say=f"A GPT would add the two. The sum has the length {total:.2f}: it has left the sphere.",
        )
        self.play(FadeOut(added, dot), run_time=EASE)

    def the_chord(self):
        below, ray, above, exact = self.below(), self.ray(), self.above(), self.exact()
        ledger = self.ledger()
        self.beat(
            "nGPT goes along the chord,",
            Create(self.chord()),
            FadeIn(below, ledger[0]),
            say="nGPT goes a share of the straight line between them, the chord, which runs below the sphere,",
        )
        self.beat(
            "a quarter of it,",
            self.t.animate.set_value(0.25),
            run_time=1.2,
            say="here a quarter of it,",
        )
        self.beat(
            "and back to the sphere",
            FadeIn(ray, above, ledger[1]),
            rest=2 * REST,
            say=f"and is put back on the sphere, at {self.chord_angle():.1f} degrees.",
        )

        self.next_section("The arc")
        self.beat(
            "Slerp takes the arc",
            FadeIn(exact, ledger[2]),
            rest=2 * REST,
            say=f"Slerp goes a quarter of the arc itself, {self.theta / 4:.1f} degrees: farther than the chord did.",
        )

        self.next_section("To keep", "poster")
        self.beat(
            "Both ways end on the sphere",
            rest=2 * REST,
            say="On the chord and back, or along the arc: either way ends at length 1.",
        )


class Alpha(Plane):
    """How far both ways lead, for every alpha; a part of the formula is framed when its part of the picture comes."""

    def construct(self):
        self.read()
        alpha = float(np.abs(self.value(f"ngpt.forward/{MODULE}/ngpt-alpha-return")).mean())
        law, chord = self.law(), self.chord()
        self.frame = self.around(law, "h")
        below, ray, above, exact = self.below(), self.ray(), self.above(), self.exact()
        way, ledger = self.share(), self.ledger()

        self.next_section("Formula")
        self.beat(
            "The state moves to a suggestion",
            FadeIn(self.circle_and_arrows()),
            FadeIn(law),
            say="The state h, the suggestion f, and the formula of the step.",
        )
        self.play(FadeIn(self.frame), run_time=0.4)
        self.turn_to(law, "f", say="The state is moved to the suggestion,")
        self.turn_to(law, "alpha", FadeIn(chord, way, below, ledger[0]), say="the share alpha of the way,")
        self.turn_to(law, "norm", FadeIn(ray, above, ledger[1]), say="and the norm brings it to the sphere.")

        self.next_section("Alpha")
        self.beat(
            "Half way both ways agree",
            self.t.animate(rate_func=linear).set_value(0.5),
            self.frame.animate.become(self.around(law, "alpha")),
            FadeIn(exact, ledger[2]),
            run_time=2,
            rest=REST / 2,
            say="The ring takes the arc itself, as slerp does. Half way both are at the same place,",
        )
        self.beat(
            "and arrive together",
            self.t.animate(rate_func=linear).set_value(1),
            run_time=2,
            rest=REST / 2,
            say="then the chord is ahead, and both arrive together.",
        )
        self.beat(
            f"Learned here: {alpha:.2f} on average",
            self.t.animate.set_value(alpha),
            run_time=1.6,
            say=f"The mean alpha that this half-block learned is {alpha:.2f}.",
        )

        self.next_section("To keep", "poster")
        self.beat(
            "Alpha of the way, then length 1",
            FadeOut(self.frame),
            rest=2 * REST,
            say="The state goes the share alpha of the chord, and then back to length 1.",
        )

    def law(self):
        """The formula, above the picture and in its colours."""
        ink, green, yellow = self.theme.ink, self.theme.green, self.theme.yellow
        colours = {"new": green, "norm": green, "h": ink, "h2": ink, "alpha": yellow}
        law = formula(self.theme, "step", NORMAL, self.theme.muted, **colours).move_to(at(192, 184), aligned_edge=LEFT)
        for part, step in (("f", "ngpt-step-out"), ("alpha", "ngpt-alpha-return"), ("norm", "ngpt-step-back")):
            self.tag(law.part(part), step)
        return law

    def around(self, law, part):
        return self.focus(Rectangle(height=px(88), width=law.part(part).width + px(12)).move_to(law.part(part)))

    def turn_to(self, law, part, *shown, say):
        """The frame goes on to another part, and what that stands for appears."""
        began = self.time
        self.play(self.frame.animate.become(self.around(law, part)), *shown, run_time=EASE)
        self.wait(REST)
        self.add_subcaption(say, duration=self.time - began, offset=began - self.time)

    def share(self):
        """The part of the chord that alpha is."""
        line = Line(self.place(self.x), self.place(self.x + 0.001 * (self.out - self.x)))
        follow = lambda o: o.put_start_and_end_on(self.place(self.x), self.place(self.on_chord() + 1e-3))  # noqa: E731
        return self.tag(line.set_stroke(self.theme.yellow, 2 * ACCENT_LINE).add_updater(follow), "ngpt-alpha-return")
