"""Conversations as tokens, with a mask: 1 where the assistant speaks, which is what it is to learn.

A conversation is ``{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}``.
User and assistant take turns, the user begins; a system message may come first, and joins the user's first one.
An assistant's content may also be a list of parts ``{"type": ..., "text": ...}``: ``text``, ``python`` (what it
asks the calculator), ``python_output`` (what the calculator says: read by the assistant, not learned).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

ROLES = ("user", "assistant")
# Type of a part -> the special tokens around it, and the mask of all three.
PARTS: dict[str, tuple[str | None, str | None, int]] = {
    "text": (None, None, 1),
    "python": ("<|python_start|>", "<|python_end|>", 1),
    "python_output": ("<|output_start|>", "<|output_end|>", 0),
}


@dataclass
class Rendering:
    """Token ids and, for each of them, its mask."""

    encode: Callable[[str], list[int]]
    encode_special: Callable[[str], int]
    ids: list[int] = field(default_factory=list)
    mask: list[int] = field(default_factory=list)

    def text(self, text: str, mask: int) -> None:
        """Add the tokens of a text."""
        ids = self.encode(text)
        self.ids += ids
        self.mask += [mask] * len(ids)

    def special(self, name: str | None, mask: int) -> None:
        """Add a special token, if there is one."""
        if name is not None:
            self.ids.append(self.encode_special(name))
            self.mask.append(mask)

    def user(self, content: str) -> None:
        """Add what the user says: read, not learned."""
        self.special("<|user_start|>", 0)
        self.text(content, 0)
        self.special("<|user_end|>", 0)

    def assistant(self, content: str | list[dict[str, str]]) -> None:
        """Add what the assistant says. It learns to stop, too, but not to start."""
        self.special("<|assistant_start|>", 0)
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for part in parts:
            before, after, mask = PARTS[part["type"]]
            self.special(before, mask)
            self.text(part["text"], mask)
            self.special(after, mask)
        self.special("<|assistant_end|>", 1)


def render(
    conversation: dict[str, Any], encode: Callable[[str], list[int]], encode_special: Callable[[str], int]
) -> tuple[list[int], list[int]]:
    """Ids and mask of a conversation; ValueError where it is none, with the message's number."""
    rendering = Rendering(encode, encode_special)
    rendering.special("<|bos|>", 0)
    for message in checked(conversation):
        if message["role"] == "user":
            rendering.user(message["content"])
        else:
            rendering.assistant(message["content"])
    return rendering.ids, rendering.mask


def checked(conversation: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages, with a leading system message merged into the user's first one."""
    messages = conversation.get("messages")
    if not isinstance(messages, list) or not messages:
        raise ValueError("a conversation needs 'messages', a list with at least one")
    first = 0
    if isinstance(messages[0], dict) and messages[0].get("role") == "system":
        messages, first = with_system(messages), 1
    for i, message in enumerate(messages):
        check_message(message, ROLES[i % 2], f"message {i + first}")
    return messages


def with_system(messages: list[Any]) -> list[dict[str, Any]]:
    """The messages after the system's, the first of them with its text before its own. The list is a new one."""
    system, *rest = messages
    if not rest or not isinstance(rest[0], dict) or rest[0].get("role") != "user":
        raise ValueError("message 0 is the system's, so a user's must follow, which it joins")
    if not isinstance(system.get("content"), str) or not isinstance(rest[0].get("content"), str):
        raise ValueError("message 0 is the system's: its content and the next one's must be strings")
    joined = {**rest[0], "content": system["content"] + "\n\n" + rest[0]["content"]}
    return [joined, *rest[1:]]


def check_message(message: Any, role: str, where: str) -> None:
    """Refuse a message that is not this role's, or whose content can't be rendered."""
    if not isinstance(message, dict):
        raise ValueError(f"{where} is a {type(message).__name__}: a dict with role and content is needed")
    if message.get("role") != role:
        raise ValueError(f"{where} has the role {message.get('role')!r}: user and assistant take turns, so {role!r}")
    content = message.get("content")
    if isinstance(content, str):
        return
    if role == "user" or not isinstance(content, list):
        raise ValueError(f"{where} ({role}): the content is a {type(content).__name__}, a string is needed")
    for part in content:
        if not isinstance(part, dict) or part.get("type") not in PARTS or not isinstance(part.get("text"), str):
            raise ValueError(f"{where}: {part!r} is no part: it needs a 'type' ({', '.join(PARTS)}) and a 'text'")
