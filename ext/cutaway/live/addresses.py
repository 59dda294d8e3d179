"""Where the page finds a recorded value among the operations that it computes: ``sort.forward#71``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ..trace.reading import Trace, Value
from .shown import graph


def address_of(trace: Trace, value: Value | None, index: Sequence[int] = ()) -> str:
    """The model's name and the node that gave a value, with the index of one number; "" where no graph has it."""
    if value is None or id(value) not in _addresses(trace):
        return ""
    return _addresses(trace)[id(value)] + (f"[{','.join(map(str, index))}]" if index else "")


@lru_cache(maxsize=8)
def _addresses(trace: Trace) -> dict[int, str]:
    """By the identity of a value, which is the trace's as long as the trace lives."""
    return {
        id(record.value): f"{trace.run}.{pass_}#{node}"
        for pass_ in trace.live
        for record in graph(trace, pass_).records
        if (node := graph(trace, pass_).node_of(record)) is not None
    }
