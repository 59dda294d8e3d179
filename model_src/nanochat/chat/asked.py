"""What a browser asks of the chat server, checked before anything is computed.

Whoever can reach the server can send it anything. Each mistake is a :class:`Refusal` that says which field is meant,
what was found there, and what is allowed.
"""

import json
from dataclasses import dataclass, replace
from typing import Any, Never

from nanochat.chat.conversation import PARTS, checked

MAX_MESSAGES = 500
MAX_CHARACTERS = 8_000     # of a message
MAX_CONVERSATION = 32_000  # characters, all messages together
# A character takes at most twelve bytes, written as two \uXXXX; a message has some words around it.
MAX_BYTES = 12 * MAX_CONVERSATION + 200 * MAX_MESSAGES
MAX_SHOWN = 40  # characters of what was found
ROLES = ("system", "user", "assistant")


class Refusal(ValueError):
    """A request that isn't served, and the status code that says so."""

    def __init__(self, field: str, found: str, allowed: str, status: int = 400) -> None:
        super().__init__(f"{field}: {found}, and {allowed}")
        self.field, self.found, self.allowed, self.status = field, found, allowed, status

    def as_json(self) -> dict[str, str]:
        """What the client is told."""
        return {"error": str(self), "field": self.field, "found": self.found, "allowed": self.allowed}


@dataclass(frozen=True)
class Asked:
    """A checked request. ``top_k`` 0 draws among all tokens."""

    messages: list[dict[str, Any]]
    temperature: float = 0.8
    top_k: int = 50
    max_tokens: int = 512


def shown(value: Any) -> str:
    """A JSON value, cut to what one can read."""
    text = json.dumps(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(text):,} characters)"


def read(body: bytes) -> Asked:
    """The request of a JSON text."""
    fields = parsed(body)
    if not isinstance(fields, dict):
        raise Refusal("body", f"found {shown(fields)}", "an object with 'messages' is needed")
    no_others(fields, ("messages", "temperature", "top_k", "max_tokens"), "body")
    asked = Asked(messages(fields.get("messages")))
    if "temperature" in fields:
        asked = replace(asked, temperature=number(fields, "temperature", 0, 2, (int, float)))
    if "top_k" in fields:
        asked = replace(asked, top_k=number(fields, "top_k", 0, 200, (int,)))
    if "max_tokens" in fields:
        asked = replace(asked, max_tokens=number(fields, "max_tokens", 1, 4096, (int,)))
    return asked


def parsed(body: bytes) -> Any:
    """The JSON value of UTF-8 bytes. Python would also read NaN, which is no JSON."""

    def no_constant(name: str) -> Never:
        raise ValueError(f"{name} is no number in JSON")

    try:
        return json.loads(body.decode(), parse_constant=no_constant)
    except RecursionError:
        raise Refusal("body", "found lists within lists, too deep to read", "two levels are needed") from None
    except ValueError as error:  # not UTF-8, not JSON, or a number of thousands of digits
        raise Refusal("body", f"found no JSON ({error})", "a JSON object in UTF-8 is needed") from error


def no_others(fields: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    """Refuse a field that would be ignored: whoever sent it meant something by it."""
    for name in fields:
        if name not in known:
            raise Refusal(where, f"found the unknown field {shown(name)}", f"the fields are {', '.join(known)}")


def number(fields: dict[str, Any], name: str, low: int, high: int, types: tuple[type, ...]) -> Any:
    """A number within its limits; to Python true is a number, too."""
    value = fields[name]
    if type(value) not in types or not low <= value <= high:
        kind = "a whole number" if types == (int,) else "a number"
        raise Refusal(name, f"found {shown(value)}", f"{kind} from {low} to {high} is allowed")
    return value


def messages(value: Any) -> list[dict[str, Any]]:
    """A conversation whose last message the assistant is to answer."""
    if not isinstance(value, list) or not value:
        raise Refusal("messages", f"found {shown(value)}", "a list with at least one message is needed")
    if len(value) > MAX_MESSAGES:
        raise Refusal("messages", f"found {len(value):,}", f"at most {MAX_MESSAGES} are allowed")
    size = sum(check_message(message, f"messages[{i}]") for i, message in enumerate(value))
    if size > MAX_CONVERSATION:
        raise Refusal("messages", f"found {size:,} characters in all", f"at most {MAX_CONVERSATION:,} are allowed")
    try:
        checked({"messages": value})
    except ValueError as error:
        raise Refusal("messages", f"found a conversation of another form ({error})", "turns must alternate") from error
    if (role := value[-1]["role"]) != "user":
        where = f"messages[{len(value) - 1}].role"
        raise Refusal(where, f"found {shown(role)}", "the last message must be the user's, for it is to be answered")
    return value


def check_message(message: Any, where: str) -> int:
    """Refuse what is no message; else how many characters it says."""
    if not isinstance(message, dict):
        raise Refusal(where, f"found {shown(message)}", "an object with 'role' and 'content' is needed")
    no_others(message, ("role", "content"), where)
    if message.get("role") not in ROLES:
        raise Refusal(f"{where}.role", f"found {shown(message.get('role'))}", f"it is one of {', '.join(ROLES)}")
    content = message.get("content")
    if isinstance(content, list) and message["role"] == "assistant":
        size = sum(check_part(part, f"{where}.content[{i}]") for i, part in enumerate(content))
    else:
        size = check_text(content, f"{where}.content")
    if size > MAX_CHARACTERS:
        raise Refusal(f"{where}.content", f"found {size:,} characters", f"at most {MAX_CHARACTERS:,} are allowed")
    return size


def check_part(part: Any, where: str) -> int:
    """Refuse what is no part of an assistant's message; else its characters."""
    if not isinstance(part, dict):
        raise Refusal(where, f"found {shown(part)}", "an object with 'type' and 'text' is needed")
    no_others(part, ("type", "text"), where)
    kind = part.get("type")
    if not isinstance(kind, str) or kind not in PARTS:
        raise Refusal(f"{where}.type", f"found {shown(kind)}", f"it is one of {', '.join(PARTS)}")
    return check_text(part.get("text"), f"{where}.text")


def check_text(text: Any, where: str) -> int:
    """Refuse what is no text that can be shown again; else its characters."""
    if not isinstance(text, str):
        raise Refusal(where, f"found {shown(text)}", "a string is needed")
    if "\0" in text:
        raise Refusal(where, f"found a NUL at character {text.index(chr(0)):,}", "text has none")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        found = f"found half a surrogate pair at character {error.start:,}"
        raise Refusal(where, found, "text has whole ones") from None
    return len(text)
