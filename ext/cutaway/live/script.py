"""A graph as the script that a page loads: operations, weights, what each node is called, and samples to check with.

``cutawayLive.define(NAME, JSON, BASE64)``: a plain call, which works from a file, too. ARCHITECTURE.md lists what the
JSON holds. Weights are little-endian; those that half precision holds exactly take half the bytes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..computing.graph import INPUT, WEIGHT, Graph
from ..source.find import Source
from ..source_pages.coverage import file_name
from ..trace.names import Place
from ..trace.reading import Record
from ..walks.taped import Taped

FORMAT = 1
ALIGNED = 8  # bytes; at each multiple of it an array may begin
RECORDED = "The numbers are those that were recorded; this pass can't be computed here."
SAMPLES = 8  # numbers of each recorded tensor


def script(graph: Graph, source: Source, steps: Mapping[str, tuple[Place, str]]) -> str:
    """The text of the script. ``steps``: by id, where each stands and its address from the site's root."""
    data, packed = _Bytes(), []
    hollow = graph.hollow if isinstance(graph, Taped) else ()
    for number, array in graph.weights.items():
        if number in hollow:
            packed.append([number, graph.label(number), list(array.shape), "none", 0])
            continue
        kind, numbers = _narrow(_cropped(graph, number, array))
        packed.append([number, graph.label(number), list(numbers.shape), kind, data.add(numbers.tobytes())])
    nodes = _Nodes(graph, source, steps)
    rows = [nodes.row(number) for number in range(len(graph.nodes))]
    is_taped = isinstance(graph, Taped)  # nothing is computed, so that nothing is compared
    made = [number for number, records in graph.where.items() if records[0].value.kept]
    checks = [] if is_taped else [number for number in made if graph.nodes[number].op != WEIGHT]
    found = [_sampled(graph.recorded(number), graph.scale(number)) for number in checks]
    described = {
        "format": FORMAT, "name": graph.name, "T": graph.T, "least": graph.least, "most": longest(graph),
        "reads": dict(graph.reads), **({"taped": True, "said": RECORDED} if is_taped else {}),
        "inputs": [] if is_taped else [array.reshape(-1).tolist() for array in graph.inputs],
        "nodes": rows, "weights": packed, "places": nodes.places, "steps": nodes.steps,
        "recorded": len(graph.found), "checks": checks, "checked": data.add(b"".join(found)),
    }  # fmt: skip
    text = json.dumps(described, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"cutawayLive.define({_quoted(graph.name)},{_quoted(text)},{_quoted(data.base64())});\n"


def longest(graph: Graph) -> int:
    """How many tokens a page lets its reader type: what ``reads`` says, what the graph takes."""
    asked = int(graph.reads.get("longest", 0))
    return min(asked or graph.most, graph.most) if graph.most else asked or graph.T


def _quoted(text: str) -> str:
    """A string of JavaScript."""
    return json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


class _Bytes:
    """Arrays one after the other."""

    def __init__(self) -> None:
        self._held = bytearray()

    def add(self, data: bytes) -> int:
        """Where the data begin."""
        self._held += b"\0" * (-len(self._held) % ALIGNED)
        self._held += data
        return len(self._held) - len(data)

    def base64(self) -> str:
        return base64.b64encode(bytes(self._held)).decode()


def _narrow(array: np.ndarray) -> tuple[str, np.ndarray]:
    """The smallest kind of number that holds an array exactly, and the array in it."""
    if array.dtype == np.bool_:
        return "bool", array.astype("u1")
    if array.dtype.kind in "iu" and array.size and array.min() >= -128 and array.max() < 128:
        return "i8", array.astype("i1")
    with np.errstate(over="ignore"):
        half = array.astype("<f2")
    return ("f16", half) if np.array_equal(half.astype(array.dtype), array) else ("f32", array.astype("<f4"))


def _cropped(graph: Graph, number: int, array: np.ndarray) -> np.ndarray:
    """A table of positions (angles, masks) without those beyond the longest input: every use of it cuts them off."""
    uses = [node for node in graph.nodes if f"%{number}" in node.args]
    cuts = {(int(node.args[1]), str(node.args[2]), str(node.args[3])) for node in uses if node.op == "slice.Tensor"}
    if len(cuts) != 1 or any(node.op != "slice.Tensor" for node in uses):
        return array
    axis, start, end = cuts.pop()
    if start not in ("None", "0") or not end.startswith("%"):
        return array
    few: np.ndarray = np.take(array, np.arange(min(array.shape[axis], longest(graph))), axis)
    return few


def _sampled(array: np.ndarray, scale: float) -> bytes:
    """The norm of the finite numbers, what differences are measured by, and some of the numbers, spread evenly."""
    flat = array.astype("f4").reshape(-1)
    finite = flat[np.isfinite(flat)].astype("f8")
    few = [flat[k * (flat.size - 1) // (SAMPLES - 1)] for k in range(SAMPLES)] if flat.size else [0.0] * SAMPLES
    return np.array([np.sqrt((finite**2).sum()), scale, *few], "<f4").tobytes()


def _is_row(shape: tuple[int, ...]) -> bool:
    """Whether an input is one row, as tokens are: a page gives it its length."""
    return len(shape) == 2 and shape[0] == 1


class _Nodes:
    """What a page says of each node: its name, the letters of its axes, the line that made it and the step there."""

    def __init__(self, graph: Graph, source: Source, steps: Mapping[str, tuple[Place, str]]) -> None:
        self.graph, self.source = graph, source
        self.places: list[list[Any]] = []
        self.steps: dict[str, str] = {}
        self._step_of = steps_by_node(graph, steps)
        self._addresses = {name: address for name, (_, address) in steps.items()}

    def row(self, number: int) -> list[Any]:
        node, axes = self.graph.nodes[number], self.graph.axes(number)
        args, kwargs = node.args, node.kwargs
        if node.op == INPUT and not _is_row(shape := np.shape(self.graph.inputs[args[0]])):
            args = [args[0], list(shape)]
        if node.op == WEIGHT:
            args, kwargs = [], {} if node.digest in self.graph.learned else {"buffer": True}
        step = self._step_of.get(number, "")
        if step:
            self.steps[step] = self._addresses[step]
        where = [record for record in self.graph.where.get(number, []) if record.site.kind != "param"]
        place = self._place(where[0]) if where and node.op not in (WEIGHT, INPUT) else -1
        return [node.op, args, kwargs, node.module, place, self.graph.label(number), list(axes) if axes else None, step]

    def _place(self, record: Record) -> int:
        obj, line = self.source.find(record.call.function), record.site.span.line
        row = [file_name(obj.module), line, obj.module.text.split("\n")[line - 1].strip()]
        if row not in self.places:
            self.places.append(row)
        return self.places.index(row)


def steps_by_node(graph: Graph, steps: Mapping[str, tuple[Place, str]]) -> dict[int, str]:
    """By node, the step that its value was recorded at."""
    return dict(_steps_of(graph, steps))


def _steps_of(graph: Graph, steps: Mapping[str, tuple[Place, str]]) -> Iterator[tuple[int, str]]:
    """The step that a node's value was recorded at; the innermost quotation comes last and counts."""
    by_size = sorted(steps.items(), key=lambda item: (item[1][0].span[2] - item[1][0].span[0], item[0]), reverse=True)
    for name, (place, _) in by_size:
        for record in graph.records:
            is_there = record.call.function == place.object and place.span.contains(record.site.span)
            if is_there and (record.site.span == place.span or record.site.kind == "bind"):
                node = graph.node_of(record)
                if node is not None:
                    yield node, name
