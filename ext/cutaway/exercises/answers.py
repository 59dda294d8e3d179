"""What the answer to an exercise is, and how near another one must be to count as it."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

from sphinx.environment import BuildEnvironment

from ..cells.page_names import is_excused, page_names
from ..claims.evaluate import plain, value_of
from ..claims.functions import Series
from ..claims.syntax import ConditionError, Tree, names, parse
from ..trace.names import UnknownName
from ..trace.reading import TraceError

USUAL = 0.01  # of a number that is not whole; whole ones are exact
MOST = 8  # numbers of an answer; nobody types more
LONGEST = 80  # characters of one
_WITHIN = re.compile(r"(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})\s*(%?)")


class AnswerError(ValueError):
    """What was typed names no answer; empty where the reason was reported elsewhere."""


class Answer(NamedTuple):
    """``kind`` is number, numbers, truth or text; ``within`` is how far a number may be off."""

    kind: str
    value: Any
    within: float = 0.0

    def is_right(self, other: Answer) -> bool:
        """Whether another answer counts as this one."""
        if self.kind != other.kind:
            return False
        if self.kind == "number":
            return abs(self.value - other.value) <= self.within
        if self.kind == "numbers":
            pairs = zip(self.value, other.value, strict=False)
            return len(self.value) == len(other.value) and all(abs(a - b) <= self.within for a, b in pairs)
        return bool(self.value == other.value)


def readable(text: str) -> Tree:
    """The tree of an expression that names something recorded."""
    try:
        tree = parse(text)
    except ConditionError as error:
        raise AnswerError(str(error)) from error
    if not names(tree):
        raise AnswerError("it names no recorded value: an answer is computed, as RUN.FACT or cell.NAME, and not typed")
    return tree


def read_within(text: str) -> tuple[float, bool]:
    """A tolerance, and whether it is a share of the answer."""
    found = _WITHIN.fullmatch(text.strip())
    if found is None:
        raise AnswerError(f":within: '{text[:60]}' is no tolerance: write 0.01 or 2%")
    return (float(found[1]) / 100, True) if found[2] else (float(found[1]), False)


def answer_of(env: BuildEnvironment, docname: str, text: str, within: str = "") -> Answer:
    """The answer that an expression gives on a page; AnswerError where it gives none that can be typed."""
    tree, using = readable(text), page_names(env, docname)
    values: dict[str, Any] = {}
    for name in names(tree):
        try:
            values[name] = plain(using.resolve(name))
        except (UnknownName, TraceError, ConditionError) as error:
            raise AnswerError("" if is_excused(env, docname, name) else f"{name}: {error}") from error
    try:
        value = value_of(tree, values)
    except (ArithmeticError, ValueError) as error:
        raise AnswerError(f"it can't be computed: {error}") from error
    return _typed(value, within)


def _typed(value: Any, within: str) -> Answer:
    if isinstance(value, bool | str):
        if within:
            raise AnswerError("only numbers have a tolerance: leave :within: out")
        if isinstance(value, bool):
            return Answer("truth", value)
        if not value.strip() or len(value) > LONGEST:
            raise AnswerError(f"it is a text of {len(value)} characters, and an answer has 1 to {LONGEST}")
        return Answer("text", value)
    if isinstance(value, int | float):
        return Answer("number", _finite(value), _room(abs(value), isinstance(value, int), within))
    items = list(value.values if isinstance(value, Series) else value)
    if not 1 <= len(items) <= MOST or not all(isinstance(item, int | float) for item in items):
        raise AnswerError(f"it is a list of {len(items)} items, and an answer is 1 to {MOST} numbers")
    room = _room(max(abs(item) for item in items), all(isinstance(item, int) for item in items), within)
    return Answer("numbers", [_finite(item) for item in items], room)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise AnswerError(f"it is {value}, which nobody can type")
    return value


def _room(size: float, is_whole: bool, within: str) -> float:
    if not within:
        return 0.0 if is_whole else USUAL * size
    room, is_share = read_within(within)
    return room * size if is_share else room
