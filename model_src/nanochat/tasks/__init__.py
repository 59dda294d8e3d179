"""What the assistant is to learn and is scored by: tasks of our own, made from a seed, and the reader's own files."""

from nanochat.tasks.arithmetic import Arithmetic
from nanochat.tasks.choice import Choice, render_mc
from nanochat.tasks.jsonl import CustomJSON
from nanochat.tasks.letters import Letters
from nanochat.tasks.sorting import Sorting
from nanochat.tasks.task import Task, TaskMixture, TaskSequence

__all__ = [
    "Arithmetic", "Choice", "CustomJSON", "Letters", "Sorting", "Task", "TaskMixture", "TaskSequence", "render_mc",
]  # fmt: skip
