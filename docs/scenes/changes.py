"""The clip for docs/ngpt/changes.md: the whole of nGPT, and then each of its parts from near."""

from manim import LEFT, RIGHT, FadeIn, FadeOut, Transform, ValueTracker, VGroup, smooth, squish_rate_func

from scenes.flow import UNIT
from scenes.halves import MIDDLE, RADIUS, Halves
from scenes.kit import EASE, HAIRLINE, REST, at

BOX, NEAR = (400, 176), 4.3  # pixels of a box from afar; how many times as large it is from near
STREAM, ABOVE = 780, 380  # heights of the tokens' way, and of the blocks above it
FRAME = (975, 590), (890, 700)  # of what is repeated: its middle and size
BOXES = {  # middle, and the step that each stands for
    "embeddings": ((224, STREAM), "ngpt-logits-x"),
    "attention": ((760, ABOVE), "ngpt-logits-attn"),
    "feed-forward": ((1190, ABOVE), "ngpt-logits-ff"),
    "output": ((1696, STREAM), "ngpt-logits-cosines"),
}
SCALES = (
    ("alpha", (900, 600), "ngpt-alpha-scale"),
    ("second alpha", (1330, 600), "ngpt-alpha-scale"),
    ("s_z", (1696, 560), "ngpt-logits-return"),
)
RINGS = {"state": (478, STREAM), "step": (900, STREAM), "second step": (1330, STREAM)}
SECOND = ("feed-forward", "read again", "give again", "second alpha", "weighed again", "second step")
EARLY = squish_rate_func(smooth, 0, 0.4)  # a picture is gone before the map is back
PICTURE = (960, 600)  # the middle of a box from near


class Whole(Halves):
    """nGPT from afar, piece by piece; then its embeddings, attention, feed-forward block, step and output from near."""

    def construct(self):
        self.read()
        self.length, self.dot = ValueTracker(1), self.tag(self.disc(RINGS["state"]), "ngpt-logits-x")
        self.draw_all()
        self.next_section("From afar")
        self.afar()

        self.next_section("1 Input embeddings")
        self.near("embeddings", "1 Input embeddings", say=self.said_of("embeddings"))
        self.far(self.embeddings(), RINGS["state"])

        self.next_section("2 Attention")
        self.near("attention", "2 Attention", (200, 960), say=self.said_of("attention"))
        self.far(self.attention(), (900, 500), then=RINGS["step"])

        self.next_section("3 Feed-forward")
        self.near("feed-forward", "3 Feed-forward", (200, 960), say=self.said_of("feed-forward"))
        self.far(self.feed_forward(), (1330, 500), then=RINGS["second step"])

        self.next_section("4 Step")
        self.near("step", "4 The step", self.pixels(self.in_plane[0]), say=self.said_of("step"))
        self.far(self.step(), RINGS["second step"])

        self.next_section("5 Output")
        self.near("output", "5 Output", (120, PICTURE[1]), say=self.said_of("output"))
        self.far(self.output(), None)

        self.next_section("To keep", "poster")
        self.through()

    def draw_all(self):
        """The map: what is drawn, by name, and what is written on it."""
        self.shapes, self.labels = {}, {}
        for name, (middle, step) in BOXES.items():
            shape, self.labels[name] = self.box(name, "normalised", middle, BOX, step)
            self.shapes[name] = shape.set_z_index(0)
        for name, middle in RINGS.items():
            self.shapes[name] = self.tag(self.boundary(middle, UNIT), "ngpt-step-back")
        for name, x in (("step", 900), ("second step", 1330)):
            self.labels[name] = self.words("step").move_to(at(x, 880))
        arrows = {
            "in": ((224, 610), (224, 690)),
            "first": ((424, STREAM), (852, STREAM)),
            "middle": ((944, STREAM), (1282, STREAM)),
            "last": ((1374, STREAM), (1492, STREAM)),
            "read": ((640, STREAM), (640, 472)),
            "give": ((900, 468), (900, 545)),
            "weighed": ((900, 655), (900, 732)),
            "read again": ((1070, STREAM), (1070, 472)),
            "give again": ((1330, 468), (1330, 545)),
            "weighed again": ((1330, 655), (1330, 732)),
            "scaled": ((1696, 690), (1696, 615)),
            "out": ((1696, 505), (1696, 430)),
        }
        self.shapes |= {name: self.main(*places) for name, places in arrows.items()}
        for name, middle, step in SCALES:
            label = self.formula("s_z" if "_" in name else "alpha")
            shape, self.labels[name] = self.box(label, "scale", middle, (130, 110), step)
            self.shapes[name] = shape.set_z_index(0)
        self.shapes["layer"] = self.tag(self.fence_off(), "ngpt-logits-attn")
        self.labels["layer"] = self.words(f"{self.fact('ngpt.depth')} times").move_to(at(660, 880))
        self.labels["in"] = self.words("token").move_to(at(224, 560))
        self.labels["out"] = self.words("logits").move_to(at(1696, 380))
        self.map, self.words_on_map = VGroup(*self.shapes.values()), VGroup(*self.labels.values())
        self.afar_map = self.map.copy()

    def fence_off(self):
        (x, y), size = FRAME
        frame = self.box("", "normalised", (x, y), size)[0]
        return frame.set_stroke(self.theme.line, 2 * HAIRLINE).set_fill(opacity=0).set_z_index(-1)

    def piece(self, *names):
        return VGroup(*(self.shapes[name] for name in names), *(self.labels[n] for n in names if n in self.labels))

    def afar(self):
        """The map is built up, its signs are explained, and a token's state goes through it."""
        clock = self.clock()
        self.beat(
            "nGPT from afar",
            FadeIn(
                self.piece("embeddings", "in", "state", "first", "middle", "last", "output", "scaled", "s_z", "out")
            ),
            FadeIn(clock),
            rest=REST / 2,
            say="A token's embedding is a vector of length 1, and the output makes logits of it.",
        )
        with self.said("In between blocks suggest, and after each the state makes a step: to length 1 again."):
            self.play(FadeIn(self.piece("attention", "read", "give", "alpha", "weighed", "step")), run_time=EASE)
            self.play(FadeIn(self.piece(*SECOND)), run_time=EASE)
            self.signs = self.few_signs()
            self.play(FadeIn(self.piece("layer")), FadeIn(self.signs), run_time=EASE)
            self.add(self.dot)
            self.go(RINGS["step"], run_time=EASE)
            self.go(RINGS["second step"], run_time=EASE)
            self.go((1696, STREAM), run_time=EASE)
            self.remove(self.dot)
            self.wait(REST / 2)

    def clock(self):
        """How long the token's vector is now."""
        count = self.digits(1, 2, widest=88.88).move_to(at(1848, 68), aligned_edge=RIGHT)
        count.add_updater(lambda o: o.set_value(self.length.get_value()))
        return VGroup(self.words("length", color=self.theme.muted).move_to(at(1640, 68), aligned_edge=RIGHT), count)

    def few_signs(self):
        """Those signs of the legend that the map has."""
        signs = [
            self.box("", "normalised", (110, 1010), (100, 64)),
            self.box("", "scale", (690, 1010), (100, 64)),
            self.boundary((1300, 1010), 32, 16),
        ]
        words = ("normalised", 190), ("learned scale", 770), ("comes to length 1", 1364)
        return VGroup(*signs, *(self.words(text).move_to(at(x, 1010), aligned_edge=LEFT) for text, x in words))

    def near(self, name, title, start=None, say=""):
        """A part grows until it fills the stage; the rest of the map leaves it."""
        ring = name == "step"
        middle, scale = (RINGS[name], RADIUS / UNIT) if ring else (BOXES[name][0], NEAR)
        target = self.afar_map.copy().scale(scale, about_point=at(*middle))
        target.shift(at(*(MIDDLE if ring else PICTURE)) - at(*middle))
        for other, shape in zip(self.shapes, target, strict=True):
            if other != name:
                shape.set_opacity(0)
            elif ring:
                for dot in shape:
                    dot.scale(UNIT / RADIUS)
        moves = []
        if start is not None:  # the state sets out
            self.length.set_value(1)
            moves.append(self.dot.set_fill(self.theme.green).animate.move_to(at(*start)))
        away = [self.words_on_map, self.signs]
        self.beat(title, Transform(self.map, target), *moves, say=say, away=away, rest=0.1, run_time=0.8)
        self.signs = VGroup()

    def said_of(self, name):
        """What is said while a part grows."""
        words, width, inner = (self.fact(f"ngpt.{name}") for name in ("num_tokens", "dim", "dim_inner"))
        return {
            "embeddings": f"The embeddings: a table of {words} rows of {width} numbers, each row of length 1.",
            "attention": "Attention: queries and keys are cosines with unit vectors, turned by position.",
            "feed-forward": f"The feed-forward block: two matrices make {inner} cosines each.",
            "step": "The step that comes after each of them.",
            "output": f"The output: {words} rows of length 1, and a cosine of the state with each.",
        }[name]

    def far(self, leaving, place, then=None):
        """Back to the whole map, and the token's vector to its place on it; from there a step may make its length 1."""
        moves = [] if place is None else [self.dot.animate.move_to(at(*place))]
        self.play(FadeOut(leaving, rate_func=EARLY), Transform(self.map, self.afar_map.copy()), *moves, run_time=0.6)
        if then:
            self.go(then, length=1, run_time=0.5, beside=[FadeIn(self.words_on_map)])
        else:
            self.play(FadeIn(self.words_on_map), run_time=0.3)

    def through(self):
        """Once more from afar: the state's length at each of the dotted circles."""
        self.dot.move_to(at(*RINGS["state"]))
        self.length.set_value(1)
        self.beat(
            "Each step ends at length 1",
            FadeIn(self.dot, self.few_signs()),
            rest=0.1,
            say="Wherever a dotted circle is, the state of each token has length 1, however long what the blocks gave.",
        )
        self.go(RINGS["step"], run_time=EASE)
        self.go(RINGS["second step"], run_time=EASE)
        self.wait(1.5 * REST)
