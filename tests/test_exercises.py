"""Exercises: what a page says of a typed answer, what a check says of a function, what a build says of a bad one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Locator, Page, expect

from cutaway.exercises import ExerciseError, check
from cutaway.exercises.comparing import difference

CONF = f"""
extensions = ["myst_parser", "cutaway", "cutaway.markdown"]
myst_enable_extensions = ["colon_fence", "deflist"]
cutaway_sources = {{"mixer": [{str(ROOT / "tests/foreign/src/mixer")!r}]}}
cutaway_runs = "runs.py"
exclude_patterns = ["out"]
"""
INDEX = """# A book

1. How much is it?

   :::{answer} mix.answer / 100
   :within: 2%

   `mix.answer`
   : Divide by a **hundred**.

   `mix.rows`
   : These are the rows.

   It is {fact}`mix.answer`, over a hundred.
   :::

2. Which shape?

   :::{answer} mix/x.shape
   Rows first.
   :::

3. Which word?

   :::{answer} mix.word
   It is a word.
   :::

4. Is it so?

   :::{answer} mix.answer > 41
   Yes.
   :::

5. Write it.

   :::{answer}
   :code: doubling.Double

   Twice.
   :::
"""
DOUBLING = """
import numpy as np

from cutaway.exercises import Case, Exercise, mistake


class Double(Exercise):
    def cases(self):
        yield Case("a row", (np.array([0.0, 2.0]),), np.array([0.0, 4.0]))
        yield Case("a number", (3.0,), 6.0)

    @staticmethod
    def solution(x):
        return 2 * x  # twice

    @mistake("A square is no double.")
    def squared(x):
        return x**2


class Unsolved(Double):
    @staticmethod
    def solution(x):
        return x


class TooKind(Double):
    @mistake("The same in other words.")
    def added(x):
        return x + x
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    runs = (ROOT / "tests/foreign/runs.py").read_text("utf-8")
    files = {"conf.py": CONF, "index.md": INDEX, "exercises/doubling.py": DOUBLING}
    files["runs.py"] = runs.replace("answer=42", "answer=42, rows=3, word='Two  words'")
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    for builder in ("html", "text"):
        said = _built(folder, builder)
        assert not said, said
    return folder


def _built(folder: Path, builder: str = "html") -> str:
    command = [sys.executable, "-m", "sphinx", "-q", "-n", "-b", builder, str(folder), str(folder / "out" / builder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr


@pytest.fixture
def page(book: Path, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    page = context.new_page()
    page.goto((book / "out/html/index.html").as_uri())
    yield page
    context.close()


def _type(page: Page, number: int, text: str) -> Locator:
    form = page.locator(".cutaway-answer form").nth(number)
    form.locator("input").fill(text)
    form.locator("input").press("Enter")
    return form.get_by_role("status")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("number", "typed", "said"),
    [
        *((0, text, "Right.") for text in ("0.42", " .42", "42%", "42/100", "0,42", "0.425", "4.2e-1")),
        (0, "42", "Divide by a hundred."),
        (0, "3", "These are the rows."),
        (0, "-.42", "look at the sign"),
        (0, "4.2", "the decimal point is not"),
        (0, "2.381", "reciprocal"),
        (0, "0.45", "Close"),
        (0, "7", "Not yet."),
        (0, "many", "Type an answer, a number."),
        (0, "", "Type an answer, a number."),
        *((1, text, "Right.") for text in ("3, 4", "(3, 4)", "3x4", "[3,4]")),
        (1, "4, 3", "another order"),
        (1, "3, 4, 1", "You gave 3 numbers"),
        (1, "12", "You gave 1 number;"),
        *((2, text, "Right.") for text in ("two words", '"Two words"', " TWO  WORDS ")),
        (2, "words", "Not yet."),
        *((3, text, "Right.") for text in ("yes", "True", "y")),
        (3, "no", "Not yet."),
        (3, "perhaps", "Type an answer, yes or no."),
    ],
)
def test_the_page_tells_right_from_wrong_and_why(page: Page, number: int, typed: str, said: str) -> None:
    status = _type(page, number, typed)
    expect(status).to_contain_text(said)
    hints = status.locator("div")
    assert (
        [hint.is_visible() for hint in hints.all()] == [hint.inner_text() in said for hint in hints.all()]
        if said
        else []
    )


@pytest.mark.browser
def test_what_was_solved_is_remembered_and_the_keyboard_is_enough(page: Page) -> None:
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.tagName") != "INPUT":
        page.keyboard.press("Tab")
    page.keyboard.type("0.42")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Check"
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Right.")
    page.reload()
    expect(page.get_by_role("status").first).to_contain_text("You solved this before.")
    expect(page.get_by_role("status").nth(1)).to_be_empty()
    assert page.get_by_label("Your answer, a number").first.is_visible()


@pytest.mark.browser
def test_without_script_there_are_question_and_solution(book: Path, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((book / "out/html/index.html").as_uri())
    assert page.get_by_text("How much is it?").is_visible()
    assert (
        not page.locator("input[id^=answer]").first.is_visible()
        and not page.get_by_text("These are the rows").is_visible()
    )
    page.get_by_text("Solution").first.click()
    assert page.get_by_text("It is 42, over a hundred.").is_visible()
    context.close()


def test_other_forms_have_question_and_solution(book: Path) -> None:
    for name in ("html/index.md", "text/index.txt"):
        text = (book / "out" / name).read_text("utf-8")
        order = [text.index(part) for part in ("How much", "**Solution**", "It is 42, over a hundred", "Which shape")]
        assert order == sorted(order), name
        assert "return 2 * x  # twice" in text and "Divide by" not in text, name


def test_a_function_of_the_solution_is_printed_and_nothing_is_executed(book: Path) -> None:
    soup = BeautifulSoup((book / "out/html/index.html").read_text("utf-8"), "html.parser")
    last = soup.select(".cutaway-answer")[-1]
    assert last.select_one("pre").get_text().startswith("def solution(x):") and not last.select("form")  # type: ignore[union-attr]


# Functions


@pytest.fixture
def here(book: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CUTAWAY_BOOK", str(book))
    return book


def test_a_check_tells_the_first_difference_and_its_usual_cause(here: Path) -> None:
    told = {
        "right": (lambda x: x + x, "Right: all 2 cases agree."),
        "squared": (
            lambda x: x * x,
            "Not yet. a number: 6 is expected, and the function gave 9. A square is no double.",
        ),
        "other": (
            lambda x: 3 * x,
            "Not yet. a row: at [1] 4 is expected, and the function gave 6 (1 of 2 numbers differ).",
        ),
        "nothing": (lambda x: None, "Not yet. a row: the function gave nothing back: it needs a return."),
        "shape": (lambda x: 2.0, "Not yet. a row: the shape is (), and should be (2,)."),
        "raises": (lambda x: 1 / 0, "Not yet. a row: the function raised ZeroDivisionError: division by zero."),
        "word": (
            lambda x: "four",
            "Not yet. a row: the function gave a str, where an array of shape (2,) is expected.",
        ),
    }
    for function, said in told.values():
        report = check("doubling.Double", function)
        assert (str(report), report.passed) == (said, said.startswith("Right"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("doubling.Unsolved", "the solution of doubling.Unsolved fails. a row: at [1] 4 is expected"),
        ("doubling.TooKind", "the mistake added of doubling.TooKind passes"),
        ("doubling.Nothing", "has no class Nothing"),
        ("nothing.Double", "there is doubling"),
        ("../doubling.Double", "is no exercise"),
    ],
)
def test_a_wrong_exercise_is_an_error(here: Path, name: str, said: str) -> None:
    with pytest.raises(ExerciseError, match=said.replace("[", r"\[").replace("(", r"\(")):
        check(name, lambda x: 2 * x)


numbers = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=8)


@given(numbers, st.integers(0, 7), st.floats(1.5, 100))
def test_one_changed_number_is_found_where_it_stands(values: list[float], place: int, times: float) -> None:
    """Against the definition: the first index that is further off than the share of the largest number."""
    place, largest = place % len(values), max(map(abs, values))
    assert not difference(np.array(values), values, 1e-6)
    off = 1e-6 * max(largest, 1e-300) * times
    changed = list(values)
    changed[place] += off
    if abs(changed[place] - values[place]) > 1e-6 * largest:
        assert difference(changed, values, 1e-6).startswith(f"at [{place}] ")


def test_what_is_no_number_is_compared_as_it_is() -> None:
    assert not difference(["a", ("b", 1)], ["a", ["b", 1]], 0)
    assert difference(["a", "c"], ["a", "b"], 0) == "at [1] 'b' is expected, and the function gave 'c'"
    assert difference(["a"], ["a", "b"], 0) == "2 items are expected, and the function gave 1"
    assert difference(float("nan"), 1.0, 0).endswith("gave nan")
    assert not difference(np.array([np.nan, -np.inf]), [np.nan, -np.inf], 1e-5)
    assert difference([0.0, 1.0], [-np.inf, 1.0], 1e-5).startswith("at [0] -inf is expected")


def test_a_page_is_executed_anew_when_its_exercise_changes(here: Path) -> None:
    from cutaway.cells.keys import CellKeys
    from cutaway.settings import Book

    def key(cell: str) -> str:
        cells = {"cells": [[cell, []]], "kernel": "python3", "allow_errors": False, "in_temp": False}
        return CellKeys(Book.read(here), {}).key(cells)

    cell = 'from cutaway.exercises import check\ncheck("doubling.Double", abs)'
    other = "from cutaway import note\nnote(a=1)"
    before, path = (key(cell), key(other)), here / "exercises/doubling.py"
    path.write_text(DOUBLING.replace("(3.0,), 6.0", "(4.0,), 8.0"), "utf-8")
    try:
        after = (key(cell), key(other))
    finally:
        path.write_text(DOUBLING, "utf-8")
    assert before[0] != after[0] and before[1] == after[1] and os.environ["CUTAWAY_BOOK"]
