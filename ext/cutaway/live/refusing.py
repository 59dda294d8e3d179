"""Whether a page may compute a graph: each operation is known there, and what comes out is what was recorded."""

from __future__ import annotations

from ..computing.graph import INPUT, WEIGHT, Graph
from ..computing.interpret import UnknownOperation, compare, run
from .known import KNOWN

TOLERANCE = 2e-5  # of a tensor's largest number


def refused(graph: Graph) -> str:
    """Why a graph does not give what was recorded; "" if it does."""
    lacking = sorted({node.op for node in graph.nodes if node.op.partition(".")[0] not in KNOWN | {WEIGHT, INPUT}})
    if lacking:
        return f"no operation {', '.join(lacking)}"
    try:
        worst, node = compare(graph, run(graph, graph.inputs))
    except UnknownOperation as error:
        return str(error)
    if worst > TOLERANCE:
        where = f"{graph.label(node)} (node {node})"
        return f"{where} differs by {worst:.1e} of its largest number, where {TOLERANCE:.0e} is allowed"
    return ""
