"""Clips for docs/model/mlp.md: one token through the MLP of block 0, and the bend with the numbers that meet it."""

import math

import numpy as np
from manim import LEFT, RIGHT, Dot, FadeIn, LaggedStart, Line, Rectangle, ReplacementTransform, VGroup, VMobject

from scenes.kit import ACCENT_LINE, CELL, FOCUS_AT, GRID_AT, HAIRLINE, LARGE, REST, Stage, at, number_text, px

TOKEN = 5  # the last letter of the input: from here on the model writes
LAYERS = "sort.params/h.0.mlp."
ROW = 16  # height of a cell in a column of all channels
TERMS = 7  # of a dot product that are printed one by one: the largest


class OneToken(Stage):
    """The column of one token on its way through c_fc, gelu and c_proj."""

    def construct(self):
        letter = self.tokens()[TOKEN]
        x, before, after, out = (
            self.value(name)[0, TOKEN]
            for name in ("block-forward-ln-2", "mlp-forward-fc", "mlp-forward-gelu", "mlp-forward-proj")
        )
        unit, channel = int(before.argmax()), int(np.abs(out).argmax())
        entry = self.folded(x, "block-forward-ln-2", 192, 72)
        hidden = self.folded(before, "mlp-forward-fc", 376, CELL, float(np.abs(before).max()))
        bent = self.folded(after, "mlp-forward-gelu", 376, CELL, float(np.abs(before).max()))
        result = self.folded(out, "mlp-forward-proj", 720, 72)
        wide = self.words(f"{len(before) // len(x)}C", color=self.theme.dimension("C"), weight="BOLD")
        names = zip((entry, hidden, result), (self.letter("C"), wide, self.letter("C")), strict=True)
        self.add(*(name.move_to([cells.get_x(), at(0, 216)[1], 0]) for cells, name in names))
        self.add(self.room(hidden), self.room(result))
        place, frame = hidden[self.place(unit, x)], self.focus(entry)

        self.next_section("One number")
        self.beat(
            f"One {letter}: {len(x)} numbers",
            FadeIn(entry),
            say=f"The {letter} at position {TOKEN}, normalised: {len(x)} numbers.",
        )
        terms = self.terms(x, "block-forward-ln-2", "c_fc", unit)
        first = self.sum("sum", before[unit], "mlp-forward-fc", unit, 9)
        self.beat(
            "A dot product with one row",
            FadeIn(frame),
            FadeIn(terms, lag_ratio=0.05),
            run_time=1.2,
            say=f"Each number meets one of a row of c_fc; the {TERMS} largest products are shown one by one.",
        )
        self.beat(
            "Add up: one hidden number",
            FadeIn(VGroup(self.rule(1584, 1800, 784), first)),
            FadeIn(place),
            say=f"All products and a bias make one hidden number, {number_text(before[unit], 3)}.",
        )

        self.next_section("All of them")
        columns = [hidden.column(j) for j in range(hidden.columns)]
        self.beat(
            f"{len(before)} rows, {len(before)} numbers",
            LaggedStart(*map(FadeIn, columns), lag_ratio=0.4),
            run_time=1.6,
            say=f"c_fc has {len(before)} rows, so there are {len(before)} hidden numbers.",
        )

        here = self.focus(place)
        self.bends(hidden, bent, after[unit], unit, [frame, place], here)
        self.back(bent, here, after, out, channel, result)

    def bends(self, hidden, bent, value, unit, gone, here):
        """Each hidden number through GELU; one of them is printed below its sum."""
        self.next_section("GELU")
        second = self.sum("gelu", value, "mlp-forward-gelu", unit, 10.5)
        self.beat(
            "GELU bends each by itself",
            ReplacementTransform(hidden, bent),
            FadeIn(here),
            FadeIn(second),
            away=gone,
            rest=2 * REST,
            say=f"The hidden number becomes {number_text(value, 3)}; each is bent for itself.",
        )

    def back(self, bent, here, after, out, channel, result):
        """The second layer: one number of the result with its operands, then all."""
        gone = [here, *(m for m in self.mobjects if m.get_left()[0] > at(FOCUS_AT[0] - 40, 0)[0])]
        terms = self.terms(after, "mlp-forward-gelu", "c_proj", channel)
        total = self.sum("sum", out[channel], "mlp-forward-proj", channel, 9)
        self.next_section("Back")
        self.beat(
            "c_proj: a dot product again",
            FadeIn(self.focus(bent)),
            FadeIn(VGroup(terms, self.rule(1584, 1800, 784), total), lag_ratio=0.05),
            FadeIn(result[channel]),
            away=gone,
            run_time=1.2,
            say=f"Each row of c_proj meets all {len(after)} bent numbers and makes one number of the result.",
        )
        self.beat(
            f"{len(out)} rows: {len(out)} numbers",
            LaggedStart(*map(FadeIn, result), lag_ratio=0.05),
            rest=2 * REST,
            run_time=1.2,
            say=f"The result is as wide as what came in, {len(out)} numbers; the block adds it to the stream.",
        )

    def folded(self, values, name, left, width, most=None):
        """All channels of the token; what is wider than C goes on in the next column."""
        rows = self.value("block-forward-ln-2").shape[-1]
        cells = self.signed(values.reshape(-1, rows).T, (left, GRID_AT[1]), (width, ROW), most)
        order = np.arange(len(values)).reshape(-1, rows).T.flat
        self.tag(cells, name, [(cell, (0, TOKEN, int(i))) for cell, i in zip(cells, order, strict=True)])
        return cells

    def place(self, unit, x):
        """Which cell of the folded columns is this hidden number's."""
        columns = self.value("mlp-forward-fc").shape[-1] // len(x)
        return unit % len(x) * columns + unit // len(x)

    def room(self, cells):
        """An outline where cells will stand."""
        outline = Rectangle(width=cells.width, height=cells.height).move_to(cells)
        return outline.set_stroke(self.theme.line, HAIRLINE)

    def terms(self, values, name, layer, row):
        """The largest products of a dot product as numbers, the rest as their sum, and the bias."""
        weights, bias = self.value(f"{LAYERS}{layer}.weight")[row], self.value(f"{LAYERS}{layer}.bias")[row]
        products = values * weights
        first = np.abs(products).argsort()[::-1][:TERMS]
        rest = float(products.sum() - products[first].sum())
        shown = self.column(values[first], 1200)
        self.tag(shown, name, [(number, (0, TOKEN, int(i))) for number, i in zip(shown, first, strict=True)])
        factors, results = self.fine(weights[first], 1500), self.fine([*products[first], rest, bias], 1800)
        rows = [(TERMS, f"{len(values) - TERMS} others"), (TERMS + 1, "bias")]
        labels = (self.label(text, FOCUS_AT[1] + (i + 0.5) * CELL) for i, text in rows)
        heads = (self.head(text, right) for text, right in (("in", 1200), ("row", 1500), ("in × row", 1800)))
        return VGroup(*heads, shown, factors, results, *labels)

    def fine(self, values, right):
        """A column of numbers with one more digit, for weights are small."""
        places = (at(right, FOCUS_AT[1] + (i + 0.5) * CELL) for i in range(len(values)))
        return VGroup(*(self.number(v, 3).move_to(p, aligned_edge=RIGHT) for v, p in zip(values, places, strict=True)))

    def label(self, text, y):
        return self.words(text, color=self.theme.muted).move_to(at(1500, y), aligned_edge=RIGHT)

    def sum(self, text, value, name, index, row):
        """What comes of the terms, with its name, below them."""
        y = FOCUS_AT[1] + (row + 0.5) * CELL + 24
        number = self.number(value, 3, LARGE).move_to(at(1800, y), aligned_edge=RIGHT)
        self.tag(number, name, [(number, (0, TOKEN, index))])
        return VGroup(self.words(text, LARGE, self.theme.muted).next_to(number, LEFT, buff=px(48)), number)


class Bend(Stage):
    """The curve of GELU, and where the hidden numbers of one token meet it in each block."""

    def construct(self):
        letter, blocks = self.tokens()[TOKEN], self.fact("n_layer")
        steps = [self.block_names(block) for block in range(blocks)]
        pairs = [tuple(self.value(name)[0, TOKEN] for name in names) for names in steps]
        most = max(float(np.abs(before).max()) for before, _ in pairs)
        self.unit, count = 640 / most, len(pairs[0][0])
        curve = self.curve(lambda v: v * 0.5 * (1 + math.erf(v / math.sqrt(2))), self.theme.ink, most)
        relu = self.curve(lambda v: max(v, 0.0), self.theme.muted, most)
        self.add(*self.axes(most))

        self.next_section("The curve")
        self.beat(
            "GELU: a number in, a number out",
            FadeIn(curve),
            say="Across what comes in, upwards what comes out: large numbers pass, very negative ones end at zero.",
        )

        self.next_section("One token")
        flat, dots = self.dots(*pairs[0], steps[0], on_curve=False), self.dots(*pairs[0], steps[0])
        told = self.told(0, *pairs[0], steps[0])
        self.beat(
            f"{count} hidden numbers of one {letter}",
            FadeIn(flat),
            FadeIn(told),
            say=f"What c_fc of block 0 made of the {letter} at position {TOKEN}.",
        )
        self.beat("Each takes its own way", ReplacementTransform(flat, dots), say="Each goes through the curve alone.")

        self.next_section("ReLU")
        names = self.words("GELU"), self.words("ReLU", color=self.theme.muted)
        self.tag(names[0].move_to(at(1640, 520)), "mlp-forward-gelu")
        names[1].move_to(at(1300, 400))
        self.beat(
            "ReLU has a corner instead",
            FadeIn(VGroup(relu, *names)),
            say="ReLU cuts off at zero. GELU lets a little of the negative numbers through, and has a slope there.",
        )

        self.next_section("Other blocks")
        for block in range(1, blocks):
            more, words = self.dots(*pairs[block], steps[block]), self.told(block, *pairs[block], steps[block])
            self.beat(
                f"The same {letter} in block {block}",
                ReplacementTransform(dots, more),
                FadeIn(words),
                away=[told, *([relu, *names] if block == 1 else [])],
                say=f"In block {block} the numbers lie between {number_text(pairs[block][0].min())} and "
                f"{number_text(pairs[block][0].max())}.",
            )
            dots, told = more, words
        self.wait(REST)

    def block_names(self, block):
        """The names of what goes into the bend and what comes out; of block 0 they are the steps themselves."""
        module = f"h.{block}.mlp/" if block else ""
        return module + "mlp-forward-fc", module + "mlp-forward-gelu"

    def place(self, x, y):
        return at(960 + x * self.unit, 912 - y * self.unit)

    def axes(self, most):
        across = Line(self.place(-1.08 * most, 0), self.place(1.08 * most, 0))
        up = Line(self.place(0, -0.1 * most), self.place(0, 1.04 * most))
        ticks = [i for i in range(-math.floor(most), math.floor(most) + 1) if i]
        marks = (Line(self.place(i, 0), self.place(i, -16 / self.unit)) for i in ticks)
        texts = (self.number(i, 0, color=self.theme.muted).move_to(self.place(i, -118 / self.unit)) for i in ticks)
        yield from (line.set_stroke(self.theme.line, 2 * HAIRLINE) for line in (across, up, *marks))
        yield from texts

    def curve(self, function, color, most):
        points = [self.place(v, function(v)) for v in np.linspace(-1.05 * most, 1.05 * most, 127)]
        return VMobject().set_points_as_corners(points).set_stroke(color, ACCENT_LINE)

    def dots(self, before, after, names, on_curve=True):
        heights = after if on_curve else np.zeros_like(after)
        places = (self.place(x, y) for x, y in zip(before, heights, strict=True))
        dots = VGroup(*(Dot(place, px(10), color=self.theme.dimension("C"), fill_opacity=0.75) for place in places))
        self.tag(dots, names[on_curve], [(dot, (0, TOKEN, i)) for i, dot in enumerate(dots)])
        return dots

    def told(self, block, before, after, names):
        """The largest and the smallest of the numbers, before and after the bend."""
        lines = [self.words(f"block {block}", LARGE).move_to(at(GRID_AT[0], 232), aligned_edge=LEFT)]
        for row, (word, i) in enumerate((("largest", int(before.argmax())), ("least", int(before.argmin())))):
            y = 328 + 80 * row
            lines.append(self.words(word, color=self.theme.muted).move_to(at(GRID_AT[0], y), aligned_edge=LEFT))
            for values, name, right in ((before, names[0], 620), (after, names[1], 900)):
                number = self.number(values[i]).move_to(at(right, y), aligned_edge=RIGHT)
                self.tag(number, name, [(number, (0, TOKEN, i))])
                lines.append(number)
            lines.append(self.words("→", color=self.theme.muted).move_to(at(672, y)))
        return VGroup(*lines)
