"""The clip for docs/ngpt/layers.md: rows of any length and rows of length 1, what comes out, groups, and columns."""

import numpy as np
from manim import LEFT, PI, RIGHT, UP, FadeIn, Line, Rectangle, Transform, ValueTracker, VGroup

from scenes.kit import HAIRLINE, Stage, at, number_text, px

MATRIX, BIAS = "sort.params/h.0.attn.c_attn.weight", "sort.params/h.0.attn.c_attn.bias"
GIVEN, MADE = "sort.forward/h.0.attn/x", "sort.forward/h.0.attn/k"  # what goes in, and the keys that come out
WRITES = "ngpt.params/layers.1.0.fn.to_out.linear.weight"
SHOWN, GROUPS = 8, 4  # rows of the one matrix, columns of the other; parts of a row
PANELS, TOP, TALL, THIN = (192, 1048), 352, 76, 6  # pixels: left edges; of the first row; of a cell
BAR, ONE, NUMBERS = 312, 320, 800  # pixels from a panel's edge: where bars begin, where numbers end; of length 1
ZERO, REACH, THICK = 468, 144, 40  # of outputs: the zero line, the largest; how high a bar is
WIDE, HIGH, APART, PART = 32, 144, 40, 344  # of a cell of one row; between its groups; of a group's length 1
COLUMN, LOW, UNIT = 64, 13, 128  # of a cell of the matrix that writes; of its lengths where they are 1


class Rows(Stage):
    """A matrix gets rows of length 1; both meet one input; then groups of a row, and a matrix with unit columns."""

    def construct(self):
        self.read()
        left, right = (self.strips(self.W, (PANELS[0], TOP), (THIN, TALL), self.most) for _ in range(2))
        for cells in (left, right):
            self.tensor(cells, MATRIX, (self.rows, slice(None)))
        bars, free = self.lengths(0), self.name("a GPT's", 0)

        self.next_section("Rows")
        said = f"A row of the matrix that makes keys in the GPT that sorts, and its length: {self.length[0]:.2f}."
        self.beat("A row and its length", FadeIn(left.row(0), bars[0], free), rest=0.5, say=said)
        said = f"{SHOWN} of its {self.all} rows, up to the longest: {self.length[-1]:.2f}."
        self.beat("Other rows, other lengths", FadeIn(left[self.width :], bars[1:]), rest=0.5, say=said)

        self.next_section("Divided")
        units = self.divided(right)

        self.next_section("Outputs")
        gone = self.outputs(left, bars, units)

        self.next_section("Groups")
        gone = self.groups(right, [left, free, *gone])

        self.next_section("Columns")
        self.columns(gone)

    def read(self):
        """Rows from the shortest to the longest, (SHOWN, C), and an input whose largest output is not the nearest's."""
        self.width = self.fact("sort.n_embd")
        keys = slice(self.width, 2 * self.width)
        W, x = self.value(MATRIX)[keys].astype(float), self.value(GIVEN)[0].astype(float)
        made = self.value(MADE)[0].swapaxes(0, 1).reshape(len(x), -1)
        assert np.allclose(x @ W.T + self.value(BIAS)[keys], made, atol=1e-4)
        rows, self.all = spread(np.linalg.norm(W, axis=1), SHOWN), len(W)
        self.rows, self.W, self.length = self.width + rows, W[rows], np.linalg.norm(W[rows], axis=1)
        self.unit = self.W / self.length[:, None]
        self.most = float(np.abs(self.unit).max())
        products, cosines = x @ self.W.T, x @ self.unit.T / np.linalg.norm(x, axis=1, keepdims=True)
        pairs = [(np.abs(y).argmax(), np.abs(c).argmax()) for y, c in zip(products, cosines, strict=True)]
        self.token = int(np.argmax([y[i] ** 2 - abs(y[i] * y[j]) for y, (i, j) in zip(products, pairs, strict=True)]))
        self.pair, self.step = pairs[self.token], self.width // GROUPS * WIDE + APART
        self.share, self.cut = ValueTracker(0), ValueTracker(0)
        self.x, self.came = x[self.token], (products[self.token], cosines[self.token])

    # Rows, and both matrices

    def strips(self, values, corner, size, most=None):
        """Cells side by side, with hardly a gap between the numbers of a row."""
        cells = self.signed(values, corner, size, most)
        for cell in cells:
            cell.stretch_to_fit_width(px(size[0] - 1))
        return cells

    def middle(self, row):
        return TOP + (row + 0.5) * TALL

    def name(self, text, side):
        color = (self.theme.blue, self.theme.green)[side]
        return self.words(text, color=color).move_to(at(PANELS[side], 192), aligned_edge=LEFT)

    def bar(self, value, left, y, one, color):
        """A bar from ``left`` on, ``one`` pixels long where the value is 1."""
        shape = Rectangle(color, px(THICK), px(max(abs(value) * one, 2)), stroke_width=0, fill_opacity=1)
        return shape.move_to(at(left + value * one / 2, y))

    def living(self, read, left, y, color, one, edge):
        """A bar and a number, both of what ``read()`` says in each frame."""
        bar, number = self.bar(read(), left, y, one, color), self.digits(read())
        bar.add_updater(lambda o: o.stretch_to_fit_width(px(read() * one)).move_to(at(left, y), aligned_edge=LEFT))
        number.move_to(at(*edge), aligned_edge=RIGHT).add_updater(lambda o: o.set_value(read()))
        return VGroup(bar, number)

    def lengths(self, side):
        """A bar and a number beside each row; on the right they follow ``self.share`` to 1."""
        found, color = VGroup(), (self.theme.blue, self.theme.red)[side]
        for row, length in enumerate(self.length):
            read = lambda length=length: length + side * self.share.get_value() * (1 - length)  # noqa: E731
            edge = PANELS[side] + NUMBERS, self.middle(row)
            found.add(self.living(read, PANELS[side] + BAR, self.middle(row), color, ONE, edge))
        return self.tag(found, "ngpt-l2norm-length")

    def divided(self, right):
        """A copy goes to the right side, where each row is divided by its length."""
        units, name = self.lengths(1), self.name("normalised", 1)
        self.play(right.animate.shift([px(PANELS[1] - PANELS[0]), 0, 0]), FadeIn(units, name), run_time=0.7)
        self.tag(right, "ngpt-l2norm-normalize")
        self.beat(
            "Each is divided by its length",
            Transform(right, self.strips(self.unit, (PANELS[1], TOP), (THIN, TALL), self.most)),
            self.share.animate.set_value(1),
            run_time=1.4,
            rest=0.3,
            say="The same rows, each divided by its own length: the direction stays, and the length becomes 1.",
        )
        self.done(units)
        return [units, name]

    def done(self, pairs):
        """What was red, being transformed, is green: normalised."""
        self.play(VGroup(*(pair[0] for pair in pairs)).animate.set_fill(self.theme.green), run_time=0.4)

    # One input

    def outputs(self, left, bars, units):
        """The input above both matrices, and in place of the lengths what comes out."""
        inputs = VGroup()
        for panel, values in zip(PANELS, (self.x, self.x / np.linalg.norm(self.x)), strict=True):
            inputs.add(self.strips(values[None], (panel, TOP - 96), (THIN, TALL)))
        self.tensor(inputs[0], GIVEN, (0, slice(self.token, self.token + 1)))
        self.tag(inputs[1], "ngpt-l2norm-normalize")
        letter = self.tokens("sort.forward/idx")[self.token]
        said = f"One input, the {letter} at position {self.token}; on the right it has length 1."
        self.beat("Both meet one input", FadeIn(inputs), rest=0.4, say=said)
        results = [self.results(side) for side in range(2)]
        self.beat(
            "Products against cosines",
            FadeIn(*results),
            away=(bars, units[0]),
            rest=0.8,
            say=f"Left, products: {number_text(self.came[0].min())} to {number_text(self.came[0].max())}. Right, the "
            "cosines of the same directions: none is beyond −1 and 1.",
        )
        first, best = self.pair
        frames = VGroup(self.focus(results[0][1][first]), self.focus(results[1][1][best]))
        frames = VGroup(*(frame.stretch_to_fit_height(px(TALL - 4)) for frame in frames))
        self.beat(
            "A long row, or a near one",
            FadeIn(frames),
            rest=1,
            say=f"The largest product, {number_text(self.came[0][first])}, is that of a row of length "
            f"{self.length[first]:.2f}; the largest cosine, {number_text(self.came[1][best])}, that of one of length "
            f"{self.length[best]:.2f}.",
        )
        return [units[1], inputs, *results, frames]

    def results(self, side):
        """A bar and a number for each row, and lines at −1 and 1."""
        most, color = np.abs(self.came[0]).max(), (self.theme.blue, self.theme.green)[side]
        zero, edge, found, lines = PANELS[side] + ZERO, PANELS[side] + NUMBERS, VGroup(), VGroup()
        for row, value in enumerate(self.came[side]):
            number = self.number(value).move_to(at(edge, self.middle(row)), aligned_edge=RIGHT)
            found.add(VGroup(self.bar(value, zero, self.middle(row), REACH / most, color), number))
        for value in (-1, 0, 1):
            x = zero + value * REACH / most
            lines.add(Line(at(x, TOP - 24), at(x, TOP + SHOWN * TALL)).set_stroke(self.theme.muted, HAIRLINE))
            lines.add(self.number(value, 0, color=self.theme.muted).move_to(at(x - 18 * (value < 0), TOP - 60)))
        return VGroup(lines, self.tag(found, "ngpt-normlinear-cosines"))

    # Groups of a row

    def groups(self, right, gone):
        """One row goes to the middle, is cut, and each part gets length 1."""
        row, parts = right.row(self.pair[1]), self.unit[self.pair[1]].reshape(GROUPS, -1)
        others = [cell for i in range(SHOWN) if i != self.pair[1] for cell in right.row(i)]
        self.sizes = np.linalg.norm(parts, axis=1)
        self.beat(
            "A row, cut into groups",
            Transform(row, self.apart(parts)),
            away=[*gone, *others],
            rest=0.1,
            say=f"With groups a row is cut, here into {GROUPS} parts of {parts.shape[1]} numbers.",
        )
        ledger = self.ledger()
        self.play(FadeIn(ledger), run_time=0.4)
        self.wait(0.5)
        self.tag(row, "ngpt-l2norm-groups")
        self.beat(
            "Each group gets length 1",
            Transform(row, self.apart(parts / self.sizes[:, None])),
            self.cut.animate.set_value(1),
            run_time=1.2,
            rest=0.2,
            say=f"Each is divided by its own length. The whole then has length {np.sqrt(GROUPS):.2f}, the root of "
            f"{GROUPS}, and NormLinear divides its outputs by {GROUPS}.",
        )
        self.done(ledger)
        self.wait(0.5)
        return [row, ledger]

    def apart(self, parts):
        """The numbers of a row as cells, its groups apart."""
        places = [(part[None], (PANELS[0] + g * self.step, 240), (WIDE, HIGH)) for g, part in enumerate(parts)]
        return VGroup(*(cell for place in places for cell in self.strips(*place, self.most)))

    def ledger(self):
        """Below each group its length, and below all that of the whole row."""
        found, red, left = VGroup(), self.theme.red, PANELS[0]
        now = lambda: self.sizes + self.cut.get_value() * (1 - self.sizes)  # noqa: E731
        for g, x in enumerate(left + self.step * np.arange(GROUPS)):
            found.add(self.living(lambda g=g: now()[g], x, 448, red, PART, (x + PART, 528)))
        found.add(self.living(lambda: np.linalg.norm(now()), left, 784, red, PART, (left + PART, 864)))
        found[-1].add(self.words("the whole row", color=self.theme.muted).move_to(at(left, 704), aligned_edge=LEFT))
        return self.tag(found, "ngpt-l2norm-groups")

    # Columns

    def columns(self, gone):
        """Of nGPT's matrix that writes to the stream, a few columns, whose lengths are 1, and the rows' lengths."""
        W, (left, _), lines = self.value(WRITES).astype(float), PANELS, VGroup()
        grid = self.signed(W[:, :SHOWN], (left, 200), (COLUMN, LOW))
        self.tensor(grid, WRITES, (slice(None), slice(SHOWN)))
        (columns, rows), edge = (np.linalg.norm(W, axis=axis) for axis in (0, 1)), left + SHOWN * COLUMN + 16
        beside = (self.bar(v, edge, 200 + (i + 0.5) * LOW, UNIT, self.theme.muted) for i, v in enumerate(rows))
        beside = VGroup(*(bar.stretch_to_fit_height(px(LOW - 4)) for bar in beside))
        below = VGroup(*(self.bar(v, 0, 0, UNIT, self.theme.green).rotate(PI / 2) for v in columns[:SHOWN]))
        for j, bar in enumerate(below):
            bar.move_to(at(left + (j + 0.5) * COLUMN, 216 + len(W) * LOW), aligned_edge=UP)
        for y, name, lengths, color in ((264, "rows", rows, "muted"), (904, "columns", columns, "green")):
            word = self.words(name, color=getattr(self.theme, color)).move_to(at(1080, y), aligned_edge=LEFT)
            between = self.code(f"{number_text(lengths.min())} to {number_text(lengths.max())}")
            lines.add(VGroup(word, between.move_to(at(1848, y), aligned_edge=RIGHT)))
        self.tag(VGroup(below, beside, lines), "ngpt-normlinear-axis")
        self.beat(
            "What writes has unit columns",
            FadeIn(grid, below),
            FadeIn(beside, lines),
            away=gone,
            rest=1,
            say=f"{SHOWN} of the {W.shape[1]} columns of nGPT's to_out, which writes to the stream: all have length 1. "
            "Its rows have not. What it writes is a sum of columns.",
        )


def spread(lengths, count):
    """Rows whose lengths lie evenly between the shortest and the longest, as far as there are such."""
    found = []
    for wanted in np.linspace(lengths.min(), lengths.max(), count):
        found.append(next(row for row in np.abs(lengths - wanted).argsort() if row not in found))
    return np.array(sorted(found, key=lambda row: lengths[row]))
