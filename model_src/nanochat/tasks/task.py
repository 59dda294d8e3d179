"""A task: numbered conversations, and for those with one right answer the score of what a model wrote instead.

``TaskMixture`` and ``TaskSequence`` make one task of several. A task whose ``eval_type`` is
"generative" is answered by text that the model writes, a "categorical" one by the likeliest of a few letters.
"""

import operator
import random
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

Conversation = dict[str, Any]  # {"messages": [...]}, as nanochat.chat.conversation has it


class Task:
    """Conversations from ``start`` to ``stop`` (not included; None: all), each ``step``-th of them, as in a range."""

    eval_type = "generative"

    def __init__(self, start: int = 0, stop: int | None = None, step: int = 1) -> None:
        if start < 0 or step < 1 or (stop is not None and stop < start):
            raise ValueError(
                f"{type(self).__name__}: start={start}, stop={stop}, step={step}: start must be 0 or more, stop None "
                "or not below start, step 1 or more"
            )
        self.start, self.stop, self.step = start, stop, step

    def num_examples(self) -> int:
        """How many there are, whatever is cut out of them."""
        raise NotImplementedError

    def get_example(self, index: int) -> Conversation:
        """The conversation of this number among all of them."""
        raise NotImplementedError

    def evaluate(self, conversation: Conversation, completion: str) -> bool:
        """Whether the completion is as right as the conversation's own answer. Never raises, whatever was written."""
        raise NotImplementedError(
            f"{type(self).__name__} can't score: score the tasks of a mixture one by one, and those with right answers"
        )

    def reward(self, conversation: Conversation, completion: str) -> float:
        """1.0 where the completion is right, else 0.0."""
        return float(self.evaluate(conversation, completion))

    def indices(self) -> range:
        """The numbers of the conversations that were cut out; what a ``stop`` asks for beyond the end is not there."""
        size = self.num_examples()
        return range(self.start, size if self.stop is None else min(self.stop, size), self.step)

    def __len__(self) -> int:
        return len(self.indices())

    def __getitem__(self, index: int) -> Conversation:
        """As a list's item: -1 is the last one, IndexError ends a loop over the task."""
        return self.get_example(self.indices()[operator.index(index)])


class TaskMixture(Task):
    """All conversations of all tasks, shuffled: always the same way, by seed 42. A task named twice counts twice."""

    def __init__(self, tasks: Sequence[Task], start: int = 0, stop: int | None = None, step: int = 1) -> None:
        super().__init__(start, stop, step)
        self.tasks = list(tasks)
        self.order = [(number, index) for number, task in enumerate(self.tasks) for index in range(len(task))]
        random.Random(42).shuffle(self.order)

    def num_examples(self) -> int:
        return len(self.order)

    def get_example(self, index: int) -> Conversation:
        number, inner = self.order[index]
        return self.tasks[number][inner]


class TaskSequence(Task):
    """All conversations of the first task, then all of the second, and so on: a curriculum."""

    def __init__(self, tasks: Sequence[Task], start: int = 0, stop: int | None = None, step: int = 1) -> None:
        super().__init__(start, stop, step)
        self.tasks = list(tasks)
        self.ends = list(accumulate(len(task) for task in self.tasks))

    def num_examples(self) -> int:
        return self.ends[-1] if self.ends else 0

    def get_example(self, index: int) -> Conversation:
        number = bisect_right(self.ends, index)
        before = self.ends[number - 1] if number else 0
        return self.tasks[number][index - before]
