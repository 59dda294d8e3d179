"""Whether a condition is as strong as it looks: with other values of what it names it must be false.

``unfalsified(condition, values)`` gives the names whose value may be replaced by any plausible other one, while the
condition stays true: the claim says nothing of them. Plausible is what another training might have given: half, twice,
a hundredth, a hundred times, one more or less, a single one, what another name of the condition stands for. Not
plausible is a share of 0, for ``> 0`` would then be proof enough, or a number with another sign, unless it is negative,
or the end of an interval, which is what one compares with 0: ``..._low``, ``..._high``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cutaway.claims.evaluate import holds
from cutaway.claims.functions import Series
from cutaway.claims.syntax import Binary, Call, Chain, ConditionError, Constant, Tree, Unary, names, parse


def unfalsified(condition: str, values: Mapping[str, Any]) -> list[str]:
    tree = parse(condition)
    given = {name: _read(value) for name, value in values.items()}
    assert holds(tree, given), condition
    return [name for name in names(tree) if not _refutes(tree, name, given)]


def _refutes(tree: Tree, name: str, given: Mapping[str, Any]) -> bool:
    """Whether another value for one name makes the condition false."""
    return any(_is_false(tree, {**given, name: other}) for other in others(name, tree, given))


def _is_false(tree: Tree, values: Mapping[str, Any]) -> bool:
    try:
        return not holds(tree, values)
    except ConditionError:  # such values can't be: three right of two
        return False


def _read(value: Any) -> Any:
    """A value as claims.json has it."""
    return Series(tuple(value["steps"]), tuple(value["values"])) if isinstance(value, dict) else value


def others(name: str, tree: Tree, values: Mapping[str, Any]) -> Iterator[Any]:
    """Other values for a name, of the same kind."""
    value = values[name]
    yield from _changed(value)
    if name.endswith(("_low", "_high")) and isinstance(value, float):
        yield -value
    for other in [*(values[one] for one in values if one != name), *constants(tree)]:
        if _kind(other) is _kind(value) and other != value and other != 0:
            yield other


def _kind(value: Any) -> type:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float if number else type(value)


def _changed(value: Any) -> Iterator[Any]:
    if isinstance(value, Series):
        for changed in _changed(list(value.values)):
            yield Series(value.steps, tuple(changed))
    elif isinstance(value, list):
        yield value[::-1]
        yield [value[0]] * len(value) if value else [0]
        yield from ([first, *value[1:]] for item in value[:1] for first in _changed(item))
        for pick in range(9):
            lists = [list(_changed(item)) for item in value]
            if lists and all(len(one) > pick for one in lists):
                yield [one[pick] for one in lists]
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, str):
        yield f"not {value}"
    else:
        yield from _numbers(value)


def _numbers(value: float) -> Iterator[float]:
    if value == 0:
        yield from (1, -1, 10)
        return
    scaled = (type(value)(value * factor) for factor in (0.5, 2, 0.1, 10, 0.01, 100))
    yield from (other for other in scaled if other != 0)
    if isinstance(value, int):
        yield from (value + 1, value - 1, 1)
    elif 0 < value < 1:
        yield 1 - value
    if value < 0:
        yield -value


def constants(tree: Tree) -> list[Any]:
    """What stands in a condition as it is."""
    match tree:
        case Constant(value):
            return [value]
        case Call(_, parts) | Chain(parts, _):
            return [found for part in parts for found in constants(part)]
        case Unary(_, value):
            return constants(value)
        case Binary(_, left, right):
            return [*constants(left), *constants(right)]
    return []
