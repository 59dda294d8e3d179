"""Clips for docs/model/embedding.md: a row of wte for each token, a row of wpe for each position, and their sum."""

import numpy as np
from manim import LEFT, RIGHT, FadeIn, FadeOut, LaggedStart, ReplacementTransform, VGroup

from scenes.kit import CELL, GRID_AT, HAIRLINE, LARGE, REST, Cells, Stage, at, number_text, px
from scenes.vectors import LISTED, THIN, Vectors

POSITION = 3  # of a B in the middle of the word
TABLE_AT, TABLE_COLUMN = 1224, 112
ANSWER = 5  # the first position that has to name a letter of the answer


class Lookup(Vectors, Stage):
    """Each token's id picks one row of wte; these rows are tok_emb."""

    def construct(self):
        letters, ids = self.tokens(), [int(i) for i in self.value("idx")[0]]
        table = self.vectors("sort.params/wte.weight", (slice(None),), TABLE_AT, TABLE_COLUMN)
        grid = self.vectors("embedding-forward-wte")
        slots = self.slots(grid)
        indices = self.across(grid, [str(i) for i in ids])
        rows = self.across(table, [str(i) for i in range(table.columns)])
        self.tag(table, "embedding-forward-wte")
        self.add(slots, table, self.called("wte", table), rows, self.above(table, "V", "ABC"))
        self.add(self.upright("C", "channel").move_to(at(132, 600)), self.above(grid, "T", letters))

        self.next_section("Ids")
        self.beat(
            "Each letter has an id",
            FadeIn(indices),
            FadeIn(self.code("idx", color=self.theme.muted).move_to(at(112, 228))),
            say="A is 0, B is 1, C is 2: these are the numbers that the model is given.",
        )

        self.next_section("Lookup")
        frame = self.focus(table.column(ids[0]))
        self.beat(
            f"Id {ids[0]}: take row {ids[0]} of wte",
            FadeIn(frame),
            ReplacementTransform(table.column(ids[0]).copy(), grid.column(0)),
            run_time=1.2,
            say=f"The first letter is {letters[0]}, its id {ids[0]}: row {ids[0]} of the table is its vector.",
        )

        self.next_section("All tokens")
        copies = [ReplacementTransform(table.column(i).copy(), grid.column(t)) for t, i in enumerate(ids) if t > 0]
        self.beat(
            "The same for every token",
            FadeOut(frame),
            LaggedStart(*copies, lag_ratio=0.15),
            FadeIn(self.called("tok_emb", grid)),
            run_time=2.0,
            rest=2 * REST,
            say="Every token gets the row of its id; equal letters get equal vectors.",
        )

    def slots(self, grid):
        """A place for each column that is yet to come."""
        height = grid.rows * THIN
        places = Cells(np.zeros((1, grid.columns)), grid.corner, lambda _: self.theme.ground, (CELL, height))
        return places.set_stroke(self.theme.line, HAIRLINE)

    def above(self, cells, dimension, labels):
        """The letters above the ids, and the axis that they stand on."""
        y, (left, _), width = GRID_AT[1] - 104, cells.corner, cells.size[0]
        marks = (self.words(text, color=self.theme.muted) for text in labels)
        places = (at(left + (j + 0.5) * width, y) for j in range(len(labels)))
        moved = (mark.move_to(place) for mark, place in zip(marks, places, strict=True))
        return VGroup(self.letter(dimension).move_to(at(left - 60, y)), *moved)


class Sum(Vectors, Stage):
    """A vector for the letter plus a vector for the position: the same letter gets different vectors."""

    def construct(self):
        tokens = self.tokens()
        token, same = tokens[POSITION], [t for t, letter in enumerate(tokens) if letter == tokens[POSITION]]
        most = float(np.abs(self.value("embedding-forward-sum")).max())  # one scale of colours for all three
        letters, x = (self.vectors(f"embedding-forward-{step}", most=most) for step in ("wte", "sum"))
        positions = self.vectors("embedding-forward-wpe", (slice(None),), 1120, most=most)
        self.add(letters, self.across(letters, tokens, "token"))
        self.add(self.upright("C", "channel").move_to(at(132, 600)))
        marks = VGroup(*(self.focus(x.column(t)) for t in same))
        name, other = self.called("tok_emb", letters), self.called("pos_emb", positions)
        self.add(name)
        numbered = self.across(positions, [str(t) for t in range(len(tokens))], "position")

        self.next_section("Letters")
        self.beat(
            f"Every {token} has the same vector",
            FadeIn(marks),
            say=f"The rows of wte tell letters apart, but one {token} is like the other.",
        )

        self.next_section("Positions")
        self.beat(
            "Every position has its own",
            FadeOut(marks),
            FadeIn(VGroup(positions, numbered, other)),
            say="Row t of wpe belongs to position t, whatever the letter.",
        )

        self.next_section("Add")
        moves = [ReplacementTransform(positions.column(t).copy(), x.column(t)) for t in range(len(tokens))]
        self.beat(
            "Add them, number by number",
            LaggedStart(*moves, lag_ratio=0.1),
            ReplacementTransform(name, self.called("x", x)),
            run_time=1.8,
            say="Both vectors have the same length, so they can be added, channel by channel.",
        )
        self.remove(letters)
        marks = marks.copy()
        self.beat(f"Now each {token} is different", FadeIn(marks), say=f"The sum is x. Each {token} differs in x.")

        self.next_section("In numbers")
        frame, parts = self.focus(self.shown(x, POSITION)), VGroup(self.channels(916))
        for what, step, right, part in (
            ("tok_emb", "wte", 1180, (0, POSITION)),
            ("+ pos_emb", "wpe", 1540, (POSITION,)),
            ("= x", "sum", 1864, (0, POSITION)),
        ):
            step = f"embedding-forward-{step}"
            numbers = self.listed(self.value(step)[part], right)
            parts.add(self.head(what, right), self.tensor(numbers, step, (*part, slice(LISTED))))
        first = number_text(self.value("embedding-forward-sum")[0, POSITION, 0], 3)
        self.beat(
            f"The {token} at position {POSITION}, in numbers",
            FadeIn(frame),
            FadeIn(parts),
            away=[marks, positions, numbered, other],
            rest=2 * REST,
            say=f"The first channels, rounded to three digits. Channel 0 of x is {first}.",
        )


class Alike(Vectors, Stage):
    """Cosines of the trained vectors: which letters, and which positions, the model has made alike."""

    def construct(self):
        letters = cosines(self.value("sort.params/wte.weight"))
        positions = cosines(self.value("sort.params/wpe.weight"))
        small = self.signed(letters, (1184, GRID_AT[1]), (200, 112), 1)
        places = VGroup(self.empty(small.copy()))
        for cell, value in zip(small, letters.flat, strict=True):
            cell.add(self.number(value, color=self.theme.on(self.theme.sign(value))).move_to(cell))
        square = self.signed(positions, GRID_AT, most=1)
        names, counted = [chr(ord("A") + i) for i in range(len(letters))], [str(t) for t in range(len(positions))]
        vectors = self.vectors("embedding-forward-wpe", (slice(None),))
        self.add(places, vectors, self.across(square, counted), self.table(square, "T", "wpe"))
        self.add(self.across(small, names), self.down(small, names), self.table(small, "V", "wte"))

        self.next_section("Letters")
        self.beat(
            "Cosines of the letters",
            FadeIn(small),
            say="The cosine of two rows of wte: 1 for the same direction, below 0 beyond a right angle.",
        )

        self.next_section("Positions")
        self.beat(
            "Cosines of the positions",
            FadeIn(square),
            FadeIn(self.down(square, counted)),
            away=[vectors],
            say="The same for the rows of wpe, each compared with each.",
        )

        self.next_section("Reading and writing")
        shown = []
        for what, places in (("While it reads", range(ANSWER)), ("While it writes", range(ANSWER, len(positions)))):
            first, last = places[0], places[-1]
            block = VGroup(*(square.cell(i, j) for i in places for j in places))
            near = np.mean([positions[t, t + 1] for t in places[:-1]])
            far = positions[first, last]
            group = VGroup(
                self.focus(block), self.line("neighbours", near, 720), self.line(f"{first} and {last}", far, 808)
            )
            self.beat(
                f"{what}: positions {first} to {last}",
                FadeIn(group),
                away=shown,
                rest=2 * REST,
                say=f"Mean cosine of neighbours {number_text(near)}; of {first} and {last} {number_text(far)}.",
            )
            shown = [group]

    def table(self, cells, dimension, name):
        """What the rows of a square are: its axis and the table's name."""
        words = VGroup(self.letter(dimension), self.code(name, color=self.theme.muted)).arrange(RIGHT, buff=px(24))
        return words.move_to(at(cells.corner[0] + cells.columns * cells.size[0] / 2, GRID_AT[1] - 104))

    def line(self, what, value, y):
        """A number and what it is."""
        name = self.words(what, color=self.theme.muted).move_to(at(1184, y), aligned_edge=LEFT)
        return VGroup(name, self.number(value, size=LARGE).move_to(at(1784, y), aligned_edge=RIGHT))


def cosines(vectors):
    """Of each row with each."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit @ unit.T
