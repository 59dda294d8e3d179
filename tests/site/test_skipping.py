"""What a first reader may skip is folded, and whoever looks for something inside finds it open."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe import EVERYTHING, violations
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.site
CHAPTER = "model/attention.html"
SECTION, INSIDE = "attention-by-hand", "attention-at-once"  # a folded section, and a section in it
LISTING = "attention-forward"  # an open one
STEP = "attention-layers-flash"  # a note of a folded listing


@pytest.fixture
def page(lonely_chromium: Browser, address: str) -> Iterator[Page]:
    context = lonely_chromium.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def fold(page: Page, id: str = SECTION) -> bool:
    return bool(page.locator(f"#{id} > .book-fold").evaluate("(fold) => fold.open"))


def top(page: Page, id: str) -> float:
    return float(page.locator(f"#{id}").evaluate("(found) => found.getBoundingClientRect().top"))


def test_a_folded_section_says_what_is_inside(page: Page) -> None:
    page.goto(CHAPTER)
    section = page.locator(f"#{SECTION}")
    expect(section.locator("h2")).to_be_visible()
    expect(section.locator("> p").first).to_be_visible()
    said = section.locator("> .book-fold > summary").inner_text()
    assert said.startswith("Skip at first: ") and "minute" in said and "result" in said
    assert not fold(page)
    expect(page.locator(f"#{INSIDE}")).not_to_be_visible()


@pytest.mark.parametrize("id", [SECTION, INSIDE])
def test_an_address_opens_what_it_leads_to(page: Page, id: str) -> None:
    page.goto(f"{CHAPTER}#{id}")
    assert fold(page) and 0 <= top(page, id) < 200


def test_a_link_on_the_page_opens_it_and_opens_it_again(page: Page) -> None:
    page.goto(CHAPTER)
    link = page.locator(f".book-nav a[href='#{INSIDE}']").first
    for _ in range(2):
        link.click()
        page.wait_for_function("(id) => document.querySelector(`#${id} > .book-fold`).open", arg=SECTION)
        assert 0 <= top(page, INSIDE) < 200
        page.locator(f"#{SECTION} > .book-fold > summary").evaluate("(line) => line.click()")
        assert not fold(page)


def test_a_note_of_a_folded_listing_is_opened_by_its_address(page: Page) -> None:
    page.goto(f"{CHAPTER}#{STEP}")
    expect(page.locator(f"#{STEP}")).to_be_visible()


def test_a_keyboard_opens_it(page: Page) -> None:
    page.goto(CHAPTER)
    page.locator(f"#{SECTION} > .book-fold > summary").focus()
    page.keyboard.press("Enter")
    assert fold(page)


def test_the_one_switch_opens_it_with_the_code_and_the_next_page_remembers(page: Page) -> None:
    page.goto(CHAPTER)
    page.get_by_role("button", name="Unfold all").click()
    folded = page.locator(".book-fold, .book-cell > details, .cutaway-listing > details")
    assert all(folded.evaluate_all("(all) => all.map((one) => one.open)"))
    page.goto("model/softmax.html")
    assert all(folded.evaluate_all("(all) => all.map((one) => one.open)"))
    page.get_by_role("button", name="Fold again").click()
    assert not any(page.locator(".book-fold").evaluate_all("(all) => all.map((one) => one.open)"))


def test_every_listing_can_be_folded(page: Page) -> None:
    page.goto(CHAPTER)
    listing = page.locator(f"#{LISTING} > details")
    code, line = listing.locator("pre").first, listing.locator("> summary")
    expect(code).to_be_visible()
    line.click()
    expect(code).not_to_be_visible()
    line.click()
    expect(code).to_be_visible()


def test_without_script_nothing_is_folded(lonely_chromium: Browser, address: str) -> None:
    context = lonely_chromium.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto(CHAPTER)
    expect(page.locator(f"#{INSIDE} > p").first).to_be_visible()
    expect(page.locator(f"#{SECTION} > .book-fold > summary")).not_to_be_visible()
    context.close()


def test_paper_has_all_of_it(page: Page) -> None:
    page.goto(CHAPTER)
    page.emulate_media(media="print")
    expect(page.locator(f"#{INSIDE} > p").first).to_be_visible()
    expect(page.locator(f"#{STEP}")).to_be_visible()
    expect(page.locator(f"#{SECTION} > .book-fold > summary")).not_to_be_visible()


@pytest.mark.parametrize("width", [1280, 360])
def test_folded_it_is_accessible(page: Page, npm: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(CHAPTER)
    page.evaluate((npm / "axe-core/axe.min.js").read_text("utf-8"))
    assert violations(page, **EVERYTHING) == []


def test_the_twin_and_the_contents_have_what_is_folded(site: Path, markup: Callable[[str], BeautifulSoup]) -> None:
    twin = (site / CHAPTER).with_suffix(".md").read_text("utf-8")
    page = markup(CHAPTER)
    heading = page.select_one(f"#{INSIDE} :is(h2, h3)").find(string=True)  # type: ignore[union-attr]
    assert str(heading).strip() in twin and "Skip at first" not in twin
    assert page.select(f".book-nav a[href='#{INSIDE}']")
