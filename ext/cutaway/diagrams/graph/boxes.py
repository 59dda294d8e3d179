"""The boxes of a drawing while a run is followed: a place that runs again adds to its box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ...source.find import Span
from ...trace.reading import Value
from .givers import Given, Tape
from .graph import Edge, Graph, Node


@dataclass(frozen=True)
class Source:
    """A value that a box gives. ``carried``: the variable that brought it from an earlier round of a loop. ``left``:
    it left tensors on the way, as a "number", a "list" of numbers or an "array"; no tape tells what came of it."""

    box: int
    name: str = ""
    carried: str = ""
    left: str = ""


@dataclass
class Box:
    """One node to be; ``value`` is the last that it gave, ``sizes`` all its shapes."""

    kind: str
    code: str
    span: Span
    value: Value | None = None
    names: tuple[str, ...] = ()
    module_path: str | None = None
    function: str | None = None
    times: int = 1
    sizes: list[tuple[int, ...]] = field(default_factory=list)
    is_opaque: bool = False  # it held more than tensors: an object, a dict with numbers in it


@dataclass
class Loop:
    """A loop that is walked: where its rounds stand, and when the one under way began."""

    inside: Span
    began: int = 0


class Boxes:
    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.loops: list[Loop] = []  # that are walked, the innermost last
        self.all: list[Box] = []
        self.edges: dict[Edge, None] = {}
        self.back: dict[Edge, None] = {}
        self.carried: set[tuple[int, str]] = set()  # a box whose value a later round used, and its name
        self._numbers: dict[tuple[str, Span], int] = {}

    def add(self, box: Box, sources: tuple[Source, ...], origins: Sequence[int] = ()) -> int:
        """The number of the box of this kind at this place.

        ``origins`` are the tape's entries of what it gives: what they were made of flows into it. Where there are none
        (NumPy) it is ``sources``, which the names tell.
        """
        key = (box.kind, box.span)
        if key in self._numbers:
            self.all[self._numbers[key]].times += box.times
        else:
            self._numbers[key] = len(self.all)
            self.all.append(box)
        number = self._numbers[key]
        self.give(number, box.value)
        if origins:
            sources = self._taped(sources, origins)
        self.tape.give(number, box.names[0] if len(box.names) == 1 else "", origins)
        for source in sources:
            thin = source.left in ("number", "list")
            if source.carried:
                self.carried.add((source.box, source.carried))
                self.back[Edge(source.box, number, source.carried, thin)] = None
            elif source.box != number:
                self.edges[Edge(source.box, number, source.name, thin)] = None
        return number

    def _taped(self, sources: tuple[Source, ...], origins: Sequence[int]) -> tuple[Source, ...]:
        """The sources that the tape confirms or can't know of, and those that no name told."""
        told = {source.box for source in sources if not source.left}
        opaque = {box for box in told if self.all[box].is_opaque}  # what it holds may be another box's own
        found, rest = self.tape.sources(origins, (told - opaque, opaque))
        kept = []
        for source in sources:
            if source.box in found and not source.left:
                kept.append(replace(source, carried=self._carried(source.box, found[source.box], source.carried)))
            elif source.left or rest == "strange" or not self.tape.knows(source.box):
                kept += [source] if self._may_be(source, max(origins)) else []
            elif self.all[source.box].is_opaque:  # what is no tensor in it, or a tensor that it held before
                kept.append(source if rest else replace(source, left="number"))
        told = {source.box for source in kept if not source.left}
        more = [
            Source(box, given.name, self._carried(box, given, given.name))
            for box, given in sorted(found.items()) if box not in told
        ]  # fmt: skip
        return (*kept, *more)

    def _may_be(self, source: Source, before: int) -> bool:
        """Whether a number can have come from a box: an operation has read it, it was a number there already, or the
        tape does not know the box."""
        if source.left != "number" or self.all[source.box].is_opaque or not self.tape.knows(source.box):
            return True
        return self.tape.was_read(source.box, before)

    def _carried(self, box: int, given: Given, name: str) -> str:
        """The variable that brought what a box gave from an earlier round; empty where it is of this one."""
        if any(loop.inside.contains(self.all[box].span) and given.when <= loop.began for loop in self.loops):
            return name or next(iter(self.all[box].names), "") or self.all[box].code
        return ""

    def give(self, number: int, value: Value | None) -> None:
        """Note what a box gave this time."""
        box = self.all[number]
        if value is not None and value.type == "tensor" and value.shape is not None:
            box.value = value
            if not box.sizes or box.sizes[-1] != value.shape:
                box.sizes.append(value.shape)

    def define(self, number: int, prefix: str, names: tuple[str, ...]) -> None:
        """Say which variables a box's value becomes."""
        box = self.all[number]
        box.names = names
        if not box.code.startswith(prefix):
            box.code = prefix + box.code

    def graph(self, function: str) -> Graph:
        """All boxes, but for arguments that only hold tensors of which none was used."""
        used = {edge.source for edge in self.edges}
        order, back = self._in_order()
        shown = [n for n in order if n in used or not (self.all[n].kind == "input" and _is_object(self.all[n]))]
        place = {number: at for at, number in enumerate(shown)}
        nodes = [self._node(place[number], self.all[number]) for number in shown]
        edges, returning = (
            tuple(sorted(Edge(place[e.source], place[e.target], e.name, e.thin) for e in found))
            for found in (self._named([e for e in self.edges if e not in back]), [*self.back, *back])
        )
        return Graph(function, tuple(nodes), edges, returning)

    def _in_order(self) -> tuple[list[int], set[Edge]]:
        """The boxes as they ran, but for one that a later round reached first: each after those it takes from. And
        the arrows that no order lets lead forwards."""
        taking: dict[int, set[int]] = {number: set() for number in range(len(self.all))}
        for edge in self.edges:
            taking[edge.target].add(edge.source)
        order: list[int] = []
        back = set[Edge]()
        waiting = sorted(taking)
        while waiting:
            done = set(order)
            number = next((n for n in waiting if taking[n] <= done), waiting[0])
            back |= {edge for edge in self.edges if edge.target == number and edge.source not in done}
            order.append(number)
            waiting.remove(number)
        return order, back

    def _node(self, number: int, box: Box) -> Node:
        shape, axes = _sizes(box.sizes), box.value.axes if box.value else None
        letters = tuple(letter or "" for letter in axes) if axes and any(axes) and shape else None
        return Node(
            number, box.kind, box.code, box.names, (box.span,), shape, letters,
            box.module_path or None, box.function, box.times,
        )  # fmt: skip

    def _named(self, edges: list[Edge]) -> list[Edge]:
        """Edges with a name where their source gives several; others speak for themselves. Where a tensor goes, too,
        there is no thin one."""
        several = {number for number, box in enumerate(self.all) if len(box.names) > 1}
        named = [e if e.source in several else replace(e, name="") for e in edges]
        thick = {(e.source, e.target) for e in named if not e.thin}
        return list(dict.fromkeys(e for e in named if not e.thin or (e.source, e.target) not in thick))


def _is_object(box: Box) -> bool:
    return box.value is not None and box.value.type == "object"


def _sizes(shapes: list[tuple[int, ...]]) -> tuple[str, ...] | None:
    """``("1", "6..11")`` for shapes that differ in their second size; None for ones of another rank."""
    if not shapes or len({len(shape) for shape in shapes}) > 1:
        return None
    columns = [sorted(set(sizes)) for sizes in zip(*shapes, strict=True)]
    return tuple(str(c[0]) if len(c) == 1 else f"{c[0]}..{c[-1]}" for c in columns)
