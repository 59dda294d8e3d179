"""How documents become rows of equal length: three ways, as plans that need no more than documents' lengths.

A plan is a list of pieces: which document, from which token, to which. Documents are numbered as they come, 0,
1, 2, ... without end; ``length_of(number)`` is how many tokens one has.

======================  ==========================================================================
``BestFit``             the longest waiting document that fits; where none does, the shortest is cut:
                        in long training the longest ones wait for ever
``Greedy``              the next document, cut where the row ends; what is cut off is lost
``Flat``                the next tokens, wherever they are; nothing is lost, but rows begin anywhere
======================  ==========================================================================
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

LengthOf = Callable[[int], int]


@dataclass(frozen=True)
class Piece:
    """Tokens ``start`` to ``stop`` of a document."""

    document: int
    start: int
    stop: int


class Packing:
    """What the three have in common: documents come in order, from number ``next`` on, as long as there are any."""

    keeps_rest = False  # whether what is cut off comes in the next row

    def __init__(self) -> None:
        self.next = 0
        self.end: int | None = None  # the first number that is no document; None: they never end

    def row(self, room: int, length_of: LengthOf) -> list[Piece]:
        """Pieces of ``room`` tokens in all; of fewer where the documents end."""
        pieces = []
        while room and not self.is_exhausted():
            piece = self.piece(room, length_of)
            pieces.append(piece)
            room -= piece.stop - piece.start
        return pieces

    def is_exhausted(self) -> bool:
        """Whether all documents are used up."""
        return self.next == self.end

    def piece(self, room: int, length_of: LengthOf) -> Piece:
        """What goes next into the room that is left of a row."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """Where it is, as plain data."""
        return {"next": self.next}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.next = state["next"]


class BestFit(Packing):
    """Rows of whole documents as far as that goes (nanochat since January 2026)."""

    def __init__(self, buffer_size: int = 1000) -> None:
        super().__init__()
        if buffer_size < 1:
            raise ValueError(f"buffer_size={buffer_size}: at least one document has to wait")
        self.buffer_size = buffer_size
        self.waiting: list[int] = []  # documents that came and are not used yet

    def piece(self, room: int, length_of: LengthOf) -> Piece:
        self.refill()
        lengths = [length_of(document) for document in self.waiting]
        place = best_fit(lengths, room)
        return Piece(self.waiting.pop(place), 0, min(lengths[place], room))

    def refill(self) -> None:
        """Let documents come until ``buffer_size`` are waiting."""
        stop = self.next + self.buffer_size - len(self.waiting)
        if self.end is not None:
            stop = min(stop, self.end)
        self.waiting.extend(range(self.next, stop))
        self.next = stop

    def is_exhausted(self) -> bool:
        return self.next == self.end and not self.waiting

    def state(self) -> dict[str, Any]:
        return {"next": self.next, "waiting": list(self.waiting)}

    def load(self, state: dict[str, Any]) -> None:
        self.next, self.waiting = state["next"], list(state["waiting"])


def best_fit(lengths: Sequence[int], room: int) -> int:
    """The place of the longest that fits into the room; where none fits, of the shortest. The first among equals."""
    fitting = [place for place, length in enumerate(lengths) if length <= room]
    if fitting:
        return max(fitting, key=lengths.__getitem__)
    return min(range(len(lengths)), key=lengths.__getitem__)


class Greedy(Packing):
    """Documents in the order in which they come, the last of a row cut."""

    def piece(self, room: int, length_of: LengthOf) -> Piece:
        document = self.next
        self.next += 1
        return Piece(document, 0, min(length_of(document), room))


class Flat(Packing):
    """One endless ribbon of tokens, cut into equal lengths (nanochat's first release)."""

    keeps_rest = True

    def __init__(self) -> None:
        super().__init__()
        self.start = 0  # the first token of document ``next`` that is not used yet

    def piece(self, room: int, length_of: LengthOf) -> Piece:
        length = length_of(self.next)
        piece = Piece(self.next, self.start, min(length, self.start + room))
        self.start = piece.stop
        if self.start == length:
            self.next, self.start = self.next + 1, 0
        return piece

    def state(self) -> dict[str, Any]:
        return {"next": self.next, "start": self.start}

    def load(self, state: dict[str, Any]) -> None:
        self.next, self.start = state["next"], state["start"]


def make_packing(name: str, buffer_size: int = 1000) -> Packing:
    """A packing by its name; ``buffer_size`` is best fit's, how many documents wait."""
    if name == "best_fit":
        return BestFit(buffer_size)
    if name == "greedy":
        return Greedy()
    if name == "flat":
        return Flat()
    raise ValueError(f"packing={name!r}: there are best_fit, greedy and flat")


def measure_waste(lengths: Sequence[int], room: int, packing: Packing, epochs: int = 5) -> float:
    """The share of tokens that no row gets when the documents come so often, and then no more.

    ``lengths`` are the documents' tokens, BOS counted; ``room`` is T + 1. The last row may stay incomplete: what
    it has is not counted as waste.
    """
    if min(lengths, default=0) < 1:
        raise ValueError("documents are needed, of one token at least: BOS")
    packing.end = epochs * len(lengths)
    total = epochs * sum(lengths)
    used = 0
    while not packing.is_exhausted():
        row = packing.row(room, lambda number: lengths[number % len(lengths)])
        used += sum(piece.stop - piece.start for piece in row)
    return (total - used) / total


def unavoidable_waste(lengths: Sequence[int], room: int) -> float:
    """The share of tokens that is lost by any packing that doesn't keep the rest: what exceeds a row."""
    return sum(max(0, length - room) for length in lengths) / sum(lengths)
