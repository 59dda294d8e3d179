"""What stands below a chapter's title: minutes to read, whose code is shown, where it stands, what it builds on."""

import re
from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup

pytestmark = pytest.mark.site
SAID = re.compile(r"(\d+) minutes?(?:, \d+ with all that is folded)?(?: · (.+))?")


@pytest.mark.parametrize(
    ("page", "programs"),
    [
        ("model/attention", "nanoGPT"),
        ("chat/masking", "nanochat"),
        ("model/modern", "nanoGPT and nanochat"),
        ("model/sorting", None),
    ],
)
def test_a_chapter_tells(page: str, programs: str | None, markup: Callable[[str], BeautifulSoup]) -> None:
    [line] = markup(f"{page}.html").select("h1 ~ .book-about, .cutaway-heading ~ .book-about")
    minutes, said = SAID.fullmatch(line.get_text().strip()).groups()  # type: ignore[union-attr]
    assert 3 <= int(minutes) <= 40 and said == programs


def test_what_is_looked_up_tells_nothing(markup: Callable[[str], BeautifulSoup]) -> None:
    for page in ("model/steps", "start/questions"):
        assert not markup(f"{page}.html").select(".book-about")


def test_the_door_adds_up_its_chapters(markup: Callable[[str], BeautifulSoup]) -> None:
    door = markup("index.html").select_one(".sd-card")
    assert door is not None
    chapters = [str(link["href"]).partition("#")[0] for link in door.select("a.reference.internal")][:-1]
    told = [SAID.match(markup(page).select_one(".book-about").get_text()) for page in chapters]  # type: ignore[union-attr]
    total = int(re.search(r"(\d+) minutes", door.get_text())[1])  # type: ignore[index]
    assert len(chapters) == 9 and abs(sum(int(one[1]) for one in told if one) - total) <= 5  # each is rounded


@pytest.mark.parametrize(
    ("page", "said"),
    [("model/attention", r"The model: page \d+ of \d+"), ("train/first", r"The training: page 2 of \d+")],
)
def test_a_chapter_tells_where_it_stands(page: str, said: str, markup: Callable[[str], BeautifulSoup]) -> None:
    [row] = markup(f"{page}.html").select(".book-here")
    current = row.select("a[aria-current]")
    assert re.fullmatch(said, row.p.get_text()) and len(current) == 1  # type: ignore[union-attr]
    assert row.p.get_text().startswith(current[0].get_text())  # type: ignore[union-attr]
    listed = [caption.get_text().strip() for caption in markup("index.html").select(".book-nav .caption-text")]
    assert [link.get_text() for link in row.select("a")] == listed


def test_a_chapter_builds_on_earlier_ones(markup: Callable[[str], BeautifulSoup]) -> None:
    needed = markup("train/first.html").select_one(".book-needs")
    assert needed is not None and any("data/digest.html" in str(link["href"]) for link in needed.select("a"))
    assert not markup("data/digest.html").select(".book-needs")  # nothing is before it


def test_the_contents_mark_whose_code_a_page_shows(markup: Callable[[str], BeautifulSoup]) -> None:
    chat = {"book-chat"}
    for at in ("index", "chat/masking"):
        links = markup(f"{at}.html").select(".book-nav a.reference.internal")
        marks = {
            str(link["href"]).split("/")[-1]: {*(link.get("class") or [])} & {"book-gpt", "book-chat"} for link in links
        }
        assert (
            marks["loop.html"] == {"book-gpt", "book-chat"} and marks["mixture.html" if at == "index" else "#"] == chat
        )
        assert marks["softmax.html"] == {"book-gpt"} and not marks["questions.html"]


def test_the_landing_page_counts_the_lines_that_are_explained(markup: Callable[[str], BeautifulSoup]) -> None:
    found = re.search(r"(\d+) of (\d+) lines of model\.py", markup("index.html").get_text())
    assert found and found[1] == found[2] and int(found[2]) > 200
