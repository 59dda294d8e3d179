"""Clips for docs/start: what a training costs, drawn as an area, and the pipeline with all its sizes in one run."""

from textwrap import shorten

import numpy as np
from manim import DOWN, LEFT, PI, RIGHT, Circle, FadeIn, GrowFromPoint, Line, Polygon, Rectangle, VGroup, VMobject

from scenes.kit import ACCENT_LINE, HAIRLINE, REST, Stage, at, number_text, px

# By the README of nanochat's first release, October 2025: layers -> hours on eight H100s, dollars. The hours of d20
# were measured; the two larger ones were announced (12 is a round estimate, 41.6 what 1000 dollars buy).
TIERS = {20: (3 + 51 / 60, 100), 26: (12, 300), 32: (41.6, 1000)}
VOCABULARY, WIDTH_OF_LAYER, TOKENS_PER_PARAMETER = 65536, 64, 20  # of that release
CORNER, ACROSS, HIGH = (288, 888), 880, 688  # of the plot: its corner, and the sides of the largest rectangle
BILLION = 1e9

FILE_AT, FILE_SIZE = 40, (512, 92)  # of the panels with files: left edge, width and height
MADE_AT, MADE_WIDE = 608, 1256  # of what the files make
ROWS_AT, PITCH = 216, 176  # middle of the first row, and from one to the next
IDS = 7  # tokens that are shown by their numbers
CURVE = (648, 1088)  # where the curve begins and ends, from the left edge of what is made
LETTERS = 40  # that fit a line there


def parameters(depth: int) -> int:
    """Of a model of nanochat's first release: embedding and head, and twelve squares of the width for each layer."""
    width = WIDTH_OF_LAYER * depth
    return 2 * VOCABULARY * width + 12 * depth * width**2


class Costs(Stage):
    """The work of a training is the area of a rectangle, parameters by tokens; the three tiers lie in one corner."""

    def construct(self):
        self.most = parameters(max(TIERS))
        lines = VGroup(Line(at(*CORNER), self.point(1.06, 0)), Line(at(*CORNER), self.point(0, 1.04)))
        across = self.words("billion parameters", color=self.theme.muted).move_to(at(CORNER[0], 1024), LEFT)
        up = self.words("billion tokens", color=self.theme.muted).rotate(PI / 2).move_to(at(64, 544))
        axes = VGroup(lines.set_stroke(self.theme.muted, HAIRLINE), across, up)

        self.next_section("Work")
        self.beat(
            "Parameters times tokens: the work",
            FadeIn(axes),
            say="Each parameter takes part in the work on each token, so work is an area: parameters times tokens.",
        )
        heads = (("October 2025", 1872, 192), ("hours", 1584, 280), ("dollars", 1872, 280))
        heads = VGroup(*(self.cell(*head, self.theme.muted) for head in heads))
        first = parameters(min(TIERS))
        for number, (depth, (hours, dollars)) in enumerate(TIERS.items()):
            times = parameters(depth) / first
            self.next_section(f"Depth {depth}")
            place = self.tier(depth)
            row = VGroup(
                self.cell(f"d{depth}", 1376, 376 + 88 * number),
                self.cell(f"{hours:.3g}", 1584, 376 + 88 * number),
                self.cell(f"{dollars}", 1872, 376 + 88 * number),
            )
            more = f"; {times:.1f} times as much of both as d{min(TIERS)}" if number else ""
            self.beat(
                f"{depth} layers: {dollars:,} dollars",
                GrowFromPoint(place[0], at(*CORNER)),
                FadeIn(place[1:]),
                FadeIn(VGroup(row, *([] if number else [heads]))),
                rest=1.5 * REST,
                say=f"d{depth}: {self.billions(parameters(depth), 2)} billion parameters, "
                f"{self.billions(TOKENS_PER_PARAMETER * parameters(depth))} billion tokens{more}. October 2025.",
            )

        self.next_section("This book", "poster")
        own = {"M parameters": self.fact("prose.n_params"), "M tokens": self.fact("prose.tokens")}
        lines = [f"d{self.fact('prose.n_layer')}, this book’s:", *(f"{n / 1e6:.2f} {text}" for text, n in own.items())]
        told = VGroup(*(self.words(text) for text in lines)).arrange(DOWN, buff=px(36), aligned_edge=LEFT)
        ring = Circle(px(24), self.theme.accent, stroke_width=ACCENT_LINE).move_to(at(*CORNER))
        larger = TOKENS_PER_PARAMETER * first**2 / np.prod(list(own.values()))
        self.beat(
            "This book: a point in the corner",
            FadeIn(self.tag(ring, "prose.n_params")),
            FadeIn(told.move_to(at(1272, 800), LEFT)),
            rest=2 * REST,
            say=f"The area of this book's base model is {larger / 1e6:.0f} million times smaller than d20's.",
        )

    def point(self, across, up):
        """From shares of the largest rectangle's sides to a place on the stage."""
        return at(CORNER[0] + across * ACROSS, CORNER[1] - up * HIGH)

    def tier(self, depth):
        """Its rectangle from the corner, its name in the corner opposite, and its sides as numbers at the axes."""
        share, shade = parameters(depth) / self.most, list(TIERS).index(depth)
        paint = self.theme.weight(0.6 - 0.2 * shade)
        area = Rectangle(self.theme.muted, px(share * HIGH), px(share * ACROSS), stroke_width=HAIRLINE)
        area.set_fill(paint, 1).move_to(self.point(share / 2, share / 2)).set_z_index(-1 - shade)
        name = self.words(f"d{depth}", color=self.theme.on(paint)).move_to(self.point(share, share))
        right = self.words(self.billions(parameters(depth)), color=self.theme.muted).move_to(self.point(share, 0))
        tokens = self.billions(TOKENS_PER_PARAMETER * parameters(depth), 0)
        left = self.words(tokens, color=self.theme.muted).move_to(self.point(0, share), RIGHT)
        name.shift(px(72) * LEFT + px(52) * DOWN)
        right.shift(px(52) * DOWN)
        left.shift(px(24) * LEFT)
        return self.tag(VGroup(area, name, right, left), "overview-config-n-layer")

    def billions(self, count, digits=1):
        return number_text(count / BILLION, digits)

    def cell(self, text, right, y, color=None):
        return self.words(text, color=color).move_to(at(right, y), RIGHT)


class Map(Stage):
    """One run from raw text to words: the file of each stage, and what it made."""

    def construct(self):
        self.row = -1
        count, size = self.fact("prose.documents"), self.fact("prose.bytes")
        self.next_section("Documents")
        self.stage(
            "dataset.py",
            "corpus-make-bounds",
            "Raw text, cut into documents",
            [self.made(f"{size:,} bytes, {count} documents"), self.shards(10)],
            f"dataset.py cuts {size:,} bytes of text into {count} documents, in ten files; the last is for validation.",
        )

        self.next_section("Tokens")
        text, ids = self.fact("prose.excerpt").removeprefix("<|bos|>"), self.ids()
        self.stage(
            "tokenizer.py",
            "tokenizer-ordinary-text",
            "Text becomes numbers",
            [self.made(shorten(text, LETTERS, placeholder=" …")), ids],
            f"tokenizer.py learns {self.fact('prose.vocab_size'):,} tokens; with them this document is these numbers.",
        )

        self.next_section("Batches")
        B, T, steps = (self.fact(f"prose.{name}") for name in ("batch_size", "block_size", "iters"))
        self.stage(
            "dataloader.py",
            "batches-loader-batch",
            "Numbers become batches",
            [self.made(f"{steps} times {B} rows of {T} tokens"), self.batch(B)],
            f"dataloader.py fills {B} rows of {T} tokens for each of {steps} steps: {steps * B * T:,} tokens in all.",
        )

        self.next_section("Model")
        before, after = (number_text(self.fact(f"prose.bpb_{name}")) for name in ("before", "after"))
        self.stage(
            "base_train.py",
            "loop-take-step",
            "Batches train a model",
            [self.made(f"{self.fact('prose.n_params'):,} parameters"), self.curve(), self.ends(before, after)],
            f"base_train.py trains {self.fact('prose.n_params'):,} parameters. On text that it has not seen, "
            f"it goes from {before} to {after} bits per byte.",
        )

        self.next_section("Words", "poster")
        prompt, written = self.fact("prose.prompt"), shorten(self.fact("prose.written"), LETTERS, placeholder="")
        self.stage(
            "gpt.py",
            "output-generate-append",
            "The model writes",
            [self.made(f"{prompt} …", self.theme.muted), self.made(f"… {written}").shift(px(80) * DOWN)],
            f"The trained model goes on after “{prompt}”: “{written}”",
            rest=2.5 * REST,
        )

    def stage(self, name, step, title, made, say, rest=REST):
        """One more row: the file in its panel, an arrow from the one above, and what it made."""
        self.row += 1
        y, (width, height) = ROWS_AT + PITCH * self.row, FILE_SIZE
        panel = Rectangle(self.theme.line, px(height), px(width), stroke_width=HAIRLINE).set_fill(self.theme.panel, 1)
        file = VGroup(panel, self.code(name)).move_to(at(FILE_AT + width / 2, y))
        parts = [self.tag(file, step)]
        if self.row:
            parts.append(self.arrow(y - PITCH + height / 2, y - height / 2))
        for thing in made:
            if not getattr(thing, "cutaway_tag", None):
                self.tag(thing, step)
        self.beat(title, FadeIn(VGroup(*parts)), FadeIn(VGroup(*made)), rest=rest, say=say)

    def made(self, text, color=None):
        """A line of type in the upper half of the row that comes next."""
        y = ROWS_AT + PITCH * (self.row + 1)
        return self.words(text, color=color).move_to(at(MADE_AT, y - 40), LEFT)

    def arrow(self, top, bottom):
        x = FILE_AT + FILE_SIZE[0] / 2
        tip = Polygon(at(x - 14, bottom - 26), at(x + 14, bottom - 26), at(x, bottom - 4), stroke_width=0)
        shaft = Line(at(x, top + 4), at(x, bottom - 24)).set_stroke(self.theme.muted, ACCENT_LINE)
        return VGroup(shaft, tip.set_fill(self.theme.muted, 1))

    def lower(self):
        """The middle of the lower half of the row that comes next."""
        return ROWS_AT + PITCH * (self.row + 1) + 40

    def shards(self, count):
        """Ten files as bars; the one for validation is an outline."""
        pitch, bars = MADE_WIDE / count, VGroup()
        for i in range(count):
            bar = Rectangle(self.theme.weight(0.5), px(52), px(pitch - 12), stroke_width=0)
            bars.add(bar.set_fill(self.theme.weight(0.5), 1).move_to(at(MADE_AT + (i + 0.5) * pitch - 6, self.lower())))
        bars[-1].set_fill(self.theme.ground, 1).set_stroke(self.theme.muted, HAIRLINE)
        return bars

    def ids(self):
        """The first tokens of the recorded document, BOS first."""
        numbers = self.value("prose.forward/idx")[0, :IDS]
        pitch = MADE_WIDE / IDS
        line = VGroup(*(self.number(n, 0) for n in numbers))
        for i, number in enumerate(line):
            number.move_to(at(MADE_AT + i * pitch, self.lower()), LEFT)
        return self.tensor(line, "prose.forward/idx", (0, slice(IDS)))

    def batch(self, rows):
        """The rows of one batch as lines."""
        ends = ((MADE_AT, y) for y in self.lower() + 10 * (np.arange(rows) - (rows - 1) / 2))
        lines = VGroup(*(Line(at(x, y), at(x + MADE_WIDE, y)) for x, y in ends))
        return lines.set_stroke(self.theme.weight(0.6), 2 * HAIRLINE)

    def curve(self):
        """Bits per byte on the last shard, measured on the way."""
        steps, bits = np.array(self.reading.find("prose.log/val_bpb").series).T
        across = MADE_AT + CURVE[0] + (CURVE[1] - CURVE[0]) * steps / steps.max()
        up = 72 * (bits - bits.min()) / np.ptp(bits)
        points = [at(x, self.lower() + 36 - y) for x, y in zip(across, up, strict=True)]
        return VMobject().set_points_as_corners(points).set_stroke(self.theme.ink, ACCENT_LINE)

    def ends(self, before, after):
        """Bits per byte before and after, at both ends of the curve."""
        y = self.lower()
        left = self.words(f"{before} bits a byte").move_to(at(MADE_AT, y), LEFT)
        return VGroup(left, self.words(after).move_to(at(MADE_AT + MADE_WIDE, y), RIGHT))
