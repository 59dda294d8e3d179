"""A number that knows what it was made of, and so by how much each of its operands moves it.

An operation leaves, for each operand, the slope: how much the result grows when the operand grows by one, at the
operand's present value. ``backward`` multiplies slopes along every way and adds up what arrives on several ways: the
chain rule, in the order of reverse-mode differentiation (Linnainmaa, 1970).
"""

from __future__ import annotations

import math


class Number:
    """A value, its operands with their slopes, and, after ``backward``, the gradient of the result by it."""

    def __init__(self, value: float, made_of: tuple[tuple[Number, float], ...] = ()) -> None:
        self.value = float(value)
        self.made_of = made_of
        self.grad = 0.0

    def __add__(self, other: Number | float) -> Number:
        other = as_number(other)
        return Number(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other: Number | float) -> Number:
        other = as_number(other)
        return Number(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, power: float) -> Number:
        """A constant power; of zero or a negative number Python says which powers there are."""
        return Number(self.value**power, ((self, power * self.value ** (power - 1)),))

    def exp(self) -> Number:
        result = math.exp(self.value)
        return Number(result, ((self, result),))

    def log(self) -> Number:
        return Number(math.log(self.value), ((self, 1 / self.value),))

    def __sub__(self, other: Number | float) -> Number:
        return self + as_number(other) * -1.0

    def __truediv__(self, other: Number | float) -> Number:
        return self * as_number(other) ** -1.0

    __radd__, __rmul__ = __add__, __mul__

    def backward(self) -> None:
        """Add to the ``grad`` of everything that this was made of: how much it moves this number."""
        arrived = {id(self): 1.0}
        for number in reversed(in_order(self)):
            here = arrived[id(number)]  # all that read this number come before it, so nothing is missing
            number.grad += here
            for operand, slope in number.made_of:
                arrived[id(operand)] = arrived.get(id(operand), 0.0) + slope * here


def as_number(value: Number | float) -> Number:
    return value if isinstance(value, Number) else Number(value)


def in_order(result: Number) -> list[Number]:
    """All that a result was made of, and the result: each number after its operands, each once."""
    found: list[Number] = []
    seen: set[int] = set()
    pending = [(result, False)]  # no recursion: a long sum is as deep as it is long
    while pending:
        number, has_operands = pending.pop()
        if has_operands:
            found.append(number)
        elif id(number) not in seen:
            seen.add(id(number))
            pending += [(number, True), *((operand, False) for operand, _ in number.made_of)]
    return found
