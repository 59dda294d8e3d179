"""The page of a source file and ``explains.json``, of the mini book: what they say, and in a browser."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT, Book, BuildBook
from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

SOURCE = ROOT / "model_src/nanogpt/model.py"
PAGE = "source/nanogpt/model"


@pytest.fixture(scope="module")
def page(mini_book: Book) -> BeautifulSoup:
    return mini_book.page(PAGE)


def _text(row: BeautifulSoup) -> str:
    return row.select_one(".cutaway-code").text.rstrip("\n")  # type: ignore[union-attr]


def test_every_line_stands_there_with_its_id(page: BeautifulSoup) -> None:
    rows = page.select(".cutaway-source .cutaway-line")
    assert [_text(row) for row in rows] == SOURCE.read_text("utf-8").rstrip("\n").split("\n")
    assert [row["id"] for row in rows] == [f"L{number}" for number in range(1, len(rows) + 1)]
    assert [row.select_one(".cutaway-lineno a")["href"] for row in rows] == [f"#{row['id']}" for row in rows]  # type: ignore[index]


def test_steps_beside_a_line_lead_to_their_notes(page: BeautifulSoup, mini_book: Book) -> None:
    row = next(row for row in page.select(".cutaway-line") if "masked_fill(self.bias" in row.text)
    link = row.select_one(".cutaway-shape a")
    assert link is not None
    assert (link.text, link["href"]) == ("mask", "../../things.html#attention-forward-mask")
    for other in page.select(".cutaway-shape a"):
        target, _, id = str(other["href"]).removeprefix("../../").partition("#")
        assert mini_book.page(target.removesuffix(".html")).find(id=id), other


def test_what_no_step_explains_says_so(page: BeautifulSoup) -> None:
    quiet = [row for row in page.select(".cutaway-line") if "cutaway-unused" in row["class"]]
    share = re.search(r"(\d+) of (\d+) lines are explained, by (\d+) steps", page.text)
    assert share
    explained, filled, steps = map(int, share.groups())
    assert filled == len([line for line in SOURCE.read_text("utf-8").split("\n") if line.strip()])
    assert len(quiet) == filled - explained > 0
    assert steps == len({link["href"] for link in page.select(".cutaway-shape a")})
    assert "not explained" in quiet[0].text


def test_the_index_leads_both_ways(mini_book: Book) -> None:
    index = json.loads((mini_book.folder / "explains.json").read_text("utf-8"))
    file = index["files"]["nanogpt/model.py"]
    assert file["sha256"] == hashlib.sha256(SOURCE.read_bytes()).hexdigest()
    assert (mini_book.folder / file["page"]).is_file()
    text = SOURCE.read_text("utf-8").split("\n")
    explained = 0
    for piece in file["ranges"]:
        filled = [line for line in range(piece["first"], piece["last"] + 1) if text[line - 1].strip()]
        explained += len(filled) if piece["ids"] else 0
        for id, line in ((id, line) for id in piece["ids"] for line in filled):
            assert any(first <= line <= last for first, last in index["steps"][id]["lines"])
    assert explained == file["explained"]
    assert file["coverage"] == pytest.approx(explained / file["lines"], abs=1e-4)
    mask = index["steps"]["attention-forward-mask"]
    assert (mask["file"], mask["page"]) == ("nanogpt/model.py", "things.html#attention-forward-mask")
    assert "masked_fill(self.bias" in text[mask["first"] - 1]


def test_a_caption_leads_to_the_source(mini_book: Book) -> None:
    caption = mini_book.page("things").select_one(".cutaway-listing-caption a")
    assert caption is not None
    first = re.search(r"lines (\d+)", caption.text)
    assert first and caption["href"] == f"{PAGE}.html#L{first[1]}"
    assert mini_book.page(PAGE).find(id=f"L{first[1]}")


def test_a_builder_without_these_pages_has_no_links_to_them(build_book: BuildBook, tmp_path: Path) -> None:
    book = build_book(ROOT / "tests/pages", tmp_path / "out", "-W", "-b", "singlehtml")
    assert book.returncode == 0, book.warnings
    assert not (book.folder / "source").exists() and not (book.folder / "explains.json").exists()
    assert "source/nanogpt" not in (book.folder / "index.html").read_text("utf-8")


def test_a_second_build_leaves_the_index_alone(build_book: BuildBook, tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    text = (ROOT / "tests/pages/things.md").read_text("utf-8").partition("(things-drawings)=")[0]
    (tmp_path / "pages/index.md").write_text(text + "\n:::{sequence}\n:::\n", "utf-8")
    first = build_book(tmp_path / "pages", tmp_path / "html", "-W")
    assert first.returncode == 0, first.warnings
    before = (first.folder / "explains.json").stat().st_mtime_ns
    again = build_book(tmp_path / "pages", tmp_path / "html", "-W")
    assert again.returncode == 0, again.warnings
    assert (again.folder / "explains.json").stat().st_mtime_ns == before
    said = again.page("index").find("a", href=f"{PAGE}.html")
    file = json.loads((again.folder / "explains.json").read_text("utf-8"))["files"]["nanogpt/model.py"]
    assert said is not None and said.parent is not None
    assert f"{file['explained']} of {file['lines']} lines are explained" in said.parent.text


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_in_a_browser_no_page_scrolls_sideways_and_a_line_is_lit(
    chromium: Browser, mini_book: Book, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(mini_book.url(PAGE) + "#L75")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    line = page.locator("#L75")
    box = line.bounding_box()
    assert box and 0 <= box["y"] <= 700  # in sight, below the bar
    plain = page.locator("#L74").evaluate("e => getComputedStyle(e).backgroundColor")
    assert line.evaluate("e => getComputedStyle(e).backgroundColor") != plain
    link = page.locator(".cutaway-shape a", has_text="mask")
    link.scroll_into_view_if_needed()
    box = link.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= width  # read without scrolling the code
    context.close()
