"""Clips for docs/model/output.md: from the last vectors to logits, to the loss, and round by round to a sorted word."""

import numpy as np
from manim import LEFT, RIGHT, FadeIn, LaggedStart, ReplacementTransform, VGroup

from scenes.kit import CELL, FOCUS_AT, GRID_AT, LARGE, REST, TITLE, Cells, Stage, at, number_text

POSITION = 5  # the last letter of the word: the first letter of the answer is read off here
STRONGEST = 8  # channels whose products are printed
SPREAD = 4.0  # ends of the ramp for x; with the largest, 3.2, two cells would have a colour of the weights' ramp
HEAD = "sort.params/wte.weight"  # the head's matrix, listed once, as the embedding's
ROUND = "sort.generate@{}/output-forward-shortcut"  # the logits of a round of the loop
WRITTEN = "sort.generate/output-generate-append"  # the word and, after the last round, the answer
SLOT, SLOTS_AT = (104, 112), (192, 256)
CHANCES_AT = (SLOTS_AT[0] + POSITION * SLOT[0], 528)  # each round's column under the last token that it reads


def vocabulary(count):
    return [chr(ord("A") + i) for i in range(count)]


def softmax(logits):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


class Head(Stage):
    """The final vector of one position meets the row of each letter: a dot product each, its logit."""

    def construct(self):
        tokens = self.tokens()
        x, rows = self.value("output-forward-norm")[0], self.value(HEAD)
        logits = self.value("output-forward-head")[0]
        letters, best = vocabulary(len(rows)), int(logits[POSITION].argmax())
        vectors = self.signed(x.T, GRID_AT, (CELL, 12), SPREAD)
        self.tensor(vectors, "output-forward-norm", (0,), transposed=True)
        head = self.tensor(self.signed(rows.T, FOCUS_AT, (CELL, 12)), HEAD, (slice(None),), transposed=True)
        scores = self.signed(logits.T, (GRID_AT[0], 872), (CELL, 52))
        self.tensor(scores, "output-forward-head", (0,), transposed=True)
        self.add(vectors, self.across(vectors, tokens, "positions"), self.upright("C", "x").move_to(at(132, 552)))
        column = self.focus(vectors.column(POSITION))

        self.next_section("One position")
        self.beat(
            "After the final norm: x",
            FadeIn(column),
            say=f"One vector for each position. Position {POSITION} is the last letter of the word.",
        )
        self.beat(
            "The head: one row a letter",
            FadeIn(head, self.across(head, letters), self.letter("V", "head").move_to(at(1028, 160))),
            say="The head's matrix holds one vector for each letter, as long as x.",
        )

        self.next_section("Dot product", "poster")
        frames = VGroup(self.focus(vectors.column(POSITION)), self.focus(head.column(best)))
        operands, products, total = self.ledger(x[POSITION], rows, best, logits[POSITION, best])
        self.beat(
            f"x meets the row of {letters[best]}",
            FadeIn(operands),
            ReplacementTransform(column, frames),
            say=f"Channel by channel; the {STRONGEST} that count most, of {x.shape[1]}.",
        )
        self.beat("Multiply", FadeIn(products, lag_ratio=0.1), run_time=1.0, say="Each pair is multiplied.")
        self.beat(
            f"Add up all {x.shape[1]}: a logit",
            FadeIn(total),
            say=f"Together they are {number_text(logits[POSITION, best])}: the logit of {letters[best]}.",
        )

        self.next_section("Logits")
        self.beat(
            "The same for every letter",
            FadeIn(self.logits(logits[POSITION], letters)),
            FadeIn(scores.column(POSITION), self.down(scores, letters)),
            away=[operands, products, total],
            say="One logit for each letter: " + self.listed(letters, logits[POSITION]) + ".",
        )
        others = [FadeIn(scores.column(j)) for j in range(len(tokens)) if j != POSITION]
        self.beat(
            "And for every position",
            LaggedStart(*others, lag_ratio=0.2),
            FadeIn(self.letter("V", "logits").move_to(at(856, 950), aligned_edge=LEFT)),
            run_time=1.5,
            rest=2 * REST,
            say="While training, every position gets its logits at once.",
        )

    def ledger(self, x, rows, letter, logit):
        """The strongest products of a vector with a row of the head, what the others add, and the sum of all."""
        products = x * rows[letter]
        order = np.argsort(-np.abs(products))
        shown, top = [int(i) for i in order[:STRONGEST]], FOCUS_AT[1]
        name = vocabulary(len(rows))[letter]
        channels = VGroup(self.letter("C").move_to(at(1188, top - 36), aligned_edge=RIGHT))
        for i, channel in enumerate(shown):
            label = self.code(str(channel), color=self.theme.muted)
            channels.add(label.move_to(at(1192, top + (i + 0.5) * CELL), aligned_edge=RIGHT))
        own, weights = self.column(x[shown], 1408), self.column(rows[letter, shown], 1616)
        self.cited(own, "output-forward-norm", [(0, POSITION, channel) for channel in shown])
        self.cited(weights, HEAD, [(letter, channel) for channel in shown])
        operands = VGroup(channels, self.head("x", 1408), self.head(name, 1616), own, weights)
        multiplied = VGroup(self.head(f"x × {name}", 1824), *self.column(products[shown], 1824))
        below = top + STRONGEST * CELL
        others = self.words(f"the other {len(x) - STRONGEST}", color=self.theme.muted)
        rest = VGroup(others, *self.column([products[order[STRONGEST:]].sum()], 1824, top=below))
        total = self.column([logit], 1824, top=below + CELL + 16)
        self.tensor(total, "output-forward-head", (0, POSITION, slice(letter, letter + 1)))
        named = self.words("logit", color=self.theme.muted)
        for text, number in ((others, rest[1]), (named, total[0])):
            text.move_to([at(1616, 0)[0], number.get_y(), 0], aligned_edge=RIGHT)
        return operands, multiplied, VGroup(rest, self.rule(1240, 1824, below + CELL + 8), named, total)

    def cited(self, numbers, name, indices):
        """Numbers that don't lie side by side in their tensor, each with its own index."""
        self.tag(numbers, name, list(zip(numbers, indices, strict=True)))

    def logits(self, logits, letters):
        numbers = self.tensor(self.column(logits, 1824), "output-forward-head", (0, POSITION))
        names = VGroup(*(self.words(f"x · {letter}", color=self.theme.muted) for letter in letters))
        for name, number in zip(names, numbers, strict=True):
            name.move_to([at(1616, 0)[0], number.get_y(), 0], aligned_edge=RIGHT)
        return VGroup(names, numbers, self.head("logit", 1824))

    def listed(self, letters, numbers):
        return ", ".join(f"{letter} {number_text(number)}" for letter, number in zip(letters, numbers, strict=True))


class Loss(Stage):
    """Logits become probabilities; the loss is minus the logarithm of the right letter's, its mean over what counts."""

    def construct(self):
        tokens, targets = self.tokens(), self.value("targets")[0]
        logits = self.value("output-forward-head")[0]
        letters, chances = vocabulary(logits.shape[1]), softmax(logits)
        counted = [t for t, target in enumerate(targets) if target >= 0]
        right, size = int(targets[POSITION]), (CELL, 144)
        chance = float(chances[POSITION, right])
        grid = self.signed(logits.T, GRID_AT, size)
        self.tensor(grid, "output-forward-head", (0,), transposed=True)
        shares = self.tag(self.weights(chances.T, GRID_AT, size), "output-forward-loss")
        self.add(grid, self.across(grid, tokens, "positions"), self.down(grid, letters))
        column, frame = self.focus(grid.column(POSITION)), self.focus(grid.cell(right, POSITION))

        self.next_section("Probabilities")
        given, powers, quotients = self.ledger(logits[POSITION], grid)
        self.beat(
            "The logits of one position",
            FadeIn(column, given),
            say=f"Position {POSITION}, the last letter of the word, has a logit for each letter.",
        )
        self.beat("e to the power of each", FadeIn(powers), say="Powers of e are never negative. They are added up.")
        self.beat(
            "Divided by their sum",
            FadeIn(quotients),
            ReplacementTransform(grid, shares),
            say="Divided by their sum they are probabilities: one in all.",
        )

        self.next_section("Loss", "poster")
        self.beat(
            f"The right letter is {letters[right]}",
            FadeIn(self.targets(targets, letters, shares)),
            ReplacementTransform(column, frame),
            say=f"The target of position {POSITION} is {letters[right]}; the model gives it {number_text(chance, 4)}.",
        )
        cost = self.code(f"−log {chance:.4f} = {number_text(-np.log(chance), 4)}", LARGE)
        cost.move_to(at(1840, 880), aligned_edge=RIGHT)
        self.beat("Its loss: −log p", FadeIn(cost), say="Sure and right costs almost nothing; sure and wrong, a lot.")

        self.next_section("Which count")
        ignored = VGroup(*(shares.column(t) for t in range(len(tokens)) if t not in counted))
        terms, mean = self.terms(counted, targets, chances, letters)
        self.beat(
            f"−1 is left out: {len(counted)} count",
            FadeIn(self.empty(ignored.copy()), terms),
            ReplacementTransform(frame, self.focus(*(shares.column(t) for t in counted))),
            away=[given, powers, quotients, cost, ignored],
            say=f"Where the target is −1 there is no loss. {len(counted)} of {len(tokens)} positions count.",
        )
        self.beat("The loss is their mean", FadeIn(mean), rest=2 * REST, say="The mean of these is the loss.")

    def ledger(self, logits, grid):
        """From logits to probabilities, beside the grid's rows: three columns, each with its heading."""
        powers = np.exp(logits)
        given, raised = (VGroup(*map(self.number, numbers)) for numbers in (logits, powers))
        shares = VGroup(*(self.number(p, 4) for p in powers / powers.sum()))
        self.tensor(given, "output-forward-head", (0, POSITION))
        self.tag(shares, "output-forward-loss")
        rights = 1240, 1540, 1840
        for numbers, right in zip((given, raised, shares), rights, strict=True):
            for row, number in enumerate(numbers):
                number.move_to([at(right, 0)[0], grid.center_of(row, 0)[1], 0], aligned_edge=RIGHT)
        heads = (self.head(text, right) for text, right in zip(("logit", "e^logit", "p"), rights, strict=True))
        given, raised, shares = (VGroup(*pair) for pair in zip(heads, (given, raised, shares), strict=True))
        total = self.column([powers.sum()], rights[1], top=720)
        return given, VGroup(raised, self.rule(1340, rights[1], 704), total), shares

    def targets(self, targets, letters, shares):
        """Under each position the letter that is right there, or −1."""
        marks = VGroup()
        for t, target in enumerate(targets):
            mark = self.words(letters[target] if target >= 0 else "−", color=self.theme.ink)
            marks.add(mark.move_to([shares.center_of(0, t)[0], at(0, 744)[1], 0]))
        return self.tag(VGroup(marks, self.code("targets", color=self.theme.muted).move_to(at(500, 832))), "targets")

    def terms(self, counted, targets, chances, letters):
        """The positions that count: the right letter, its probability, its loss; and the mean of these."""
        top, rows = FOCUS_AT[1], VGroup(self.head("p", 1530), self.head("−log p", 1840))
        for row, t in enumerate(counted):
            chance = chances[t, targets[t]]
            letter = self.words(letters[targets[t]], color=self.theme.muted)
            for mark, x in ((letter, 1240), (self.number(chance, 4), 1530), (self.number(-np.log(chance), 4), 1840)):
                rows.add(mark.move_to(at(x, top + (row + 0.5) * CELL), aligned_edge=RIGHT))
        below = top + len(counted) * CELL + 16
        loss = self.tag(self.number(float(self.value("output-forward-loss")), 4), "output-forward-loss")
        loss.move_to(at(1840, below + CELL / 2), aligned_edge=RIGHT)
        name = self.words("mean", color=self.theme.muted)
        name.move_to([at(1530, 0)[0], loss.get_y(), 0], aligned_edge=RIGHT)
        return rows, VGroup(self.rule(1560, 1840, below - 8), name, loss)


class Generation(Stage):
    """The word goes in, a letter comes out and goes in with the rest, until the word is sorted."""

    def construct(self):
        ids, given = self.value(WRITTEN)[0], POSITION + 1
        logits = np.array([self.value(ROUND.format(n))[0, 0] for n in range(len(ids) - given)])
        letters = vocabulary(logits.shape[1])
        slots = Cells(np.zeros((1, len(ids))), SLOTS_AT, lambda _: self.theme.panel, SLOT)
        self.empty(slots)
        self.chances = self.tag(self.weights(softmax(logits).T, CHANCES_AT, SLOT), "output-forward-shortcut")
        best = [int(row.argmax()) for row in logits]
        picks = [self.pick(letters[i], self.chances.cell(i, n)) for n, i in enumerate(best)]
        word = VGroup(*(self.spelled(letters[i], slots[t]) for t, i in enumerate(ids[:given])))
        answer = [self.spelled(letters[i], slots[given + n]) for n, i in enumerate(best)]
        self.tag(VGroup(*answer), "output-generate-append")
        self.add(slots, word, self.over(slots[:given], "word"), self.over(slots[given:], "answer"))

        self.next_section("Read")
        read, shown = self.focus(slots[:given]), self.numbers(0, logits[0])
        self.beat(
            f"The model reads the {given} letters",
            FadeIn(read),
            say=f"All {given} letters go through the model.",
        )
        role = self.letter("V", "next letter").move_to(at(SLOTS_AT[0], 708), aligned_edge=LEFT)
        self.beat(
            "At the last: what comes next?",
            FadeIn(role, self.down(self.chances, letters)),
            FadeIn(self.chances.column(0), picks[0], shown),
            say="The last position has a logit for each letter. Softmax makes them probabilities.",
        )
        self.next_section("Choose")
        self.beat(
            f"Choose {letters[best[0]]}, and append it",
            ReplacementTransform(picks[0].copy(), answer[0]),
            say=f"The likeliest letter, {letters[best[0]]}, is appended.",
        )
        self.next_section("Feed back")
        for n in range(1, len(best)):
            before, shown, wider = (read, shown), self.numbers(n, logits[n]), self.focus(slots[: given + n])
            self.beat(
                f"Feed all {given + n} back: {letters[best[n]]}",
                ReplacementTransform(before[0], wider),
                FadeIn(self.chances.column(n), picks[n], shown),
                away=before[1:],
                rest=0.3,
                say=f"The model reads {given + n} letters and writes {letters[best[n]]}.",
            )
            self.play(ReplacementTransform(picks[n].copy(), answer[n]), run_time=0.5)
            read = wider
        self.next_section("Sorted")
        whole = self.focus(slots[given:])
        self.beat(
            "The word is sorted",
            ReplacementTransform(read, whole),
            rest=2 * REST,
            say=f"After {len(best)} rounds the answer is complete.",
        )

    def spelled(self, letter, slot):
        return self.words(letter, TITLE).move_to(slot)

    def pick(self, letter, cell):
        """The letter that is chosen, in its cell."""
        return self.words(letter, TITLE, self.theme.on(cell.get_fill_color().to_hex())).move_to(cell)

    def over(self, slots, role):
        name = self.letter("T", role).move_to(slots)
        return name.shift([0, at(0, SLOTS_AT[1] - 44)[1] - name[0].get_y(), 0])

    def numbers(self, n, logits):
        """The logits of a round and the probabilities that they become, beside the rows of their letters."""
        given = VGroup(*(self.number(logit) for logit in logits))
        shares = VGroup(*(self.number(p, 4) for p in softmax(logits)))
        for numbers, right in ((given, 1580), (shares, 1840)):
            for row, number in enumerate(numbers):
                number.move_to([at(right, 0)[0], self.chances.center_of(row, 0)[1], 0], aligned_edge=RIGHT)
        self.tensor(given, ROUND.format(n), (0, 0))
        heads = VGroup(self.head("logit", 1580), self.head("p", 1840))
        return VGroup(given, shares, heads.set_y(at(0, CHANCES_AT[1] - 44)[1]))
