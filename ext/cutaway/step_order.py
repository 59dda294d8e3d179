"""The steps of a book in the order in which its runs reached them, and which come before and after each.

Runs follow each other as they are declared, a run's passes as they were recorded, and a step counts where it is first
reached. One that holds others comes before them if it calls them (a block before its attention), and after them if it
is made of them (a scaled score after the score). What no pass of any run reached comes last, page by page, as it stands
in the source: imports, constructors, branches not taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sphinx.environment import BuildEnvironment

from .build import build_of, trace_of
from .domain import NOWHERE, Step, cutaway_domain
from .page_order import in_order as reading_order
from .source.find import Span
from .state import has_state, hold, notes_of, state_of
from .store import digest
from .trace.names import at_place
from .trace.reading import Call, Trace, Value

UNREACHED = ""  # the run and the pass of what no pass reached


class Ran(NamedTuple):
    """A step, the pass in which it was first reached, what it gave there, and the run of that pass."""

    step: Step
    pass_: str = UNREACHED
    value: Value | None = None
    run: str = UNREACHED


class _Orders(dict[str, list[Ran]]):
    """The steps in order, by the run that comes first."""


class _Ids(list[str]):
    """The steps' ids in order."""


def in_order(env: BuildEnvironment, run: str = "") -> list[Ran]:
    """The steps in the order in which the runs reached them: first the named run, then the others as declared."""
    outcomes = build_of(env).outcomes
    names = [name for name, outcome in outcomes.items() if not outcome.error]
    names.sort(key=lambda name: name != run)
    found = state_of(env, _Orders)
    key = names[0] if names else ""
    if key not in found:
        steps = [step for step in cutaway_domain(env).steps.values() if step.span != NOWHERE]
        found[key] = ordered(steps, [trace_of(env, name) for name in names], reading_order(env))
    return found[key]


def neighbours(env: BuildEnvironment) -> dict[str, tuple[Step | None, Step | None]]:
    """For each step the one before and the one after it."""
    known = cutaway_domain(env).steps
    steps: list[Step | None] = [None, *(known[id] for id in _ids(env)), None]
    triples = zip(steps, steps[1:], steps[2:], strict=False)
    return {step.id: (before, after) for before, step, after in triples if step is not None}


def _ids(env: BuildEnvironment) -> list[str]:
    """The steps' ids in order: those of the last build, if its runs and steps were these, for it takes every trace."""
    if not has_state(env, _Ids):
        traces = {name: outcome.trace for name, outcome in build_of(env).outcomes.items()}
        steps = [[step.id, step.docname, step.place] for step in cutaway_domain(env).steps.values()]
        key, kept = digest(traces, steps, reading_order(env)), notes_of(env)["order"]
        if kept.get("key") != key:
            kept = {"key": key, "ids": [ran.step.id for ran in in_order(env)]}
            notes_of(env)["order"] = kept
        hold(env, _Ids(kept["ids"]))
    return state_of(env, _Ids)


def ordered(steps: Iterable[Step], traces: Sequence[Trace], pages: Sequence[str] = ()) -> list[Ran]:
    """Steps in the order in which the traces reached them; what none did, in the order of the pages."""
    reaches = [_Reach(trace) for trace in traces]
    numbers = {page: number for number, page in enumerate(pages)}
    keyed = []
    for step in steps:
        found = next(((number, *hit) for number, reach in enumerate(reaches) if (hit := reach.first(step))), None)
        if found:
            number, when, ran = found
            place = (number, *when)
        else:
            place, ran = (len(reaches), numbers.get(step.docname, len(numbers)), 0), Ran(step)
        module = tuple(step.object.split(".")[:2])
        keyed.append(((*place, module, step.span.line, *_size(step.span), step.span.col), ran))
    return [ran for _, ran in sorted(keyed, key=lambda pair: pair[0])]


class _Reach:
    """One trace, with its calls by function and by caller, so that a book's many steps are found quickly."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.numbers = {pass_: number for number, pass_ in enumerate(trace.passes)}
        self.calls: dict[str, list[Call]] = defaultdict(list)
        self.children: dict[int, list[Call]] = defaultdict(list)
        for call in trace.calls():
            self.calls[call.function].append(call)
            if call.caller is not None:
                self.children[call.caller.index].append(call)

    def first(self, step: Step) -> tuple[tuple[int, int], Ran] | None:
        """Number of the pass and of the record with which a step was first reached; None if it never was."""
        for call in self.calls.get(step.object, []):  # in the order of the passes
            reached = self._reached(step.span, call)
            if reached is not None:
                value = at_place(self.trace, call, step.span)
                return (self.numbers[call.pass_], reached), Ran(step, call.pass_, value, self.trace.run)
        return None

    def _reached(self, span: Span, call: Call) -> int | None:
        """The record with which a place was first entered, if other functions were called from there, else done."""
        calls = [it for it in self.children[call.index] if it.site is not None and span.contains(it.site.span)]
        entered = [records[0].index for it in calls if (records := self.trace.records(it))]
        if entered:
            return min(entered)
        firsts: dict[Span, int] = {}
        for record in self.trace.records(call):
            if span.contains(record.site.span):
                firsts.setdefault(record.site.span, record.index)
        return firsts.get(span, max(firsts.values(), default=None))


def _size(span: Span) -> tuple[int, int]:
    """How much a span holds: of two that begin together, the inner is reached first."""
    lines = span.end_line - span.line
    return lines, span.end_col - span.col if not lines else 0
