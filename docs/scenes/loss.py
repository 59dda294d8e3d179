"""Clips for docs/train/loss.md: one position of a real batch from its logits to its loss; then a whole window."""

import json

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, FadeIn, LaggedStart, Rectangle, VGroup

from scenes.kit import FOCUS_AT, GAP, GRID_AT, LARGE, REST, Stage, at, number_text, px

ROW, READ = 0, 20  # the window of the batch, and how many characters at least have been read there
SHOWN = 5  # likeliest characters, named; the others are added up
VISIBLE = {" ": "␣", "\n": "↵"}
COLUMNS, TILE = 16, (104, 148)  # of the window: characters in a line, and the size of each in pixels


def losses(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Minus the logarithm of each target's probability, (..., T) of logits (..., T, V)."""
    shifted = logits - logits.max(-1, keepdims=True)
    chosen = np.take_along_axis(shifted, targets[..., None], -1)[..., 0]
    return np.log(np.exp(shifted).sum(-1)) - chosen


class Batch(Stage):
    """The batch of the run's recorded step, and the characters that its numbers stand for."""

    def characters(self) -> list[str]:
        """The vocabulary: the corpus's own characters, sorted."""
        return json.loads(self.fact("shards.characters_of_chars"))


class Position(Batch):
    """A logit for each character, their powers of e, the sum, the probabilities, and minus the target's logarithm."""

    def construct(self):
        place, shown = self.chosen(), [VISIBLE.get(character, character) for character in self.characters()]
        target = int(self.value("chars.step/targets")[ROW, place])
        logits = self.value("chars.step/logits")[ROW, place].astype(float)
        read = [shown[i] for i in self.value("chars.step/idx")[ROW, : place + 1]]
        powers = np.exp(logits)
        best = np.argsort(-logits)[:SHOWN]
        grid = self.signed(np.append(logits, 0).reshape(8, -1), GRID_AT)
        grid.remove(grid[-1])  # one place more than characters
        self.tensor(grid, "chars.step/logits", (ROW, place))
        text = self.code("".join(read)).move_to(at(GRID_AT[0], 184), LEFT)
        size = self.letter("V", f"one logit for each of {len(logits)}").move_to(at(GRID_AT[0], 764), LEFT)
        names = VGroup(*(self.cell_at(self.code(shown[i]), 1016, n) for n, i in enumerate(best)))
        given = self.table(logits[best], 1290)
        self.tensor(given, "chars.step/logits", (ROW, place, best))
        self.add(text)

        self.next_section("Logits")
        say = f"After these {len(read)} characters: a logit for each of the {len(logits)} that may come next."
        self.beat("What comes next?", FadeIn(grid), FadeIn(size), say=say)
        marks = VGroup(*(self.focus(grid[i]) for i in best))
        say = f"The {SHOWN} largest, from {number_text(logits[best[0]])} down."
        listed = VGroup(names, self.titled("logit", given, 1290))
        self.beat(f"The {SHOWN} largest logits", FadeIn(marks), FadeIn(listed), say=say)

        self.next_section("Probabilities")
        rest = self.cell_at(self.words("others", color=self.theme.muted), 1290, SHOWN)
        raised = self.table([*powers[best], powers.sum() - powers[best].sum(), powers.sum()], 1560, 1)
        say = f"e to each logit; all {len(logits)} powers together are {number_text(powers.sum(), 1)}."
        line = self.rule(1340, 1800, FOCUS_AT[1] + 72 * (SHOWN + 1) + 8)
        self.beat("Raise e to each, add up", FadeIn(rest, line, self.titled("exp", raised, 1560)), say=say)
        shares = powers / powers.sum()
        chances = self.table([*shares[best], 1 - shares[best].sum(), 1], 1800, 3)
        self.tag(VGroup(rest, line, raised, chances), "output-forward-loss")
        say = "Each power divided by the sum is a probability."
        self.beat("Divide by the sum", FadeIn(self.titled("p", chances, 1800)), say=say)

        self.next_section("Loss")
        nth = list(best).index(target)
        right = self.code(shown[target], color=self.theme.ink)
        row = self.focus(names[nth], chances[nth]).stretch_to_fit_height(px(72)).stretch_to_fit_width(px(840))
        frames = VGroup(row, self.focus(right.next_to(text, RIGHT, buff=px(24))).scale(1.2))
        say = f"The text goes on with {shown[target]}, which the model gave {number_text(shares[target], 3)}."
        self.beat(f"The text says: {shown[target]}", FadeIn(right), FadeIn(frames), say=say)
        cost = self.sentence(f"−ln {number_text(shares[target], 3)} =", -np.log(shares[target]), 880)
        even = self.sentence(f"even guess: ln {len(logits)} =", np.log(len(logits)), 972)
        spent, guessed = (number_text(number) for number in (-np.log(shares[target]), np.log(len(logits))))
        say = f"Its loss is {spent} nats. An even guess costs {guessed}."
        self.beat("Minus its logarithm", FadeIn(cost), FadeIn(even), rest=2 * REST, say=say)

    def chosen(self):
        """The first place of the window where the target is among the likeliest, but not the likeliest."""
        logits, targets = self.value("chars.step/logits")[ROW], self.value("chars.step/targets")[ROW]
        likelier = (logits > np.take_along_axis(logits, targets[:, None], -1)).sum(-1)
        places = [t for t in range(READ, len(targets)) if 1 <= likelier[t] < SHOWN]
        if not places:
            raise ValueError(f"no place after {READ} characters of window {ROW} has its target second to {SHOWN}th")
        return places[0]

    def cell_at(self, what, right, row):
        return what.move_to(at(right, FOCUS_AT[1] + 72 * (row + 0.5)), RIGHT)

    def table(self, values, right, digits=2):
        """Numbers below each other; what comes after the row of the others is their sum, below the rule."""
        rows = [n + (0.3 if n > SHOWN else 0) for n in range(len(values))]
        return VGroup(*(self.cell_at(self.number(v, digits), right, n) for v, n in zip(values, rows, strict=True)))

    def titled(self, text, column, right):
        return VGroup(self.head(text, right), column)

    def sentence(self, words, value, y):
        number = self.number(value, size=LARGE).move_to(at(1800, y), RIGHT)
        line = VGroup(self.words(words, LARGE, self.theme.muted).next_to(number, LEFT, buff=px(36)), number)
        return self.tag(line, "output-forward-loss")


class Window(Batch):
    """Every character of one window with its loss, the dearest, the cheapest, and the means of window and batch."""

    def construct(self):
        characters, targets = self.characters(), self.value("chars.step/targets")
        costs = losses(self.value("chars.step/logits").astype(float), targets)
        here, told = costs[ROW], [characters[i] for i in targets[ROW]]
        tiles = [self.tile(place, told[place], here[place], here.max()) for place in range(len(told))]
        lines = [VGroup(*tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
        self.add(self.letter("T", "to be foreseen, and the loss of each").move_to(at(GRID_AT[0], 184), LEFT))

        self.next_section("Each has a loss")
        say = f"All {len(told)} characters that the window asked for, each with its loss in nats."
        appear = LaggedStart(*(FadeIn(line) for line in lines), lag_ratio=0.5)
        self.beat("Every character has its loss", appear, run_time=1.8, rest=2 * REST, say=say)

        self.next_section("Dear and cheap")
        dear, cheap = np.argsort(-here)[:4], np.argsort(here)[:4]
        marks = VGroup(*(self.focus(tiles[place][0]) for place in dear))
        listed = ", ".join(f"{told[place]} {number_text(here[place], 1)}" for place in dear)
        self.beat("The four dearest", FadeIn(marks), rest=2 * REST, say=f"The four dearest: {listed}.")
        marked = VGroup(*(self.focus(tiles[place][0]) for place in cheap))
        say = f"The four cheapest: {', '.join(f'{told[place]} {number_text(here[place], 1)}' for place in cheap)}."
        self.beat("The four cheapest", FadeIn(marked), away=[marks], rest=2 * REST, say=say)

        self.next_section("Mean")
        own = self.mean(f"mean of these {len(told)}", here.mean(), 1020)
        say = f"The loss of the window is the mean, {number_text(here.mean())}."
        self.beat("The mean of the window", FadeIn(own), away=[marked], say=say)
        whole = self.mean(f"of all {len(costs)} windows", costs.mean(), 1800)
        say = f"And the mean of the batch's {len(costs)} windows, {number_text(costs.mean())}, is what training lowers."
        self.beat("The mean of the batch: the loss", FadeIn(whole), rest=2 * REST, say=say)

    def tile(self, place, character, cost, most):
        """A character above its loss, on a ground that is the stronger the higher the loss."""
        row, column = divmod(place, COLUMNS)
        x, y = GRID_AT[0] + column * TILE[0], GRID_AT[1] - 24 + row * TILE[1]
        colour = self.theme.weight(cost / most)
        ground = Rectangle(colour, px(TILE[1] - GAP), px(TILE[0] - GAP), stroke_width=0, fill_opacity=1)
        ground.move_to(at(x + TILE[0] / 2, y + TILE[1] / 2))
        ink = self.theme.on(colour)
        above = self.code(VISIBLE.get(character, character), LARGE, ink).move_to(ground).shift(UP * px(34))
        below = self.words(number_text(cost, 1), color=ink).move_to(ground).shift(DOWN * px(34))
        return self.tag(VGroup(ground, above, below), "output-forward-loss")

    def mean(self, words, value, right):
        number = self.number(value, size=LARGE).move_to(at(right, 952), RIGHT)
        line = VGroup(self.words(words, color=self.theme.muted).next_to(number, LEFT, buff=px(32)), number)
        return self.tag(line, "output-forward-loss")
