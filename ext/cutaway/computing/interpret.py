"""Compute an exported graph in NumPy: what every node gives, for the recorded input or another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..trace.reading import Value
from .graph import INPUT, WEIGHT, Graph
from .operations import NoOperation, compute

ODD = {"inf": np.inf, "-inf": -np.inf, "nan": np.nan}  # numbers that JSON lacks
CLOSE = 2e-5  # of a tensor's largest number: two that are nearer may change places


class UnknownOperation(LookupError):
    """An operation that nobody wrote down here, or not for such arguments; it says of which node."""


def run(
    graph: Graph, inputs: Sequence[np.ndarray], change: Mapping[int, Callable[[Any], Any]] | None = None
) -> list[Any]:
    """What each node gives: arrays, sizes, lists of arrays. ``change``: what is made of a node's value at once."""
    values: list[Any] = []
    with np.errstate(all="ignore"):  # infinities and what comes of them are numbers of the model
        for number in range(len(graph.nodes)):
            value = _value(graph, number, inputs, values)
            values.append(change[number](value) if change and number in change else value)
    return values


def recorded(graph: Graph) -> list[Any]:
    """What each node gave when the pass was recorded: the very numbers where they were kept, else computed ones."""
    kept = {number: records[0].value for number, records in graph.where.items() if records[0].value.kept}
    return run(graph, graph.inputs, {number: partial(_instead, value) for number, value in kept.items()})


def _instead(value: Value, _: Any) -> np.ndarray:
    return value.array()


def _value(graph: Graph, number: int, inputs: Sequence[np.ndarray], values: Sequence[Any]) -> Any:
    node = graph.nodes[number]
    if node.op == WEIGHT:
        return graph.weights[number]
    if node.op == INPUT:
        return inputs[node.args[0]]
    keywords = {name: given(one, values) for name, one in node.kwargs.items()}
    where = f"(node {number}, {graph.label(number)})"
    try:
        return compute(node.op, given(node.args, values), keywords)
    except NoOperation:
        raise UnknownOperation(f"no operation {node.op} {where}") from None
    except (LookupError, TypeError, ValueError, NotImplementedError, OverflowError) as error:
        raise UnknownOperation(f"the operation {node.op} {where}: {error}") from error


def given(argument: Any, values: Sequence[Any]) -> Any:
    """An argument of a node: ``%3`` is what node 3 gave."""
    if isinstance(argument, list):
        return [given(one, values) for one in argument]
    if isinstance(argument, str):
        node = reference(argument)
        return ODD.get(argument, argument) if node is None else values[node]
    return argument


def reference(argument: Any) -> int | None:
    """The node that an argument stands for."""
    is_node = isinstance(argument, str) and argument.startswith("%") and argument[1:].isdigit()
    return int(argument[1:]) if is_node else None


def compare(graph: Graph, values: Sequence[Any]) -> tuple[float, int]:
    """The largest difference from what was recorded, as a share of its tensor's largest number, and its node.

    Infinite where another number is finite, or where another number of a row is its largest.
    """
    kept = [node for node, records in graph.where.items() if records[0].value.kept]
    differences = ((_difference(graph.recorded(node), values[node], graph.scale(node)), node) for node in kept)
    return max(differences, default=(0.0, 0))


def _difference(recorded: np.ndarray, computed: Any, scale: float) -> float:
    theirs, ours = np.asarray(recorded, "f8"), np.asarray(computed, "f8")
    finite = np.isfinite(theirs)
    if theirs.shape != ours.shape or not np.array_equal(theirs[~finite], ours[~finite], equal_nan=True):
        return np.inf
    if not np.isfinite(ours[finite]).all() or not _same_best(theirs, ours, scale):
        return np.inf
    return float(np.abs(theirs[finite] - ours[finite]).max(initial=0) / scale)


def _same_best(theirs: np.ndarray, ours: np.ndarray, scale: float) -> bool:
    """Whether the largest number of each row is the same one, or one that is as good as equal."""
    if not theirs.ndim or not theirs.size:
        return True
    best = np.take_along_axis(theirs, ours.argmax(-1)[..., None], -1)[..., 0]
    return bool((theirs.max(-1) - best <= 2 * CLOSE * scale).all())
