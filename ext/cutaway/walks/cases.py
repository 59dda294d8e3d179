"""What a walk through somebody's model can show, from everything to shapes alone, and why not more.

=====================  ===============================================================================================
export, letters        every operation, computed in the page, with any input that it can read
no letters             the same; the sizes of the axes choose their directions
fused attention        opened: scores and weights are computed from queries and keys
no export              the recorded tensors and which were made of which; nothing is computed anew
too large              blocks of the right shape, without numbers
=====================  ===============================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ..computing.graph import Graph, graph_of
from ..computing.interpret import UnknownOperation, recorded
from ..trace.reading import Trace, TraceError
from .inside import Opened, is_fused, opened
from .layout import Layout
from .panels import Seen
from .still import built
from .taped import LARGEST, ROOM, Taped


@dataclass(frozen=True)
class Case:
    """``said``: what is shown and why, for a line of the build."""

    seen: Seen
    found: Layout
    said: str


def _nothing(_: Graph) -> str:
    return ""


def case_of(trace: Trace, pass_: str, warnings: Sequence[str] = (), refuse: Callable[[Graph], str] = _nothing) -> Case:
    """The fullest walk that a pass allows. TraceError: there is nothing to see.

    ``warnings`` of its run say why there is no graph; ``refuse`` says why a graph can't be computed, or "".
    """
    graph, why = graph_for(trace, pass_, tuple(warnings), refuse)
    seen, found = built(graph)
    said = f"{_of_trace(graph)}, because {why}" if isinstance(graph, Taped) else _whole(seen)
    return Case(seen, found, said)


@lru_cache(maxsize=8)
def graph_for(
    trace: Trace, pass_: str, warnings: tuple[str, ...], refuse: Callable[[Graph], str] = _nothing
) -> tuple[Graph, str]:
    """The graph of a pass that pages compute; or what was recorded, and why it is no more than that."""
    if pass_ not in trace.live:
        return Taped(trace, pass_), _reason(trace, pass_, warnings)
    try:
        graph = opened(graph_of(trace, pass_))
        if why := _too_much(graph.weights.values()) or _too_much(recorded(graph)) or refuse(graph):
            return Taped(trace, pass_), why
    except (TraceError, UnknownOperation) as error:
        return Taped(trace, pass_), str(error)
    return graph, ""


def _whole(seen: Seen) -> str:
    graph, said = seen.graph, [f"{len(seen.shown)} operations, all of them computed in the page"]
    if isinstance(graph, Opened):
        count = sum(map(is_fused, graph_of(graph.trace, graph.pass_).nodes))
        said.append(f"{count} fused attention{'s' * (count != 1)} opened into scores and weights")
    nameless = [number for number in seen.shown if not any(seen.letters(number)) and sum(_sides(seen, number)) > 1]
    if nameless:
        of = f"{len(nameless)} of them have axes without letters, so that their sizes choose the directions"
        said.append(f"{of}; record.sizes(...) names them")
    return "; ".join(said)


def _sides(seen: Seen, number: int) -> list[bool]:
    return [size > 1 for size in getattr(seen.values[number], "shape", ())]


def _of_trace(taped: Taped) -> str:
    count, hollow = len(taped.nodes), len(taped.hollow)
    if not hollow:
        return f"the {count} tensors as they were recorded, without an input of the reader's own"
    limit = f"of a tensor over {LARGEST >> 20} MiB, and where all have more than {ROOM >> 20} MiB"
    return f"the shapes alone of {hollow} of {count} tensors ({limit})"


def _reason(trace: Trace, pass_: str, warnings: Sequence[str]) -> str:
    told = f"record.live({pass_!r})"
    found = next((line.partition(": ")[2] for line in warnings if line.startswith(told)), "")
    return found or f"the run '{trace.run}' does not say record.live({pass_!r}, model, ...) in its trace method"


def _too_much(values: Iterable[Any]) -> str:
    """Why these are more than a page should compute with; "" if they aren't."""
    sizes = [value.nbytes for value in values if isinstance(value, np.ndarray)]
    if max(sizes, default=0) > LARGEST:
        return f"a tensor of it has {max(sizes) / (1 << 20):.1f} MiB"
    return f"its tensors have {sum(sizes) / (1 << 20):.0f} MiB" if sum(sizes) > 4 * ROOM else ""
