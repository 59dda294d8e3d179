"""What a condition may call: of numbers, of lists, of series of the log, and intervals of counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .syntax import ConditionError

Z = 1.96  # standard deviations to both sides have 95 % of a normal distribution


@dataclass(frozen=True)
class Series:
    """A logged series: steps and values, equally many."""

    steps: tuple[float, ...]
    values: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.values)


def first(series: Any) -> Any:
    """The first value of a series or a list."""
    return items("first", series)[0]


def last(series: Any) -> Any:
    """The last value of a series or a list."""
    return items("last", series)[-1]


def at(series: Any, step: Any) -> float:
    """The value that was logged at a step."""
    if not isinstance(series, Series):
        raise ConditionError(f"at(series, step) was given {kind(series)}; write RUN.log/NAME")
    wanted = number("at", step)
    if wanted not in series.steps:
        near = sorted(sorted(series.steps, key=lambda other: abs(other - wanted))[:2])
        raise ConditionError(f"nothing was logged at step {wanted:g}; the nearest are {near[0]:g} and {near[-1]:g}")
    return series.values[series.steps.index(wanted)]


def increases(series: Any, tolerance: Any = None) -> bool:
    """Whether each value is above the one before; with a tolerance, no value may lie further below one before it."""
    values = numbers("increases", series)
    if tolerance is None:
        return all(a < b for a, b in pairwise(values))
    allowed = number("increases", tolerance)
    highest = values[0]
    for value in values:
        if value < highest - allowed:
            return False
        highest = max(highest, value)
    return values[-1] > values[0]


def decreases(series: Any, tolerance: Any = None) -> bool:
    """Whether each value is below the one before; with a tolerance, no value may lie further above one before it."""
    return increases([-value for value in numbers("decreases", series)], tolerance)


def low(right: Any, asked: Any) -> float:
    """The lower end of Wilson's 95 % interval of so many right of so many asked."""
    return wilson(right, asked)[0]


def high(right: Any, asked: Any) -> float:
    """The upper end of that interval."""
    return wilson(right, asked)[1]


def overlap(right: Any, asked: Any, other: Any, of: Any) -> bool:
    """Whether two such intervals have a point in common."""
    (low, high), (least, most) = wilson(right, asked), wilson(other, of)
    return low <= most and least <= high


def wilson(right: Any, asked: Any) -> tuple[float, float]:
    """Both ends of Wilson's interval (1927): where the share on endless questions lies, in 95 of 100 cases."""
    k, n = number("an interval", right), number("an interval", asked)
    if not (n > 0 and 0 <= k <= n):
        raise ConditionError(f"an interval of {k:g} right of {n:g}: at least 0 and at most all can be right")
    share = k / n
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))  # rounding may lead beyond


def mean(values: Any) -> float:
    """The mean of a series or a list."""
    found = numbers("mean", values)
    return math.fsum(found) / len(found)


def total(values: Any) -> float:
    """The sum of a series or a list; of truths, how many are true."""
    return sum(numbers("sum", values))


def least(*given: Any) -> float:
    """The smallest of several numbers, or of a series or a list."""
    return min(numbers("min", *given))


def most(*given: Any) -> float:
    """The largest of several numbers, or of a series or a list."""
    return max(numbers("max", *given))


def length(values: Any) -> int:
    """How many values a series or a list has, or characters a text."""
    if not isinstance(values, Series | list | tuple | str):
        raise ConditionError(f"len was given {kind(values)}, and needs a list, a series or a text")
    return len(values)


def rounded(value: Any, digits: Any = 0) -> float | int:
    """The nearest number with so many digits after the point."""
    places = number("round", digits)
    if places != int(places) or abs(places) > 20:
        raise ConditionError(f"round to {places:g} digits: write a whole number, at most 20")
    return round(number("round", value), int(places)) if places else round(number("round", value))


def absolute(value: Any) -> float:
    """A number without its sign."""
    return abs(number("abs", value))


def logarithm(value: Any) -> float:
    """The natural logarithm."""
    return math.log(number("log", value))


def root(value: Any) -> float:
    """The square root."""
    return math.sqrt(number("sqrt", value))


# By name, with the fewest and the most arguments.
FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int]] = {
    "min": (least, 1, 20),
    "max": (most, 1, 20),
    "mean": (mean, 1, 1),
    "abs": (absolute, 1, 1),
    "sum": (total, 1, 1),
    "len": (length, 1, 1),
    "round": (rounded, 1, 2),
    "log": (logarithm, 1, 1),
    "sqrt": (root, 1, 1),
    "first": (first, 1, 1),
    "last": (last, 1, 1),
    "at": (at, 2, 2),
    "increases": (increases, 1, 2),
    "decreases": (decreases, 1, 2),
    "low": (low, 2, 2),
    "high": (high, 2, 2),
    "overlap": (overlap, 4, 4),
}


def items(function: str, values: Any) -> Sequence[Any]:
    """What a list or a series holds, at least one."""
    if not isinstance(values, Series | list | tuple):
        raise ConditionError(f"{function} was given {kind(values)}, and needs a list or a series")
    found = values.values if isinstance(values, Series) else values
    if not found:
        raise ConditionError(f"{function} was given an empty list")
    return found


def numbers(function: str, *given: Any) -> list[float]:
    """The numbers of one list or series, or those given one by one."""
    if len(given) == 1 and isinstance(given[0], Series | list | tuple):
        given = tuple(items(function, given[0]))
    elif len(given) == 1:
        items(function, given[0])
    return [number(function, value) for value in given]


def number(function: str, value: Any) -> float:
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, int | float):
        raise ConditionError(f"{function} was given {kind(value)}, and needs a number{REDUCE[type(value) is not str]}")
    return value


REDUCE = ("", ": take min, max, mean, first or last of it")


def kind(value: Any) -> str:
    """A value in words, for messages."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value:g}" if isinstance(value, float) else f"the number {value}"
    if isinstance(value, str):
        return f"the text '{value[:40]}'"
    return f"a {'series' if isinstance(value, Series) else 'list'} of {len(value)} values"
