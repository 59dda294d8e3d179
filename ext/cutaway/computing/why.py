"""Why a number is what it is: the operands of the operation that made it, each with its place and its value.

``why(graph, values, node, index)`` looks one operation back. ``total`` computes the number again from what is told.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .graph import INPUT, WEIGHT, Graph
from .operands import EXPLAINED, Asked, cell_of
from .operations import KINDS, name_of
from .pointwise import POINTWISE
from .terms import Term, Why


def why(graph: Graph, values: Sequence[Any], node: int, index: Sequence[int]) -> Why:
    """The operands of one number; IndexError where there is no such place."""
    asked, cell = graph.nodes[node], cell_of(values, node, index)
    if asked.op in (WEIGHT, INPUT):
        return Why(cell, asked.op, asked.op, asked.op)
    question = Asked(graph, values, node, cell.index)
    name = name_of(asked.op, question.args, question.keywords)
    kind = kind_of(name) if isinstance(values[node], int | float) or hasattr(values[node], "shape") else "unknown"
    terms, numbers = EXPLAINED[kind](question) if kind in EXPLAINED else ((), {})
    return Why(cell, asked.op, name, kind, tuple(terms), numbers)


def kind_of(name: str) -> str:
    """The kind of an operation by its proper name."""
    return next((kind for kind, acts in KINDS.items() if name in acts), "unknown")


def total(found: Why) -> float:
    """The number, computed from what is told of it; of what has no operands, the number itself."""
    return float(_TOTALS[found.kind](found)) if found.kind in _TOTALS else found.cell.value


def _sum(found: Why) -> float:
    return math.fsum(term.part or 0.0 for term in found.terms) if _is_finite(found) else sum(map(_part, found.terms))


def _is_finite(found: Why) -> bool:
    return all(math.isfinite(_part(term)) for term in found.terms)


def _part(term: Term) -> float:
    return term.part or 0.0


def _mean(found: Why) -> float:
    if found.name == "linalg_vector_norm":
        return math.sqrt(_sum(found))
    return _sum(found) if found.name == "sum" else _sum(found) / found.numbers["count"]


def _value(found: Why, role: str, default: float = 0.0) -> float:
    term = found.term(role)
    return default if term is None else term.cell.value


def _softmax(found: Why) -> float:
    above, sum_ = _value(found, "own") - found.numbers["max"], found.numbers["sum"]
    return math.exp(above) / sum_ if found.name == "softmax" else above - math.log(sum_)


def _norm(found: Why) -> float:
    numbers = found.numbers
    spread = math.sqrt(numbers.get("variance", numbers.get("square")) + numbers["eps"])
    scaled = (_value(found, "own") - numbers.get("mean", 0.0)) / spread
    return scaled * _value(found, "gain", 1.0) + _value(found, "shift")


def _mask(found: Why) -> float:
    is_filled = bool(_value(found, "mask")) == bool(found.numbers["when"])
    return float(found.numbers["fill"]) if is_filled else _value(found, "own")


def _function(found: Why) -> float:
    given = {**found.numbers, **{term.role: np.asarray(term.cell.value)[()] for term in found.terms}}
    keywords = {name: value for name, value in given.items() if name not in ("a", "b", "c")}
    with np.errstate(all="ignore"):
        return float(POINTWISE[found.name](*(given.get(role) for role in roles(given)), **keywords))


def roles(given: Mapping[str, Any]) -> list[str]:
    """The roles of a function's operands up to the last that is given."""
    return list("abc"[: max("abc".index(role) for role in "abc" if role in given) + 1])


_TOTALS: dict[str, Callable[[Why], float]] = {
    "product": _sum, "mean": _mean, "softmax": _softmax, "norm": _norm, "mask": _mask, "function": _function,
    "same": lambda found: _value(found, "same"), "pick": lambda found: _value(found, "row"),
}  # fmt: skip
