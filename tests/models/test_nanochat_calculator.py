"""The calculator against figures of the original, Python's own arithmetic, and hostile input."""

import operator
import string
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nanochat.chat.calculator import MAX_CHARACTERS, MAX_DEPTH, use_calculator

Number = int | float
# Symbol -> what Python does, and how tightly it binds.
BINARY: dict[str, tuple[Callable[[Number, Number], Number], int]] = {
    "+": (operator.add, 1), "-": (operator.sub, 1), "*": (operator.mul, 2), "/": (operator.truediv, 2),
    "//": (operator.floordiv, 2),
}  # fmt: skip
ALONE = 3  # binds more tightly than any of them: a number, something with a sign
GOLDEN = {
    "1,000+1": 1001, "12/60": 0.2, "3.5*2": 7.0, "7//2": 3, "'strawberry'.count('r')": 3, "2**3": None, "1/0": None,
    "10%3": None, 'len("a")': None, "'a'.upper()": None, "2+": None,
}  # fmt: skip


@dataclass(frozen=True)
class Expression:
    """A text, what binds its last step, and its value; None where arithmetic has none."""

    text: str
    binding: int
    value: Number | None

    def beside(self, binding: int) -> str:
        """The text as part of a longer one: in parentheses only where it would fall apart without."""
        return self.text if self.binding >= binding else f"({self.text})"


def combined(left: Expression, symbol: str, right: Expression) -> Expression:
    compute, binding = BINARY[symbol]
    text = left.beside(binding) + symbol + right.beside(binding + 1)  # from left to right: 1-(2-3) needs them
    if left.value is None or right.value is None:
        return Expression(text, binding, None)
    try:
        return Expression(text, binding, compute(left.value, right.value))
    except ArithmeticError:
        return Expression(text, binding, None)


def signed(sign: str, part: Expression) -> Expression:
    value = None if part.value is None else -part.value if sign == "-" else +part.value
    return Expression(sign + part.beside(ALONE), ALONE, value)


def spaced(part: Expression, spaces: int) -> Expression:
    return Expression(" " * spaces + part.text + " " * spaces, part.binding, part.value)


WHOLE = st.integers(0, 10**9) | st.integers(0, 10**40)
NUMBERS = st.builds(lambda n: Expression(str(n), ALONE, n), WHOLE) | st.builds(
    lambda n, digits: Expression(f"{n}.{digits}", ALONE, float(f"{n}.{digits}")),
    WHOLE, st.text("0123456789", max_size=5),
)  # fmt: skip
EXPRESSIONS = st.recursive(
    NUMBERS,
    lambda parts: (
        st.builds(combined, parts, st.sampled_from(sorted(BINARY)), parts)
        | st.builds(signed, st.sampled_from("+-"), parts)
        | st.builds(spaced, parts, st.integers(0, 2))
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("expression", GOLDEN)
def test_answers_of_the_original(expression: str) -> None:
    assert repr(use_calculator(expression)) == repr(GOLDEN[expression])  # 7.0 is not 7


@given(EXPRESSIONS)
@example(combined(Expression("7", ALONE, 7), "-", Expression("2-3", 1, -1)))
def test_values_are_pythons(expression: Expression) -> None:
    value = use_calculator(expression.text)
    assert repr(value) == repr(expression.value), expression.text


@given(st.text(string.ascii_letters + string.digits + " .,-", max_size=20), st.text(string.ascii_letters, max_size=2))
def test_counts_are_pythons(text: str, part: str) -> None:
    assert use_calculator(f"'{text}'.count('{part}')") == text.count(part)
    assert use_calculator(f'"{text}".count("{part}")') == text.count(part)
    assert use_calculator(f"2 * ('{text}' . count( \"{part}\" ) - 1)") == 2 * (text.count(part) - 1)


@given(st.lists(st.integers(0, 0x10FFFF).map(chr)).map("".join) | st.text("0123456789+-*/().,%_ '\"count\\\n"))
@example("'a'.count('b'")
@example("'a'.count(')")
@example("\udc80")
def test_nothing_that_is_written_raises(text: str) -> None:
    assert isinstance(use_calculator(text), int | float | None)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("5", 5), (" 5 ", 5), ("-5", -5), ("+-+5", -5), ("--5", 5), (".5", 0.5), ("5.", 5.0), ("007", 7),
        ("1,234,567.5", 1234567.5), ("0.1+0.2", 0.1 + 0.2), ("-7//2", -4), ("7.5//2", 3.0), ("8/2", 4.0),
        ("8/2*4", 16.0), ("2-3-4", -5), ("2*-3", -6), ("2*(3+4)", 14), ("-(1,000+1)", -1001), ("-0.0", -0.0),
        ("'banana'.count('an')", 2), ("'b, a, a'.count(',')", 2), ("\"don't\".count('t')", 1), ("'ab'.count('')", 3),
    ],
)  # fmt: skip
def test_what_it_reads(expression: str, value: Number) -> None:
    assert repr(use_calculator(expression)) == repr(value)


@pytest.mark.parametrize(
    "expression",
    [
        "", " ", "()", "(", ")", "(1", "1)", "(1(", "((1)2", "1 2", "2(3)", "(2)(3)", ".", "1.2.3", "1..2", "2* *3",
        "2/ /3", "*2", "1+", "1e5", "0x10", "1_000", "1j", "٣", "½", "1\n+1", "1;2", "1=1", "1<2", "x", "True", "None",
        "nan", "inf",
        "__import__('os')", "'a'", "'a'.count(1)", "'a'.count('a').count('a')", "'a'.count('a', 1)", "count('a')",
        "'a'.__class__", "'a\\'b'.count('b')", "'a\n'.count('a')", "'a'+'b'", "'a' 'b'.count('b')", "f'a'.count('a')",
        "lambda: 1", "[1]", "1 if 1 else 2", "$5", "5%", "5!",
    ],
)  # fmt: skip
def test_what_is_no_expression(expression: str) -> None:
    assert use_calculator(expression) is None


HOSTILE = {
    "a tower of powers": "9**9**9",
    "parentheses": "(" * 1000 + "1" + ")" * 1000,
    "parentheses that stay open": "(" * 1000,
    "a million characters": "1+" * 500_000 + "1",
    "a million digits": "9" * 10**6,
    "a quote that stays open": "'" + "a" * 10**6,
    "quotes": "'" * MAX_CHARACTERS,
    "spaces": "1" + " " * (MAX_CHARACTERS - 2) + "x",
    "commas": "1" + "," * (MAX_CHARACTERS - 2) + "x",
    "signs": "-" * MAX_CHARACTERS,
    "no float has so many digits": "9" * 400 + ".0",
    "infinity minus infinity": "9" * 400 + ".0-" + "9" * 400 + ".0",
    "a product that is too large": "*".join(["1" + "0" * 160 + ".0"] * 2),
    "an int that no float can hold": "9" * 400 + "*1.0",
    "a quotient that no float can hold": "9" * 400 + "/3",
    "0/0": "0.0/0.0",
    "0//0": "0//0",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_has_no_value_and_takes_no_time(name: str) -> None:
    started = time.process_time()
    assert use_calculator(HOSTILE[name]) is None
    assert time.process_time() - started < 0.5


def test_what_is_long_and_yet_allowed() -> None:
    started = time.process_time()
    assert use_calculator("9*" * (MAX_CHARACTERS // 2 - 1) + "9") == 9 ** (MAX_CHARACTERS // 2)
    assert use_calculator("9" * MAX_CHARACTERS) == 10**MAX_CHARACTERS - 1
    assert use_calculator("-" * (MAX_CHARACTERS - 1) + "1") == (-1) ** (MAX_CHARACTERS - 1)
    assert use_calculator("(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH) == 1
    assert use_calculator("(1)+" * 200 + "(1)") == 201  # beside each other, not in each other
    assert time.process_time() - started < 0.5
    assert use_calculator("9" * (MAX_CHARACTERS + 1)) is None
    assert use_calculator("(" * (MAX_DEPTH + 1) + "1" + ")" * (MAX_DEPTH + 1)) is None
