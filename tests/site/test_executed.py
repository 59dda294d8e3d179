"""Every cell of the book ran without an error, and no formula is left as it was typed."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from built_site import pages

pytestmark = pytest.mark.site
CELL = re.compile(r"^```\{code-cell\}", re.MULTILINE)
TYPESET = re.compile(r"\\[(\[]|\$\$|\\(?:frac|sqrt|mathrm|begin|sum)\b")


def test_every_cell_of_the_sources_is_shown_with_what_it_gave(
    site: Path, markup: Callable[[str], BeautifulSoup]
) -> None:
    """A cell that was left out would be missing; a page of which nothing ran would have no output."""
    sources = {path: path.read_text("utf-8") for path in (site / "_sources").rglob("*.md*")}
    with_cells = {path: text for path, text in sources.items() if CELL.search(text)}
    assert with_cells, "the book has no cells"
    missing = []
    for path, text in with_cells.items():
        name = path.relative_to(site / "_sources").as_posix().partition(".md")[0]
        cells = markup(f"{name}.html").select("div.cell")
        if len(cells) != len(CELL.findall(text)) or not any(cell.select(".cell_output") for cell in cells):
            missing.append(f"{name}: {len(CELL.findall(text))} cells, {len(cells)} shown")
    assert missing == []


def test_no_page_shows_a_traceback(site: Path, markup: Callable[[str], BeautifulSoup]) -> None:
    failed = ".output.traceback, .highlight-ipythontb, .output.stderr"
    assert [name for name in pages(site) if markup(name).select(failed)] == []


def test_no_formula_is_left_as_typed(site: Path, markup: Callable[[str], BeautifulSoup]) -> None:
    left = {}
    for name in pages(site):
        page = BeautifulSoup(str(markup(name)), "html.parser")
        for part in page.select("script, style, pre, code, annotation"):
            part.decompose()
        if found := TYPESET.findall(page.get_text()):
            left[name] = found
    assert left == {}
