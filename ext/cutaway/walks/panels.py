"""Which tensors of a pass are seen, and in which form: panels, each a stack of grids of cells.

What only renames numbers (views, transposes, splits, dropout in ``eval``) makes no panel. A value is shown in the form
in which something that computes takes it, where that form has more axes: ``c_attn``'s result as queries, keys and
values by head. The letters of the axes decide the directions: T runs across, channels down, heads into the depth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from ..computing.graph import INPUT, WEIGHT, Graph, Node
from ..computing.interpret import given, reference
from ..computing.operations import KINDS, name_of
from .beside import beside
from .grids import Grid, Panel

RECORDED = "recorded"  # the operation of a tensor of which nobody knows what made it
ASSEMBLING = ("cat", "stack")  # of the renamings those that make one tensor of several


class Seen:
    """The panels of a graph, and from which operation to which something flows."""

    def __init__(self, graph: Graph, values: Sequence[Any]) -> None:
        self.graph, self.values = graph, values
        self.hollow: frozenset[int] = getattr(graph, "hollow", frozenset())  # of which only the shape is known

    def references(self, number: int) -> list[int]:
        """The nodes that an operation takes, in their order."""

        def walk(argument: Any) -> Iterator[int]:
            if isinstance(argument, list):
                for one in argument:
                    yield from walk(one)
            elif (found := reference(argument)) is not None:
                yield found

        node = self.graph.nodes[number]
        return [] if node.op in (WEIGHT, INPUT) else [*walk(node.args), *walk(list(node.kwargs.values()))]

    def name(self, number: int) -> str:
        """The operation's own name, ``view`` of ``reshape.default``."""
        node = self.graph.nodes[number]
        return name_of(node.op, given(node.args, self.values), node.kwargs)

    def kind(self, number: int) -> str:
        """What kind of operation made a node: ``product``, ``function``, ``norm``; "" of a weight or an input."""
        node = self.graph.nodes[number]
        if node.op in (WEIGHT, INPUT):
            return ""
        return next((kind for kind, known in KINDS.items() if self.name(number) in known), "function")

    def is_tensor(self, number: int) -> bool:
        return isinstance(self.values[number], np.ndarray | np.generic)

    @cached_property
    def renames(self) -> dict[int, int]:
        """The nodes that only rename, or leave every number as it is, with what they rename."""
        found: dict[int, int] = {}
        for number, node in enumerate(self.graph.nodes):
            if node.op in (WEIGHT, INPUT) or not (taken := self.references(number)):
                continue
            is_view = self.kind(number) == "same" and self.name(number) not in ASSEMBLING
            if is_view or self._leaves(number, taken[0]):
                found[number] = taken[0]
        return found

    def _leaves(self, number: int, before: int) -> bool:
        """Whether an operation gave what it took: times 1, or added to nothing."""
        if number in self.hollow:
            return False
        one, other = self.values[number], self.values[before]
        is_alike = self.is_tensor(number) and self.is_tensor(before) and np.shape(one) == np.shape(other)
        return is_alike and self.kind(number) == "function" and bool(np.array_equal(one, other, equal_nan=True))

    def origin(self, number: int) -> int:
        """The operation, weight or input whose numbers a node has."""
        while number in self.renames:
            number = self.renames[number]
        return number

    @cached_property
    def moving(self) -> frozenset[int]:
        """The nodes that depend on a learned weight or on the input; the others are constants, such as a mask."""
        found: set[int] = set()
        for number, node in enumerate(self.graph.nodes):
            is_begun = node.op in (INPUT, RECORDED) or self._is_learned(node)
            if is_begun or (self.kind(number) != "constant" and found & {*self.references(number)}):
                found.add(number)
        return frozenset(found)

    def _is_learned(self, node: Node) -> bool:
        """A parameter of the model: of several models that one run recorded, some have parameters of one name."""
        named = node.kwargs.get("name") in self.graph.trace.params
        return node.op == WEIGHT and (named or node.digest in self.graph.learned)

    @cached_property
    def shown(self) -> list[int]:
        """The operations that get a panel, in the order in which they ran."""
        is_real = (
            number in self.moving and number not in self.renames and self.is_tensor(number) and self.kind(number) != ""
            for number in range(len(self.graph.nodes))
        )
        return [number for number, shown in enumerate(is_real) if shown]

    @cached_property
    def taken(self) -> dict[int, list[int]]:
        """By operation, the operations and inputs whose numbers it takes, weights aside."""
        drawn = {*self.shown, *(n for n, node in enumerate(self.graph.nodes) if node.op == INPUT)}
        return {
            number: list(dict.fromkeys(o for a in self.references(number) if (o := self.origin(a)) in drawn))
            for number in self.shown
        }

    @cached_property
    def _uses(self) -> dict[int, list[int]]:
        """By origin, the nodes in whose form operations take its numbers."""
        found: dict[int, list[int]] = {}
        for number in self.shown:
            for one in self.references(number):
                if self.is_tensor(one):
                    found.setdefault(self.origin(one), []).append(one)
        return found

    def letters(self, number: int) -> tuple[str, ...]:
        """A letter for each axis, or ""; those of an equal shape before, where a renaming left it."""
        axes, shape = self.graph.axes(number), np.shape(self.values[number])
        while axes is None and number in self.renames and np.shape(self.values[self.renames[number]]) == shape:
            number = self.renames[number]
            axes = self.graph.axes(number)
        return tuple(axis or "" for axis in axes) if axes else ("",) * len(shape)

    def panels(self, number: int) -> list[Panel]:
        """The panels of one operation, each with the weights that it was made with."""
        return [self._panel(form, number) for form in self._forms(number)]

    def _forms(self, number: int) -> list[int]:
        """The nodes whose shape shows an operation's numbers best: with more axes than its own, where taken so."""

        def axes(node: int) -> int:
            return sum(size != 1 for size in np.shape(self.values[node]))

        def part(node: int) -> tuple[Any, ...]:
            """Which of the numbers a form has: those that its splits and slices choose."""
            if node == number:
                return ()
            chooses = self.name(node) in ("getitem", "slice", "select") and np.size(self.values[node]) != np.size(
                self.values[number]
            )
            return (*part(self.renames[node]), *([node] if chooses else []))

        finer = [node for node in self._uses.get(number, []) if axes(node) > axes(number) and self._is_lettered(node)]
        if not finer and not self._is_lettered(number):  # the same numbers, in a form that has names
            finer = [node for node in self._uses.get(number, []) if self._is_lettered(node) and not part(node)][:1]
        forms: dict[tuple[Any, ...], int] = {}
        for node in finer:
            forms.setdefault(part(node), node)
        return list(forms.values()) or [number]

    def _is_lettered(self, node: int) -> bool:
        """Whether every axis that has a direction has a letter."""
        shape = np.shape(self.values[node])
        return all(letter for letter, size in zip(self.letters(node), shape, strict=True) if size != 1)

    def _panel(self, node: int, of: int) -> Panel:
        shape = np.shape(self.values[node])
        across, down, deep = directions(self.letters(node), shape, self.graph.T)
        strides = [int(np.prod(shape[axis + 1 :], dtype=int)) for axis in range(len(shape))]
        grids = tuple(
            Grid(
                sum(place * strides[axis] for axis, place in zip(deep, where, strict=True)),
                (0 if across is None else strides[across], 0 if down is None else strides[down]),
                tuple(zip(deep, where, strict=True)),
            )
            for where in np.ndindex(*(shape[axis] for axis in deep))
        )
        panel = Panel(node, of, "value", _size(shape, across), _size(shape, down), grids, (across, down))
        return replace(panel, weights=tuple(beside(self, panel, down, deep)))


def directions(letters: Sequence[str], shape: Sequence[int], tokens: int) -> tuple[int | None, int | None, list[int]]:
    """Which axis runs across, which down, and which go into the depth. An axis of size 1 has no direction.

    T runs across, of two (scores) that of the keys, the last; of the others the last runs down.
    """
    long = [axis for axis, size in enumerate(shape) if size != 1]
    time = [axis for axis in long if letters[axis].endswith("T")]
    if not time and not any(letters[axis] for axis in long):
        time = [axis for axis in long if shape[axis] == tokens]
        time = time if time[-2:] == [len(shape) - 2, len(shape) - 1] else time[:1]  # scores: the last are the keys
    across = time[-1] if time else None
    rest = [axis for axis in long if axis != across]
    down = rest[-1] if rest else None
    return across, down, [axis for axis in rest if axis != down]


def _size(shape: Sequence[int], axis: int | None) -> int:
    return 1 if axis is None else int(shape[axis])
