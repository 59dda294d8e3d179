"""The code of cells: folded at first, opened by one button on every page, or one by one."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.site
FOLDED = ".book-cell > details"


@pytest.fixture
def page(lonely_chromium: Browser, address: str) -> Iterator[Page]:
    context = lonely_chromium.new_context(base_url=address)
    yield context.new_page()
    context.close()


def are_open(page: Page) -> set[bool]:
    return set(page.locator(FOLDED).evaluate_all("(all) => all.map((one) => one.open)"))


def test_one_button_opens_all_code_and_the_next_page_remembers(page: Page) -> None:
    page.goto("model/softmax.html")
    solutions = page.locator(".tag_hide-cell > details")
    assert are_open(page) == {False} and solutions.count() > 0
    expect(page.locator(".book-cell > .cell_output:visible").first).to_be_visible()
    page.get_by_role("button", name="Unfold all").click()
    assert are_open(page) == {True}
    assert not any(solutions.evaluate_all("(all) => all.map((one) => one.open)"))
    page.goto("model/block.html")
    assert are_open(page) == {True}
    page.get_by_role("button", name="Fold again").click()
    assert are_open(page) == {False}
    page.goto("model/softmax.html")
    assert are_open(page) == {False}


def test_without_a_script_one_cell_opens_by_keyboard(lonely_chromium: Browser, address: str) -> None:
    context = lonely_chromium.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("model/softmax.html")
    cell = page.locator(".book-cell").first
    line = cell.get_by_text("Code, ").locator("visible=true")
    lines = int(line.inner_text().split()[1])
    line.locator("xpath=ancestor::summary").focus()
    page.keyboard.press("Enter")
    expect(cell.locator("pre").first).to_be_visible()
    assert len(cell.locator("pre").first.inner_text().strip().splitlines()) == lines
    context.close()


def test_what_is_shown_as_an_example_stays_open(page: Page) -> None:
    page.goto("authoring.html")
    expect(page.locator(".tag_show-code .cell_input").first).to_be_visible()
