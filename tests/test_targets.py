"""What a book has to link to: ids, titles and descriptions in plain words."""

import json
from pathlib import Path

import pytest
from conftest import Book
from docutils import nodes
from hypothesis import given
from hypothesis import strategies as st

from cutaway.targets import plain, scene_title, short


def test_every_labelled_thing_of_a_page_is_described(mini_book: Book) -> None:
    record = Path(f"{mini_book.folder}-doctrees") / "cutaway.json"
    said = json.loads(record.read_text("utf-8"))["descriptions html"]
    page = mini_book.page("things")
    steps = [note["id"] for note in page.select(".cutaway-note")]
    assert steps and set(steps) <= said.keys()
    assert all(text.strip() and "\\" not in text and len(text) <= 202 for text in said.values())


@pytest.mark.parametrize(
    ("latex", "said"),
    [
        (r"e^{-\infty} = 0", "e^−∞=0"),
        (r"\sqrt{D}", "√D"),
        (r"\frac{q k}{\sqrt{D}}", "qk/(√D)"),
        (r"x_i^2 + e^{a+b}", "x_i^2+e^(a+b)"),
        (r"\operatorname{softmax}(x)", "softmax(x)"),
    ],
)
def test_a_formula_is_said_in_one_line(latex: str, said: str) -> None:
    paragraph = nodes.paragraph("", "", nodes.Text("so "), nodes.math("", latex), nodes.Text(" here"))
    assert plain(paragraph) == f"so {said} here"


@pytest.mark.parametrize(
    ("name", "words"),
    [("CausalMask", "Causal mask"), ("MLPForward", "MLP forward"), ("Scores", "Scores"), ("qk_grid", "Qk grid")],
)
def test_a_scene_has_a_title_in_words(name: str, words: str) -> None:
    assert scene_title(f"page.{name}") == words


@given(st.text(alphabet="ab ,.?", max_size=400))
def test_a_short_text_is_a_beginning_and_fits(text: str) -> None:
    told = short(text)
    assert len(told) <= 202
    assert " ".join(text.split()).startswith(told.removesuffix(" …"))
