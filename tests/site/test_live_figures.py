"""The figures of the book that compute, with another input than the recorded one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.site
SOON_MS = 60_000


@pytest.fixture
def page(lonely_chromium: Browser) -> Iterator[Page]:
    page = lonely_chromium.new_page()
    yield page
    page.close()


def figure(page: Page, site: Path, name: str, show: str) -> Locator:
    page.goto((site / name).as_uri())
    page.mouse.move(300, 300)
    found = page.locator(f"figure[data-show={show}]").first
    found.scroll_into_view_if_needed()
    return found


@pytest.mark.parametrize("word", ["BACCAB", "AAAAAA", "CCCCCB", "ABABAB"])
def test_the_probe_counts_a_word_of_the_readers_own(page: Page, site: Path, word: str) -> None:
    """The map was fitted in a cell; in the page it reads the vector that the page computes."""
    probe = figure(page, site, "model/sorting.html", "probe")
    probe.get_by_role("textbox").fill(word)
    expect(probe.locator("output").first).to_contain_text("".join(sorted(word)), timeout=SOON_MS)
    read = re.findall(r"(\d) × ([ABC])", probe.locator(".cutaway-live-drawn").inner_text())
    assert {letter: int(count) for count, letter in read} == {letter: word.count(letter) for letter in "ABC"}


def test_the_model_of_text_goes_on_the_same_with_a_cache(page: Page, site: Path) -> None:
    cache = figure(page, site, "sample/cache.html", "cache")
    cache.get_by_role("button", name="Load the model").click()
    cache.get_by_role("textbox").fill("A list is", timeout=SOON_MS)
    expect(cache.get_by_role("button", name="back to")).to_be_visible(timeout=SOON_MS)
    tokens = cache.locator("table").first.locator("th[scope=col]")
    known = tokens.count()
    for count in range(known + 1, known + 4):
        cache.get_by_role("button", name="Step").click()
        expect(tokens).to_have_count(count)
        said = cache.locator(".cutaway-live-drawn").inner_text()
        assert "the same logits" in said
        assert float(re.search(r"([\d.]+) times less work", said)[1]) > count - 1  # type: ignore[index]


def test_the_bytes_of_a_text_walk_on_the_sphere(page: Page, site: Path) -> None:
    """Each is a point in the circle; another half-block moves them, another text changes them."""
    plane = figure(page, site, "ngpt/steps.html", "plane")
    plane.get_by_role("button", name="Load the model").click()
    plane.get_by_role("textbox").fill("if x:", timeout=SOON_MS)
    points = plane.locator("ol.cutaway-live-plane li")
    expect(points).to_have_text(["\\n", *"if·x:"], timeout=SOON_MS)

    def places() -> list[tuple[float, float]]:
        styles = points.evaluate_all("all => all.map(one => [one.style.left, one.style.top])")
        return [(float(left[:-1]) / 50 - 1, 1 - float(top[:-1]) / 50) for left, top in styles]

    first = places()
    assert all(x * x + y * y <= 1.0001 for x, y in first)
    plane.get_by_role("radio", name="2.1").check()
    assert max(abs(x - u) + abs(y - v) for (x, y), (u, v) in zip(first, places(), strict=True)) > 0.05
