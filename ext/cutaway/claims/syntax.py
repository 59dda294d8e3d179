"""The language of conditions: a text becomes a tree, or an error that says where it stopped making sense.

``mid.after_arithmetic > 3 * mid.before_arithmetic and mid.after_sorting < 10%``

Operands are numbers (``0.9``, ``23%``), texts in quotes, ``true`` and ``false``, and names of recorded values
(:mod:`cutaway.trace.names`). A name may hold ``/``, ``-`` and ``.``: as operators, ``/`` and ``-`` have a blank before
them.
Operators, from the weakest: ``or``; ``and``; ``not``; comparisons, which may be chained; ``+ -``; ``* /``; a sign;
``**``. Nothing of Python evaluates it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

LONGEST = 2000  # characters of a condition
DEEPEST = 40  # nested parentheses, calls, signs
MOST = 300  # numbers, names and signs of a condition

_NAME = r"[^\W\d]\w*(?:[./@-]\w+)*(?:\[[^\[\]]*\])?(?:\.shape)?(?:\[[^\[\]]*\])?"
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d[\d_]*(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?%?)"
    r"|(?P<text>\"[^\"]*\"|'[^']*')"
    rf"|(?P<name>{_NAME})"
    r"|(?P<sign>\*\*|[<>=!]=|[-+*/()<>,]))"
)
_WORDS = {"and", "or", "not", "true", "false", "True", "False"}
COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
_POWERS = {"or": 1, "and": 2, **dict.fromkeys(COMPARISONS, 4), "+": 5, "-": 5, "*": 6, "/": 6, "**": 8}
_NOT, _SIGN = 3, 7  # how strongly ``not`` and a sign hold what follows


class ConditionError(ValueError):
    """A condition that can't be read or computed: where it stopped, and what was expected there."""


@dataclass(frozen=True)
class Constant:
    value: float | int | str | bool


@dataclass(frozen=True)
class Name:
    """A recorded value, by the grammar of names."""

    name: str


@dataclass(frozen=True)
class Call:
    function: str
    arguments: tuple[Tree, ...]


@dataclass(frozen=True)
class Unary:
    """``-``, ``+`` or ``not`` before a value."""

    sign: str
    value: Tree


@dataclass(frozen=True)
class Binary:
    """Arithmetic, ``and`` or ``or``."""

    sign: str
    left: Tree
    right: Tree


@dataclass(frozen=True)
class Chain:
    """``a < b <= c``: values, and one comparison fewer."""

    values: tuple[Tree, ...]
    signs: tuple[str, ...]


Tree = Constant | Name | Call | Unary | Binary | Chain


class Token(NamedTuple):
    kind: str  # number, text, name, word, sign, or end
    text: str
    start: int


def parse(text: str) -> Tree:
    """The tree of a condition; ConditionError where it is none."""
    if len(text) > LONGEST:
        raise ConditionError(f"the condition has {len(text):,} characters, at most {LONGEST:,} are read")
    return _Parser(text).whole()


def names(tree: Tree) -> list[str]:
    """The recorded values that a condition names, each once, in their order."""
    return list(dict.fromkeys(_names(tree)))


def _names(tree: Tree) -> Iterator[str]:
    match tree:
        case Name(name):
            yield name
        case Call(_, parts) | Chain(parts, _):
            for part in parts:
                yield from _names(part)
        case Unary(_, value):
            yield from _names(value)
        case Binary(_, left, right):
            yield from _names(left)
            yield from _names(right)


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if not found or not found.lastgroup:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            raise ConditionError(f"{_place(text, start)}: no such sign in a condition")
        kind = found.lastgroup
        word = found[kind]
        yield Token("word" if kind == "name" and word in _WORDS else kind, word, found.start(kind))
        at = found.end()
    yield Token("end", "", len(text))


def _place(text: str, start: int) -> str:
    shown = text[start : start + 20].strip()
    return f"at '{shown}'" if shown else "at its end"


class _Parser:
    """Precedence climbing over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(islice(_tokens(text), MOST + 1))
        if self.tokens[-1].kind != "end":
            raise ConditionError(f"the condition has more than {MOST} numbers, names and signs")
        self.at = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def error(self, message: str) -> ConditionError:
        return ConditionError(f"{_place(self.text, self.next.start)}: {message}")

    def whole(self) -> Tree:
        tree = self.expression(0, 0)
        if self.next.kind != "end":
            raise self.error("an operator or the end of the condition was expected")
        return tree

    def expression(self, least: int, depth: int) -> Tree:
        """What follows, up to an operator that holds less strongly than ``least``."""
        if depth > DEEPEST:
            raise self.error(f"more than {DEEPEST} levels are nested")
        left = self.prefix(depth)
        while self.next.kind in ("sign", "word") and _POWERS.get(self.next.text, -1) >= least:
            sign = self.next.text
            if sign in COMPARISONS:
                left = self.chain(left, depth)
                continue
            self.take()
            # Of equals the left one comes first; of powers, the right one.
            right = self.expression(_SIGN if sign == "**" else _POWERS[sign] + 1, depth + (sign == "**"))
            left = Binary(sign, left, right)
        return left

    def chain(self, first: Tree, depth: int) -> Tree:
        values, signs = [first], []
        while self.next.kind == "sign" and self.next.text in COMPARISONS:
            signs.append(self.take().text)
            values.append(self.expression(_POWERS["<"] + 1, depth))
        return Chain(tuple(values), tuple(signs))

    def prefix(self, depth: int) -> Tree:
        token = self.next
        if token.text == "not" and token.kind == "word":
            self.take()
            return Unary("not", self.expression(_NOT, depth + 1))
        if token.text in ("-", "+") and token.kind == "sign":
            self.take()
            return Unary(token.text, self.expression(_SIGN, depth + 1))
        if token.text == "(" and token.kind == "sign":
            self.take()
            inner = self.expression(0, depth + 1)
            self.close()
            return inner
        return self.operand(depth)

    def operand(self, depth: int) -> Tree:
        token = self.next
        if token.kind == "number":
            return Constant(_number(self.take().text))
        if token.kind == "text":
            return Constant(self.take().text[1:-1])
        if token.kind == "word" and token.text.lower() in ("true", "false"):
            return Constant(self.take().text.lower() == "true")
        if token.kind != "name":
            raise self.error("a number, a name or a parenthesis was expected")
        name = self.take().text
        if self.next.text != "(" or self.next.kind != "sign":
            return Name(name)
        return Call(name, tuple(self.arguments(depth)))

    def arguments(self, depth: int) -> list[Tree]:
        self.take()
        if self.next.text == ")" and self.next.kind == "sign":
            self.take()
            return []
        found = [self.expression(0, depth + 1)]
        while self.next.text == "," and self.next.kind == "sign":
            self.take()
            found.append(self.expression(0, depth + 1))
        self.close()
        return found

    def close(self) -> None:
        if self.next.text != ")" or self.next.kind != "sign":
            raise self.error("a ')' was expected")
        self.take()


def _number(text: str) -> float | int:
    plain = text.rstrip("%").replace("_", "")
    number = int(plain) if plain.isdecimal() else float(plain)
    if math.isinf(number):
        raise ConditionError(f"at '{text[:20]}': the number is too large")
    return number / 100 if text.endswith("%") else number
