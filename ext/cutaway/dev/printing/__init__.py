"""The site as a book on paper: one document of all pages, printed by Chromium.

``python -m cutaway.dev.printing build/html build/cutaway.pdf`` takes the pages of a built site in their order, so that
paper shows what the screen shows: of clips the stills, of folded parts everything, of outside links the address.

Parts are the captions of the contents, chapters the pages in them; chapters and sections have numbers, and a link to
another section says which. A page's number is known once it is printed: the contents have them from a first printing.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

from ...store import replacing

HERE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# No sandbox: continuous integration runs as root. The rest keeps a browser from asking other hosts.
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
OPTIONS += ["--disable-component-update", "--disable-sync"]
WAIT_MS = 120_000
_NEXT = re.compile(r'<link rel="next"[^>]*href="([^"#]+)')


class PrintError(Exception):
    """There is nothing to print, or nothing to print it with."""


def pages(site: Path) -> list[Path]:
    """The pages of a built site in the order of its contents, by the links to the next."""
    listed: list[Path] = []
    page = site.resolve() / "index.html"
    while page not in listed:
        if not page.is_file():
            raise PrintError(f"no page {page}: build the site first")
        listed.append(page)
        following = _NEXT.search(page.read_text("utf-8"))
        if following:
            page = (page.parent / unescape(following[1])).resolve()
    return listed


def print_book(site: Path, target: Path) -> int:
    """Write a built site as PDF; how many pages it has."""
    try:
        from playwright.sync_api import sync_playwright
        from pypdf import PdfReader, PdfWriter
    except ImportError as error:
        raise PrintError(f"printing needs Playwright and pypdf ({error}): pip install 'cutaway[pdf]'") from error

    listed = pages(site)
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_path is None:
        raise PrintError(f"none of {', '.join(BROWSERS)} is installed; `python bootstrap.py --tests` installs one")
    with sync_playwright() as playwright, replacing(target.resolve()) as temporary:
        browser = playwright.chromium.launch(executable_path=browser_path, args=OPTIONS)
        try:
            sheet = browser.new_context(bypass_csp=True, color_scheme="light").new_page()
            sheet.set_default_timeout(WAIT_MS)
            _assemble(sheet, listed)
            _print(sheet, temporary)
            sheet.evaluate(LEAVES, _leaves(PdfReader(temporary)))
            _print(sheet, temporary)
            book = PdfWriter(temporary, incremental=True)  # what is there stays as it is
            _name_bookmarks(book.root_object, sheet.evaluate(HEADINGS))
            book.write(temporary)
            return len(book.pages)
        finally:
            browser.close()


def _print(sheet: Any, path: Path) -> None:
    sheet.pdf(path=path, prefer_css_page_size=True, print_background=True, outline=True, tagged=True)


# In the contents, the page on which each entry begins.
LEAVES = """(leaves) => document.querySelectorAll(".book-leaf").forEach((element) => {
  element.textContent = leaves[element.previousElementSibling.getAttribute("href").slice(1)] ?? "";
})"""


# What the headings say, in their order.
HEADINGS = """[...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .filter((heading) => heading.getClientRects().length)
  .map((heading) => heading.textContent.trim().replace(/\\s+/g, " ")).filter((title) => title)"""


def _name_bookmarks(root: Any, titles: list[str]) -> None:
    """Give bookmarks the words of their headings: Chromium joins lines without a space, and says some twice."""
    from pypdf.generic import NameObject, TextStringObject

    left = iter(titles)
    for bookmark in _bookmarks(root["/Outlines"]):
        said = _letters(bookmark["/Title"])
        found = next((title for title in left if _letters(title) and said.endswith(_letters(title))), None)
        if found is None:
            return  # they are of other headings than these: as they are, they can be read
        bookmark[NameObject("/Title")] = TextStringObject(found)


def _letters(text: str) -> str:
    return "".join(text.split())


def _bookmarks(above: Any) -> Iterator[Any]:
    """The bookmarks below one, each before those below it."""
    following = above.get("/First")
    while following is not None:
        bookmark = following.get_object()
        yield bookmark
        yield from _bookmarks(bookmark)
        following = bookmark.get("/Next")


def _leaves(printed: Any) -> dict[str, int]:
    """The number of the page on which each id stands that something links to."""
    return {
        name.removeprefix("/"): 1 + printed.get_destination_page_number(place)
        for name, place in printed.named_destinations.items()
    }


def _assemble(sheet: Any, listed: list[Path]) -> None:
    """Open the first page and put all others into it."""
    sheet.emulate_media(media="print")
    sheet.route("**/*.js*", lambda route: route.abort())  # paper has no scripts
    sheet.goto(listed[0].as_uri())
    sheet.add_style_tag(content=(HERE / "book.css").read_text("utf-8"))
    texts = [{"url": page.as_uri(), "html": page.read_text("utf-8")} for page in listed]
    sheet.evaluate((HERE / "book.js").read_text("utf-8"), texts)
    # What a page loads only when it comes near is asked for now.
    sheet.evaluate("Promise.all([...document.images].map((image) => image.decode().catch(() => {})))")
    sheet.evaluate("document.fonts.ready.then(() => true)")
