"""The tests' mini book in a browser: with script and without, on a screen and on a telephone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from conftest import Book
from playwright.sync_api import Browser, Page

from cutaway.palette import BY_NAME, rgb

pytestmark = pytest.mark.browser
PAGES = ["index", "things", "words"]
Open = Callable[..., Any]


@pytest.fixture
def open_page(chromium: Browser, mini_book: Book) -> Open:
    """``with open_page("words", width=360, ...) as (page, complaints)``.

    Complaints are errors on the console, and requests for anything that is not a file of the site.
    """

    @contextmanager
    def opened(name: str, width: int = 1280, **options: Any) -> Iterator[tuple[Page, list[str]]]:
        context = chromium.new_context(viewport={"width": width, "height": 800}, **options)
        page, complaints = context.new_page(), []
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
        page.on("request", lambda request: complaints.extend(_foreign(request.url)))
        page.goto(mini_book.url(name))
        page.wait_for_load_state("load")
        yield page, complaints
        context.close()

    return opened


def _foreign(url: str) -> list[str]:
    return [] if url.startswith(("file:", "data:", "blob:")) else [f"asked for {url}"]


def css_colour(colour: str) -> str:
    red, green, blue = (round(255 * part) for part in rgb(colour))
    return f"rgb({red}, {green}, {blue})"


@pytest.mark.parametrize("name", PAGES)
def test_page_complains_of_nothing_and_asks_no_other_host(open_page: Open, name: str) -> None:
    with open_page(name) as (page, complaints):
        page.mouse.wheel(0, 20_000)
        page.keyboard.press("Control+k")  # the search dialog
        page.wait_for_timeout(300)
        assert complaints == []


@pytest.mark.parametrize("width", [320, 360, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_page_does_not_scroll_sideways(open_page: Open, name: str, width: int) -> None:
    with open_page(name, width=width) as (page, _):
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_wears_the_palette_of_the_readers_system(open_page: Open, theme: str, script: bool) -> None:
    with open_page("words", color_scheme=theme, java_script_enabled=script) as (page, _):
        ground = page.locator("html").evaluate("element => getComputedStyle(element).backgroundColor")
        ink = page.locator("article p").first.evaluate("element => getComputedStyle(element).color")
        assert ground == css_colour(BY_NAME[theme].ground)
        assert ink == css_colour(BY_NAME[theme].ink)


def test_reader_may_choose_the_other_theme(open_page: Open) -> None:
    with open_page("words", color_scheme="dark") as (page, _):
        page.evaluate("localStorage.setItem('mode', 'light'); localStorage.setItem('theme', 'light')")
        page.reload()
        ground = page.locator("html").evaluate("element => getComputedStyle(element).backgroundColor")
        assert ground == css_colour(BY_NAME["light"].ground)


def test_print_is_light(open_page: Open) -> None:
    with open_page("words", color_scheme="dark") as (page, _):
        page.emulate_media(media="print")
        ink = page.locator("article p").first.evaluate("element => getComputedStyle(element).color")
        assert ink == css_colour(BY_NAME["light"].ink)


def test_page_reads_without_script(open_page: Open) -> None:
    with open_page("words", java_script_enabled=False) as (page, _):
        assert page.locator("article math").count() == 2
        assert page.locator("article").inner_text().count("\\") == 0  # no LaTeX is left
        keyword = page.locator("article .highlight .k").first
        plain = page.locator("article .highlight pre").first
        colour = "element => getComputedStyle(element).color"
        assert keyword.evaluate(colour) != plain.evaluate(colour)
        page.get_by_text("Solution").click()
        assert page.get_by_text("Folded.").is_visible()


def test_formula_is_set_as_mathematics(open_page: Open) -> None:
    with open_page("words") as (page, _):
        numerator, denominator = page.locator("article math mfrac > *").all()
        assert numerator.bounding_box()["y"] < denominator.bounding_box()["y"]
        number = page.locator(".eqno")
        assert number.inner_text().startswith("(1)")
        assert number.bounding_box()["x"] > denominator.bounding_box()["x"]


def test_fonts_come_with_the_site(open_page: Open) -> None:
    with open_page("words") as (page, _):
        page.evaluate("document.fonts.ready.then(() => true)")
        faces = page.evaluate("[...document.fonts].filter(f => f.status == 'loaded').map(f => f.family)")
        assert {face.strip('"') for face in faces} == {"Inter", "JetBrains Mono"}


def test_keyboard_reaches_the_text_first(open_page: Open) -> None:
    with open_page("words") as (page, _):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#main-content"
