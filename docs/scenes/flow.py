"""How the pictures of nGPT's part are drawn: boxes by the kind of what they stand for, arrows by what they carry, and
dots around what has length 1. Every colour comes with a word; ``Legend`` shows all of them, for docs/ngpt/path.md."""

from collections.abc import Sequence

import numpy as np
from manim import LEFT, PI, Circle, DashedVMobject, Dot, FadeIn, Mobject, Polygon, Rectangle, VGroup, VMobject

from scenes.formulae import Formula, formula
from scenes.kit import HAIRLINE, REST, SMALL, Stage, at, px

KINDS = {"traditional": "blue", "normalised": "green", "scale": "yellow", "transformation": "red"}
BORDER, THICK, THIN = 5, 12, 3  # widths in Manim's unit
UNIT = 44  # pixels: the radius of a dotted circle
DISC = 26  # and of what moves
ROUND, TIP = 16, 30  # pixels: of corners, and of an arrow's tip
Place = tuple[float, float]


class Flow(Stage):
    """A stage with the parts of a flow chart."""

    def kind(self, name: str) -> str:
        """The colour of a kind."""
        return str(getattr(self.theme, KINDS[name]))

    def formula(self, name: str, size: int = SMALL, color: str | None = None, **colours: str) -> Formula:
        return formula(self.theme, name, size, color, **colours)

    def box(
        self, label: str | Mobject, kind: str, middle: Place, size: Place, tag: str = "", optional: bool = False
    ) -> VGroup:
        """A component: its frame in the colour of its kind, and its name in it; dashed, if a model may lack it."""
        frame: VMobject = Rectangle(height=px(size[1]), width=px(size[0])).round_corners(px(ROUND)).move_to(at(*middle))
        frame.set_stroke(self.kind(kind), BORDER).set_fill(self.theme.panel, 1)
        if optional:
            dashes = self.dashed(frame.copy().set_fill(opacity=0))
            frame = VGroup(frame.set_stroke(width=0), dashes)
        name = label if isinstance(label, Mobject) else self.words(label) if label else VGroup()
        made = VGroup(frame.set_z_index(2), name.move_to(at(*middle)).set_z_index(3))
        for part in made.get_family():
            part.set_z_index(3 if part in name.get_family() else 2)
        return self.tag(made, tag) if tag else made

    def main(self, *places: Place) -> VGroup:
        """A thick arrow: where the tokens' states go."""
        return self._arrow(places, self.theme.muted, THICK)

    def aside(self, *places: Place, optional: bool = False) -> VGroup:
        """A thin arrow: an operation beside the main flow; dashed, if a model may lack it."""
        arrow = self._arrow(places, self.theme.muted, THIN)
        return VGroup(self.dashed(arrow[0]), arrow[1]) if optional else arrow

    def _arrow(self, places: Sequence[Place], color: str, width: float) -> VGroup:
        points = np.array([at(*place) for place in places])
        ahead = (points[-1] - points[-2]) / np.linalg.norm(points[-1] - points[-2])
        across, tip = np.array([-ahead[1], ahead[0], 0]), px(TIP if width == THICK else 0.7 * TIP)
        corners = [points[-1] - tip * ahead + side * 0.6 * tip * across for side in (1, -1)]
        head = Polygon(points[-1], *corners, stroke_width=0, fill_color=color, fill_opacity=1)
        line = VMobject().set_points_as_corners([*points[:-1], points[-1] - 0.9 * tip * ahead])
        return VGroup(line.set_stroke(color, width), head)

    def dashed(self, path: VMobject) -> DashedVMobject:
        """Dashes along a path, about as long on each."""
        return DashedVMobject(path, max(2, round(path.get_arc_length() / px(40))), dashed_ratio=0.6)

    def boundary(self, middle: Place, radius: float = UNIT, dots: int = 20) -> VGroup:
        """A dotted circle: what is in it or arrives at it has length 1."""
        angles = np.arange(dots) * 2 * PI / dots
        ring = [at(middle[0] + radius * np.cos(t), middle[1] + radius * np.sin(t)) for t in angles]
        return VGroup(*(Dot(point, px(4), color=self.theme.ink) for point in ring))

    def change(self, middle: Place, radius: float = 14) -> Dot:
        """A point of transformation."""
        return Dot(at(*middle), px(radius), color=self.theme.red)

    def disc(self, middle: Place, color: str | None = None) -> Circle:
        """What moves along the arrows; green where its length is 1."""
        found = Circle(px(DISC)).move_to(at(*middle)).set_stroke(self.theme.ground, HAIRLINE * 2)
        return found.set_fill(color or self.theme.green, 1).set_z_index(1)

    def legend(self) -> list[VGroup]:
        """Every sign with its words: boxes by colour, a red point, then arrows, a dashed line and a dotted circle."""
        rows = [(300 + 160 * (i % 4), 160 if i < 4 else 1010) for i in range(8)]
        signs = [
            (lambda y, x, kind=kind: self.box("", kind, (x + 70, y), (140, 92)))
            for kind in ("traditional", "normalised", "scale")
        ]
        signs += [
            lambda y, x: self.change((x + 70, y), 20),
            lambda y, x: self.main((x, y), (x + 140, y)),
            lambda y, x: self.aside((x, y), (x + 140, y)),
            lambda y, x: self.box("", "normalised", (x + 70, y), (140, 92), optional=True),
            lambda y, x: self.boundary((x + 70, y)),
        ]
        words = ("as in a GPT", "normalised", "learned scale", "changed here")
        words += ("main flow", "operation beside it", "optional", "comes to length 1")
        found = []
        for (y, x), sign, word in zip(rows, signs, words, strict=True):
            found.append(VGroup(sign(y, x), self.words(word).move_to(at(x + 190, y), aligned_edge=LEFT)))
        return found


class Legend(Flow):
    """All signs of this part's pictures, first the colours, then the lines."""

    def construct(self):
        signs = self.legend()
        for sign, step in zip(signs, TAGS, strict=True):
            self.tag(sign, step)
        self.next_section("Colours")
        self.beat(
            "Colours: what a part is",
            *map(FadeIn, signs[:3]),
            rest=REST,
            say="Blue: as in a GPT. Green: normalised, its vectors have length 1. Yellow: a learned scale.",
        )
        self.play(FadeIn(signs[3]), run_time=0.6)
        self.wait(REST)
        self.next_section("Lines")
        self.beat(
            "Lines: what goes where",
            *(FadeIn(VGroup(*pair)) for pair in (signs[4:6], signs[6:])),
            rest=3 * REST,
            say="A red point: something is changed here. Thick arrows: the tokens' states. Thin: operations beside. "
            "Dashed: a model may lack it. A dotted circle: what arrives has length 1.",
        )


TAGS = ("ngpt-attend-softmax", "ngpt-normlinear-cosines", "ngpt-scale-use", "ngpt-step-out")
TAGS += ("ngpt-logits-attn", "ngpt-step-lerp", "ngpt-attention-values", "ngpt-step-back")
