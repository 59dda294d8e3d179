"""Every computed diagram of the book, drawn once a build, and the box in which each step stands.

A diagram with a ``:name:`` gives each box that a step explains an address: ``<its name>-<the step's id>``.
"""

from __future__ import annotations

from collections import defaultdict

from sphinx.environment import BuildEnvironment

from ..build import build_of, trace_of
from ..domain import Step, cutaway_domain
from ..source.find import SourceError
from ..state import has_state, hold, state_of
from ..trace.names import UnknownName, Wanted
from ..trace.reading import Trace, TraceError
from .explain import chosen, drawn, sketched, steps_of
from .graph.flow import FlowError
from .graph.graph import Graph
from .html import address
from .layout.canvas import Drawing

UNDRAWN = (SourceError, FlowError, UnknownName, TraceError)  # why there is no drawing

class _Drawn(dict[tuple[str, str, bool], tuple[Graph, Drawing]]):
    """The drawings of this build, by object, run, and whether of the way back."""


class _Boxes(defaultdict[str, list[tuple[str, str]]]):
    """For each step the pages and addresses of its boxes."""


def computed(env: BuildEnvironment, function: str, run: str, is_backward: bool = False) -> tuple[Graph, Drawing]:
    """The data flow of a function in a run, or the way back, and its drawing; without any run, a sketch.

    Raises one of UNDRAWN.
    """
    found, key = state_of(env, _Drawn), (function, run, is_backward)
    if key not in found:
        wanted = Wanted.read(run)
        obj = build_of(env).book.source.find(function)
        if not run and not build_of(env).outcomes:
            if is_backward:
                raise FlowError(f"{function}: no run is declared, and the way back is drawn from a recorded one")
            found[key] = sketched(obj)
            return found[key]
        found[key] = drawn(obj, *chosen(_traces(env, wanted), obj.dotted, wanted), is_backward)
    return found[key]


def _traces(env: BuildEnvironment, wanted: Wanted) -> dict[str, Trace]:
    outcomes = build_of(env).outcomes
    names = [name for name, outcome in outcomes.items() if not outcome.error]
    if wanted.run or not names:
        trace = trace_of(env, wanted.run)  # says why there is none
        return {trace.run: trace}
    return {name: trace_of(env, name) for name in names}


def explained(env: BuildEnvironment, graph: Graph) -> dict[int, list[Step]]:
    """For each box the steps that stand in it; it leads to the first."""
    found: dict[int, list[Step]] = defaultdict(list)
    for step in cutaway_domain(env).steps.values():
        for number in steps_of(graph, [step]):
            found[number].append(step)
    return found


def boxes_showing(env: BuildEnvironment, step: str) -> list[tuple[str, str]]:
    """Page and address of each box in which a step stands, in the order of pages and lines."""
    if not has_state(env, _Boxes):
        hold(env, boxes := _Boxes(list))
        for docname, use in cutaway_domain(env).uses("diagram"):
            for id in _steps_in(env, use) if use["object"] and use["id"] else ():
                boxes[id].append((docname, address(use["id"], id)))
    return state_of(env, _Boxes).get(step, [])


def _steps_in(env: BuildEnvironment, use: dict[str, str]) -> list[str]:
    try:
        graph, _ = computed(env, use["object"], use.get("run", ""), bool(use.get("backward")))
    except UNDRAWN:
        return []  # a warning where the diagram stands
    return [step.id for steps in explained(env, graph).values() for step in steps]
