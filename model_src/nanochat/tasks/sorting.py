"""Put a few letters or numbers in order.

As sets go, there are 83,330 of three to five letters and 79,370,445 of three to five numbers up to 99.
"""

from collections.abc import Sequence

from nanochat.tasks.generated import Dice, GeneratedTask, Problem
from nanochat.tasks.letters import ALPHABET

QUESTIONS = {
    "letters": ("Sort: {items}", "Sort the letters {items}", "Order from a to z: {items}"),
    "numbers": ("Sort: {items}", "Sort the numbers {items}", "Order by value: {items}"),
}
FEWEST = 3


class Sorting(GeneratedTask):
    """Three to ``most`` different letters or numbers, ``kinds`` says which; the answer is they, sorted.

    Numbers are from 0 to ``largest``. All orders of the same items are in one split.
    """

    name = "sorting"

    def __init__(
        self, split: str = "train", size: int = 1000, seed: int = 0, most: int = 5, largest: int = 99,
        kinds: Sequence[str] = ("letters", "numbers"), start: int = 0, stop: int | None = None, step: int = 1,
    ) -> None:  # fmt: skip
        super().__init__(split, size, seed, start, stop, step)
        if not kinds or not set(kinds) <= set(QUESTIONS):
            raise ValueError(f"Sorting: kinds={kinds!r}: some of {', '.join(QUESTIONS)} are needed")
        if not FEWEST <= most <= len(ALPHABET) or largest < most:
            raise ValueError(
                f"Sorting: most={most}, largest={largest}: most must be {FEWEST} to {len(ALPHABET)}, and largest not "
                "below it"
            )
        self.most, self.largest, self.kinds = most, largest, tuple(kinds)

    def draw(self, dice: Dice) -> Problem:
        kind = dice.one_of(self.kinds)
        count = FEWEST + dice.below(self.most - FEWEST + 1)
        if kind == "letters":
            items = dice.some_of(ALPHABET, count)
            answer = " ".join(sorted(items))
        else:
            numbers = dice.some_of(range(self.largest + 1), count)
            items, answer = [str(number) for number in numbers], " ".join(str(number) for number in sorted(numbers))
        question = dice.one_of(QUESTIONS[kind]).format(items=" ".join(items))
        return Problem(f"sorting {answer}", question, answer)
