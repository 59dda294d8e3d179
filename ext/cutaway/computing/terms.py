"""What is told of a number: the operation that made it, and the numbers that this took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Index = tuple[int, ...]


@dataclass(frozen=True)
class Cell:
    """One number of a node; the node -1 is inside of an operation, where nothing is recorded."""

    node: int
    index: Index
    value: float

    def data(self) -> dict[str, Any]:
        return {"node": self.node, "index": list(self.index), "value": +self.value}  # true is 1


@dataclass(frozen=True)
class Term:
    """An operand, what it is to the result, and what it adds to a sum; ``by`` is the other factor of a product."""

    role: str
    cell: Cell
    part: float | None = None
    by: Cell | None = None

    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = {"role": self.role, **self.cell.data()}
        found |= {} if self.part is None else {"part": self.part}
        return found if self.by is None else {**found, "with": self.by.data()}


@dataclass(frozen=True)
class Why:
    """A number, the kind of operation that made it, and its operands.

    ``name``: the operation's, without the overload. ``kind``: product, softmax, norm, function, pick, mask, mean, same,
    weight, input, constant or unknown.
    """

    cell: Cell
    op: str
    name: str
    kind: str
    terms: tuple[Term, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def term(self, role: str) -> Term | None:
        """The first operand of a role."""
        return next((term for term in self.terms if term.role == role), None)

    def data(self) -> dict[str, Any]:
        """As plain data, as ``static/why.js`` has it."""
        told = {"op": self.op, "kind": self.kind, "terms": [term.data() for term in self.terms]}
        return {**self.cell.data(), **told, "numbers": dict(self.numbers)}
