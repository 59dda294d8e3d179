"""The boxes of a drawing while a run is followed: a place that runs again adds to its box."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...source.find import Span
from ...trace.reading import Value
from .graph import Edge, Graph, Node


@dataclass(frozen=True)
class Source:
    """A value that a box gives. ``carried``: the variable that brought it from an earlier round of a loop."""

    box: int
    name: str = ""
    carried: str = ""


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


class Boxes:
    def __init__(self) -> None:
        self.all: list[Box] = []
        self.edges: dict[Edge, None] = {}
        self.carried: set[tuple[int, str]] = set()  # a box whose value a later round used, and its name
        self._numbers: dict[tuple[str, Span], int] = {}

    def add(self, box: Box, sources: tuple[Source, ...]) -> int:
        """The number of the box of this kind at this place, which ``sources`` flow into."""
        key = (box.kind, box.span)
        if key in self._numbers:
            self.all[self._numbers[key]].times += box.times
        else:
            self._numbers[key] = len(self.all)
            self.all.append(box)
        number = self._numbers[key]
        self.give(number, box.value)
        for source in sources:
            if source.carried:
                self.carried.add((source.box, source.carried))
            elif source.box < number:
                self.edges[Edge(source.box, number, source.name)] = None
        return number

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
        nodes = [self._node(number, box) for number, box in enumerate(self.all)]
        return Graph(function, tuple(nodes), tuple(self._named(sorted(self.edges))))

    def _node(self, number: int, box: Box) -> Node:
        shape, axes = _sizes(box.sizes), box.value.axes if box.value else None
        letters = tuple(letter or "" for letter in axes) if axes and any(axes) and shape else None
        return Node(
            number, box.kind, box.code, box.names, (box.span,), shape, letters,
            box.module_path or None, box.function, box.times,
        )  # fmt: skip

    def _named(self, edges: list[Edge]) -> list[Edge]:
        """Edges with a name where their source gives several; others speak for themselves."""
        several = {number for number, box in enumerate(self.all) if len(box.names) > 1}
        return list(dict.fromkeys(e if e.source in several else Edge(e.source, e.target) for e in edges))


def _sizes(shapes: list[tuple[int, ...]]) -> tuple[str, ...] | None:
    """``("1", "6..11")`` for shapes that differ in their second size; None for ones of another rank."""
    if not shapes or len({len(shape) for shape in shapes}) > 1:
        return None
    columns = [sorted(set(sizes)) for sizes in zip(*shapes, strict=True)]
    return tuple(str(c[0]) if len(c) == 1 else f"{c[0]}..{c[-1]}" for c in columns)
