"""What a recorded value was made of, and what was made of it: across calls and modules, along the tape.

``Ways(trace).producers(record)`` are the nearest recorded values from which the operations behind a value took their
inputs, ``consumers(record)`` those whose operations took it. A value that several places handed over unchanged (a
variable, an argument, a result) counts as the first that had it.

The tape is ``trace.tape``: for each operation, by number, the numbers of the entries that made its inputs. A weight or
an input is an entry without inputs (``trace.given``). A record's ``origins`` are the entries that made its tensors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from .reading import Record, Trace

Onward = Mapping[int, Sequence[int]] | Sequence[Sequence[int]]  # from an entry to others


class Ways:
    """The ways between the recorded values of a trace."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def producers(self, record: Record) -> list[Record]:
        """The nearest recorded values that its tensors were made of, in the order in which they were recorded."""
        own = set(record.origins)
        made_of = {entry for origin in own for entry in self.trace.tape[origin]}
        return self._nearest(made_of - own, self.trace.tape)

    def consumers(self, record: Record) -> list[Record]:
        """The nearest recorded values that were made of its tensors, in the order in which they were recorded."""
        own = set(record.origins)
        taken_by = {entry for origin in own for entry in self._takers.get(origin, ())}
        return self._nearest(taken_by - own, self._takers)

    def _nearest(self, begin: Iterable[int], onward: Onward) -> list[Record]:
        """The first recorded values on all ways from these entries on."""
        found: dict[int, Record] = {}
        pending, seen = list(begin), set[int]()
        while pending:
            entry = pending.pop()
            if entry in seen:
                continue
            seen.add(entry)
            if entry in self._first:
                found[self._first[entry].index] = self._first[entry]
            else:
                pending += onward.get(entry, ()) if isinstance(onward, Mapping) else onward[entry]
        return [found[index] for index in sorted(found)]

    @cached_property
    def _first(self) -> dict[int, Record]:
        """For each entry the first record of its tensor alone, or else of a container that holds it."""
        records = [record for call in self.trace.calls() for record in self.trace.records(call)]
        records.sort(key=lambda record: (record.value.type != "tensor", record.index))
        found: dict[int, Record] = {}
        for record in records:
            for entry in record.origins:
                found.setdefault(entry, record)
        return found

    @cached_property
    def _takers(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for entry, inputs in enumerate(self.trace.tape):
            for one in inputs:
                found[one].append(entry)
        return dict(found)
