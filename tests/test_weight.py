"""What a page costs its reader: bytes, requests, and nothing that jumps."""

import base64
import hashlib
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from conftest import Book, BuildBook
from playwright.sync_api import Browser
from website.policy import with_policy
from website.pruning import names_in_page, prune, without_unused_variables
from weight import pages, served, weigh

pytestmark = pytest.mark.slow

LIMIT = 105_000  # bytes at first view of a page with little on it; the book's longest has 126 KB, the goal is 150


@pytest.mark.browser
def test_pages_are_light_and_nothing_jumps(chromium: Browser, mini_book: Book) -> None:
    with served(mini_book.folder) as host:
        for name in pages(mini_book.folder):
            found = weigh(chromium, f"{host}/{name}")
            searches = 12_500 if name == "search.html" else 0  # what other pages load when one searches
            assert found.total < LIMIT + searches, (name, found)
            assert len(found.files) <= (16 if name == "search.html" else 11), (name, found)
            assert found.shift <= 0.02, name


def test_no_page_names_the_index_of_the_search(mini_book: Book) -> None:
    loaded = {name: str(mini_book.page(name).find_all("script")) for name in ("index", "things", "search")}
    assert all("cutaway-search-" in scripts for scripts in loaded.values())
    assert [name for name, scripts in loaded.items() if "searchindex.js" in scripts or "searchtools" in scripts] == []


def test_prune_keeps_what_a_page_can_match() -> None:
    names = names_in_page('<div class="card wide" id="top"><p>a.b</p></div>')
    css = """
    /* a comment */
    .card > p, .card .gone { color: red }
    #top.wide:not(.gone)::before { content: "." }
    #bottom { color: blue }
    table.card { color: blue }
    [data-x="gone"] { color: green }
    @media (min-width: 1px) { .gone { color: red } .wide { color: red } }
    @media print { .gone { color: red } }
    @font-face { font-family: A; src: url(a.woff2) }
    """
    kept = prune(css, names)
    assert [line for line in kept.splitlines() if "gone" in line] == [
        '#top.wide:not(.gone)::before{content: "."}',
        '[data-x="gone"]{color: green}',
    ]
    assert ".card > p{color: red}" in kept
    assert "@media (min-width: 1px){.wide{color: red}}" in kept
    assert "@font-face" in kept
    for lost in ("comment", "#bottom", "table", "print"):
        assert lost not in kept


def test_variables_that_nobody_reads_go_and_those_of_scripts_stay() -> None:
    css = 'a{--one:var(--two);--two:1px;--three:2px;--four-x:3px;--quoted:"; --three:x";width:var(--one)}'
    less = without_unused_variables(css, "style.color = `var(--four-${name})`")
    assert less == 'a{--one:var(--two);--two:1px;--four-x:3px;--quoted:"; --three:x";width:var(--one)}'


def test_a_class_that_a_later_build_needs_comes_back(build_book: BuildBook, tmp_path: Path) -> None:
    source, target = tmp_path / "pages", tmp_path / "html"
    source.mkdir()
    (source / "index.md").write_text("# One\n\nWords.\n", "utf-8")
    assert build_book(source, target, "-W").returncode == 0

    def styles() -> str:
        return "".join(path.read_text("utf-8") for path in target.glob("_static/site-*.css"))

    assert "admonition-title" not in styles()
    (source / "index.md").write_text("# One\n\n:::{note}\nWords.\n:::\n", "utf-8")
    assert build_book(source, target, "-W").returncode == 0
    assert "admonition-title" in styles()


def test_site_that_knows_its_address_says_it(build_book: BuildBook, tmp_path: Path) -> None:
    source, target = tmp_path / "pages", tmp_path / "html"
    source.mkdir()
    (source / "index.md").write_text("(start)=\n# One `x < 1`\n\nIt is $x < 1$ & so on.\n", "utf-8")
    build_book(source, target, "-D", "html_baseurl=https://example.org/book")
    page = BeautifulSoup((target / "index.html").read_text("utf-8"), "html.parser")
    tags = {tag.get("property") or tag.get("name"): tag["content"] for tag in page.select("meta[content]")}
    assert tags["description"] == tags["og:description"] == "It is x<1 & so on."
    assert tags["og:title"] == "One x < 1"
    assert tags["og:url"] == page.select_one("link[rel=canonical]")["href"] == "https://example.org/book/index.html"
    assert tags["og:image"] == "https://example.org/book/s/start/card.png"
    assert "<loc>https://example.org/book/index.html</loc>" in (target / "sitemap.xml").read_text("utf-8")
    assert "Sitemap: https://example.org/book/sitemap.xml" in (target / "robots.txt").read_text("utf-8")
    lost = BeautifulSoup((target / "404.html").read_text("utf-8"), "html.parser")
    assert lost.find("base")["href"] == "/book/"


def test_styles_in_the_page_become_rules_that_the_policy_allows() -> None:
    body = '<p style="color: red">a style="b"</p><i style="color: red"></i>'
    html = f'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>{body}</body></html>'
    page = BeautifulSoup(with_policy(html), "html.parser")
    assert not page.select("[style]")
    assert page.find("p").get_text() == 'a style="b"'
    assert page.find("p")["data-style"] == page.find("i")["data-style"]
    rules = page.find("style").string
    assert "color: red" in rules
    hashed = base64.b64encode(hashlib.sha256(rules.encode()).digest()).decode()
    assert f"style-src 'self' 'sha256-{hashed}'" in page.find("meta", {"http-equiv": True})["content"]
