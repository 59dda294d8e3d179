"""No jargon before its definition: a page uses no term of the glossary that a later page defines, unless it links.

A use counts as linked if the same block, or an earlier one of the page, leads to the term in the glossary or to the
page that defines it.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from bs4 import BeautifulSoup, Tag
from conftest import ROOT

ALLOWED = tomllib.loads((ROOT / "tests/terms.toml").read_text("utf-8"))
SILENT = "pre, code, math, svg, script, style, nav, details.cutaway-link, .cell, .cutaway-diagram, .cutaway-term"
BLOCKS = ["p", "li", "td", "th", "dt", "dd", "figcaption", "summary"]  # a heading promises what follows it


class Term(NamedTuple):
    name: str
    key: str
    page: str
    pattern: re.Pattern[str]


def glossary(page: BeautifulSoup) -> list[Term]:
    """The terms of the built glossary, each with the page that defines it."""
    found = []
    for head in page.select("dl.cutaway-terms dt"):
        others = head.select_one(".cutaway-other-names")
        alias = others.extract().get_text().strip(" ()").split(", ") if others else []
        for anchor in head.select("a"):
            anchor.decompose()
        name = head.get_text().strip()
        first = head.find_next_sibling("dd").select("a[href]")[-1]
        found.append(Term(name, head["id"], str(first["href"]).partition("#")[0], pattern([name, *alias])))
    return found


def pattern(names: list[str]) -> re.Pattern[str]:
    """Any of a term's names, in the plural too; what has capitals inside (CORE, ZeRO) only with them."""
    longest = sorted(names, key=len, reverse=True)
    words = (re.escape(one) if re.search("[A-Z]", one[1:]) else f"(?i:{re.escape(one)})" for one in longest)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(words)})(?:e?s)?(?![\w-])")


def blocks(page: BeautifulSoup) -> Iterator[Tag]:
    """The blocks of prose, in their order; of nested ones the inner."""
    article = page.select_one("article")
    assert article
    for silent in article.select(SILENT):
        silent.decompose()
    for block in article.find_all(BLOCKS):
        if not block.find(BLOCKS):
            yield block


def early(page: BeautifulSoup, name: str, later: list[Term]) -> list[tuple[str, str]]:
    """The terms, of those that later pages define, that a page uses without a link, each with the words around it."""
    found = []
    waiting = {term.key: term for term in later}
    for block in blocks(page):
        links = [resolved(name, str(link["href"])) for link in block.select("a[href]")]
        text = " ".join(block.get_text().split())
        for key, term in list(waiting.items()):
            if f"glossary.html#{key}" in links or term.page in [link.partition("#")[0] for link in links]:
                del waiting[key]
            elif use := term.pattern.search(text):
                found.append((term.name, text[max(0, use.start() - 40) : use.end() + 40]))
                del waiting[key]
    return found


def resolved(name: str, href: str) -> str:
    """An address in a page as one from the site's root."""
    place, _, id = href.partition("#")
    path = Path("/", name).parent.joinpath(place).resolve().relative_to("/") if place else Path(name)
    return f"{path.as_posix()}#{id}"


def in_order(site: Path) -> Iterator[tuple[str, BeautifulSoup]]:
    """The pages in the order of reading, which their links to the next one have."""
    name = "index.html"
    while name:
        page = BeautifulSoup((site / name).read_text("utf-8"), "html.parser")
        link = page.select_one('head link[rel="next"]')
        yield name, page
        name = resolved(name, str(link["href"])).partition("#")[0] if link else ""


@pytest.fixture(scope="module")
def uses() -> dict[str, list[tuple[str, str]]]:
    """Of each page the terms that it uses too early."""
    site = ROOT / "build/html"
    pages = list(in_order(site))
    terms = glossary(BeautifulSoup((site / "glossary.html").read_text("utf-8"), "html.parser"))
    assert len(terms) >= 90
    found = {}
    for number, (name, page) in enumerate(pages):
        for quoted in page.select(".cutaway-clip-code p"):  # notes of other pages, each with its link
            quoted.decompose()
        after = {other for other, _ in pages[number + 1 :]}
        later = [term for term in terms if term.page in after and term.name not in ALLOWED["words"]]
        if name.removesuffix(".html") not in ALLOWED["pages"]:
            found[name] = early(page, name, later)
    return found


@pytest.mark.browser  # needs the built site
def test_no_page_uses_a_term_before_the_page_that_defines_it(uses: dict[str, list[tuple[str, str]]]) -> None:
    said = [f"{page}: {term}: … {words} …" for page, found in uses.items() for term, words in found]
    assert not said, "link with {term}`…`, or define the term earlier:\n" + "\n".join(said)


def test_what_is_allowed_is_there_and_has_a_reason() -> None:
    assert all(len(reason.split()) >= 4 for part in ALLOWED.values() for reason in part.values())
    assert all((ROOT / f"docs/{page}.md").is_file() for page in ALLOWED["pages"])
    text = "".join(path.read_text("utf-8") for path in (ROOT / "docs").rglob("*.md"))
    defined = {
        (given or shown).split(",")[0].strip()
        for shown, given in re.findall(r"\{define\}`([^`<]+?)(?:\s*<([^`>]+)>)?`", text)
    }
    assert set(ALLOWED["words"]) <= defined


PAGE = """<html><body><article><h1>An epoch</h1><p>A logit first</p>
<p>The <a href="../glossary.html#glossary-loss">loss</a> is small, and its losses.</p>
<p>An <code>epoch</code>, <a href="../train/loop.html#loop">the loop</a> has epochs.</p>
<p>A <em class="cutaway-term">rank</em>.</p>
<ul><li>RMSNorms, the core, <p>RMS norm</p></li></ul></article></body></html>"""


@pytest.mark.parametrize(
    ("name", "page", "expected"),
    [
        ("logit", "model/output.html", ["A logit first"]),
        ("loss", "train/loss.html", []),
        ("epoch", "train/loop.html", []),
        ("epoch", "train/other.html", ["has epochs"]),
        ("rank", "train/other.html", []),
        ("RMS norm", "model/later.html", ["RMS norm"]),
        ("CORE", "model/later.html", []),
    ],
)
def test_the_finder(name: str, page: str, expected: list[str]) -> None:
    term = Term(name, f"glossary-{name}", page, pattern([name]))
    found = early(BeautifulSoup(PAGE, "html.parser"), "chat/here.html", [term])
    assert len(found) == len(expected)
    assert all(words in text for words, (_, text) in zip(expected, found, strict=True))
