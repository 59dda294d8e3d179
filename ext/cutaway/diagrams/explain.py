"""From a dotted path and recorded runs to a drawing: which call is drawn, and where its boxes lead.

``of`` says what is drawn as a listing's ``:run:`` does: ``RUN``, ``RUN.PASS`` or ``RUN.PASS/MODULE``.
Without a pass it is ``forward``, or the first in which the function ran.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..domain import Step
from ..runs import Outcome, RunError, ensure
from ..runs.process import Report
from ..settings import Book
from ..source.find import Source, SourceObject
from ..trace.names import PASS, Wanted
from ..trace.reading import Call, Trace, load
from .graph.backward import turned
from .graph.flow import FlowError, flow
from .graph.graph import Graph, Node
from .graph.lost import lost
from .graph.sketch import sketch
from .layout.canvas import Drawing, draw
from .layout.place import LayoutError
from .layout.route import RouteError

EXAMPLE = "package.module.Class.forward"
SKETCHED = "Drawn from the source alone, as no run has called it: a dotted line is one that only a run can decide."


class NotCalled(FlowError):
    """No recorded run has called the function: it can be sketched."""


def function_of(source: Source, dotted: str) -> SourceObject:
    """The function that is drawn for a dotted path; for a class its ``forward``."""
    obj = source.find(dotted)
    return source.find(f"{dotted}.forward") if isinstance(obj.node, ast.ClassDef) else obj


def chosen(traces: Mapping[str, Trace], function: str, wanted: Wanted) -> tuple[Trace, Call]:
    """The call that is drawn. Raises FlowError, with what did run, where none fits."""
    for trace in traces.values():
        if wanted.run in (None, trace.run):
            calls = trace.calls(function, wanted.pass_, wanted.module)
            calls.sort(key=lambda call: wanted.pass_ is None and call.pass_ != PASS)  # stable
            if calls:
                return trace, calls[0]
    ran = [
        f"{trace.run}.{call.pass_}" + (f"/{call.module_path}" if call.module_path else "")
        for trace in traces.values()
        for call in trace.calls(function)
    ]
    if not ran:
        raise NotCalled(f"{function} was not called in any recorded run ({', '.join(traces) or 'there is none'})")
    places = ", ".join(list(dict.fromkeys(ran))[:6])
    asked = ".".join(filter(None, (wanted.run, wanted.pass_))) + (f"/{wanted.module}" if wanted.module else "")
    where = f" in '{asked}'" if asked else ""
    raise FlowError(f"{function} was not called{where}; it was in {places}")


def drawn(obj: SourceObject, trace: Trace, call: Call, is_backward: bool = False) -> tuple[Graph, Drawing]:
    """The graph of a call, or of the way back through it, and its drawing."""
    graph = flow(obj, trace, call)
    if not is_backward:
        return _laid_out(obj, graph)
    try:
        return _laid_out(obj, turned(graph, trace, call))
    except LookupError as error:
        raise FlowError(str(error)) from error


def sketched(obj: SourceObject) -> tuple[Graph, Drawing]:
    """What a function's source alone tells of its flow. FlowError where that is nothing."""
    if not isinstance(obj.node, ast.FunctionDef | ast.AsyncFunctionDef):
        raise FlowError(f"{obj.dotted} is no function or method: write one, as in {EXAMPLE}")
    graph = sketch(obj)
    if not graph.edges:
        raise FlowError(f"{obj.dotted} ({obj.place}): no run called it, and in its source nothing comes of an argument")
    return _laid_out(obj, graph)


def _laid_out(obj: SourceObject, graph: Graph) -> tuple[Graph, Drawing]:
    try:
        return graph, draw(graph)
    except (LayoutError, RouteError) as error:
        raise FlowError(f"{obj.dotted} is too wide to draw: {error}") from error


def steps_of(graph: Graph, steps: Iterable[Step]) -> dict[int, Step]:
    """The step that explains each node: a quotation inside the node's code, or else one around it.

    A step goes to one node, the smallest that contains its quotation or the largest inside it; of a node's
    steps the first counts.
    """
    parents = (graph.function, graph.function.rpartition(".")[0])
    found: dict[int, Step] = {}
    for step in steps:
        if step.object in parents:
            node = _node_at(graph, step)
            if node is not None:
                found.setdefault(node.id, step)
    return found


def _node_at(graph: Graph, step: Step) -> Node | None:
    """The box in which a step's quotation stands."""
    wanted = step.place.span
    spanned = [(node, span) for node in graph.nodes for span in node.spans]
    around = [(node, span) for node, span in spanned if span.contains(wanted)]
    inside = [(node, span) for node, span in spanned if wanted.contains(span)]
    for candidates in (around, inside):
        outermost = [
            node for node, span in candidates
            if not any(_better(span, other, candidates is around) for _, other in candidates)
        ]  # fmt: skip
        if outermost:
            return min(outermost, key=lambda node: node.kind != "again")  # of a whole loop, its end
    return None


def _better(span: tuple[int, ...], other: tuple[int, ...], smaller: bool) -> bool:
    """Whether ``other`` lies inside ``span`` (or, for the largest, around it)."""
    inner, outer = (other, span) if smaller else (span, other)
    return inner != outer and outer[:2] <= inner[:2] and inner[2:] <= outer[2:]


def named(book: Book, asked: str, of: str | None = None) -> tuple[str, str | None]:
    """The dotted path, or ``#ID``, and the run that a short name of the book stands for (``cutaway_explain``).

    ``of`` is a program that has drawings of its own, or a run. What has a dot is a path itself. LookupError says which
    short names there are, or of which programs.
    """
    if "." in asked or asked.startswith("#"):
        return asked, of
    if asked not in book.explain:
        known = f"there is {', '.join(sorted(book.explain))}" if book.explain else "conf.py's cutaway_explain has none"
        raise LookupError(f"nothing has the short name {asked[:80]!r}; {known}; or write a path, as in {EXAMPLE}")
    shown = book.explain[asked]
    if of and any(of in others for others in book.explain.values()):
        what = shown.get(of) or _of_package(shown.get("", ""), of)
        if what is None:
            there = ", ".join(program or what.split(".")[0] for program, what in shown.items())
            raise LookupError(f"the short name {asked!r} stands for nothing of {of}; it does for what is of {there}")
        of = None
    else:
        what = next(iter(shown.values()))
    dotted, _, run = what.partition(" ")
    return dotted, of or run.strip() or None


def _of_package(what: str, package: str) -> str | None:
    return what if what.startswith(f"{package}.") else None


def explained_in(
    book: Book, asked: str, of: str | None, report: Report
) -> tuple[str, str | None, dict[str, Outcome]]:
    """The dotted path, the run asked for and the outcomes of runs that may show it; runs what is missing.

    RunError where none did."""
    dotted, of = named(book, asked, of)
    wanted = Wanted.read(of)
    outcomes = ensure(book, report, [wanted.run] if wanted.run else None)
    failed = [f"{outcome.name}: {outcome.error}" for outcome in outcomes.values() if outcome.error]
    good = {name: outcome for name, outcome in outcomes.items() if not outcome.error}
    if not good:
        raise RunError("; ".join(failed) or f"no run {of or ''} is declared in {book.declared_in}")
    return dotted, of, good


def explain(book: Book, asked: str, of: str | None = None) -> str:
    """The drawing of a function as text, for the terminal, by its dotted path or a short name; runs what is missing."""
    dotted, run = named(book, asked, of)
    obj = function_of(book.source, dotted)
    if not of and not book.runs:
        return f"{sketched(obj)[1].text}\n\n{SKETCHED}"
    _, of, outcomes = explained_in(book, dotted, run, lambda line: print(line, file=sys.stderr))
    traces = {name: load(Path(outcome.trace)) for name, outcome in outcomes.items()}
    try:
        graph, drawing = drawn(obj, *chosen(traces, obj.dotted, Wanted.read(of)))
        return "\n\n".join([drawing.text, *lost(obj, graph)])
    except NotCalled:
        if of:
            raise
        return f"{sketched(obj)[1].text}\n\n{SKETCHED}"
