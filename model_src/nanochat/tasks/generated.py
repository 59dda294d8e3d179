"""Tasks without end: every problem is drawn from a seed, and belongs to one split for ever.

What a problem is about, without names and phrasing (``Problem.identity``), has a digest, and the digest decides between
"train" and "test". So whatever the seed, the size or the settings: no problem of the one split is met in the other.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from nanochat.tasks.answers import parts_of, text_of
from nanochat.tasks.task import Conversation, Task

SPLITS = ("train", "test")
TEST_SHARE = 8  # one problem out of so many is for testing
DRAWS = 1000  # until a problem of the wanted split comes up, which takes 8 on average
T = TypeVar("T")


class Dice:
    """Draws that are equal for equal keys, on every machine and in every Python.

    Only ``random()`` of the module promises that; ``choice``, ``sample`` and ``shuffle`` have changed before.
    """

    def __init__(self, key: str) -> None:
        self.random = random.Random(int.from_bytes(hashlib.sha256(key.encode()).digest(), "big")).random

    def below(self, end: int) -> int:
        """A whole number from 0, below ``end``."""
        return int(self.random() * end)

    def one_of(self, things: Sequence[T]) -> T:
        """One of the things, each as likely as the others."""
        return things[self.below(len(things))]

    def some_of(self, things: Sequence[T], count: int) -> list[T]:
        """So many different ones, in random order. The things must be different, too, and at least as many."""
        drawn: list[T] = []
        while len(drawn) < count:
            thing = self.one_of(things)
            if thing not in drawn:
                drawn.append(thing)
        return drawn

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """The things, equal ones among them or not, in random order."""
        rest = list(things)
        return [rest.pop(self.below(len(rest))) for _ in things]


@dataclass(frozen=True)
class Problem:
    """A question with its answer, which may hold calls of the calculator: <<12+7=19>>."""

    identity: str  # what it is about: equal problems have equal ones
    question: str
    answer: str


def split_of(identity: str) -> str:
    """The split that a problem belongs to."""
    return "test" if hashlib.sha256(identity.encode()).digest()[0] % TEST_SHARE == 0 else "train"


class GeneratedTask(Task):
    """Conversation ``i`` is made when it is asked for: always the same for a seed and a split, whatever the size.

    ``size`` is how many there are; a problem may come up again, in other words or even in the same ones.
    """

    name = ""  # goes into the seed

    def __init__(
        self, split: str = "train", size: int = 1000, seed: int = 0,
        start: int = 0, stop: int | None = None, step: int = 1,
    ) -> None:  # fmt: skip
        super().__init__(start, stop, step)
        if split not in SPLITS:
            raise ValueError(f"{type(self).__name__}: split={split!r}: there are {' and '.join(SPLITS)}")
        if size < 0:
            raise ValueError(f"{type(self).__name__}: size={size}: 0 or more is needed")
        self.split, self.size, self.seed = split, size, seed

    def draw(self, dice: Dice) -> Problem | None:
        """A problem, of either split; None where these draws led to none."""
        raise NotImplementedError

    def scored(self, text: str) -> str | None:
        """That of a text which must be as in the answer; None: it has nothing of the kind, and is wrong."""
        return text.strip()

    def num_examples(self) -> int:
        return self.size

    def problem(self, index: int) -> Problem:
        """The problem of this number."""
        dice = Dice(f"{self.name}/{self.seed}/{self.split}/{index}")
        for _ in range(DRAWS):
            problem = self.draw(dice)
            if problem is not None and split_of(problem.identity) == self.split:
                return problem
        raise ValueError(
            f"{type(self).__name__}: no problem for split={self.split!r} came up in {DRAWS} draws: these settings "
            "allow too few; ask for larger numbers, more words, or more steps"
        )

    def get_example(self, index: int) -> Conversation:
        problem = self.problem(index)
        parts = parts_of(problem.answer)
        content = problem.answer if len(parts) == 1 else parts
        question = {"role": "user", "content": problem.question}
        return {"messages": [question, {"role": "assistant", "content": content}]}

    def evaluate(self, conversation: Conversation, completion: str) -> bool:
        """Whether the completion's answer is the conversation's, exactly."""
        right = self.scored(text_of(conversation["messages"][-1]["content"]))
        return right is not None and self.scored(completion) == right
