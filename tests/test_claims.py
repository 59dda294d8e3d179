"""Claims: how a condition is read and computed, and what is said where one is false."""

import ast
import math
from typing import Any

import pytest
from conftest import ROOT
from falsified import unfalsified
from hypothesis import example, given
from hypothesis import strategies as st

from cutaway.claims.directive import _SPLIT
from cutaway.claims.evaluate import holds, value_of
from cutaway.claims.functions import Series
from cutaway.claims.syntax import DEEPEST, LONGEST, MOST, ConditionError, names, parse
from cutaway.prose.words import RATIOS, SHARES, SMALL, approximately, exactly, in_words, ordinal
from nanochat.cli.eval import Score

LOSS = Series((0.0, 100.0, 200.0), (3.0, 2.0, 1.5))
VALUES: dict[str, Any] = {
    "mid.after": 0.9,
    "mid.before": 0.2,
    "n": 7,
    "deep/attention-forward-mask[0, 2, 5]": 0.25,
    "sort/x.shape": [1, 3, 11],
    "mid.log/loss": LOSS,
    "cell.right": [3, 1, 2],
    "cell.word": "abc",
    "cell.sure": True,
}


# Against Python's own reading, of expressions that both understand

numbers = st.one_of(st.integers(0, 50), st.floats(0.0625, 8, allow_nan=False).map(lambda x: round(x, 3))).map(str)
operands = st.one_of(numbers, st.sampled_from(["n", "mid.after", "mid.before"]))


def arithmetic(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(" ".join)
    power = st.tuples(operands, st.sampled_from(["2", "-1", "0.5", "3 ** 2"])).map(" ** ".join)
    called = st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})")
    around = st.tuples(st.sampled_from(["-{}", "({})", "abs({})"]), inner).map(lambda t: t[0].format(t[1]))
    return st.one_of(pair, power, called, around)


expressions = st.recursive(operands, arithmetic, max_leaves=8)
comparisons = st.tuples(
    expressions, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), expressions, st.sampled_from(["", " < 3"])
).map(lambda t: f"{t[0]} {t[1]} {t[2]}{t[3]}")
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
        inner.map("not {}".format),
        inner.map("({})".format),
    ),
    max_leaves=5,
)


class Run:
    after, before = VALUES["mid.after"], VALUES["mid.before"]


def by_python(condition: str) -> Any:
    try:
        found = eval(condition, {"n": VALUES["n"], "mid": Run})
    except (ArithmeticError, ValueError, TypeError) as error:
        return type(error)
    return found


@given(conditions)
def test_a_condition_means_what_python_reads_in_it(condition: str) -> None:
    expected = by_python(condition)
    try:
        found: Any = holds(parse(condition), VALUES)
    except ConditionError:
        assert isinstance(expected, type)  # Python refuses it, too
        return
    assert found is expected


@given(expressions)
def test_arithmetic_is_pythons(expression: str) -> None:
    expected = by_python(expression)
    try:
        found = value_of(parse(expression), VALUES)
    except (ConditionError, ArithmeticError, ValueError):
        assert isinstance(expected, type)
        return
    assert not isinstance(expected, type) and found == pytest.approx(expected, rel=1e-12)


@given(st.text(max_size=60) | st.text("<>=!()+-*/,.%'\" andortmx[]0123456789", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        tree = parse(text)
    except ConditionError as error:
        assert str(error)
        return
    given_values = dict.fromkeys(names(tree), 1.5)
    try:
        assert isinstance(holds(tree, given_values), bool)
    except ConditionError as error:
        assert str(error)


# What it holds beyond that


@pytest.mark.parametrize(
    "condition",
    [
        "deep/attention-forward-mask[0, 2, 5] == 25%",
        "23.5% < 0.236 and 1_000 == 1e3",
        "cell.word == 'abc' and cell.word != \"b\" and cell.sure",
        "not cell.sure or true and not False",
        "mean(cell.right) == 2 and sum(cell.right) == 6 and max(cell.right) == 3 and len(cell.right) == 3",
        "max(sort/x.shape) == 11 and min(1, 2, 0.5) == 0.5",
        "first(mid.log/loss) == len(mid.log/loss) == 3 and last(mid.log/loss) == 1.5 and at(mid.log/loss, 100) == 2",
        "decreases(mid.log/loss) and not increases(mid.log/loss) and not decreases(cell.right)",
        "decreases(cell.right, 1) and not decreases(cell.right, 0.9)",
        "round(2.567, 1) == 2.6 and round(2.4) == 2 and sqrt(16) == 4 and log(1) == 0",
        "low(23, 100) < 0.23 < high(23, 100) and not overlap(23, 100, 83, 100) and overlap(63, 100, 46, 100)",
        "mid.after - mid.before > 0.6 and n- 1 == 6 and n / 2 == 3.5",
    ],
)
def test_holds(condition: str) -> None:
    assert holds(parse(condition), VALUES)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("", "at its end: a number, a name or a parenthesis"),
        ("n >", "at its end: a number"),
        ("n > 3)", "at '\\)': an operator or the end"),
        ("n $ 3", "at '\\$ 3': no such sign"),
        ("n = 3", "at '= 3': no such sign"),
        ("n", "gives the number 7; compare it"),
        ("n + 3 and n > 2", "'and' was given the number 10, and needs a comparison"),
        ("mid.log/loss < 3", "'<' was given a series of 3 values: take min, max"),
        ("cell.word < 3", "'<' can't compare the text 'abc' with the number 3"),
        ("cell.word + 1 > 0", "'\\+' was given the text 'abc', and needs a number$"),
        ("cell.right * 2 > 0", "'\\*' was given a list of 3 values, and needs a number: take min"),
        ("maks(n, 2) > 1", "no function 'maks'; did you mean 'max'"),
        ("last() > 1", "last was given 0 arguments and takes 1"),
        ("last(n) > 1", "last was given the number 7, and needs a list or a series"),
        ("max(n) > 1", "max was given the number 7, and needs a list or a series"),
        ("at(mid.log/loss, 120) > 1", "nothing was logged at step 120; the nearest are 100 and 200"),
        ("low(5, 3) > 0", "an interval of 5 right of 3"),
        ("1 / (n - 7) > 0", "it divides by 0"),
        ("9 ** 9 ** 9 > 0", "larger than 1000"),
        ("1e999 > 0", "the number is too large"),
        ("sqrt(-1) > 0", "can't be computed"),
        ("(" * (DEEPEST + 2), "levels are nested"),
        ("-" * (DEEPEST + 2) + "1", "levels are nested"),
        ("1" + " + 1" * MOST, f"more than {MOST}"),
        ("1" * (LONGEST + 1), f"at most {LONGEST:,}"),
    ],
)
def test_what_is_wrong_is_said(condition: str, message: str) -> None:
    with pytest.raises(ConditionError, match=message):
        holds(parse(condition), VALUES)


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_is_that_of_the_explained_source(counted: tuple[int, int]) -> None:
    right, asked = counted
    low, high = Score(right, asked, 0.0).interval
    values = {"k": right, "n": asked}
    assert value_of(parse("low(k, n)"), values) == pytest.approx(low, abs=1e-12)
    assert value_of(parse("high(k, n)"), values) == pytest.approx(high, abs=1e-12)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=8), st.integers(0, 6))
def test_what_increases_with_a_tolerance(values: list[int], tolerance: int) -> None:
    pairs = [(a, b) for i, a in enumerate(values) for b in values[i + 1 :]]
    found = holds(parse("increases(s, t)"), {"s": values, "t": tolerance})
    assert found == (all(b >= a - tolerance for a, b in pairs) and values[-1] > values[0])
    assert holds(parse("increases(s)"), {"s": values}) == (values == sorted(set(values)))


# How strong a condition is


@pytest.mark.parametrize(
    ("condition", "values", "weak"),
    [
        ("a.b >= 0.9", {"a.b": 0.97}, []),
        ("a.b > 0", {"a.b": 0.97}, ["a.b"]),
        ("a.b > 0 and a.c > 0.8", {"a.b": 12, "a.c": 0.9}, ["a.b"]),
        ("a.b > a.c", {"a.b": 0.9, "a.c": 0.1}, []),
        ("a.b != a.c", {"a.b": 0.9, "a.c": 0.1}, []),
        ("a.b < 0", {"a.b": -0.2}, []),
        ("a.b == 0 and a.c", {"a.b": 0, "a.c": True}, []),
        ("a.b == 0 or a.c", {"a.b": 0, "a.c": True}, ["a.b", "a.c"]),
        ("a.b >= a.b", {"a.b": 3}, ["a.b"]),
        ("len(a.b) > 2", {"a.b": [1, 2, 3]}, ["a.b"]),
        ("increases(a.b)", {"a.b": {"steps": [0, 1], "values": [2.0, 3.0]}}, []),
        ("low(a.b, a.c) > 0.3", {"a.b": 60, "a.c": 100}, []),
        ("a.b == 'sorted'", {"a.b": "sorted"}, []),
    ],
)
def test_a_weak_condition_is_found(condition: str, values: dict[str, Any], weak: list[str]) -> None:
    assert unfalsified(condition, values) == weak


# The role's text


@pytest.mark.parametrize(
    ("text", "sentence", "condition"),
    [
        ("Right. <a.b >= 0.9>", "Right.", "a.b >= 0.9"),
        ("Here a < b. <a.b < c.d <= 3>", "Here a < b.", "a.b < c.d <= 3"),
        ("Here a <= b, x<y. <a.b > 3>", "Here a <= b, x<y.", "a.b > 3"),
        ("Twice <a.b > 3 and a.b <9>", "Twice", "a.b > 3 and a.b <9"),
    ],
)
def test_where_the_condition_begins(text: str, sentence: str, condition: str) -> None:
    parsed = _SPLIT.match(text)
    assert parsed and (parsed["sentence"], parsed["condition"]) == (sentence, condition)


@pytest.mark.parametrize("text", ["", "Right.", "<a.b > 3>", "Right <a.b > 3> indeed", "Right < a.b >"])
def test_a_text_without_sentence_or_condition(text: str) -> None:
    assert _SPLIT.match(text) is None


# Numbers in words


def meant(phrase: str) -> tuple[float, float]:
    """The numbers that a reader may take a phrase for: an own reading of English, five per cent around a name."""
    named = {name: value for value, name in (*SHARES, *RATIOS)} | {"all": 1.0}
    text = phrase.removeprefix("about ")
    if phrase.startswith("between "):
        low, high = phrase.removeprefix("between ").split(" and ", 1)
        return named[low], named[high]
    if text in named and phrase != "all":
        return named[text] * 0.95, named[text] * 1.05
    fixed = {
        "none": (0.0, 0.0), "all": (1.0, 1.0), "nearly all": (0.95, 1.0), "more than nine tenths": (0.9, 1.0),
        "fewer than one in ten thousand": (0.0, 1e-4), "a few thousand times": (2000.0, 7000.0),
        "tens of thousands of times": (2e4, 1e5), "hundreds of thousands of times": (2e5, 1e6),
        "millions of times": (2e6, math.inf),
    }  # fmt: skip
    if phrase in fixed:
        return fixed[phrase]
    number = text.removeprefix("one in ").removesuffix(" times").replace(",", "")
    value = float(SMALL.index(number) if number in SMALL else number)
    low, high = value * 0.916, value * 1.084  # half of one in six
    return (1 / high, 1 / low) if "one in" in text else (low, high)


@given(st.one_of(st.floats(0, 1), st.floats(1, 20), st.floats(1, 1e7), st.integers(0, 100).map(lambda n: n / 100)))
@example(0.154296875)  # 1 in 6.48
def test_what_is_said_about_a_number_is_true_of_it(number: float) -> None:
    phrase = approximately(number)
    assert phrase.low * (1 - 1e-9) <= number <= phrase.high * (1 + 1e-9)
    low, high = meant(phrase.text)
    assert low * (1 - 1e-9) <= number <= high * (1 + 1e-9), phrase
    wide = ("few", "tens", "hundreds", "millions", "fewer")
    assert phrase.high <= phrase.low * 1.35 or any(word in phrase.text for word in wide)  # it says something


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1 / 3, "about a third"), (0.52, "about half"), (0.98, "nearly all"), (1 / 9, "about one in nine"),
        (2.04, "about twice"), (3.1, "about three times"), (2.3, "about 2.3 times"), (4321, "a few thousand times"),
        (0, "none"), (1, "all"), (1023, "about a thousand times"), (0.004, "about one in 250"),
        (0.45, "between two fifths and half"),
    ],
)  # fmt: skip
def test_about(number: float, text: str) -> None:
    assert in_words(number, "about") == text


@given(st.integers(-2000, 2000))
def test_whole_numbers_in_words(number: int) -> None:
    text = exactly(number).removeprefix("minus ")
    back = SMALL.index(text) if text in SMALL else int(text.replace(",", ""))
    assert back == abs(number) and exactly(float(number)) == exactly(number)


def test_ordinals() -> None:
    said = [ordinal(n) for n in (1, 2, 3, 12, 13, 21, 22, 23, 111, 112, 1001)]
    assert said == ["first", "second", "third", "twelfth", "13th", "21st", "22nd", "23rd", "111th", "112th", "1,001st"]
    assert in_words(3, "Ordinal") == "Third" and in_words(3, ".2f") is None and in_words(3, "aBOUT") is None


@pytest.mark.parametrize("value", ["abc", None, True, math.nan, math.inf, -0.5])
def test_what_has_no_words(value: Any) -> None:
    for form in ("about", "words", "ordinal"):
        with pytest.raises(ValueError, match="no "):
            in_words(value, form)


def test_nothing_evaluates_a_condition_but_its_own_parser() -> None:
    files = list((ROOT / "ext/cutaway/claims").glob("*.py"))
    walked = (node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))))
    called = [node.func for node in walked if isinstance(node, ast.Call)]
    assert len(called) > 100
    assert not {"eval", "exec", "compile"} & {function.id for function in called if isinstance(function, ast.Name)}
