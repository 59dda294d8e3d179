"""By which names one asks for the numbers of a pass: the other way than ``trace/names.py``, from a value to its name.

A recorded value has a name of that grammar (``sort.forward/h.0.attn/att@1``), a weight one as a parameter
(``sort.params/h.0.attn.c_attn.weight``). What nobody recorded is called by its node, ``sort.forward#66``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from ..trace.names import Names, UnknownName
from ..trace.reading import Call, Record, Value, is_tail
from .graph import WEIGHT, Graph
from .terms import Cell
from .why import why

KINDS = ("bind", "param")  # of the records that have a variable


def short(path: str, paths: Iterable[str]) -> str:
    """The shortest tail of a module path that is one path's alone: ``h.0.attn`` of ``transformer.h.0.attn``."""
    others, parts = set(paths) - {path}, path.split(".")
    for at in range(len(parts) - 1, 0, -1):
        tail = ".".join(parts[at:])
        if not parts[at].isdigit() and not any(is_tail(tail, other) for other in others):
            return tail
    return path


class RecordNames:
    """The names of recorded values of a pass."""

    def __init__(self, names: Names, run: str, pass_: str) -> None:
        self.names, self.trace = names, names.traces[run]
        self.head, self.pass_ = f"{run}.{pass_}", pass_
        self.calls = self.trace.calls(pass_=pass_)
        self.paths = {call.module_path for call in self.calls}
        self.steps = {(place.object, place.span): id for id, place in names.steps.items()}

    def name(self, record: Record) -> str:
        """What names the value of a record, by a variable of the same call that held it, or by its step; or ""."""
        same = [one for one in self.trace.records(record.call) if one.value.digest == record.value.digest]
        same.sort(key=lambda one: abs(one.index - record.index))
        return next((name for one in same for name in self._candidates(one) if self.leads_to(name, one.value)), "")

    def leads_to(self, name: str, value: Value) -> bool:
        try:
            return self.names.resolve(name).value is value
        except UnknownName:
            return False

    def _candidates(self, record: Record) -> Iterator[str]:
        path = short(record.call.module_path, self.paths) if record.call.module_path else ""
        inside = f"{path}/" if path else ""
        if record.site.name and record.site.kind in KINDS:
            variable, nth = self._variable(record, path)
            yield f"{self.head}/{inside}{variable}"
            yield f"{self.head}@{nth}/{inside}{variable}"
        step = self.steps.get((record.call.function, record.site.span))
        if step:
            yield f"{self.head}/{inside}{step}"

    def _variable(self, record: Record, path: str) -> tuple[str, int]:
        """The variable with the round in which it held the value, and the number of its activation."""
        name, named = record.site.name or "", self._named(record.call, record.site.name)
        at = next(number for number, one in enumerate(named) if one.index == record.index)
        is_last = at == len(named) - 1
        calls = [call for call in self.calls if not path or is_tail(path, call.module_path)]
        having = [call for call in calls if len(self._named(call, name)) > (0 if is_last else at)]
        return name if is_last else f"{name}@{at}", having.index(record.call)

    def _named(self, call: Call, name: str | None) -> list[Record]:
        return [one for one in self.trace.records(call) if one.site.name == name and one.site.kind in KINDS]


class CellNames:
    """The names of a graph's numbers."""

    def __init__(self, graph: Graph, values: Sequence[Any], names: Names) -> None:
        self.graph, self.values = graph, values
        self.records = RecordNames(names, graph.trace.run, graph.pass_)
        self.of_node = cache(self._of_node)

    def name(self, cell: Cell) -> str:
        """That of the same number a renaming before, where the number itself has none."""
        found = cell
        while not (name := self.of_node(found.node)):
            reason = why(self.graph, self.values, found.node, found.index)
            if reason.kind != "same":
                return f"{self.graph.name}#{cell.node}{written(cell.index)}"
            found = reason.terms[0].cell
        return f"{name}{written(found.index)}"

    def _of_node(self, number: int) -> str:
        if self.graph.nodes[number].op == WEIGHT:
            return self._parameter(number)
        order = {kind: number for number, kind in enumerate(KINDS)}
        records = sorted(self.graph.where.get(number, []), key=lambda record: order.get(record.site.kind, len(order)))
        return next((name for record in records if (name := self.records.name(record))), "")

    def _parameter(self, number: int) -> str:
        """A buffer is none and has no name; a weight that is used twice has two, and counts as the first."""
        params, node = self.graph.trace.params, self.graph.nodes[number]
        tied = [name for name, value in params.items() if value.digest == node.digest]
        own = node.kwargs["name"] if node.kwargs["name"] in params else next(iter(tied), "")
        name = f"{self.graph.trace.run}.params/{short(own, params)}"
        return name if own and self.records.leads_to(name, params[own]) else ""


def written(index: Sequence[int]) -> str:
    """An index as it is typed, without blanks; of a single number nothing."""
    return f"[{','.join(map(str, index))}]" if index else ""
