"""Texts in fewer bytes: each word of the book is spelt once, and written as one to three characters.

gzip looks back 32 KB, so it spells a word of the first chapter anew in the last one. A dictionary for all of the book
makes the index a fifth smaller. ``static/unpack.js`` is the way back.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

ALPHABET = "".join(chr(code) for code in range(35, 127) if chr(code) != "\\")  # what JSON writes as it is
SHORT = 40  # of the characters stand alone, for the commonest words
MOST = 100_000  # words; rarer ones are spelt
_BASE = len(ALPHABET)
_PIECE = re.compile(r" ?[^\W\d_]+(?:’[^\W\d_]+)?|.", re.DOTALL)


class Packer:
    """Codes for the words that ``texts`` have twice or more, each with the blank before it, and for all characters."""

    def __init__(self, texts: Iterable[str]) -> None:
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(_PIECE.findall(text))
        often = {piece for piece, count in counts.most_common(MOST) if count > 1}
        for piece, count in list(counts.items()):
            if len(piece) > 1 and piece not in often:
                del counts[piece]
                for one in piece:
                    counts[one] += count
        self.pieces = sorted(counts, key=lambda piece: (-counts[piece], piece))
        self.long = next(long for long in range(_BASE) if _room(long) >= len(self.pieces))
        self._codes = {piece: self._code(place) for place, piece in enumerate(self.pieces)}

    def pack(self, text: str) -> str:
        codes = self._codes
        return "".join(
            codes[piece] if piece in codes else "".join(map(codes.__getitem__, piece))
            for piece in _PIECE.findall(text)
        )

    def _code(self, place: int) -> str:
        if place < SHORT:
            return ALPHABET[place]
        high, low = divmod(place - SHORT, _BASE)
        if high < _BASE - SHORT - self.long:
            return ALPHABET[SHORT + high] + ALPHABET[low]
        high, middle = divmod(high - (_BASE - SHORT - self.long), _BASE)
        return ALPHABET[_BASE - self.long + high] + ALPHABET[middle] + ALPHABET[low]


def _room(long: int) -> int:
    """How many codes there are if ``long`` of the characters begin codes of three."""
    return SHORT + (_BASE - SHORT - long) * _BASE + long * _BASE**2
