"""Find the letter of each axis from its size in a pass whose sizes are all different.

The same code runs twice, and what a place handed over in one pass is laid beside what it handed over in the other.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Calls = Sequence[tuple[str, int, str, int | None, int | None, int]]
Records = Sequence[tuple[int, int, int, str, list[int]]]


def letters(shape: Sequence[int], sizes: Mapping[str, int]) -> list[str | None]:
    """A name for each axis: ``B``, ``3C``, ``B*T``, ``1``, or None where none or more than one fits.

    >>> letters([5, 11, 7, 429], {"B": 5, "H": 11, "T": 7, "C": 143})
    ['B', 'H', 'T', '3C']
    """
    return [_letter(size, sizes) for size in shape]


def _letter(size: int, sizes: Mapping[str, int]) -> str | None:
    if size == 1:
        return "1"
    # A plain letter is the simplest reading; beyond it, a multiple is no simpler than a product.
    names = _single(size, sizes) or [*_multiples(size, sizes), *_products(size, sizes)]
    return names[0] if len(names) == 1 else None


def _single(size: int, sizes: Mapping[str, int]) -> list[str]:
    return [name for name, value in sizes.items() if value == size]


def _multiples(size: int, sizes: Mapping[str, int]) -> list[str]:
    return [f"{times}{name}" for times in (2, 3, 4) for name, value in sizes.items() if times * value == size]


def _products(size: int, sizes: Mapping[str, int]) -> list[str]:
    pairs = itertools.combinations(sizes.items(), 2)
    return [f"{first}*{second}" for (first, a), (second, b) in pairs if a * b == size]


def pairs(calls: Calls, records: Records, other_calls: Calls, others: Records) -> Iterator[tuple[int, int | None]]:
    """For each record its value's number, and that of its counterpart in the other pass, if there is one.

    Counterparts are of the same activation (the n-th of that function and module) and the same site; in a loop that
    takes fewer rounds there, the last round stands for the rest.
    """
    found: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    other_names = _names(other_calls, others)
    for call, site, value, *_ in others:
        found[other_names[call], site].append(value)
    names, rounds = _names(calls, records), Counter[tuple[Any, ...]]()
    for call, site, value, *_ in records:
        key = (names[call], site)
        theirs = found.get(key)
        yield value, theirs[min(rounds[key], len(theirs) - 1)] if theirs else None
        rounds[key] += 1


def _names(calls: Calls, records: Records) -> dict[int, tuple[Any, ...]]:
    """What identifies each recorded call: (function, module path, n-th call of that pair)."""
    names, seen = {}, Counter[tuple[int, str]]()
    for call in dict.fromkeys(call for call, *_ in records):
        _, function, path, *_ = calls[call]
        names[call] = (function, path, seen[function, path])
        seen[function, path] += 1
    return names


def label(
    values: list[dict[str, Any]], number: int, others: list[dict[str, Any]], other: int, sizes: Mapping[str, int]
) -> None:
    """Name the axes of a tensor, or of the tensors of a tuple, by those of its counterpart."""
    value, sized = values[number], others[other]
    if value["type"] == sized["type"] == "tensor" and len(value["shape"]) == len(sized["shape"]):
        value["axes"] = letters(sized["shape"], sizes)
    elif value["type"] == sized["type"] == "tuple" and len(value["items"]) == len(sized["items"]):
        for item, other_item in zip(value["items"], sized["items"], strict=True):
            label(values, item, others, other_item, sizes)
