"""The line below a chapter's title: minutes to read, and whose code is shown."""

import re
from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup

pytestmark = pytest.mark.site
SAID = re.compile(r"(\d+) minutes?(?: · (.+))?")


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
