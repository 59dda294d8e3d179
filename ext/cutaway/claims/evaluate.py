"""Evaluate a condition with the values that it names."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from ..domain import nearest
from ..trace.names import Found
from .functions import FUNCTIONS, Series, kind, number
from .syntax import Binary, Call, Chain, ConditionError, Constant, Name, Tree, Unary

MOST = 1_000_000  # numbers of one tensor
POWER = 1000  # the largest exponent
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def holds(tree: Tree, values: Mapping[str, Any]) -> bool:
    """Whether a condition is true of these values, by name; ConditionError where it can't be computed."""
    try:
        found = value_of(tree, values)
    except (ArithmeticError, ValueError) as error:
        if isinstance(error, ConditionError):
            raise
        why = "it divides by 0" if isinstance(error, ZeroDivisionError) else str(error)
        raise ConditionError(f"the condition can't be computed: {why}") from error
    if not isinstance(found, bool):
        raise ConditionError(f"the condition gives {kind(found)}; compare it with something")
    return found


def value_of(tree: Tree, values: Mapping[str, Any]) -> Any:
    match tree:
        case Constant(value):
            return value
        case Name(name):
            return values[name]
        case Call(function, arguments):
            return _called(function, [value_of(part, values) for part in arguments])
        case Unary("not", value):
            return not _truth("not", value_of(value, values))
        case Unary(sign, value):
            found = number(f"'{sign}'", value_of(value, values))
            return -found if sign == "-" else found
        case Binary("and", left, right):
            return _truth("and", value_of(left, values)) and _truth("and", value_of(right, values))
        case Binary("or", left, right):
            return _truth("or", value_of(left, values)) or _truth("or", value_of(right, values))
        case Binary(sign, left, right):
            return _computed(sign, value_of(left, values), value_of(right, values))
        case Chain(parts, signs):
            return _compared([value_of(part, values) for part in parts], signs)
    raise AssertionError(tree)


def _truth(sign: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConditionError(f"'{sign}' was given {kind(value)}, and needs a comparison")
    return value


def _computed(sign: str, left: Any, right: Any) -> float:
    a, b = number(f"'{sign}'", left), number(f"'{sign}'", right)
    if sign != "**":
        return _ARITHMETIC[sign](a, b)
    if abs(b) > POWER:
        raise ConditionError(f"the exponent {b:g} is larger than {POWER}")
    if isinstance(a, int) and isinstance(b, int) and abs(a) <= POWER and 0 <= b <= 64:
        return int(a**b)
    return math.pow(a, b)


def _compared(values: list[Any], signs: tuple[str, ...]) -> bool:
    return all(_pair(sign, a, b) for sign, a, b in zip(signs, values, values[1:], strict=False))


def _pair(sign: str, a: Any, b: Any) -> bool:
    for value in (a, b):
        if isinstance(value, Series | list | tuple):
            raise ConditionError(f"'{sign}' was given {kind(value)}: take min, max, mean, first or last of it")
    if isinstance(a, str) != isinstance(b, str) or (isinstance(a, str) and sign not in ("==", "!=")):
        raise ConditionError(f"'{sign}' can't compare {kind(a)} with {kind(b)}")
    return _COMPARE[sign](a, b)


def _called(name: str, given: list[Any]) -> Any:
    if name not in FUNCTIONS:
        near = nearest(name, FUNCTIONS) or f"; there is {', '.join(FUNCTIONS)}"
        raise ConditionError(f"no function '{name[:60]}'{near}")
    function, fewest, most = FUNCTIONS[name]
    if not fewest <= len(given) <= most:
        takes = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        raise ConditionError(f"{name} was given {len(given)} arguments and takes {takes}")
    return function(*given)


# Recorded values


def plain(found: Found) -> Any:
    """What a name stands for, as a condition reads it: a number, a text, a truth, a list or a series."""
    value = found.value
    if found.series:
        if found.scalar is not None:
            return found.scalar
        steps, values = zip(*found.series, strict=True)
        return Series(tuple(steps), tuple(values))
    if value is None or found.scalar is not None:
        if found.scalar is None:
            raise ConditionError(f"'{found.name}' is empty")
        return found.scalar
    if found.is_shape:
        return list(value.shape or ())
    if value.type == "scalar":
        return value.scalar
    if value.type == "tensor":
        return _of_tensor(found)
    if value.type == "tuple" and all(item.type == "scalar" for item in value.items):
        return [item.scalar for item in value.items]
    what = value.cls or value.type
    raise ConditionError(f"'{found.name}' is a {what}, no number; add .shape or an index such as [0]")


def _of_tensor(found: Found) -> Any:
    assert found.value is not None
    array = found.value.array()
    if array.size > MOST:
        raise ConditionError(f"'{found.name}' holds {array.size:,} numbers, at most {MOST:,} are read")
    return array.item() if array.shape == () else array.ravel().tolist()
