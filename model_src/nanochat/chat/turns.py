"""What a chat in the terminal and one in the browser share: an answer as it comes, and the turns before it.

The assistant's tokens arrive one by one. An :class:`Answer` makes pieces of text of them, never half a character, and
knows why it ended; a :class:`History` keeps the turns as token ids, just as the model has seen and written them.
"""

import codecs
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

from nanochat.chat.conversation import PARTS
from nanochat.engine import Engine
from nanochat.tokenizer import RustBPETokenizer

# Control characters steer a terminal, and a model can write any byte: each is shown as its picture, ESC as ␛.
PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | {0x7F: 0x2421}
PICTURES |= dict.fromkeys(range(0x80, 0xA0), 0xFFFD)  # these have none


class Piece(NamedTuple):
    """Some text of an answer's part (``conversation.PARTS``); an empty one begins a part of a tool's."""

    kind: str
    text: str


class Reader:
    """Tokens one by one -> pieces. The bytes of an unfinished character wait for its rest."""

    def __init__(self, tokenizer: RustBPETokenizer) -> None:
        self.tokenizer = tokenizer
        special = tokenizer.encode_special
        self.opens = {special(before): kind for kind, (before, _, _) in PARTS.items() if before}
        self.closes = {special(after) for _, after, _ in PARTS.values() if after}
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.kind = "text"

    def read(self, id: int) -> Iterator[Piece]:
        """What can be shown now that this token is known."""
        if id in self.opens:
            yield from self.end()
            self.kind = self.opens[id]
            yield Piece(self.kind, "")
        elif id in self.closes:
            yield from self.end()
            self.kind = "text"
        elif text := self.decoder.decode(self.tokenizer.decode_single_token_bytes(id)):
            yield Piece(self.kind, text)

    def end(self) -> Iterator[Piece]:
        """What still waits: a character whose rest never came is shown as U+FFFD."""
        if text := self.decoder.decode(b"", final=True):
            yield Piece(self.kind, text)


@dataclass(frozen=True)
class Speaker:
    """Who answers: the engine, its tokenizer, and how many tokens the model was trained to see at once."""

    engine: Engine
    tokenizer: RustBPETokenizer
    context: int

    def answer(self, tokens: list[int], max_tokens: int, **sampling: Any) -> "Answer":
        """The answer to a conversation's tokens; iterate over it. ValueError where the context has no room for it."""
        if len(tokens) >= self.context:
            raise ValueError(
                f"the conversation is {len(tokens):,} tokens long, and the model sees {self.context:,} at once, its "
                "answer among them: shorten it, or begin a new one"
            )
        return Answer(self, tokens, max_tokens, sampling)


class Answer:
    """An answer: iterate over its pieces, once. ``ids`` are its tokens so far, ``reason`` says why it ended.

    =============  ==================================================
    ``stop``       the assistant was done
    ``max_tokens`` as many tokens as were asked for
    ``context``    the model can't see more tokens at once
    ``stopped``    somebody called ``stop``, or stopped iterating
    =============  ==================================================
    """

    def __init__(self, speaker: Speaker, tokens: list[int], max_tokens: int, sampling: dict[str, Any]) -> None:
        self.speaker = speaker
        self.tokens = tokens
        self.most = min(max_tokens, speaker.context - len(tokens))
        self.limit = "max_tokens" if self.most == max_tokens else "context"
        self.sampling = sampling
        self.ids: list[int] = []
        self.reason = "stopped"
        self.is_stopped = False

    def stop(self) -> None:
        """End it after the next token; any thread may say so."""
        self.is_stopped = True

    def __iter__(self) -> Iterator[Piece]:
        tokenizer = self.speaker.tokenizer
        reader = Reader(tokenizer)
        last = {tokenizer.encode_special("<|assistant_end|>"), tokenizer.get_bos_token_id()}
        columns = self.speaker.engine.generate(self.tokens, num_samples=1, max_tokens=self.most, **self.sampling)
        with closing(columns):  # or an answer that is stopped would keep its cache
            for (id,), _ in columns:
                if self.is_stopped:
                    return
                if id in last:
                    break
                self.ids.append(id)
                yield from reader.read(id)
        yield from reader.end()
        self.reason = self.limit if len(self.ids) == self.most else "stop"


def as_text(pieces: Iterable[Piece]) -> Iterator[str]:
    """Pieces as text for a terminal, the calculator's in brackets: ``[calculator: 12*3 = 36]``."""
    before = "text"
    for kind, text in pieces:
        if kind != before or (kind != "text" and not text):
            yield between(before, kind)
        before = kind
        yield text.translate(PICTURES)
    yield between(before, "text")


def between(before: str, kind: str) -> str:
    """What separates two parts of an answer."""
    if before == "python" and kind == "python_output":
        return " = "
    return ("" if before == "text" else "]") + ("" if kind == "text" else "[calculator: ")


@dataclass
class History:
    """The turns of a conversation as token ids, the user's and the answer to it together."""

    tokenizer: RustBPETokenizer
    turns: list[list[int]] = field(default_factory=list)

    def tokens(self) -> list[int]:
        """All of it, as the model is to read it."""
        return [self.tokenizer.get_bos_token_id(), *chain.from_iterable(self.turns)]

    def ask(self, text: str) -> None:
        """Add what the user says, up to where the assistant is to start."""
        special = self.tokenizer.encode_special
        said = [special("<|user_start|>"), *self.tokenizer.encode(text), special("<|user_end|>")]
        self.turns.append([*said, special("<|assistant_start|>")])

    def answered(self, ids: list[int]) -> None:
        """Add what the assistant said. It is closed even where the assistant was cut short."""
        self.turns[-1] += [*ids, self.tokenizer.encode_special("<|assistant_end|>")]

    def fit(self, length: int) -> int:
        """Drop the oldest turns until there are at most so many tokens, but never the newest; how many were dropped."""
        before = len(self.turns)
        while len(self.turns) > 1 and len(self.tokens()) > length:
            del self.turns[0]
        return before - len(self.turns)
