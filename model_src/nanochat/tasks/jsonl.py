"""The reader's own conversations: a text file with one JSON list of messages a line.

    [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
"""

import json
from pathlib import Path

from nanochat.chat.conversation import checked
from nanochat.tasks.task import Conversation, Task


class CustomJSON(Task):
    """The conversations of a file, in UTF-8; empty lines are passed over. They have no score."""

    def __init__(self, path: str | Path, start: int = 0, stop: int | None = None, step: int = 1) -> None:
        super().__init__(start, stop, step)
        self.conversations = read(Path(path))

    def num_examples(self) -> int:
        return len(self.conversations)

    def get_example(self, index: int) -> Conversation:
        return self.conversations[index]


def read(path: Path) -> list[Conversation]:
    """All conversations of a file; ValueError with path and line where one is none."""
    return list(numbered(path).values())


def numbered(path: Path) -> dict[int, Conversation]:
    """The same by the numbers of their lines; the first line is 1."""
    conversations = {}
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if line.strip():
            try:
                conversations[number] = parse(line)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"{path}, line {number}: {error}") from error
    if not conversations:
        raise ValueError(f"{path} has no conversation: one JSON list of messages a line is needed")
    return conversations


def parse(line: bytes) -> Conversation:
    """A line as a conversation, which is checked."""
    messages = json.loads(line.decode("utf-8-sig"))
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise ValueError("no list of messages, each with its role and content")
    conversation = {"messages": messages}
    if checked(conversation)[-1]["role"] != "assistant":
        raise ValueError("the last message is the user's: the assistant must answer, or there is nothing to learn")
    return conversation
