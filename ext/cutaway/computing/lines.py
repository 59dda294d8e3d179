"""The lines of the source that made what a graph or a trace holds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from ..source.find import Module, Source, SourceError, SourceObject
from ..trace.reading import Record, Trace
from .graph import INPUT, WEIGHT, Graph


class Lines:
    """Lines as ``nanogpt/model.py:77: att = F.softmax(att, dim=-1)``."""

    def __init__(self, source: Source, trace: Trace) -> None:
        self.trace = trace
        self._source = source
        self._found = cache(self._find)

    def of_record(self, record: Record) -> str:
        found, line = self._found(record.call.function), record.site.span.line
        return _said(found.module, line) if found else f"{record.call.function}:{line}"

    def of_node(self, graph: Graph, number: int) -> str:
        """The line at which the operation ran: torch names it by its number alone, the module says in which file."""
        node = graph.nodes[number]
        if node.op in (WEIGHT, INPUT):
            return ""
        for obj in self._around(graph.pass_, node.module):
            if obj.first_line <= node.line <= obj.last_line:
                return _said(obj.module, node.line)
        records = sorted(graph.where.get(number, []), key=lambda record: record.site.kind == "param")
        return self.of_record(records[0]) if records else ""

    def _around(self, pass_: str, module: str) -> Iterator[SourceObject]:
        """The functions that were called for a module, then for those around it."""
        while True:
            calls = [call for call in self.trace.calls(pass_=pass_) if call.module_path == module]
            for function in dict.fromkeys(call.function for call in calls):
                if found := self._found(function):
                    yield found
            if not module:
                return
            module = module.rpartition(".")[0]

    def _find(self, function: str) -> SourceObject | None:
        try:
            return self._source.find(function)
        except SourceError:
            return None


def _said(module: Module, line: int) -> str:
    name = "/".join(module.name.split(".")) + ("/__init__.py" if module.path.name == "__init__.py" else ".py")
    return f"{name}:{line}: {module.lines[line - 1].strip()}"
