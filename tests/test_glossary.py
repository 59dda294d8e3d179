"""Terms are defined in a sentence of a page, listed on one, and linked from everywhere; also with workers and edits."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from docutils import nodes

from cutaway.glossary.sentence import sentence_around

CONF = """extensions = ["myst_parser", "cutaway"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
html_theme = "basic"
"""
PAGES = {
    "conf.py": CONF,
    "index.md": "# Index\n\n```{toctree}\none\ntwo\nterms\n```\n",
    "one.md": "# One\n\nBefore. The {define}`tokens <token, subword>` are its letters, see {ref}`two`. After.\n",
    "two.md": "(two)=\n# Two\n\nAn {define}`RMS norm <RMS norm, RMSNorm>` divides by $r$ (`rms`). A {term}`Subword`,\n"
    "or {term}`a norm <rmsnorm>`.\n",
    "terms.md": "# Terms\n\n:::{definitions}\n:::\n",
}


def built(folder: Path, out: str = "html", *options: str) -> tuple[dict[str, str], str]:
    """The pages of a book, and all that was said."""
    command = [sys.executable, "-m", "sphinx", "-q", "-n", "-d", str(folder / f"trees-{out}"), *options]
    done = subprocess.run([*command, str(folder), str(folder / out)], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    written = [path for path in (folder / out).iterdir() if path.suffix in (".html", ".txt")]
    return {path.stem: path.read_text("utf-8") for path in written}, done.stderr


@pytest.fixture
def book(tmp_path: Path) -> Path:
    for name, text in PAGES.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def soup(page: str) -> BeautifulSoup:
    return BeautifulSoup(page, "html.parser")


def listed(page: str) -> list[str]:
    found = soup(page).select(".cutaway-terms dt, .cutaway-terms dd")
    return [" ".join(one.get_text().replace("¶", "").split()) for one in found]


def test_a_term_is_listed_with_its_sentence_and_linked_by_every_name(book: Path) -> None:
    pages, said = built(book)
    assert not said
    assert listed(pages["terms"]) == [
        *("RMS norm (RMSNorm)", "An RMS norm divides by \\(r\\) (rms). Two"),
        *("token (subword)", "The tokens are its letters, see Two. One"),
    ]
    assert soup(pages["one"]).select_one('a[href="terms.html#glossary-token"] em#term-token')
    subword, norm = soup(pages["two"]).select('p a[href*="glossary"]')[1:]
    assert (subword["href"], subword.get_text()) == ("terms.html#glossary-token", "Subword")
    assert (norm["href"], norm.get_text()) == ("terms.html#glossary-rms-norm", "a norm")
    assert subword["title"] == "The tokens are its letters, see two."
    for link in soup(pages["terms"]).select("dd a[href]"):
        page, _, id = str(link["href"]).partition(".html#")
        assert soup(pages[page]).find(id=id), link


def test_without_a_page_of_terms_links_lead_to_the_definition(book: Path) -> None:
    (book / "terms.md").write_text("# Terms\n\nNone.\n", "utf-8")
    pages, said = built(book)
    assert not said and soup(pages["two"]).select_one('a[href="one.html#term-token"]')
    assert soup(pages["one"]).select_one("em#term-token") and not soup(pages["one"]).select_one("p a em#term-token")


def test_other_builders_print_the_words(book: Path) -> None:
    pages, said = built(book, "text", "-b", "text")
    assert not said and "The *tokens* are its letters" in pages["one"]
    assert "RMS norm (RMSNorm)" in pages["terms"] and "are its letters" in pages["terms"]


def test_an_edit_reaches_the_pages_that_show_it_and_leaves_the_bytes_of_a_whole_build(book: Path) -> None:
    first, _ = built(book)
    (book / "one.md").write_text("# One\n\nA {define}`token <token, subword>` is a sign.\n", "utf-8")
    edited, _ = built(book)
    assert listed(edited["terms"])[3] == "A token is a sign. One"
    assert "A token is a sign." in edited["two"] and "A token is a sign." not in first["two"]
    assert edited == built(book, "again", "-j", "2")[0]
    (book / "one.md").write_text("# One\n\nNothing.\n", "utf-8")
    gone, said = built(book)
    assert len(listed(gone["terms"])) == 2
    assert "two.md:4: WARNING: no page defines the term 'Subword'" in said


MISTAKES = {
    "A {define}`token` again, a {define}`Subword`.": [
        "the term 'token' is defined at one.md:3 already; link to it there: {term}`token`",
        "the term 'Subword' is defined at one.md:3 already",
    ],
    "A {term}`tokken`.": ["no page defines the term 'tokken'; did you mean 'token'?"],
    "A {define}`token <>` and {define}`x <a,,b>`, {define}`<y>`.": [
        "'x <a,,b>' names no term: write the words shown, then <TERM, OTHER NAME> if these differ",
        "'<y>' names no term",
    ],
    "A {define}`" + 81 * "y" + "`.": ["names no term"],
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_a_warning_at_its_line(text: str, book: Path) -> None:
    (book / "two.md").write_text(f"(two)=\n# Two\n\n{text}\n", "utf-8")
    _, said = built(book)
    for expected in MISTAKES[text]:
        assert re.search(rf"two\.md:4: WARNING: .*{re.escape(expected)}", said), said
    assert "[cutaway.term]" in said


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("One. A ", " is one, e.g. this. Two.", "A x is one, e.g. this."),
        ("", " (see Fig. 2) ends? Yes.", "x (see Fig. 2) ends?"),
        ("So it ends.) The ", " of J. Doe", "The x of J. Doe"),
        ("Is 3.5 a ", "?", "Is 3.5 a x?"),
    ],
)
def test_the_sentence_around_a_word(before: str, after: str, expected: str) -> None:
    word = nodes.emphasis("", "x", ids=["here"])
    nodes.paragraph("", "", nodes.Text(before), nodes.inline("", "", word), nodes.Text(after))
    found = sentence_around(word)
    assert found.astext() == expected
    assert not any(one["ids"] for one in found.findall(nodes.Element))
