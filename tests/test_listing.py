"""Listings as readers get them: the HTML of the mini book and of a foreign one, and the pure functions behind."""

import shutil
import subprocess
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from conftest import SPHINX
from hypothesis import given
from hypothesis import strategies as st

from cutaway.source.find import Span
from cutaway.source_pages.code_html import Quote, code_html

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of somebody else's, in reStructuredText, with nothing but ``extensions = ["cutaway"]``."""
    folder = tmp_path_factory.mktemp("foreign") / "book"
    shutil.copytree(HERE / "foreign", folder)
    _build(folder, "html")
    return folder


def _build(folder: Path, builder: str) -> str:
    doctrees = folder / "_build" / ("doctrees" if builder != "gettext" else "gettext-doctrees")
    epub = ["-D", "version=1", "-D", "copyright=nobody"] if builder == "epub" else []  # it asks for them
    command = [*SPHINX, "-nW", *epub, "-b", builder, str(folder), str(folder / "_build" / builder), "-d", str(doctrees)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def page(foreign: Path) -> BeautifulSoup:
    return BeautifulSoup((foreign / "_build/html/index.html").read_text("utf-8"), "html.parser")


def test_lines_have_their_own_numbers_and_text(page: BeautifulSoup) -> None:
    source = (HERE / "foreign/src/mixer/model.py").read_text("utf-8").split("\n")
    for line in page.select(".cutaway-line"):
        number = int(line.select_one(".cutaway-lineno").text)  # type: ignore[union-attr]
        code = line.select_one(".cutaway-code")
        assert code is not None
        for callout in code.select(".cutaway-callout"):
            callout.extract()
        assert code.text.rstrip("\n") == source[number - 1]


def test_shapes_are_beside_what_was_assigned(page: BeautifulSoup) -> None:
    shapes = {
        int(line.select_one(".cutaway-lineno").text): line.select_one(".cutaway-shape").text  # type: ignore[union-attr]
        for line in page.select(".cutaway-line")
        if line.select_one(".cutaway-shape")
    }
    assert shapes[9] == "scores (3R, 4C)"
    assert shapes[14] == "left, right (3R, 2)"
    assert shapes[8] == "rows 3"


def test_a_branch_not_taken_is_grey(page: BeautifulSoup) -> None:
    grey = [int(line.select_one(".cutaway-lineno").text) for line in page.select(".cutaway-unused")]  # type: ignore[union-attr]
    assert grey == [11]


def test_numbers_and_notes_lead_to_each_other(page: BeautifulSoup) -> None:
    callouts = page.select(".cutaway-callout")
    notes = page.select("li.cutaway-note")
    assert [c.text for c in callouts] == [n["value"] for n in notes] == ["1", "2"]
    for callout, note in zip(callouts, notes, strict=True):
        assert callout["href"] == f"#{note['id']}"
        number = note.select_one(".cutaway-note-number")
        assert number is not None and number["href"] == f"#{callout['id']}"
        assert callout["data-note"] == note["data-note"]


def test_facts_and_steps_in_prose(page: BeautifulSoup) -> None:
    paragraph = page.select_one("section > p")
    assert paragraph is not None
    assert paragraph.text == "The answer is 42, the shape (3R, 4C); see scores = x @ weight."
    assert paragraph.select_one('a[href="#mix-step-scores"]')


@pytest.mark.parametrize("builder", ["text", "man", "latex", "dirhtml", "epub", "gettext"])
def test_every_builder_shows_it(foreign: Path, builder: str) -> None:
    _build(foreign, builder)
    texts = [path.read_text("utf-8") for path in (foreign / "_build" / builder).rglob("*") if path.suffix in KINDS]
    assert any("Each row meets each column" in text for text in texts)
    if builder in ("text", "man"):
        assert any("scores (3, 4)" in text for text in texts)


KINDS = (".txt", ".1", ".tex", ".html", ".xhtml", ".pot")


def test_a_second_build_writes_nothing(foreign: Path) -> None:
    _build(foreign, "html")
    said = _build(foreign, "html")
    assert "no targets are out of date" in said and "run mix" not in said


def test_steps_are_in_the_inventory(foreign: Path) -> None:
    from sphinx.util.inventory import InventoryFile

    inventory = InventoryFile.loads((foreign / "_build/html/objects.inv").read_bytes(), uri="")
    assert inventory.data["cutaway:step"]["mix-step-scores"].uri == "index.html#mix-step-scores"


def test_another_checkout_is_woven_and_what_it_lacks_is_listed(
    foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (HERE / "foreign/src/mixer/model.py").read_text("utf-8")
    (tmp_path / "model.py").write_text("# theirs\n" + text.replace("scores = x @ weight", "scores = np.dot(x, weight)"))
    monkeypatch.setenv("CUTAWAY_SOURCE", f"mixer={tmp_path}")
    said = _build(foreign, "html")
    assert "cutaway: 1 notes are shown without code" in said and "index.rst:10: 'scores = x @ weight'" in said
    page = BeautifulSoup((foreign / "_build/html/index.html").read_text("utf-8"), "html.parser")
    caption, numbers = page.select_one("figcaption"), page.select(".cutaway-lineno")
    assert caption is not None and f"from {tmp_path}" in caption.text
    assert [number.text for number in numbers][:3] == ["7", "8", "9"]
    assert "np.dot(x, weight)" in page.select_one(".cutaway-diagram").text  # type: ignore[union-attr]
    assert ["cutaway-broken" in note["class"] for note in page.select(".cutaway-note")] == [True, False]


def test_a_script_is_shown_and_ours_runs_in_its_place(
    foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (HERE / "foreign/src/mixer/model.py").read_text("utf-8")
    (tmp_path / "model.py").write_text(f"import sys\n\nprint(sys.argv[1])\n{text}")
    monkeypatch.setenv("CUTAWAY_SOURCE", f"mixer={tmp_path}")
    said = _build(foreign, "html")
    assert "without code" not in said
    page = BeautifulSoup((foreign / "_build/html/index.html").read_text("utf-8"), "html.parser")
    caption, numbers = page.select_one("figcaption"), page.select(".cutaway-lineno")
    assert caption is not None and f"from {tmp_path}, a script: the book’s own ran in its place" in caption.text
    assert [number.text for number in numbers][:3] == ["9", "10", "11"]  # theirs
    assert not page.select(".cutaway-margin, .cutaway-shape")  # whose lines nobody recorded
    assert page.select_one(".cutaway-diagram a[href='#mix-step-scores']")  # of ours, and leads to the note


def test_a_note_stands_at_the_first_of_its_quotations_that_the_code_holds(
    foreign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(foreign, tmp_path / "book")
    index = tmp_path / "book/index.rst"
    first, *others = "``scores = x @ weight``", "``scores = np.dot(x, weight)``", "``scores = einsum(x, weight)``"
    index.write_text(index.read_text("utf-8").replace(first, " or ".join([first, *others])), "utf-8")
    text = (HERE / "foreign/src/mixer/model.py").read_text("utf-8")
    (tmp_path / "model.py").write_text(text.replace("scores = x @ weight", "scores = np.dot(x, weight)"), "utf-8")
    for source, shown in (("", "scores = x @ weight"), (f"mixer={tmp_path}", "scores = np.dot(x, weight)")):
        monkeypatch.setenv("CUTAWAY_SOURCE", source)
        assert "without code" not in _build(tmp_path / "book", "html")
        page = BeautifulSoup((tmp_path / "book/_build/html/index.html").read_text("utf-8"), "html.parser")
        assert [code.text for code in page.select("#mix-step-scores .cutaway-quotation")] == [shown]
        assert not page.select(".cutaway-broken")


CODE = "def f(x):\n    y = g(x, [1,\n        2]) + x\n    return '<b>&' + y"


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 20), st.integers(1, 20)), max_size=4))
def test_whatever_is_quoted_the_code_stays_the_code(places: list[tuple[int, int, int]]) -> None:
    """Text and escaping survive any call-outs; the elements are well formed."""
    lines = CODE.split("\n")
    quotes = []
    for number, (line, start, length) in enumerate(places, 1):
        start = min(start, len(lines[line - 1]) - 1)
        end = min(start + length, len(lines[line - 1]))
        quotes.append(Quote(number, Span(line, start, line, end), f"#n{number}", '"quoted" <i>', f"n{number}"))
    if any(_cross(a.span, b.span) for a in quotes for b in quotes):
        return  # spans of expressions nest or are apart
    markup = code_html(CODE, 1, quotes, {}, set(), {1, 2, 3, 4})
    soup = BeautifulSoup(f"<pre>{markup}</pre>", "html.parser")
    assert len(soup.select(".cutaway-callout")) == len(quotes)
    for callout in soup.select(".cutaway-callout"):
        callout.extract()
    assert "".join(code.text for code in soup.select(".cutaway-code")) == CODE + "\n"
    assert str(BeautifulSoup(markup, "html.parser")).count("<span") == markup.count("<span")
    assert markup.count("<span") == markup.count("</span>")


def _cross(one: Span, other: Span) -> bool:
    apart = one.line != other.line or one.end_col <= other.col or other.end_col <= one.col
    return not (apart or one.contains(other) or other.contains(one))
