"""Which pages walk through which passes, and at which steps of the listings a walk stops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sphinx.environment import BuildEnvironment

from ..build import build_of, trace_of
from ..computing.graph import Graph
from ..domain import cutaway_domain
from ..source.find import SourceError
from ..source.own import own_code
from ..store import digest
from ..trace.names import PASS, Place, UnknownName
from ..trace.reading import TraceError
from ..walks.cases import case_of, graph_for
from ..walks.data import described
from .passes import walked_pass
from .refusing import refused
from .script import steps_by_node
from .shown import WALK

KIND = "live"


def walks(env: BuildEnvironment) -> Iterator[tuple[str, str, str]]:
    """The pages with a walk, its run and its pass, as far as there are any; first those that name a model."""
    for page, use in cutaway_domain(env).uses(WALK):
        with suppress(UnknownName, TraceError, SourceError):
            yield page, *walked_pass(env, use["object"], use["run"])
    for page, use in cutaway_domain(env).uses("live"):
        if use["show"] == WALK:
            run_, _, pass_ = use["value"].partition(".")
            yield page, run_, pass_ or PASS


def stops(env: BuildEnvironment, steps: dict[str, tuple[Place, str]]) -> dict[str, str]:
    """By step, the first page with a walk that stops there."""
    found: dict[str, str] = {}
    for page, run_, pass_ in walks(env):
        outcome = build_of(env).outcomes.get(run_)
        if outcome is not None and not outcome.error:
            key = digest("stops", Path(outcome.trace).stem, pass_, steps, own_code("cutaway.walks.data"))
            kept = build_of(env).book.store.read_json(KIND, key)
            if kept is None:
                kept = {"steps": _stopped(env, run_, pass_, steps)}
                build_of(env).book.store.write_json(KIND, key, kept)
            found |= {step: page for step in kept["steps"] if step not in found}
    return found


def _stopped(env: BuildEnvironment, run_: str, pass_: str, steps: dict[str, tuple[Place, str]]) -> list[str]:
    try:
        shown = case_of(trace_of(env, run_), pass_, build_of(env).outcomes[run_].warnings, refused)
    except TraceError:
        return []  # which the page says
    explained = steps_by_node(shown.seen.graph, steps)
    return sorted(described(shown.seen, shown.found, explained, {})["texts"])


def walked_graph(env: BuildEnvironment, run_: str, pass_: str) -> tuple[Graph, str]:
    """What a walk shows of a pass: a graph that pages compute, or what was recorded, and why only that."""
    return graph_for(trace_of(env, run_), pass_, build_of(env).outcomes[run_].warnings, refused)
