"""The boxes of a drawing while a run is followed: a place that runs again adds to its box."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
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


class Tape:
    """The part of a trace's tape that one call wrote, and which box gave what: arrows are looked up here.

    ``entries`` are the inputs of each operation of the run; those from ``began`` on were made during the call, but for
    the ``given``, which no operation made.
    """

    def __init__(self, entries: Sequence[Sequence[int]] = (), given: Set[int] = frozenset(), began: int = 0) -> None:
        self.entries, self.given, self.began = entries, given, began
        self._givers: dict[int, tuple[int, str]] = {}  # entry -> the box that gave it last, and under which name
        self.latest = -1  # entry of those that a box gave

    def give(self, box: int, name: str, origins: Iterable[int]) -> None:
        self._givers |= dict.fromkeys(origins, (box, name))
        self.latest = max(self.latest, *origins, -1)

    def hand_on(self, boxes: Set[int], to: int) -> None:
        """What these boxes gave comes from another one now."""
        self._givers |= {entry: (to, name) for entry, (box, name) in self._givers.items() if box in boxes}

    def new(self, origins: Iterable[int]) -> list[int]:
        """Those that were made during the call by something that has no box."""
        return [e for e in origins if e >= self.began and e not in self.given and e not in self._givers]

    def knows(self, box: int) -> bool:
        return any(giver == box for giver, _ in self._givers.values())

    def sources(self, origins: Iterable[int]) -> tuple[dict[int, tuple[str, int]], bool]:
        """The nearest boxes that a value was made of, each with the name and entry of what it gave; and whether some
        of it came from elsewhere, as Python's numbers and attributes of objects do: no tape knows what led there."""
        found: dict[int, tuple[str, int]] = {}
        from_elsewhere = False
        pending, seen = list(origins), set[int]()
        while pending:
            entry = pending.pop()
            if entry in seen:
                continue
            seen.add(entry)
            if entry in self._givers:
                box, name = self._givers[entry]
                found.setdefault(box, (name, entry))
            elif entry >= self.began and self.entries[entry]:
                pending += self.entries[entry]
            else:
                from_elsewhere = True
        return found, from_elsewhere


class Boxes:
    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.rounds: list[tuple[int, int]] = []  # of each loop that is walked: its first box, its round's first entry
        self.all: list[Box] = []
        self.edges: dict[Edge, None] = {}
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
            if source.carried:
                self.carried.add((source.box, source.carried))
            elif source.box < number:
                self.edges[Edge(source.box, number, source.name)] = None
        return number

    def _taped(self, sources: tuple[Source, ...], origins: Sequence[int]) -> tuple[Source, ...]:
        """The sources that the tape confirms or can't know of, and those that no name told."""
        found, from_elsewhere = self.tape.sources(origins)
        unsure = from_elsewhere or bool(self.rounds)  # what one round hands to the next, names tell
        kept = [source for source in sources if source.box in found or unsure or not self.tape.knows(source.box)]
        told = {source.box for source in kept}
        first, began = self.rounds[-1] if self.rounds else (0, 0)
        more = [
            Source(box, name)
            for box, (name, entry) in sorted(found.items())
            if box not in told and (box < first or entry >= began)
        ]
        return (*kept, *more)

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
        shown = [n for n, box in enumerate(self.all) if n in used or not (box.kind == "input" and _is_object(box))]
        place = {number: at for at, number in enumerate(shown)}
        nodes = [self._node(place[number], self.all[number]) for number in shown]
        edges = [Edge(place[e.source], place[e.target], e.name) for e in self._named(sorted(self.edges))]
        return Graph(function, tuple(nodes), tuple(edges))

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


def _is_object(box: Box) -> bool:
    return box.value is not None and box.value.type == "object"


def _sizes(shapes: list[tuple[int, ...]]) -> tuple[str, ...] | None:
    """``("1", "6..11")`` for shapes that differ in their second size; None for ones of another rank."""
    if not shapes or len({len(shape) for shape in shapes}) > 1:
        return None
    columns = [sorted(set(sizes)) for sizes in zip(*shapes, strict=True)]
    return tuple(str(c[0]) if len(c) == 1 else f"{c[0]}..{c[-1]}" for c in columns)
