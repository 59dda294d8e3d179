"""What the chat stages learn from and are scored on: the generated tasks, and the reader's own conversations."""

from collections.abc import Sequence
from pathlib import Path

from nanochat.tasks.arithmetic import Arithmetic
from nanochat.tasks.choice import Choice
from nanochat.tasks.generated import GeneratedTask
from nanochat.tasks.jsonl import CustomJSON
from nanochat.tasks.letters import Letters
from nanochat.tasks.sorting import Sorting
from nanochat.tasks.task import Task, TaskMixture

KINDS: dict[str, type[GeneratedTask]] = {
    "arithmetic": Arithmetic, "letters": Letters, "sorting": Sorting, "choice": Choice,
}  # fmt: skip


def generated(split: str, size: int, seed: int = 0) -> dict[str, GeneratedTask]:
    """``size`` conversations of each kind, by name."""
    return {name: kind(split, size, seed) for name, kind in KINDS.items()}


def mixture(size: int, files: Sequence[Path] = (), split: str = "train", seed: int = 0) -> TaskMixture:
    """All kinds shuffled together, with the conversations of files of JSON lines among them."""
    tasks: list[Task] = [*generated(split, size, seed).values(), *map(CustomJSON, files)]
    return TaskMixture(tasks)
