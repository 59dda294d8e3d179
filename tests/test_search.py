"""The search, in a browser: what listings, diagrams and clips show is found, and leads to its place."""

import re
from urllib.parse import quote

import pytest
from conftest import Book
from playwright.sync_api import Browser
from weight import served

pytestmark = pytest.mark.browser


def results(chromium: Browser, address: str) -> list[str]:
    """Where the results lead, best first, as parts of an address after the site's."""
    page = chromium.new_page()
    page.goto(address)
    page.get_by_text(re.compile("pages? matching|did not match")).wait_for()
    found = [link.get_attribute("href") or "" for link in page.locator("#search-results li a").all()]
    page.close()
    return found


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ("masked_fill", "things.html#attention-forward-mask"),  # a symbol in a quotation
        ("F.softmax(att", "things.html#attention-forward-softmax"),  # a quotation
        ("c_attn", "things.html"),  # only in the listing's code
        ("future", "things.html"),  # in a note
        ("triangle", "things.html"),  # in a clip's alt
        ("transpose", "things.html"),  # in a drawing
        ("CausalSelfAttention", "things.html"),
    ],
)
def test_what_is_shown_is_found(chromium: Browser, mini_book: Book, asked: str, place: str) -> None:
    assert place in results(chromium, f"{mini_book.url('search')}?q={quote(asked)}")


def test_result_opens_at_its_step(chromium: Browser, mini_book: Book) -> None:
    with served(mini_book.folder) as host:
        page = chromium.new_page()
        page.goto(f"{host}/search.html?q=masked_fill")
        page.locator("#search-results a[href$='#attention-forward-mask']").click()
        page.wait_for_url(f"{host}/things.html#attention-forward-mask")
        assert page.locator("#attention-forward-mask").is_visible()
        page.close()


def test_clips_sections_and_captions_are_found(chromium: Browser, mini_book: Book) -> None:
    page = mini_book.page("things")
    section = page.select_one(".cutaway-clip-sections > li")
    name = section.find("a").get_text()
    address = f"{mini_book.url('search')}?q="
    assert f"things.html#{section['id']}" in results(chromium, address + quote(name))
    caption = max(section.find("p").get_text().split(), key=len).strip(".,:;")
    assert "things.html" in results(chromium, address + quote(caption))


def test_what_is_added_for_the_search_is_not_on_the_page(mini_book: Book) -> None:
    text = mini_book.page("things").find("article").get_text()
    assert text.count("the triangle above the diagonal fades") <= 1
