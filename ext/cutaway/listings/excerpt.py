"""The recorded shapes of an object's lines, and which of its lines an excerpt shows. Pure functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from docutils import nodes

from ..source.find import Definition, Source, SourceObject, Span
from ..source.quotation import match, statement
from ..theme.shapes import summary
from ..trace.reading import Call, Record, Trace, Value


class Beside(NamedTuple):
    """Names that hold the same kind of value, and the values of the first: one for each round of a loop.

    ``lasts``: what each name held in the end.
    """

    names: list[str]
    values: list[Value]
    lasts: list[Value]

    @property
    def times(self) -> str:
        return f"× {len(self.values)}" if len(self.values) > 1 else ""

    @property
    def shape(self) -> list[str] | None:
        """A tensor's sizes, as a range where rounds differ; None for what is none, or differs in rank."""
        shapes = [value.shape for value in self.values if value.shape is not None]
        if len(shapes) < len(self.values) or len({len(shape) for shape in shapes}) > 1:
            return None
        columns = [sorted(set(sizes)) for sizes in zip(*shapes, strict=True)]
        return [str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]}..{sizes[-1]}" for sizes in columns]

    @property
    def text(self) -> str:
        """The value in a few characters; of a loop the first round's and the last's."""
        if self.shape is not None:
            return f"({', '.join(self.shape)}{',' * (len(self.shape) == 1)})"
        ends = dict.fromkeys(summary(value) for value in (self.values[0], self.values[-1]))
        return " … ".join(ends)


Margin = list[Beside]


def listed(source: Source, node: nodes.Element) -> SourceObject:
    """The object of a listing, as the file has it that the listing chose."""
    return next(obj for obj in source.shown(node["object"]) if str(obj.path) == node["file"])


def has_run(source: Source, obj: SourceObject) -> bool:
    """Whether what is listed is what a run imports; of another checkout's script the book's own is."""
    return source.find(obj.dotted).path == obj.path


def only(obj: SourceObject, wanted: str) -> list[Span]:
    """The statements of ``:only:``: of one quotation, or all from a first to a last with ``...`` between.

    Raises SourceError unless each quotation occurs exactly once.
    """
    return [statement(obj, match(obj, wanted.strip()))]


def shown_lines(obj: SourceObject, spans: Sequence[Span]) -> set[int]:
    """Every line of the object, or those of the spans."""
    if not spans:
        return set(range(obj.first_line, obj.last_line + 1))
    return {line for span in spans for line in range(span[0], span[2] + 1)}


def indent(obj: SourceObject) -> int:
    """How far in the whole of an object stands in its file."""
    lines = [line for line in obj.text.split("\n") if line.strip()]
    return min(len(line) - len(line.lstrip(" ")) for line in lines)


def dedented(obj: SourceObject) -> str:
    blanks = indent(obj)
    return "\n".join(line[blanks:] for line in obj.text.split("\n"))


def functions(obj: SourceObject) -> Iterator[tuple[str, Definition]]:
    """The functions of an object, itself included, with their dotted names."""
    pending: list[tuple[str, ast.AST]] = [(obj.dotted, obj.node)]
    while pending:
        dotted, node = pending.pop(0)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield dotted, node
        for child in getattr(node, "body", []):
            if isinstance(child, Definition):
                pending.append((f"{dotted}.{child.name}", child))


def activation(trace: Trace, function: str, pass_: str, module: str | None) -> Call | None:
    """The activation whose values stand beside a function's lines: the first that fits."""
    return next(iter(trace.calls(function, pass_, module)), None)


def margins(trace: Trace, call: Call) -> dict[int, Margin]:
    """For each line what was assigned, passed in or returned there; names with like values together."""
    sites: dict[Span, Beside] = {}
    for record in trace.records(call):
        if name := _margin_name(record):
            found = sites.setdefault(record.site.span, Beside([name], [], []))
            found.values.append(record.value)
            found.lasts[:] = [record.value]
    lines: dict[int, Margin] = {}
    for span, found in sites.items():
        _add(lines.setdefault(span.line, []), found)
    return lines


def _margin_name(record: Record) -> str:
    site, value = record.site, record.value
    if value.type == "tuple" and site.kind == "return":
        return "return" if any(item.type == "tensor" for item in value.items) else ""
    if value.type == "tensor" or (value.type == "scalar" and isinstance(value.scalar, int | float)):
        if site.kind in ("bind", "param"):
            return "" if site.name == "_" else site.name or ""
        return "return" if site.kind == "return" and value.type == "tensor" else ""
    return ""


def _add(margin: Margin, found: Beside) -> None:
    """Add what stands beside a line, to the names before it if these hold alike values."""
    last, value = margin[-1] if margin else None, found.values[0]
    if last and value.type == "tensor" and last.values[0].axes == value.axes and last.shape == found.shape:
        last.names.extend(found.names)
        last.lasts.extend(found.lasts)
    else:
        margin.append(found)


def unused(obj: SourceObject, trace: Trace, function: Definition, call: Call) -> set[int]:
    """The lines of branches that the activation did not take."""
    taken: dict[Span, set[bool]] = {}
    for record in trace.records(call):
        if record.site.kind == "test":
            taken.setdefault(record.site.span, set()).add(bool(record.value.scalar))
    lines: set[int] = set()
    for node in ast.walk(function):
        if not isinstance(node, ast.If):
            continue
        test = obj.module.span(node.test)
        if test in taken and True not in taken[test]:
            lines |= _lines(obj, node.body)
        if test in taken and False not in taken[test]:
            lines |= _lines(obj, node.orelse)
    return lines


def _lines(obj: SourceObject, body: Sequence[ast.stmt]) -> set[int]:
    spans = [obj.module.span(statement) for statement in body]
    return {line for span in spans for line in range(span.line, span.end_line + 1)}
