"""Word problems of one or two steps, answered in GSM8K's format, with the calculator or without.

Every number, results included, is between 2 and ``largest``. With all operations and largest=99 there are 9,588
problems of one step and 937,636 of two, as the numbers go; names, things and phrasings make over 10**8 texts of them.
"""

import operator
from collections.abc import Callable, Sequence

from nanochat.tasks.answers import marked_number
from nanochat.tasks.generated import Dice, GeneratedTask, Problem

# Words that cost few tokens in a small vocabulary that was learned from Python's documentation.
NAMES = (
    "Tom", "Ben", "Dan", "Eve", "Sue", "Pat", "Ron", "Ted", "Ian", "Al", "Ed", "Rex", "Ali", "Fred", "Alice", "Theo",
)  # fmt: skip
THINGS = (
    "keys", "toys", "pots", "dots", "notes", "points", "parts", "items", "lists", "strings", "blocks", "nets", "cans",
    "mats", "logs", "objects",
)  # fmt: skip
OPENINGS = ("{who} has {first} {things}", "{who} gets {first} {things}")
# A step that names someone else is about what that one has, and so is all that follows.
STEPS = {
    "+": ("gets {number} more", "buys {number} more", "makes {number} more", "{other} has {number} more"),
    "-": ("uses {number}", "loses {number}", "gives away {number}", "{other} has {number} less"),
    "*": ("{other} has {number} times as many", "{other} gets {number} times as many"),
}
QUESTIONS = (
    "How many {things} does {who} have?", "How many {things} has {who}?", "How many does {who} have?",
    "Count the {things} of {who}.",
)  # fmt: skip
RESULT: dict[str, Callable[[int, int], int]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}
LEAST = 2  # so that "7 points" is never "1 points"


def allowed(operation: str, value: int, largest: int) -> range:
    """The numbers that may follow ``value`` so that the result, too, is from LEAST to ``largest``."""
    ends = {"+": largest - value, "-": value - LEAST, "*": largest // value}
    return range(LEAST, ends[operation] + 1)


class Arithmetic(GeneratedTask):
    """How many someone has after one step or two; ``operations`` are some of "+-*"."""

    name = "arithmetic"

    def __init__(
        self, split: str = "train", size: int = 1000, seed: int = 0, largest: int = 99, steps: int = 1,
        tool: bool = True, operations: str = "+-*", start: int = 0, stop: int | None = None, step: int = 1,
    ) -> None:  # fmt: skip
        super().__init__(split, size, seed, start, stop, step)
        if steps not in (1, 2) or largest < 2 * LEAST or not operations or not set(operations) <= set(STEPS):
            raise ValueError(
                f"Arithmetic: largest={largest}, steps={steps}, operations={operations!r}: largest must be {2 * LEAST} "
                f"or more, steps 1 or 2, operations some of {''.join(STEPS)}"
            )
        self.largest, self.steps, self.tool, self.operations = largest, steps, tool, operations

    def draw(self, dice: Dice) -> Problem | None:
        first = value = dice.one_of(range(LEAST, self.largest + 1))
        steps: list[tuple[str, int]] = []
        for _ in range(self.steps):
            operation = dice.one_of(self.operations)
            numbers = allowed(operation, value, self.largest)
            if not numbers:
                return None
            steps.append((operation, dice.one_of(numbers)))
            value = RESULT[operation](value, steps[-1][1])
        identity = f"arithmetic {first}" + "".join(f"{operation}{number}" for operation, number in steps)
        return Problem(identity, told(first, steps, dice), worked_out(first, steps, self.tool))

    def scored(self, text: str) -> str | None:
        return marked_number(text)


def told(first: int, steps: Sequence[tuple[str, int]], dice: Dice) -> str:
    """The problem as a story: who has what, what happens, the question."""
    who, *others = dice.some_of(NAMES, 1 + len(steps))
    things = dice.one_of(THINGS)
    text, joint = dice.one_of(OPENINGS).format(who=who, first=first, things=things), " and "
    for (operation, number), other in zip(steps, others, strict=True):
        phrase = dice.one_of(STEPS[operation])
        if phrase.startswith("{other}"):
            who, text, joint = other, f"{text}. {phrase.format(other=other, number=number)}", " and "
        else:
            text, joint = text + joint + phrase.format(number=number), ", then "
    return f"{text}. " + dice.one_of(QUESTIONS).format(who=who, things=things)


def worked_out(first: int, steps: Sequence[tuple[str, int]], tool: bool) -> str:
    """The answer: a line for each step, then the marked result."""
    lines, value = [], first
    for operation, number in steps:
        result = RESULT[operation](value, number)
        call = f"<<{value}{operation}{number}={result}>>" if tool else ""
        lines.append(f"{value} {operation} {number} = {call}{result}")
        value = result
    return "\n".join([*lines, f"#### {value}"])
