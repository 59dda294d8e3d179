"""Data: tokens of a shard that flow into a batch and its targets, or documents by their lengths; then a histogram."""

from manim import FadeIn, LaggedStart, ReplacementTransform, VGroup

from .ground import REST, Ground, px, short

ROWS, COLUMNS = 4, 8
CELL = (196, 104)
BASE, HIGH = 940, 620  # pixels: the foot of the histogram, the height of its largest bar
LEFT_AT, RIGHT_AT = 192, 1800


class Data(Ground):
    """The first tokens become rows of a batch, whose targets are one further; or the first documents as bars."""

    def construct(self):
        away = self.flow() if self.given["kind"] == "tokens" else self.documents()
        self.histogram(away)

    def token(self, place, x, y):
        """A token as a cell with its id, coloured by that."""
        first = self.given["first"]
        label, share = self.given["labels"][place], first[place] / max(1, self.given["largest"])
        color = self.theme.weight(0.15 + 0.7 * share)
        shape = self.box(x, y, CELL[0] - 8, CELL[1] - 8, color)
        return VGroup(shape, self.fit(self.code(label, 60, self.theme.on(color)), CELL[0] - 36).move_to(shape))

    def flow(self):
        """A strip of tokens, then the same tokens in rows; then each target, one further."""
        given = self.given
        width = min(COLUMNS, len(given["first"]) - 1)
        rows = min(ROWS, (len(given["first"]) - 1) // width)
        self.next_section("Stream")
        cells = [self.token(k, LEFT_AT + k * CELL[0], 260) for k in range(rows * width)]
        strip = VGroup(*cells)
        told = ", ".join(map(str, given["first"][: rows * width]))
        self.beat(f"{short(given['count'])} tokens in {given['file']}", FadeIn(strip), say=f"The file has "
                  f"{given['count']:,} tokens. It begins with {told}.")  # fmt: skip
        self.play(strip.animate.shift([-px(CELL[0] * max(0, rows * width - width)), 0, 0]), run_time=2)
        self.next_section("Batch")
        batch = VGroup(*(self.token(k, LEFT_AT + (k % width) * CELL[0], 380 + (k // width) * CELL[1])
                         for k in range(rows * width)))  # fmt: skip
        moves = [ReplacementTransform(a, b) for a, b in zip(strip, batch, strict=True)]
        title = f"x: {rows} rows of {width} tokens"
        self.beat(title, LaggedStart(*moves, lag_ratio=0.05), run_time=2, say=f"In batches they become rows; here "
                  f"{rows} of {width} tokens.")  # fmt: skip
        self.next_section("Targets")
        shifted = VGroup(*(self.token(k + 1, LEFT_AT + (k % width) * CELL[0], 380 + (k // width) * CELL[1])
                           for k in range(rows * width)))  # fmt: skip
        moves = [ReplacementTransform(a, b) for a, b in zip(batch, shifted, strict=True)]
        self.beat("y: each target is the next token", *moves, run_time=1.2, rest=1.5 * REST,
                  say="The targets of these rows are the same tokens, one further.")  # fmt: skip
        return [shifted]

    def documents(self):
        """The first documents, each a bar as long as its text."""
        given = self.given
        self.next_section("Documents")
        lengths = given["first"]
        most, step = max([*lengths, 1]), min(84.0, 760 / max(1, len(lengths)))
        bars = VGroup()
        for k, length in enumerate(lengths):
            y = 240 + k * step
            number = self.right_of(f"{length:,}", 480, y + step / 2, self.theme.muted)
            if number.height > px(step):
                number.scale_to_fit_height(px(step * 0.8))
            bars.add(VGroup(number, self.box(520, y, length / most * 1280, step - 8, self.theme.blue)))
        grow = LaggedStart(*(FadeIn(bar) for bar in bars), lag_ratio=0.5)
        told = ", ".join(f"{length:,}" for length in lengths)
        self.beat(f"{short(given['count'])} documents in {given['file']}", grow, run_time=2.5, rest=REST,
                  say=f"The file has {given['count']:,} documents. The first have {told} characters.")  # fmt: skip
        return [bars]

    def histogram(self, away):
        """How often which ids, or lengths, are there."""
        self.next_section("Histogram")
        bins, given = self.given["bins"], self.given
        most = max([each["count"] for each in bins] or [1]) or 1
        width = (RIGHT_AT - LEFT_AT) / max(1, len(bins))
        bars = VGroup()
        for k, each in enumerate(bins):
            height = each["count"] / most * HIGH
            bars.add(self.box(LEFT_AT + k * width, BASE - height, width - 6, height, self.theme.blue))
        ends = VGroup(self.level(BASE), self.left_of(bins[0]["from_text"], LEFT_AT, 1010, self.theme.muted),
                      self.right_of(bins[-1]["to_text"], RIGHT_AT, 1010, self.theme.muted))  # fmt: skip
        tall = max(range(len(bins)), key=lambda k: bins[k]["count"])
        told = self.left_of(f"most: {bins[tall]['from_text']} to {bins[tall]['to_text']}, {most:,} {given['kind']}",
                            LEFT_AT, 200, self.theme.muted)  # fmt: skip
        listed = "; ".join(f"{each['from_text']} to {each['to_text']}: {each['count']:,}" for each in bins)
        grow = LaggedStart(*(FadeIn(bar) for bar in bars), lag_ratio=0.15)
        self.beat(given["title"], grow, FadeIn(ends, told), away=away, run_time=2, rest=2.5 * REST,
                  say=f"{given['title']}: {listed}.")  # fmt: skip
