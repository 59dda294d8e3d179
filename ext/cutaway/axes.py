"""Which letter an axis has, told from its size in a pass whose sizes are all different."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence


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
