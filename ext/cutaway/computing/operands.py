"""Which numbers an operation took for one of its results, by its kind: where each stands, and what it adds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .graph import Graph
from .interpret import given, reference
from .moves import IN_PLACE, chosen
from .operations import compute, name_of
from .pointwise import operands
from .products import ATTENTION, plan, shares
from .rows import axes_of, moments, norm_of, surprise
from .terms import Cell, Index, Term

Told = tuple[Sequence[Term], Mapping[str, Any]]


def cell_of(values: Sequence[Any], node: int, index: Sequence[int]) -> Cell:
    """One number of a node; places may be counted from the end. IndexError where there is no such place."""
    array = np.asarray(values[node]) if not isinstance(values[node], list) else np.zeros(())
    if len(index) != array.ndim:
        raise IndexError(f"{len(index)} places where there are {array.ndim} axes")
    found = array[tuple(index)].item()
    return Cell(node, tuple(int(i) % size for i, size in zip(index, array.shape, strict=True)), found)


class Asked:
    """One number of a node's result, with the node's arguments: as they are written (``raw``) and as they came."""

    def __init__(self, graph: Graph, values: Sequence[Any], node: int, index: Index) -> None:
        self.graph, self.values, self.node, self.index = graph, values, node, index
        self.raw: list[Any] = graph.nodes[node].args
        self.args: list[Any] = given(self.raw, values)
        self.keywords = {name: given(one, values) for name, one in graph.nodes[node].kwargs.items()}
        self.name = name_of(graph.nodes[node].op, self.args, self.keywords)

    def cell(self, raw: Any, index: Sequence[int]) -> Cell:
        """A number of an argument."""
        node = reference(raw)
        assert node is not None
        return cell_of(self.values, node, index)

    def under(self, raw: Any, index: Index | None = None) -> Cell:
        """The number of an argument that goes with a place of the result: fewer numbers go with all places."""
        shape = np.shape(given(raw, self.values))
        own = (self.index if index is None else index)[-len(shape) :] if shape else ()
        return self.cell(raw, [0 if size == 1 else i for i, size in zip(own, shape, strict=True)])

    def along(self, raw: Any, index: Sequence[int], axes: Sequence[int]) -> Iterator[Cell]:
        """All numbers of an argument along some axes, through a place."""
        shape = np.shape(given(raw, self.values))
        for place in np.ndindex(*(shape[axis] for axis in axes)):
            whole = list(index)
            for axis, i in zip(axes, place, strict=True):
                whole[axis] = i
            yield self.cell(raw, whole)


def origin(asked: Asked, node: int, index: Index) -> Cell:
    """Where a number stood before it was moved: the operation is done on the numbers of the places instead."""
    ends: list[tuple[int, Any]] = [(0, None)]

    def places(raw: Any) -> Any:
        if isinstance(raw, list):
            return [places(one) for one in raw]
        value, at = given(raw, asked.values), reference(raw)
        if at is not None and isinstance(value, list):
            return moved(at)
        ends.append((ends[-1][0] + value.size, raw))
        return np.arange(ends[-2][0], ends[-1][0]).reshape(value.shape)

    def moved(at: int) -> Any:
        op, raw, keywords = asked.graph.nodes[at].op, asked.graph.nodes[at].args, asked.graph.nodes[at].kwargs
        return compute(op, [places(raw[0]), *given(raw[1:], asked.values)], keywords)

    place = int(moved(node)[index])
    start, (_, raw) = next((before, this) for (before, _), this in itertools.pairwise(ends) if place < this[0])
    return asked.cell(raw, np.unravel_index(place - start, given(raw, asked.values).shape))  # type: ignore[arg-type]


def _same(asked: Asked) -> Told:
    is_in_place = asked.name in IN_PLACE
    cell = asked.cell(asked.raw[0], asked.index) if is_in_place else origin(asked, asked.node, asked.index)
    return [Term("same", cell)], {}


def _pick(asked: Asked) -> Told:
    """The number in the table, and each number that chose it."""
    if asked.name == "gather":
        ids = asked.cell(asked.raw[2], asked.index)
        row = [*asked.index]
        row[asked.raw[1]] = int(ids.value)
        return [Term("row", asked.cell(asked.raw[0], row)), Term("id", ids)], {}
    if asked.name == "embedding":  # a table may be large: its places are not sent through
        ids = asked.cell(asked.raw[1], asked.index[:-1])
        return [Term("row", asked.cell(asked.raw[0], (int(ids.value), asked.index[-1]))), Term("id", ids)], {}
    terms = [Term("row", origin(asked, asked.node, asked.index))]
    by = chosen(asked.name, asked.raw, asked.args[0].ndim)
    axes = [axis for axis, one in enumerate(by) if one is not None]
    arrays = [given(by[axis], asked.values) for axis in axes]
    if any(array.dtype == np.bool_ for array in arrays):  # a mask tells no single number
        return terms, {}
    first = axes[0] if axes == list(range(axes[0], axes[-1] + 1)) else 0
    place = asked.index[first : first + np.broadcast(*arrays).ndim]
    return [*terms, *(Term("id", asked.under(by[axis], place)) for axis in axes)], {}


def _function(asked: Asked) -> Told:
    terms: list[Term] = []
    numbers = dict(asked.keywords) if asked.name not in ("int", "bool") else {}
    for role, raw, one in zip("abc", [*asked.raw[:3], None, None], operands(asked.name, asked.args), strict=False):
        if asked.name in ("tril", "triu") and role == "b":
            numbers[role] = float(one[asked.index[-2:]])
        elif reference(raw) is not None:
            terms.append(Term(role, asked.under(raw)))
        elif one is not None:
            numbers[role] = one
    return terms, numbers


def _mask(asked: Asked) -> Told:
    """What the mask decides between: ``fill`` stands where it is ``when``; of two tensors, that of fewer numbers."""
    mask, own, fill, when = 1, 0, 2, 1
    if asked.name == "where":
        is_swapped = np.size(asked.args[1]) < np.size(asked.args[2])
        mask, own, fill, when = (0, 2, 1, 1) if is_swapped else (0, 1, 2, 0)
    terms = [Term("mask", asked.under(asked.raw[mask]))]
    put = asked.args[fill]
    for role, place in (("own", own), ("fill", fill)):
        if reference(asked.raw[place]) is not None:
            terms.append(Term(role, asked.under(asked.raw[place])))
            put = terms[-1].cell.value if role == "fill" else put
    if reference(asked.raw[own]) is None:
        terms.append(Term("own", Cell(-1, (), float(asked.args[own]))))
    return terms, {"fill": float(put), "when": when}


def _product(asked: Asked) -> Told:
    if asked.name == ATTENTION:
        return _attention(asked)
    factors = (asked.args[1] if asked.name == "einsum" else asked.args)[asked.name == "addmm" :][:2]
    found = plan(asked.name, asked.raw, [one.ndim for one in factors])
    sizes = dict.fromkeys(found.summed, 1)
    for axes, one in ((found.first, factors[0]), (found.second, factors[1])):
        sizes |= {axis: max(size, sizes.get(axis, 1)) for axis, size in zip(axes, one.shape, strict=True)}
    own = dict(zip(found.out, asked.index, strict=True))
    terms = []
    for place in np.ndindex(*(sizes[axis] for axis in found.summed)):
        at = {**own, **dict(zip(found.summed, place, strict=True))}
        x, w = (
            asked.cell(raw, [0 if size == 1 else at[axis] for axis, size in zip(axes, one.shape, strict=True)])
            for raw, axes, one in zip(found.factors, (found.first, found.second), factors, strict=True)
        )
        terms.append(Term("term", x, x.value * w.value, w))
    if found.bias is not None:
        added = asked.under(found.bias)
        terms.append(Term("bias", added, added.value))
    return terms, {}


def _attention(asked: Asked) -> Told:
    """What is taken of each value; how much of it stands in no node, for it is computed inside of the operation."""
    q, k, v, *more = asked.args
    mask, _, is_causal = [*more, None, None, None][:3]
    weights = shares(q, k, mask, bool(is_causal or asked.keywords.get("is_causal")), asked.keywords.get("scale"))
    *outer, row, column = asked.index
    heads = [*outer[:-1], outer[-1] * v.shape[-3] // q.shape[-3]] if outer else []
    terms = []
    for at in range(v.shape[-2]):
        cell = asked.cell(asked.raw[2], [*heads, at, column])
        share = Cell(-1, (*outer, row, at), float(weights[(*outer, row, at)]))
        terms.append(Term("term", cell, cell.value * share.value, share))
    return terms, {}


def _softmax(asked: Asked) -> Told:
    axis = axes_of(asked.args[0], asked.args[1])
    row = list(asked.along(asked.raw[0], asked.index, axis))
    numbers = np.array([cell.value for cell in row])
    parts = np.exp(numbers - numbers.max())
    role = ["own" if cell.index == asked.index else "row" for cell in row]
    terms = [Term(*one) for one in zip(role, row, parts.tolist(), strict=True)]
    return terms, {"max": float(numbers.max()), "sum": float(parts.sum())}


def _norm(asked: Asked) -> Told:
    norm = norm_of(asked.name, asked.args)
    written = norm_of(asked.name, asked.raw)
    axes = range(len(asked.index) - norm.rank, len(asked.index))
    inside = asked.index[axes[0] :]
    terms = [Term("own", asked.cell(asked.raw[0], asked.index))]
    learned = (("gain", written.gain), ("shift", written.shift))
    terms += [Term(role, asked.cell(raw, inside)) for role, raw in learned if raw is not None]
    row = list(asked.along(asked.raw[0], asked.index, axes))
    mean, square = moments(np.array([cell.value for cell in row]), (0,), norm.is_centred)
    numbers = {"mean": mean.item(), "variance": square.item()} if norm.is_centred else {"square": square.item()}
    return [*terms, *(Term("row", cell) for cell in row)], {**numbers, "eps": norm.eps}


def _mean(asked: Asked) -> Told:
    if asked.name == "cross_entropy_loss":
        return _loss(asked)
    is_length = asked.name == "linalg_vector_norm"  # which has its power before the axes
    x, named, is_kept = [*asked.args[:1], *asked.args[1 + is_length :], None, None][:3]
    axes, own = axes_of(x, named), iter(asked.index)
    start = list(own) if is_kept else [0 if axis in axes else next(own) for axis in range(x.ndim)]
    cells = asked.along(asked.raw[0], start, axes)
    terms = [Term("row", cell, float(cell.value) ** 2 if is_length else cell.value) for cell in cells]
    return terms, {"count": len(terms)}


def _loss(asked: Asked) -> Told:
    """For each position that counts: minus the logarithm of the probability of the right token."""
    logits, target, _, reduction, ignored = [*asked.args, *(None, 1, -100)[len(asked.args) - 2 :]][:5]
    positions = [asked.index] if reduction == 0 else list(np.ndindex(*target.shape))
    counting = [(place, int(target[place])) for place in positions if target[place] != ignored]
    terms = [
        Term("row", asked.cell(asked.raw[0], (*place, id)), surprise(logits[place], id)) for place, id in counting
    ]
    return terms, {"count": len(terms) if reduction == 1 else 1}


EXPLAINED: dict[str, Callable[[Asked], Told]] = {
    "same": _same, "pick": _pick, "function": _function, "mask": _mask, "product": _product, "softmax": _softmax,
    "norm": _norm, "mean": _mean,
}  # fmt: skip
