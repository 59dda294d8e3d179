"""Formulae become MathML while building."""

import re
from pathlib import Path

import pytest
from conftest import BuildBook

from cutaway.math import FormulaError, display_latex, to_mathml


def test_inline_formula_is_mathml() -> None:
    assert to_mathml(r"\frac{1}{2}", False) == "<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>"


def test_displayed_formula_says_so() -> None:
    assert to_mathml("x", True).startswith('<math display="block">')


@pytest.mark.parametrize("hue", ["blue", "green", "red", "yellow"])
def test_a_coloured_part_has_the_themes_colour(hue: str) -> None:
    mathml = to_mathml(rf"\textcolor{{{hue}}}{{x}} + y", True)
    assert re.search(rf'style="color:var\(--cutaway-{hue}, #\w{{6}}\);"', mathml)


def test_another_colour_stays() -> None:
    assert "var(" not in to_mathml(r"\textcolor{purple}{x}", True)


@pytest.mark.parametrize(
    ("latex", "complaint"),
    [
        (r"\frac{1}{", r"reached end of input.*character 9 of '\\frac\{1\}\{'"),
        (r"\nosuch{x}", r"Unknown command.*character 0"),
        ("a & b", "table-like"),
    ],
)
def test_broken_formula_says_what_and_where(latex: str, complaint: str) -> None:
    with pytest.raises(FormulaError, match=complaint):
        to_mathml(latex, False)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("x = 1\n", 0),
        (r"a &= b \\ c &= d", 2),
        ("a = b\n\nc = d\n\ne = f", 3),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", 2),
    ],
)
def test_rows_of_a_displayed_formula(text: str, rows: int) -> None:
    assert to_mathml(display_latex(text), True).count("<mtr") == rows


def test_matrix_in_one_row_is_not_split() -> None:
    mathml = to_mathml(display_latex(r"A = \begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}"), True)
    assert mathml.count("<mtr") == 1 + 2  # its own row, and the matrix's


def test_broken_formula_in_a_page_is_a_warning_with_its_line(build_book: BuildBook, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.md").write_text(
        "# Page\n\nWords.\n\nThe $\\frac{1}{$ is open <&.\n\n$$\n\\nosuch\n$$\n", "utf-8"
    )
    book = build_book(pages, tmp_path / "html", "--keep-going")
    warned = re.findall(r"index\.md:(\d+): WARNING: formula: .* \[cutaway\.math\]", book.warnings)
    assert warned == ["5", "7"]
    assert [code.text for code in book.page("index").select(".math code")] == [r"\frac{1}{", r"\nosuch"]
