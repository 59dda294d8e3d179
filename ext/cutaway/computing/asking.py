"""From a name to a number and its reasons.

``sort.forward/h.0.attn/att[0,0,5,2]``, a step in the place of the variable, a weight as in
``sort.params/h.0.attn.c_attn.weight[3,7]``, or any number by its node: ``sort.forward#71[0,0,5,2]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from ..source.find import Source
from ..trace.names import PASS, Found, Names, Place, UnknownName
from ..trace.reading import Record, Trace, is_tail
from ..trace.ways import Ways
from .formulas import shown
from .graph import Graph, graph_of
from .interpret import UnknownOperation, recorded
from .lines import Lines
from .naming import CellNames, RecordNames, written
from .telling import told

_ASKED = re.compile(
    r"(?P<name>[^\[\]#]+(?:\[\d{1,9}\](?=\[))?)(?:#(?P<node>\d{1,6}))?"
    r"(?:\[\s*(?P<index>-?\d{1,9}(?:\s*,\s*-?\d{1,9})*)?\s*,?\s*\])?"
)
PARAMS = "params"


def run_of(name: str) -> str:
    """The run that a name begins with."""
    return re.split(r"[./@#\[]", name.strip(), maxsplit=1)[0]


def reasons(trace: Trace, steps: Mapping[str, Place], source: Source, name: str) -> str:
    """What a number was made of, in lines; without an index how to write one. UnknownName where there is none."""
    asked = _ASKED.fullmatch(name.strip())
    if asked is None:
        raise UnknownName(f"'{name}': write RUN.PASS/MODULE/NAME[i,j], as in sort.forward/h.0.attn/att[0,0,5,2]")
    index = None if asked["index"] is None else tuple(int(one) for one in asked["index"].split(","))
    names, lines = Names({trace.run: trace}, steps), Lines(source, trace)
    head, _, _ = asked["name"].partition("/")
    pass_ = re.sub(r"@.*", "", head).partition(".")[2] or PASS
    if asked["node"]:
        return _of_node(graph_of(trace, pass_), names, lines, int(asked["node"]), index)
    found = _tensor(names.resolve(asked["name"]), asked["name"])
    if pass_ == PARAMS:
        return _weight(found, asked["name"], index)
    record = _record(trace, pass_, asked["name"], found, steps)
    why_not = f"its numbers one by one are known where the run says record.live({pass_!r}, model, ...)"
    if pass_ in trace.live:
        graph = graph_of(trace, pass_)
        node = graph.node_of(record)
        try:
            _computed(trace, pass_)
            why_not = f"the graph of {graph.name} has no such tensor"
        except UnknownOperation as error:
            node, why_not = None, f"its numbers one by one are not known: {error}"
        if node is not None:
            return _of_node(graph, names, lines, node, index, asked["name"])
    return "\n".join(_producers(names, lines, record, asked["name"], index, why_not))


def _tensor(found: Found, name: str) -> Found:
    """What a name stands for, if it is a tensor."""
    value = found.value
    if value is None:
        raise UnknownName(f"'{name}' is {'a series of the log' if found.series else 'a fact'}: no operation made it")
    if found.is_shape:
        raise UnknownName(f"'{name}' is a shape: no operation made it; ask for a number of the tensor itself")
    if value.type == "tuple":
        raise UnknownName(f"'{name}' is a tuple of {len(value.items)}: write which, then the index, as in {name}[0][0]")
    if value.type != "tensor":
        raise UnknownName(f"'{name}' is a {value.type} and no tensor: no operation made it")
    return found


@lru_cache(maxsize=4)
def _computed(trace: Trace, pass_: str) -> tuple[Graph, list[Any]]:
    graph = graph_of(trace, pass_)
    return graph, recorded(graph)


def _of_node(
    asked: Graph, names: Names, lines: Lines, node: int, index: tuple[int, ...] | None, name: str = ""
) -> str:
    graph, values = _computed(asked.trace, asked.pass_)
    name = name or f"{graph.name}#{node}"
    if node >= len(values):
        raise UnknownName(f"'{name}': {graph.name} has {len(values)} nodes, numbered from 0")
    if isinstance(values[node], list):
        raise UnknownName(f"'{name}' is a list of {len(values[node])} tensors: ask for the node of one of them")
    shape = tuple(getattr(values[node], "shape", ()))
    if index is None and shape:
        return f"{_unindexed(name, shape, graph.axes(node))}\n  {lines.of_node(graph, node)}"
    place = _checked(name, shape, index)
    cells = CellNames(graph, values, names)
    return told(graph, values, node, place, cells, lambda number: lines.of_node(graph, number))


def _checked(name: str, shape: tuple[int, ...], index: tuple[int, ...] | None) -> tuple[int, ...]:
    """The index, counted from the first."""
    given = index or ()
    if len(given) != len(shape):
        raise UnknownName(f"'{name}' has the shape {shape}: an index has {len(shape)} places, as in {_example(shape)}")
    if any(not -size <= i < size for i, size in zip(given, shape, strict=True)):
        raise UnknownName(f"'{name}{written(given)}' is out of range: the shape is {shape}")
    return tuple(i % size for i, size in zip(given, shape, strict=True))


def _example(shape: tuple[int, ...]) -> str:
    return written([0] * len(shape))


def _unindexed(name: str, shape: tuple[int, ...], axes: tuple[str | None, ...] | None = None) -> str:
    letters = ", ".join(f"{axis or '?'}={size}" for axis, size in zip(axes or (), shape, strict=False))
    said = f" ({letters})" if letters else ""
    return f"{name} has the shape {shape}{said}: ask for one number of it, as in {name}{_example(shape)}"


def _weight(found: Found, name: str, index: tuple[int, ...] | None) -> str:
    assert found.value is not None
    shape = found.value.shape or ()
    if index is None and shape:
        return _unindexed(name, shape, found.value.axes)
    place = _checked(name, shape, index)
    number = found.value.array()[place].item()
    return f"{name}{written(place)} = {shown(number)}\n\na weight of the model, learned in training"


def _record(trace: Trace, pass_: str, name: str, found: Found, steps: Mapping[str, Place]) -> Record:
    """The record of a value: equal values of several places are one, so that the module and the variable count."""
    _, *inside = name.partition("[")[0].split("/")
    module, variable = ".".join(inside[:-1]), inside[-1].partition("@")[0]
    step = steps.get(variable)

    def distance(record: Record) -> tuple[bool, bool, bool, int]:
        is_elsewhere = bool(module) and not is_tail(module, record.call.module_path)
        is_bound = record.site.name == variable
        is_step = step is not None and step.object == record.call.function and step.span.contains(record.site.span)
        return is_elsewhere, not (is_step or is_bound), record.site.kind == "param", record.index

    value = found.value
    records = [record for call in trace.calls(pass_=pass_) for record in trace.records(call)]
    same = [record for record in records if record.value is value]
    same = same or [record for record in records if value and record.value.digest == value.digest]
    if not same:  # an item of a tuple that no variable held
        raise UnknownName(f"'{name}' is part of a value, and was never recorded by itself")
    return min(same, key=distance)


def _producers(
    names: Names, lines: Lines, record: Record, name: str, index: tuple[int, ...] | None, why_not: str
) -> Iterator[str]:
    """Of a tensor that no graph computes: the recorded values that it was made of, as the tape has it."""
    value, trace = record.value, lines.trace
    shape = value.shape or ()
    if index is None and shape:
        yield f"{name}: a tensor of shape {shape}"
    else:
        place = _checked(name, shape, index)
        yield f"{name}{written(place)} = {shown(value.array()[place].item())}"
    yield f"  {lines.of_record(record)}"
    called = RecordNames(names, trace.run, record.call.pass_)
    producers = Ways(trace).producers(record)
    yield f"\nmade of ({why_not}):" if producers else f"\nan input ({why_not})"
    for one in producers:
        yield f"  {called.name(one) or one.site.kind}  {one.value.shape or one.value.type}  {lines.of_record(one)}"
