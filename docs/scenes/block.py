"""Clips for docs/model/block.md: what the blocks add to the stream of one token, and what it would answer there."""

import numpy as np
from manim import LEFT, RIGHT, FadeIn, Rectangle, ReplacementTransform, VGroup

from scenes.kit import LARGE, REST, SMALL, Stage, at, number_text, px

TOKEN = 5  # the last letter of the input: from here on the model writes
TOP, ROW = 296, 13  # of the columns of channels, and the height of a cell
STEP, WIDE = 168, 96  # from column to column, and the width of one


class Stream(Stage):
    """The residual stream of one token grows: each block's attention and MLP are added to it."""

    def construct(self):
        letter, blocks = self.tokens()[TOKEN], self.fact("n_layer")
        start = (self.value("tok_emb")[0] + self.value("pos_emb"))[TOKEN]
        added = [[self.recorded(block, part) for part in ("attn", "ffn")] for block in range(blocks)]
        after = [self.recorded(block, "add-mlp") for block in range(blocks)]
        self.longest = max(np.linalg.norm(values) for values in (start, *(v for _, v in after)))
        most = [max(np.ceil(10 * np.abs(v).max()) / 10 for _, v in (*added[b], after[b])) for b in range(blocks)]
        stream = self.pillar(start, 0, "x", most[0])
        length = number_text(np.linalg.norm(start))

        self.next_section("Start")
        self.beat(
            f"The stream of one {letter}",
            FadeIn(stream),
            say=f"The {letter} at position {TOKEN}, {len(start)} numbers: its letter's vector plus its position's. "
            f"Below is the vector's length, {length}.",
        )
        for block in range(blocks):
            self.next_section(f"Block {block}")
            at_column = 3 * block + 1
            parts = [
                self.pillar(values, at_column + i, name, most[block], step, plain)
                for i, (plain, (step, values), name) in enumerate(
                    zip(("block-forward-attn", "block-forward-ffn"), added[block], ("attn", "mlp"), strict=True)
                )
            ]
            lengths = [number_text(np.linalg.norm(values)) for _, values in added[block]]
            self.beat(
                f"Block {block}: what is added",
                FadeIn(VGroup(parts[0], self.sign("+", at_column, "attn"))),
                FadeIn(VGroup(parts[1], self.sign("+", at_column + 1, "mlp"))),
                say=f"Block {block}: attention adds a vector of length {lengths[0]}, the MLP one of {lengths[1]}.",
            )
            step, values = after[block]
            new = self.pillar(values, at_column + 2, "x", most[block], step, "block-forward-add-mlp")
            moved = VGroup(*(part[0].copy() for part in (stream, *parts)))
            self.beat(
                f"Block {block}: the sum goes on",
                ReplacementTransform(moved, new[0]),
                FadeIn(VGroup(new[1:], self.sign("=", at_column + 2, "mlp"))),
                say=f"Their sum is the stream after block {block}; its length is now "
                f"{number_text(np.linalg.norm(values))}.",
            )
            stream = new
        self.wait(REST)

    def recorded(self, block, part):
        """A value of that block, and its name; of block 0 that is the step itself."""
        name = (f"h.{block}/" if block else "") + f"block-forward-{part}"
        return name, self.value(name)[0, TOKEN]

    def pillar(self, values, column, text, most, name="", step=""):
        """A vector as a column of cells, what it is called above it and its length below, as number and bar."""
        left = self.left(column)
        cells = self.signed(values[:, None], (left, TOP), (WIDE, ROW), most)
        if name:
            self.tensor(cells, name, (0, TOKEN))
        middle = left + WIDE / 2
        head = self.code(text, color=self.theme.ink if text == "x" else self.theme.muted)
        head.move_to(at(middle, TOP - 44))
        if step:
            self.tag(head, step)
        length, foot = np.linalg.norm(values), TOP + len(values) * ROW
        bar = Rectangle(width=px(WIDE * length / self.longest), height=px(12)).set_stroke(width=0)
        bar.set_fill(self.theme.muted, 1).move_to(at(left, foot + 16), aligned_edge=LEFT)
        return VGroup(cells, head, bar, self.number(length, 1).move_to(at(middle, foot + 68)))

    def left(self, column):
        return 192 + column * STEP

    def sign(self, text, column, added):
        """A plus or an equals sign left of a column; it stands for the sum of that part and the stream."""
        sign = self.words(text, SMALL, self.theme.muted).move_to(at(self.left(column) - (STEP - WIDE) / 2, 600))
        return self.tag(sign, f"block-forward-add-{added}")


class Lens(Stage):
    """What the model would answer if it stopped before the first block, or after each."""

    def construct(self):
        tokens, answer, blocks = self.tokens(), self.tokens("targets"), self.fact("n_layer")
        first = len(self.fact("word")) - 1
        logits = self.logits(blocks)
        wanted = [ord(letter) - ord("A") for letter in answer[first:]]
        chosen = logits.argmax(-1)
        names = ["no block", *(f"block {block}" for block in range(blocks))]
        surest = self.shares(logits).max(-1)
        grid = self.weights(surest, (480, 304), (104, 120))
        inks = [self.theme.on(self.theme.weight(share)) for share in surest.flat]
        for i in np.flatnonzero(chosen != wanted):
            self.empty([grid[i]])
            inks[i] = self.theme.ink
        letters = VGroup(
            *(
                self.words(chr(ord("A") + index), LARGE, ink).move_to(cell)
                for index, ink, cell in zip(chosen.flat, inks, grid, strict=True)
            )
        )
        self.add(self.row_of("reads", tokens[first:], grid, 248), self.row_of("wanted", answer[first:], grid, 848))
        places = [grid.center_of(i, 0)[1] for i in range(grid.rows)]
        heads = (
            self.words(name).move_to([at(440, 0)[0], y, 0], aligned_edge=RIGHT)
            for name, y in zip(names, places, strict=True)
        )
        heads = [self.tag(head, "block-loop-next" if i else "block-loop-each") for i, head in enumerate(heads)]
        rows = [VGroup(head, grid.row(i), letters[i * grid.columns :][: grid.columns]) for i, head in enumerate(heads)]

        self.next_section("After each block")
        for i, (name, row) in enumerate(zip(names, rows, strict=True)):
            right = int((chosen[i] == wanted).sum())
            said = self.words(f"{right} of {len(wanted)} right").move_to([at(1176, 0)[0], places[i], 0])
            said.shift([said.width / 2, 0, 0])
            self.beat(
                f"After {name}" if i else "Read off before the first block",
                FadeIn(row),
                FadeIn(said),
                say=f"{name.capitalize()}: {right} of {len(wanted)} answers right; their cells are filled.",
            )

        self.next_section("In numbers")
        column = int((chosen != wanted).sum(0).argmax())
        table = self.table(logits[:, column], places, first + column)
        gone = [m for m in self.mobjects if m.get_left()[0] > at(1150, 0)[0]]
        self.beat(
            f"The {tokens[first + column]} at position {first + column}: its logits",
            FadeIn(self.focus(grid.column(column))),
            FadeIn(table, lag_ratio=0.05),
            away=gone,
            rest=3 * REST,
            run_time=1.2,
            say=f"The logits of that token after each block; the largest is the answer, "
            f"and it should be {answer[first + column]}.",
        )

    def logits(self, blocks):
        """Final norm and head on the stream at every stage, for the tokens from which the model writes."""
        first = len(self.fact("word")) - 1
        stream = [self.value("tok_emb")[0] + self.value("pos_emb")]
        stream += [self.value((f"h.{block}/" if block else "") + "block-forward-add-mlp")[0] for block in range(blocks)]
        x = np.stack(stream)[:, first:]
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        x = x * self.value("sort.params/ln_f.weight") + self.value("sort.params/ln_f.bias")
        logits = x @ self.value("sort.params/wte.weight").T
        logits[-1] = self.value("logits")[0, first:]  # after the last block there is nothing to suppose
        return logits

    def shares(self, logits):
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    def row_of(self, name, letters, grid, y):
        """A row of letters over or under the grid, and what they are."""
        head = self.words(name, color=self.theme.muted).move_to(at(440, y), aligned_edge=RIGHT)
        places = ([grid.center_of(0, j)[0], at(0, y)[1], 0] for j in range(grid.columns))
        marks = (self.words(letter).move_to(place) for letter, place in zip(letters, places, strict=True))
        return VGroup(head, *marks)

    def table(self, logits, places, position):
        """A row of logits for each stage; the largest in full ink."""
        table = VGroup()
        for index in range(logits.shape[1]):
            right = 1320 + 240 * index
            head = self.words(chr(ord("A") + index), color=self.theme.muted)
            table.add(head.move_to(at(right - 36, 248)))
            for i, y in enumerate(places):
                ink = self.theme.ink if logits[i].argmax() == index else self.theme.muted
                number = self.number(logits[i, index], color=ink)
                table.add(number.move_to([at(right, 0)[0] - number.width / 2, y, 0]))
                if i == len(places) - 1:
                    self.tag(number, "logits", [(number, (0, position, index))])
        return table
