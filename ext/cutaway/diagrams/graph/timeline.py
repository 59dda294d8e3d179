"""The records of one activation, to be read in step with its syntax tree.

A statement that is walked opens a window: the records from now to the first that stands outside of the
statement. Inside it, ``take`` gives the next record of an expression, or None where that expression did
not run.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ...source.find import Span
from ...trace.reading import Record


class Timeline:
    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self._now = 0
        self._end = len(records)
        self._places: dict[tuple[str, Span], list[int]] = defaultdict(list)
        for i, record in enumerate(records):
            self._places[record.site.kind, record.site.span].append(i)

    @contextmanager
    def window(self, span: Span) -> Iterator[None]:
        """Look no further than one execution of the statement at ``span``."""
        outer, self._end = self._end, self._first_outside(span)
        try:
            yield
        finally:  # `continue` leaves by an exception
            self._now, self._end = max(self._now, self._end), outer

    def _first_outside(self, span: Span) -> int:
        inside = range(self._now, self._end)
        return next((i for i in inside if not span.contains(self.records[i].site.span)), self._end)

    def take(self, kind: str, span: Span) -> Record | None:
        """The next record of a place, and on to what follows it; None if there is none in the window."""
        places = self._places[kind, span]
        i = bisect.bisect_left(places, self._now)
        if i == len(places) or places[i] >= self._end:
            return None
        self._now = places[i] + 1
        return self.records[places[i]]

    def peek(self, kind: str, span: Span) -> Record | None:
        """What ``take`` would give."""
        now = self._now
        record = self.take(kind, span)
        self._now = now
        return record

    def origins(self, kind: str, span: Span) -> list[int]:
        """The tape's entries of all that a place records in the window, from now on."""
        found = (self.records[i].origins for i in self._places[kind, span] if self._now <= i < self._end)
        return [entry for origins in found for entry in origins]

    def last(self, span: Span) -> Record | None:
        """What an expression gave when it was last read; None if it hands nothing over."""
        taken = [i for kind in ("call", "op") for i in self._places[kind, span] if i < self._now]
        return self.records[max(taken)] if taken else None

    def count(self, kind: str, span: Span) -> int:
        """How often a place recorded in the window, from now on."""
        return sum(self._now <= i < self._end for i in self._places[kind, span])
