"""Which box gave which tensor, and from there back along the tape: the boxes that a value was made of."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple

from ...trace.reading import Trace


class Given(NamedTuple):
    """That a box gave a tensor: under which name, and when."""

    name: str
    when: int


class Tape:
    """The part of a trace's tape that one call wrote, and which box gave what: arrows are looked up here.

    ``began``: the tape's entries from there on were made during the call, but for the ``given``.
    """

    def __init__(self, trace: Trace, began: int) -> None:
        self.entries, self.given, self.strange, self.began = trace.tape, trace.given, trace.strange, began
        self._read = trace.read[bisect.bisect_left(trace.read, began) :]
        self._givers: dict[int, dict[int, Given]] = {}  # entry -> the boxes that gave it, the last one last
        self._readers: dict[int, set[int]] = {}  # operation that gave a number -> the nearest boxes it was made of
        self.now = 0  # how often boxes have given something

    def give(self, box: int, name: str, origins: Iterable[int]) -> None:
        self.now += 1
        for entry in origins:
            givers = self._givers.setdefault(entry, {})
            givers.pop(box, None)
            givers[box] = Given(name, self.now)

    def hand_on(self, boxes: Set[int], to: int) -> None:
        """What these boxes gave comes from another one now."""
        for entry, givers in self._givers.items():
            if _last(givers) in boxes:
                self._givers[entry] = {to: givers[_last(givers)]}

    def new(self, origins: Iterable[int]) -> list[int]:
        """Those that were made during the call by something that has no box."""
        unseen = self.given - self.strange
        return [e for e in origins if e >= self.began and e not in unseen and e not in self._givers]

    def knows(self, box: int) -> bool:
        return any(box in givers for givers in self._givers.values())

    def was_read(self, box: int, before: int) -> bool:
        """Whether the call made a number of what a box gave, before the tape was that long."""
        for entry in self._read[: bisect.bisect_left(self._read, before)]:
            if entry not in self._readers:
                self._readers[entry] = set(self.sources([entry])[0])
            if box in self._readers[entry]:
                return True
        return False

    def sources(self, origins: Iterable[int], told: Sequence[Set[int]] = ()) -> tuple[dict[int, Given], str]:
        """The nearest boxes that a value was made of, with what they gave; and whether some of it is "strange"
        (nobody saw what made it) or comes from "before" the call, as a weight does.

        Where several boxes gave the same tensor, one after another, it is those of the first set of ``told`` that has
        one of them, or the last."""
        found: dict[int, Given] = {}
        rest = ""
        pending, seen = list(origins), set[int]()
        while pending:
            entry = pending.pop()
            if entry in seen:
                continue
            seen.add(entry)
            if entry in self._givers:
                givers = self._givers[entry]
                for box in next((boxes & givers.keys() for boxes in told if boxes & givers.keys()), {_last(givers)}):
                    found.setdefault(box, givers[box])
            elif entry in self.strange and entry >= self.began:
                rest = "strange"
            elif entry >= self.began and entry not in self.given:
                pending += self.entries[entry]
            else:
                rest = rest or "before"
        return found, rest


def _last(givers: dict[int, Given]) -> int:
    return next(reversed(givers))
