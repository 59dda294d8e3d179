"""The steps of a book in the order in which they run, and which come before and after each.

The passes follow each other as they were recorded; a step counts where it is first reached. One that holds others
comes before them if it calls them (a block before its attention), and after them if it is made of them (a scaled score
after the score). What no pass reached comes last, as it stands in the source: constructors, branches not taken.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import NamedTuple

from sphinx.environment import BuildEnvironment

from .build import build_of, trace_of
from .domain import NOWHERE, Step, cutaway_domain
from .names import at_place
from .source import Span
from .trace import Call, Trace, Value

UNREACHED = ""  # the pass of what no pass reached


class Ran(NamedTuple):
    """A step, the pass in which it was first reached, and what it gave there."""

    step: Step
    pass_: str = UNREACHED
    value: Value | None = None


_orders: weakref.WeakKeyDictionary[BuildEnvironment, dict[str, list[Ran]]] = weakref.WeakKeyDictionary()


def in_order(env: BuildEnvironment, run: str = "") -> list[Ran]:
    """The steps in the order in which a run reached them; the first declared run, if none is named."""
    build = build_of(env)
    name = run or next((name for name, outcome in build.outcomes.items() if not outcome.error), "")
    found = _orders.setdefault(env, {})
    if name not in found:
        steps = [step for step in cutaway_domain(env).steps.values() if step.span != NOWHERE]
        found[name] = ordered(steps, trace_of(env, name) if name else None)
    return found[name]


def neighbours(env: BuildEnvironment) -> dict[str, tuple[Step | None, Step | None]]:
    """For each step the one before and the one after it."""
    steps: list[Step | None] = [None, *(ran.step for ran in in_order(env)), None]
    triples = zip(steps, steps[1:], steps[2:], strict=False)
    return {step.id: (before, after) for before, step, after in triples if step is not None}


def ordered(steps: Iterable[Step], trace: Trace | None) -> list[Ran]:
    """Steps in the order in which a trace reached them."""
    keyed = []
    for step in steps:
        when, ran = _first_time(step, trace) if trace else ((0, 0), Ran(step))
        module = tuple(step.object.split(".")[:2])
        keyed.append(((*when, module, step.span.line, *_size(step.span), step.span.col), ran))
    return [ran for _, ran in sorted(keyed, key=lambda pair: pair[0])]


def _first_time(step: Step, trace: Trace) -> tuple[tuple[int, int], Ran]:
    """Number of the pass and of the record; beyond the last pass for a step that was not reached."""
    for number, pass_ in enumerate(trace.passes):
        for call in trace.calls(step.object, pass_):
            reached = _reached(step.span, call, trace)
            if reached is not None:
                return (number, reached), Ran(step, pass_, at_place(trace, call, step.span))
    return (len(trace.passes), 0), Ran(step)


def _reached(span: Span, call: Call, trace: Trace) -> int | None:
    """The record with which a place was first entered, if other functions were called from there, else done."""
    calls = [child for child in trace.children(call) if child.site is not None and span.contains(child.site.span)]
    entered = [records[0].index for child in calls if (records := trace.records(child))]
    if entered:
        return min(entered)
    firsts: dict[Span, int] = {}
    for record in trace.records(call):
        if span.contains(record.site.span):
            firsts.setdefault(record.site.span, record.index)
    return firsts.get(span, max(firsts.values(), default=None))


def _size(span: Span) -> tuple[int, int]:
    """How much a span holds: of two that begin together, the inner is reached first."""
    lines = span.end_line - span.line
    return lines, span.end_col - span.col if not lines else 0
