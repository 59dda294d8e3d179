"""Whether conversations fit into rows: looked at before a training begins, and told by file and line."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from nanochat.tasks.jsonl import numbered
from nanochat.tasks.mixture import generated
from nanochat.tasks.task import Conversation
from nanochat.tokenizer import RustBPETokenizer

TOLD = 3  # conversations that are named; of the others, how many there are


def refuse_too_long(tokenizer: RustBPETokenizer, files: Sequence[Path], examples: int, split: str, T: int) -> None:
    """Raise ValueError where a conversation has more tokens than a row of T (and one more, which is only foretold).

    Looked at are those of the files, and ``examples`` of each generated task of the split.
    """
    for path in files:
        refuse(tokenizer, str(path), "line", numbered(path), T)
    for name, task in generated(split, examples).items():
        conversations = {number: task[number] for number in range(len(task))}
        refuse(tokenizer, f"the made-up conversations of {name}", "number", conversations, T)


def refuse(
    tokenizer: RustBPETokenizer, where: str, numbers: str, conversations: Mapping[int, Conversation], T: int
) -> None:
    """The same for conversations of one place, which have numbers there."""
    lengths = {number: count_tokens(tokenizer, each) for number, each in conversations.items()}
    long = {number: length for number, length in lengths.items() if length > T + 1}
    if long:
        told = ", ".join(f"{numbers} {number} ({length:,} tokens)" for number, length in list(long.items())[:TOLD])
        more = f" and {len(long) - TOLD:,} more" if len(long) > TOLD else ""
        raise ValueError(
            f"{where}: too long for a row, which takes {T + 1:,} tokens: {told}{more}; leave them out or make them "
            f"shorter, or train with --max-seq-len {max(long.values()) - 1} or more"
        )


def count_tokens(tokenizer: RustBPETokenizer, conversation: Conversation) -> int:
    """The tokens of a whole conversation, special ones counted."""
    return len(tokenizer.render_conversation(conversation, max_tokens=10**9)[0])
