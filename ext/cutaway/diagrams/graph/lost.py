"""Ways that a drawing lacks although the names in the source say that a value goes there.

Arrows come from what was recorded. Where a value passes through something that nobody sees, an arrow may be missing;
then a box stands alone that by its name should not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...source.find import SourceObject
from .graph import Graph, Node
from .sketch import sketch

# They go back the way that the value came, and read none of its numbers.
DERIVATIVE = re.compile(r"\b(grad|backward|vjp|jvp)\(")


def lost(obj: SourceObject, graph: Graph) -> Iterator[str]:
    """What to say of each box of a call that leads nowhere, or comes from nowhere, and by its names should."""
    if graph.is_sketch:
        return
    arrows = [*graph.edges, *graph.back]
    leads, comes = ({edge.source for edge in arrows}, {edge.target for edge in arrows})
    for source, target in _by_names(obj, graph):
        is_alone = source.id not in leads or target.id not in comes
        if is_alone and source.kind == "step" and not DERIVATIVE.search(target.code):
            line = f" (line {source.spans[0].line})" if source.spans else ""
            yield (
                f"no way from '{source.code}'{line} to '{target.code}': names say that its value goes there, and the"
                f" recorded call does not show it; python -m cutaway explain {obj.dotted} --prove tells whether it does"
            )


def _by_names(obj: SourceObject, graph: Graph) -> Iterator[tuple[Node, Node]]:
    """Boxes of the graph between which there is an arrow for sure if one follows the names."""
    named = sketch(obj)
    at = {span: node for node in graph.nodes for span in node.spans}
    here = [next((at[span] for span in node.spans if span in at), None) for node in named.nodes]
    for edge in named.edges:
        source, target = here[edge.source], here[edge.target]
        if source is not None and target is not None and source.id != target.id and not edge.thin:
            yield source, target
