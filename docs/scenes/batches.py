"""Clips for docs/data/batches.md: windows of a text become a batch; documents are packed into the rows of another."""

import json

from manim import RIGHT, FadeIn, FadeOut, Line, Rectangle, ReplacementTransform, VGroup

from cutaway.theme import fonts
from scenes.kit import ACCENT_LINE, EASE, FONT_UNITS, HAIRLINE, REST, SMALL, Stage, at, px
from scenes.moving import glyphs

LEFT_EDGE, WIDTH = 88, 1744  # of what runs across the whole stage
VISIBLE = {" ": "·", "\n": "¶"}  # what would not be seen
ADVANCE = WIDTH / 64  # pixels from a character to the next
LINE = 64  # from one line of type to the next
ROW, PITCH = 44, 60  # height of a bar, and from one to the next
BARS_AT, ROWS_AT, WAITING_AT = 320, 176, 536  # left edge; first row; first document that waits
ROOM = 1160  # pixels of a row of T + 1 tokens
WIDEST = 1440  # pixels of a document that waits
COLUMNS = 60  # characters in a line of a document


class Typed(Stage):
    """Type with every character in a slot of its own, so that lines stand below each other."""

    def typed(self, text, left, y, color=None):
        """One object for each character, spaces too; ``y`` is the middle of the capitals."""
        advance = glyphs(fonts.mono().family, SMALL * FONT_UNITS).advance
        line = VGroup()
        for i, character in enumerate(text):
            pair = self.code("H" + VISIBLE.get(character, character), color=color)
            slot = at(left + (i + 0.5) * ADVANCE, y)
            line.add(pair[1].shift(slot - pair[0].get_center() - [advance, 0, 0]))
        return line

    def bar(self, left, y, width, height, paint):
        bar = Rectangle(paint, px(height), px(width), stroke_width=0)
        return bar.set_fill(paint, 1).move_to(at(left + width / 2, y))


class Windows(Typed):
    """Windows from random places of a text, and the same windows one token later."""

    def construct(self):
        windows = self.value("chars.batch/batches-get-stack")
        length, B, T = self.shape("chars.batch/batches-get-open")[0], len(windows), windows.shape[1] - 1
        letters = json.loads(self.fact("shards.characters_of_chars"))
        texts = ["".join(letters[i] for i in window) for window in windows]
        bar = self.bar(LEFT_EDGE, 192, WIDTH, 64, self.theme.line)
        self.add(self.tag(bar, "batches-get-open"))
        starts = [self.fact(f"chars.batch/batches-get-starts[{i}]") for i in range(B)]
        marks = VGroup(*(self.mark(start / length) for start in starts))

        self.next_section("Places")
        self.beat(
            f"{B} places in {length:,} characters",
            FadeIn(self.tag(marks, "batches-get-starts"), lag_ratio=0.1),
            run_time=1.0,
            say=f"The text for training has {length:,} characters; {B} places are drawn at random.",
        )

        self.next_section("One window")
        x, y = self.typed(texts[0][:T], LEFT_EDGE, 448), self.typed(texts[0][1:], LEFT_EDGE, 640)
        names = [self.code(name, color=self.theme.muted) for name in "xy"]
        for name, up, row in zip(names, (368, 720), (x, y), strict=True):
            name.move_to(at(LEFT_EDGE + 16, up))
            self.tag(row, "batches-get-shift")
        self.beat(
            f"From each place, {T} characters: x",
            marks[0].animate.set_stroke(self.theme.accent, ACCENT_LINE),
            FadeIn(x, names[0]),
            say=f"From the first place, {T} characters: the first row of x.",
        )
        moved = VGroup(*x[1:]).copy()
        self.beat(
            "One character later: y",
            ReplacementTransform(moved, VGroup(*y[:-1])),
            FadeIn(y[-1], names[1]),
            run_time=1.4,
            say="The row of y begins one character later: below each character stands the one that follows it.",
        )

        self.next_section("Questions")
        frames = []
        for k in (4, 12, 30):
            new = [self.focus(VGroup(*x[:k])), self.focus(y[k - 1])]
            say = f"After {k} characters the model is asked for the next one, which y has at that place."
            self.beat(f"Read {k}, answer the next one", FadeIn(*new), away=frames, say=say)
            frames = new

        self.next_section("Batch")
        rows = [self.typed(text[:T], LEFT_EDGE, 312 + LINE * i) for i, text in enumerate(texts)]
        self.beat(
            f"{B} rows of {T}: the batch x",
            FadeIn(self.tag(VGroup(*rows), "batches-get-shift"), lag_ratio=0.002),
            away=[x, y, *names, *frames],
            run_time=1.2,
            rest=2 * REST,
            say=f"All {B} windows are the rows of x. Each begins and ends wherever it happens to.",
        )

    def mark(self, share):
        x = LEFT_EDGE + share * WIDTH
        return Line(at(x, 152), at(x, 232)).set_stroke(self.theme.dimension("B"), ACCENT_LINE)


class Pipeline(Typed):
    """A document on its way into rows of a batch: tokens, a place among those that wait, a place in a row."""

    def construct(self):
        self.room = self.fact("shards.T") + 1
        followed, titles = self.fact("shards.followed"), json.loads(self.fact("shards.titles"))
        pieces = json.loads(self.fact("shards.pieces"))
        text, boxes = self.flow(pieces)

        self.next_section("Document")
        self.beat(
            f"A document: {titles[followed]}",
            FadeIn(VGroup(*text[1:])),
            say=f"A section of the handbook, {titles[followed]}, is one document of the corpus.",
        )
        self.next_section("Tokens")
        self.beat(
            f"{len(pieces) - 1} tokens, and BOS before them",
            FadeIn(boxes, lag_ratio=0.02),
            FadeIn(text[0]),
            run_time=1.2,
            say=f"The tokenizer makes {len(pieces) - 1} tokens of it and puts BOS before them, as a sign.",
        )

        self.next_section("Waiting")
        count, B = self.fact("shards.waiting"), self.fact("shards.B")
        lengths = [self.fact(f"shards.pack@0/batches-best-lengths[{i}]") for i in range(count)]
        self.waiting = [(i, self.document(i, length, i == followed)) for i, length in enumerate(lengths)]
        rows = VGroup(*(self.outline(row) for row in range(B)))
        bars = self.tag(VGroup(*(bar for _, bar in self.waiting)), "batches-best-refill")
        head = self.words("tokens", color=self.theme.muted).move_to(at(BARS_AT - 32, WAITING_AT - 76), RIGHT)
        self.beat(
            f"{count} documents wait for {B} rows",
            FadeIn(bars, head),
            FadeIn(self.tag(rows, "batches-row-while")),
            away=[text, boxes],
            say=f"{count} documents wait, as bars of their lengths. Above are {B} rows for {self.room} tokens each.",
        )

        self.next_section("Rows")
        self.taken = 0
        for row in range(B):
            self.fill(row)

        self.next_section("Left waiting")
        too_long = [self.focus(bar[1]) for _, bar in self.waiting if bar.length > self.room]
        self.beat(
            f"{len(too_long)} of {len(self.waiting)} that wait exceed a row",
            FadeIn(*too_long),
            say=f"All rows are full. Of {len(self.waiting)} that wait, {len(too_long)} are longer than a row.",
        )

    def flow(self, pieces):
        """The document's characters in lines of the stage's width, token by token, and a box behind each token."""
        text, boxes, place = VGroup(), VGroup(), 0
        for i, piece in enumerate(pieces):
            token, paint = VGroup(), self.theme.weight(0.15 if i % 2 else 0.3)
            for character in piece:
                line, column = divmod(place, COLUMNS)
                token.add(self.typed(character, LEFT_EDGE + column * ADVANCE, 264 + 88 * line)[0])
                boxes.add(self.bar(LEFT_EDGE + column * ADVANCE, 264 + 88 * line, ADVANCE, 72, paint).set_z_index(-1))
                place += 1
            text.add(token)
        return self.tag(text, "batches-loader-plan"), self.tag(boxes, "batches-loader-plan")

    def fill(self, row):
        """Move what best fit chose into the row, piece by piece, and let the next document come."""
        room = self.room
        while room:
            place = self.fact(f"shards.pack@{self.taken}/batches-best-choose")
            self.taken += 1
            slot, bar = self.waiting.pop(place)
            size = min(bar.length, room)
            piece = self.piece(bar, row, self.room - room, size)
            moves = [ReplacementTransform(bar[1], piece), FadeOut(bar[0])]
            if row == 0 and size == bar.length:
                self.beat(f"The longest that fits: {size}", *moves, say=f"The longest that fits has {size} tokens.")
            elif row == 0:
                say = f"{room} are left and none fits: the shortest is cut, and the rest of its {bar.length} is lost."
                self.beat(f"{room} left, none fits: cut the shortest", *moves, say=say)
            elif row == 1 and room == self.room:
                self.beat(
                    "The same, row by row", *moves, say="Row by row; a document that is used makes room for the next."
                )
            else:
                self.play(*moves, run_time=EASE)
            room -= size
            self.arrive(slot)

    def arrive(self, slot):
        """The document that comes in the place of the one that was used, if another choice is recorded after it."""
        last = len(self.waiting)
        try:
            length = self.fact(f"shards.pack@{self.taken}/batches-best-lengths[{last}]")
        except LookupError:
            return
        bar = self.document(slot, length, False)
        self.waiting.append((slot, bar))
        self.play(FadeIn(bar), run_time=EASE / 2)

    def outline(self, row):
        frame = Rectangle(self.theme.muted, px(ROW + 8), px(ROOM + 8), stroke_width=HAIRLINE)
        return frame.move_to(at(BARS_AT + ROOM / 2, ROWS_AT + PITCH * row))

    def document(self, slot, length, followed):
        """A number and a bar of that length; what doesn't fit the stage is left out, and the bar ends in strips."""
        y, width, paint = WAITING_AT + PITCH * slot, length * ROOM / self.room, self.paint(followed)
        number = self.code(str(length), color=self.theme.muted).move_to(at(BARS_AT - 32, y), RIGHT)
        bars = VGroup(self.bar(BARS_AT, y, min(width, WIDEST), ROW, paint))
        if width > WIDEST:
            bars.add(*(self.bar(BARS_AT + WIDEST + 12 + 24 * i, y, 12, ROW, paint) for i in range(3)))
        both = VGroup(number, bars)
        both.length, both.followed = length, followed
        return both

    def piece(self, document, row, start, size):
        """A document's place in a row; the light edge is its BOS."""
        scale = ROOM / self.room
        y, left = ROWS_AT + PITCH * row, BARS_AT + start * scale
        bos = self.bar(left, y, 8, ROW, self.theme.ink)
        return self.tag(
            VGroup(self.bar(left, y, size * scale, ROW, self.paint(document.followed)), bos), "batches-best-use"
        )

    def paint(self, followed):
        return self.theme.dimension("T") if followed else self.theme.weight(0.5)
