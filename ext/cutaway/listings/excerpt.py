"""The recorded shapes of an object's lines, and which of its lines an excerpt shows. Pure functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from ..source.find import Definition, SourceObject, Span
from ..source.quotation import match, statement
from ..trace.reading import Call, Record, Trace, Value

Margin = list[tuple[list[str], Value]]  # names that hold the same kind of value, and the value


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
    lines: dict[int, list[tuple[str, Value]]] = {}
    seen = set()
    for record in trace.records(call):
        name = _margin_name(record)
        if name and record.site.span not in seen:  # of a loop, the first round
            seen.add(record.site.span)
            lines.setdefault(record.site.span.line, []).append((name, record.value))
    return {line: _together(found) for line, found in lines.items()}


def _margin_name(record: Record) -> str:
    site, value = record.site, record.value
    if value.type == "tuple" and site.kind == "return":
        return "return" if any(item.type == "tensor" for item in value.items) else ""
    if value.type == "tensor" or (value.type == "scalar" and isinstance(value.scalar, int | float)):
        if site.kind in ("bind", "param"):
            return "" if site.name == "_" else site.name or ""
        return "return" if site.kind == "return" and value.type == "tensor" else ""
    return ""


def _together(found: list[tuple[str, Value]]) -> Margin:
    result: Margin = []
    for name, value in found:
        if (
            result
            and value.type == "tensor"
            and result[-1][1].shape == value.shape
            and result[-1][1].axes == value.axes
        ):
            result[-1][0].append(name)
        else:
            result.append(([name], value))
    return result


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
