"""The tests' mini book in a browser: with script and without, on a screen and on a telephone."""

import ast
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from conftest import Book, wait_until
from playwright.sync_api import Browser, Page, Request
from weight import pages, served

from cutaway.theme.palette import BY_NAME, rgb

pytestmark = pytest.mark.browser
PAGES = ["index", "things", "words"]
Open = Callable[..., Any]
BROKEN = """addEventListener("securitypolicyviolation", event =>
    console.error(`against the policy: ${event.violatedDirective} ${event.blockedURI}`))"""


@pytest.fixture(scope="module")
def host(mini_book: Book) -> Iterator[str]:
    with served(mini_book.folder) as address:
        yield address


@pytest.fixture
def open_page(chromium: Browser, mini_book: Book, host: str) -> Open:
    """``with open_page("words", width=360, over="http", ...) as (page, complaints)``.

    Complaints are errors on the console, what the page's policy blocked, and requests for anything that is not of
    the site.
    """

    @contextmanager
    def opened(name: str, width: int = 1280, over: str = "file", **options: Any) -> Iterator[tuple[Page, list[str]]]:
        context = chromium.new_context(viewport={"width": width, "height": 800}, **options)
        page, complaints = context.new_page(), []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.extend(_failed(request)))
        page.on("request", lambda request: complaints.extend(_foreign(request.url, host)))
        page.add_init_script(BROKEN)
        page.goto(mini_book.url(name) if over == "file" else f"{host}/{name}.html")
        page.wait_for_load_state("load")
        yield page, complaints
        context.close()

    return opened


def _failed(request: Request) -> list[str]:
    """Whoever leaves a page stops what it still loads; that is no failure."""
    return [] if request.failure == "net::ERR_ABORTED" else [f"failed: {request.url} ({request.failure})"]


def _foreign(url: str, host: str) -> list[str]:
    return [] if url.startswith(("file:", "data:", "blob:", host)) else [f"asked for {url}"]


def css_colour(colour: str) -> str:
    red, green, blue = (round(255 * part) for part in rgb(colour))
    return f"rgb({red}, {green}, {blue})"


@pytest.mark.parametrize("over", ["file", "http"])
@pytest.mark.parametrize("name", [*PAGES, "search", "genindex"])
def test_page_complains_of_nothing_and_asks_no_other_host(open_page: Open, name: str, over: str) -> None:
    with open_page(name, over=over) as (page, complaints):
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        for toggle in page.locator(".cutaway-clip-toggle").all():
            toggle.click()
            page.locator(".cutaway-clip-stage > canvas").first.wait_for(state="visible")
        page.mouse.wheel(0, 20_000)
        page.keyboard.press("Control+k")
        page.locator("#pst-search-dialog input").fill("softmax")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search.html?q=softmax")
        page.locator("#search-results li a").first.wait_for()
        assert complaints == []


@pytest.mark.parametrize("over", ["file", "http"])
@pytest.mark.parametrize("element", ["img", "script", "iframe", "link", "inline"])
def test_policy_blocks_what_is_not_of_the_site(open_page: Open, over: str, element: str) -> None:
    with open_page("words", over=over) as (page, complaints):
        reasons: list[str] = []

        def asked(request: Request) -> None:
            if "example.org" in request.url:
                reasons.append(request.failure or "answered")

        page.on("requestfailed", asked)
        page.on("requestfinished", asked)
        page.evaluate(
            """element => {
                const one = document.createElement(element === "inline" ? "script" : element);
                if (element === "inline") one.textContent = "document.title = 'taken'";
                else if (element === "link") Object.assign(one, {rel: "stylesheet", href: "https://example.org/a.css"});
                else one.src = "https://example.org/a";
                document.body.append(one);
            }""",
            element,
        )
        wait_until(page, lambda: any(complaint.startswith("against the policy") for complaint in complaints))
        assert set(reasons) <= {"csp"}
        assert page.title() != "taken"


def test_policy_lets_no_script_or_style_through_unseen(mini_book: Book) -> None:
    for name in pages(mini_book.folder):
        page = mini_book.page(name.removesuffix(".html"))
        policy = page.find("meta", {"http-equiv": "Content-Security-Policy"})
        assert policy, name
        assert "unsafe" not in policy["content"]
        assert not page.select("[style], [onclick]"), name


@pytest.mark.parametrize("width", [320, 360])
def test_players_controls_stand_in_one_row_on_a_telephone(open_page: Open, width: int) -> None:
    with open_page("things", width=width) as (page, _):
        page.locator(".cutaway-clip").scroll_into_view_if_needed()
        page.get_by_text(re.compile(r"^0.0 / ")).wait_for()
        buttons = page.locator(".cutaway-clip-bar button:visible").all()
        tops = {round(button.bounding_box()["y"]) for button in buttons}
        assert len(buttons) == 5
        assert len(tops) == 1


def test_question_mark_lists_the_keys_and_escape_closes_them(open_page: Open) -> None:
    with open_page("words") as (page, _):
        keys = page.locator("#book-keys")
        page.keyboard.press("?")
        keys.wait_for(state="visible")
        page.keyboard.press("Escape")
        keys.wait_for(state="hidden")
        page.get_by_role("button", name="Keys").click()
        keys.wait_for(state="visible")


def test_keys_do_nothing_while_one_types(open_page: Open) -> None:
    with open_page("words") as (page, _):
        page.keyboard.press("Control+k")
        page.keyboard.type("?[]")
        assert page.locator("#pst-search-dialog input").input_value() == "?[]"
        assert page.locator("#book-keys").is_hidden()


def test_brackets_turn_pages(open_page: Open) -> None:
    with open_page("index") as (page, _):
        after = page.locator("link[rel=next]").evaluate("link => link.href")
        page.keyboard.press("]")
        page.wait_for_url(after)
        page.keyboard.press("[")
        page.wait_for_url("**/index.html")


def test_code_is_copied_without_numbers_and_shapes(open_page: Open) -> None:
    with open_page("things", over="http", permissions=["clipboard-read", "clipboard-write"]) as (page, _):
        block = page.locator(".cutaway-listing .highlight").first
        block.hover()
        block.get_by_role("button", name="Copy").click()
        copied = page.evaluate("navigator.clipboard.readText()")
        ast.parse(textwrap.dedent(copied))
        assert "masked_fill" in copied


def test_contents_open_on_a_telephone(open_page: Open) -> None:
    with open_page("words", width=360) as (page, _):
        link = page.locator(".book-nav a").first
        assert link.is_hidden()
        page.get_by_role("button", name="Contents").click()
        link.wait_for(state="visible")
        page.keyboard.press("Escape")
        link.wait_for(state="hidden")  # the browser takes its time, and more on a busy machine


def test_button_goes_through_the_modes_and_the_next_page_keeps_it(open_page: Open) -> None:
    with open_page("words", over="http", color_scheme="light") as (page, _):
        modes = []
        for _ in range(3):
            page.locator(".book-mode").click()
            modes.append(page.evaluate("({...document.documentElement.dataset})")["mode"])
        assert modes == ["light", "dark", "auto"]
        page.locator(".book-mode").click()
        page.locator(".book-mode").click()
        page.reload()
        assert page.locator("html").get_attribute("data-theme") == "dark"


def test_lost_reader_finds_search_and_contents_at_any_depth(open_page: Open, host: str) -> None:
    with open_page("words", over="http") as (page, _):
        page.goto(f"{host}/no/such/page.html")
        assert page.get_by_role("searchbox").first.is_visible()
        page.get_by_role("main").get_by_role("link", name="Words, formulae and plain code").click()
        page.wait_for_url(f"{host}/words.html")


def test_page_says_what_it_is_about(mini_book: Book) -> None:
    page = mini_book.page("things")
    said = page.find("meta", {"name": "description"})["content"]
    assert said == "Sections, listings, steps, drawings and clips, each with an id."
    assert page.find("meta", {"property": "og:title"})["content"] == "What can be linked to"
    assert "Allow: /" in (mini_book.folder / "robots.txt").read_text("utf-8")
    assert not (mini_book.folder / "sitemap.xml").exists()  # its addresses are not known


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


def test_print_unfolds_and_says_addresses(open_page: Open) -> None:
    with open_page("words") as (page, _):
        page.emulate_media(media="print")
        assert page.get_by_text("Folded.").is_visible()
        assert page.locator(".book-copy").first.is_hidden()
        address = "link => getComputedStyle(link, '::after').content"
        link = page.locator("article p").first
        link.evaluate("p => p.insertAdjacentHTML('beforeend', '<a href=\"https://example.org/\">there</a>')")
        assert page.get_by_text("there", exact=True).evaluate(address) == '" (https://example.org/)"'


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
