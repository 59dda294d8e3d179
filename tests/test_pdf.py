"""The mini book on paper: all that a screen shows or folds away, on pages that one can turn."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Book
from playwright.sync_api import Browser, Page
from pypdf import PdfReader

from cutaway.dev.printing import PrintError, _assemble, pages

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def printed(mini_book: Book, tmp_path_factory: pytest.TempPathFactory) -> PdfReader:
    target = tmp_path_factory.mktemp("pdf") / "book.pdf"
    command = [sys.executable, "-m", "cutaway.dev.printing", str(mini_book.folder), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return PdfReader(target)


def texts(printed: PdfReader) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in printed.pages]


def test_every_page_of_the_site_is_in_it_in_order(printed: PdfReader, mini_book: Book) -> None:
    titles = [mini_book.page(path.stem).h1.get_text().rstrip("#") for path in pages(mini_book.folder)]
    assert len(titles) == len(list(Path(__file__).with_name("pages").glob("*.md")))
    outline = [entry.title.strip() for entry in printed.outline if not isinstance(entry, list)]
    chapters = [f"{number} {title}" for number, title in enumerate(titles[1:], 1)]
    assert outline[1:] == [titles[0], *chapters]  # the first is the contents


def test_no_page_is_blank_and_each_but_the_first_is_numbered(printed: PdfReader) -> None:
    for number, text in enumerate(texts(printed), 1):
        assert len(text) > 40, f"page {number}: {text}"
        assert number == 1 or re.search(rf"(^{number}\b|\b{number}$)", text), text


def test_links_lead_into_the_book_or_to_the_web(printed: PdfReader) -> None:
    places = set(printed.named_destinations)
    inside, outside = [], []
    for page in printed.pages:
        for link in page.get("/Annots", []):
            link = link.get_object()
            if "/Dest" in link:
                inside.append(link["/Dest"])
            elif "/A" in link:
                outside.append(link["/A"]["/URI"])
    assert inside
    assert all(url.startswith("http") for url in outside)
    assert {str(name) for name in inside if isinstance(name, str)} <= places


def test_fonts_are_embedded(printed: PdfReader) -> None:
    for page in printed.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            font = font.get_object()
            if font["/Subtype"] == "/Type3":
                continue  # it is its outlines
            descendant = font.get("/DescendantFonts", [font])[0].get_object()
            assert any(key.startswith("/FontFile") for key in descendant["/FontDescriptor"].get_object())


def test_a_bookmark_has_the_words_of_its_heading(in_parts: tuple[str, PdfReader]) -> None:
    found = [entry.title for entry in in_parts[1].outline if not isinstance(entry, list)]
    assert found[-1] == f"Part III. {' '.join(LONG)}"  # of which a line has no space at its end


LONG = ["A title that is long enough to need more lines than one", "on paper of any usual width", "in the end"]
PAGE = """<!DOCTYPE html><html><head><title>{title} — A book</title>{next}</head><body>
<nav><p class="caption">Beginning</p><ul><li><a href="one.html">One</a></li><li><a href="two.html">Two</a></li></ul>
<p class="caption">Going on</p><ul><li><a href="three.html">Three</a></li></ul>
<p class="caption">{long}</p><ul><li><a href="four.html">Four</a></li></ul></nav>
<article><section id="{id}"><h1>{title}</h1><p>{text}</p>
<section id="{id}-a"><h2>First of {title}</h2><p>More of it, in as many words as make a page.</p></section>
<section id="{id}-b"><h2>Second of {title}</h2><p>See <a href="two.html#two-b">what two says</a>, and
<a href="#{id}-b">this</a>.</p><section id="{id}-c"><h3>Deep in {title}</h3><p>{text}</p></section></section></section>
</article></body></html>"""


@pytest.fixture(scope="module")
def in_parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, PdfReader]:
    """What was said, and the PDF of a little site with parts."""
    folder = tmp_path_factory.mktemp("parts")
    names = ["index", "one", "two", "three", "four"]
    for name, following in zip(names, [*names[1:], ""], strict=True):
        link = f'<link rel="next" href="{following}.html">' if following else ""
        text = "Some words, so that nobody takes this page for an empty one. " * 3
        page = PAGE.format(title=name.capitalize(), id=name, next=link, text=text, long=" ".join(LONG))
        (folder / f"{name}.html").write_text(page, "utf-8")
    command = [sys.executable, "-m", "cutaway.dev.printing", str(folder), str(folder / "book.pdf")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, PdfReader(folder / "book.pdf")


def tree(outline: list) -> list:
    return [tree(entry) if isinstance(entry, list) else " ".join(entry.title.split()) for entry in outline]


def test_bookmarks_are_parts_chapters_and_sections(in_parts: tuple[str, PdfReader]) -> None:
    def chapter(number: int, name: str) -> list:
        first, second = f"{number}.1 First of {name}", f"{number}.2 Second of {name}"
        return [f"{number} {name}", [first, second, [f"{number}.2.1 Deep in {name}"]]]

    index = ["Index", ["First of Index", "Second of Index", ["Deep in Index"]]]
    one, two, three, four = (chapter(number, name) for number, name in enumerate(["One", "Two", "Three", "Four"], 1))
    second, third = "Part II. Going on", f"Part III. {' '.join(LONG)}"
    wanted = [*index, "Part I. Beginning", [*one, *two], second, three, third, four]
    assert tree(in_parts[1].outline) == ["A book", *wanted]


def test_contents_tell_the_pages(in_parts: tuple[str, PdfReader]) -> None:
    said, printed = in_parts
    pages_of = {f"{page}.": number for number, page in enumerate(texts(printed), 1)}
    assert f"The book, {len(pages_of)} pages" in said
    contents = texts(printed)[0]
    for title in ("1 One", "2.2 Second of Two", "Part II. Going on", "3 Three"):
        there = next(number for number, text in enumerate(texts(printed)[1:], 2) if title in text and number > 2)
        told = re.search(rf"{re.escape(title)} ?(\d+)", contents)
        assert told, (title, contents)
        if not title.startswith(("1 ", "3 ")):  # a part's own page lists its chapters, too
            assert int(told[1]) == there, (title, contents)


def test_a_link_to_another_section_says_its_number(in_parts: tuple[str, PdfReader]) -> None:
    text = " ".join(texts(in_parts[1]))
    assert text.count("what two says (§2.2)") == 4  # on all pages but in that section itself
    assert "this (§" not in text


@pytest.fixture
def sheet(chromium: Browser, mini_book: Book) -> Page:
    page = chromium.new_context(bypass_csp=True).new_page()
    _assemble(page, pages(mini_book.folder))
    yield page
    page.context.close()


def test_ids_are_unique_and_every_link_finds_its_own(sheet: Page) -> None:
    ids = sheet.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))
    targets = sheet.evaluate("[...document.querySelectorAll('a[href^=\"#\"]')].map((link) => link.hash.slice(1))")
    assert targets and set(map(str, targets)) <= set(ids)


def test_what_is_folded_lies_open_and_every_clip_is_its_stills(sheet: Page) -> None:
    assert sheet.locator("details:not([open])").count() == 0
    assert sheet.get_by_text("Folded.").is_visible()
    assert sheet.locator("body :is(canvas, button, script, video)").count() == 0
    stills = sheet.locator(".cutaway-clip img")
    assert stills.count() > 1
    assert all(stills.evaluate_all("(images) => images.map((image) => image.complete && image.naturalWidth > 0)"))


def test_addresses_of_the_web_are_printed(sheet: Page) -> None:
    links = sheet.locator("a[href^=http]")
    for text, address in links.evaluate_all("(all) => all.map((a) => [a.textContent, a.dataset.address])"):
        assert address or "." in text


def test_a_site_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(PrintError, match="build the site first"):
        pages(tmp_path)
