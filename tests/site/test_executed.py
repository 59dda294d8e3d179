"""Every cell of the book ran without an error, and no formula is left as it was typed."""

import re
from collections.abc import Callable
from functools import partial
from html import unescape
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, NavigableString, Tag
from built_site import texts

pytestmark = pytest.mark.site
CELL = re.compile(r"^```\{code-cell\}", re.MULTILINE)
NO_PROSE = ["script", "style", "pre", "code", "annotation"]
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


def failures(html: str, parsed: Callable[[], BeautifulSoup]) -> list[Tag]:
    """The outputs of a page that are errors; it is parsed where its text names their classes."""
    named = re.search("traceback|ipythontb|stderr", html)
    return parsed().select(".output.traceback, .highlight-ipythontb, .output.stderr") if named else []


def formulae_as_typed(html: str, parsed: Callable[[], BeautifulSoup]) -> list[str]:
    """What of a page's prose is a formula as it was typed; it is parsed where its text, code included, has such."""
    if not TYPESET.search(unescape(re.sub("<[^>]*>", "", html))):
        return []
    prose = (text for text in parsed().find_all(string=True) if not text.find_parent(NO_PROSE))
    return [found[0] for found in TYPESET.finditer("".join(text for text in prose if type(text) is NavigableString))]


def test_no_page_shows_a_traceback(site: Path, markup: Callable[[str], BeautifulSoup]) -> None:
    assert [name for name, html in texts(site) if failures(html, partial(markup, name))] == []


def test_no_formula_is_left_as_typed(site: Path, markup: Callable[[str], BeautifulSoup]) -> None:
    left = {name: found for name, html in texts(site) if (found := formulae_as_typed(html, partial(markup, name)))}
    assert left == {}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("<p>where $$x$$ is</p>", ["$$", "$$"]),
        (r"<p>\frac{1}{2} and \(x\)</p>", [r"\frac", r"\("]),
        ("<p>&#36;<b>$</b></p>", ["$$"]),
        (r"<pre>\frac</pre><p><code>$$</code></p><script>'\sum'</script><style>\begin</style><!-- $$ -->", []),
        ("<p>a dollar: $1</p>", []),
    ],
)
def test_a_formula_as_typed_is_found_in_prose_alone(body: str, found: list[str]) -> None:
    assert formulae_as_typed(body, lambda: BeautifulSoup(body, "html.parser")) == found


def test_an_error_of_a_cell_is_found() -> None:
    good, bad = '<div class="output stream">no traceback</div>', '<div class="output traceback">Error</div>'
    assert [len(failures(html, partial(BeautifulSoup, html, "html.parser"))) for html in (good, bad)] == [0, 1]
