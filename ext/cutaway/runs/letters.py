"""Letters for the axes of a model whose author gives none: of the sizes that its configuration and its input tell.

A size tells nothing if another thing has it, too, or if it is one or two: it gets no letter. What is found can still be
wrong, where something that no setting names has the size of another; who wants to be sure writes ``record.sizes``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .axes import letters

# What configurations call the channels, the vocabulary, the heads and the channels of a head.
NAMES = {
    "C": ("n_embd", "hidden_size", "d_model", "embed_dim", "dim"),
    "V": ("vocab_size", "num_tokens"),
    "H": ("n_head", "num_attention_heads", "num_heads", "heads", "num_key_value_heads", "n_kv_head"),
    "D": ("head_dim", "d_kv", "dim_head"),
}
# Settings that are no size of an axis, or of one that the input tells.
NO_AXIS = re.compile(r"layer|depth|_id$|top_?k|per_tok|position|block_size|sequence_len|max_")
LEAST = 3


def settings(model: Any) -> dict[str, int]:
    """The whole numbers that a model's ``config`` holds, or else itself; read without calling into either."""
    own = getattr(model, "__dict__", {})
    config = own.get("config", own)
    held = config if type(config) is dict else getattr(config, "__dict__", {})
    return {name: value for name, value in held.items() if type(value) is int}


def sizes(held: Mapping[str, int], inputs: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The size of each letter, all different; ``inputs``: the tensors that the model was given, as recorded."""
    named = {name: letter for letter, names in NAMES.items() for name in names}
    found: dict[str, int] = {}
    for name, letter in named.items():
        if name in held:
            found.setdefault(letter, held[name])
    if "D" not in found and found.get("C") and found.get("H") and found["C"] % found["H"] == 0:
        found["D"] = found["C"] // found["H"]
    tokens = next((one for one in inputs if _is_sequence(one, found.get("C"))), None)
    if tokens:
        found["B"], found["T"] = tokens["shape"][:2]
    others = {size for name, size in held.items() if name not in named and not NO_AXIS.search(name)}
    others |= {size for name, size in held.items() if name in named and size != found[named[name]]}
    times = Counter(found.values())
    return {letter: n for letter, n in found.items() if n >= LEAST and times[n] == 1 and n not in others}


def _is_sequence(tensor: Mapping[str, Any], channels: int | None) -> bool:
    """Whether it is rows of tokens: whole numbers (B, T), or numbers (B, T, C)."""
    rank, is_whole = len(tensor["shape"]), "int" in tensor["dtype"]
    return (rank == 2 and is_whole) or (rank == 3 and tensor["shape"][2] == channels)


def label(values: Sequence[dict[str, Any]], numbers: Sequence[int], told: Mapping[str, int]) -> None:
    """Name the axes of tensors by their sizes: a letter, some times the channels, or the positions of all rows."""
    for value in _tensors(values, numbers):
        named = letters(value["shape"], told)
        if any(name not in (None, "1") for name in named):
            value["axes"] = [name if _is_plain(name) else None for name in named]


def _is_plain(name: str | None) -> bool:
    return name is not None and (len(name) == 1 or name in ("2C", "3C", "4C", "B*T"))


def _tensors(values: Sequence[dict[str, Any]], numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    for number in numbers:
        value = values[number]
        if value["type"] == "tensor":
            yield value
        elif value["type"] == "tuple":
            yield from _tensors(values, value["items"])
