"""Letters for the axes of a model whose author gives none: of the sizes that its configuration and its input tell.

A size that two letters share, or a size of one or two, tells nothing and gets no letter. Who wants to be sure writes
``record.sizes``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .axes import letters

# What configurations call the channels, the vocabulary, the heads and the channels of a head.
NAMES = {
    "C": ("n_embd", "hidden_size", "d_model", "embed_dim", "dim"),
    "V": ("vocab_size", "num_tokens"),
    "H": ("n_head", "num_attention_heads", "num_heads", "heads"),
    "D": ("head_dim", "d_kv", "dim_head"),
}
LEAST = 3
Shape = Sequence[int]


def settings(model: Any) -> dict[str, int]:
    """The whole numbers that a model's ``config`` holds, or else itself; read without calling into either."""
    own = getattr(model, "__dict__", {})
    config = own.get("config", own)
    held = config if type(config) is dict else getattr(config, "__dict__", {})
    return {name: value for name, value in held.items() if type(value) is int}


def sizes(held: Mapping[str, int], inputs: Sequence[Shape]) -> dict[str, int]:
    """The size of each letter, all different; ``inputs``: the shapes of the tensors that the model was given."""
    told = [(letter, held[name]) for letter, names in NAMES.items() for name in names if name in held]
    found: dict[str, int] = {}
    for letter, size in told:
        found.setdefault(letter, size)
    if "D" not in found and found.get("H") and found.get("C", 1) % found["H"] == 0:
        found["D"] = found["C"] // found["H"]
    sequence = next((shape for shape in inputs if _is_sequence(shape, found.get("C"))), None)
    if sequence:
        found["B"], found["T"] = sequence[:2]
    times = Counter(found.values())
    return {letter: size for letter, size in found.items() if size >= LEAST and times[size] == 1}


def _is_sequence(shape: Shape, channels: int | None) -> bool:
    return len(shape) == 2 or (len(shape) == 3 and shape[2] == channels)


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
