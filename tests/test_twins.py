"""The Markdown twins of the mini book, and ``llms.txt``: they parse, their links lead on, they agree with the pages."""

import re

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT, Book, BuildBook
from docutils import nodes
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cutaway.markdown.blocks import blocks, fenced, items
from cutaway.markdown.spans import Page, code, escaped, inline

PAGES = ["index", "things", "words"]
PARSER = MarkdownIt("commonmark").enable("table")
CELLS = """\
---
file_format: mystnb
kernelspec: {name: python3}
---
(cells)=
# Cells

```{code-cell}
from cutaway.cells import load, table
sort = load("sort")
table(["name", "`T` | D"], [["`att`", sort.facts["n_head"]], ["a*b*c", 0.5]])
```

```{code-cell}
:tags: [remove-input]
print("said")
```

See {step}`the mask <attention-forward-mask>` in {ref}`things-clips`, {ref}`cells` and [elsewhere](https://example.org/a_(b)).

* one

  * inner `code`
* two

> quoted 1 < 2

3. three
4. four
"""
ALONE = Page(str, lambda id: "")


@pytest.fixture(scope="module")
def book(build_book: BuildBook, tmp_path_factory: pytest.TempPathFactory) -> Book:
    """The mini book with a page of cells in a folder of its own."""
    folder = tmp_path_factory.mktemp("twins")
    (folder / "pages/deep").mkdir(parents=True)
    for name in PAGES:
        text = (ROOT / f"tests/pages/{name}.md").read_text("utf-8")
        (folder / f"pages/{name}.md").write_text(text.replace("\n*\n", "\n*\ndeep/*\n"), "utf-8")
    (folder / "pages/deep/cells.md").write_text(CELLS, "utf-8")
    book = build_book(folder / "pages", folder / "html", "-W")
    assert book.returncode == 0, book.warnings
    return book


def twin(book: Book, name: str) -> str:
    return (book.folder / f"{name}.md").read_text("utf-8")


def tokens(text: str) -> list[Token]:
    """Every token, those in a line included."""
    found = []
    for token in PARSER.parse(text):
        found += [token, *(token.children or [])]
    return found


def every(book: Book) -> dict[str, str]:
    return {name: twin(book, name) for name in (*PAGES, "deep/cells")}


def test_twins_are_markdown_without_html_or_roles(book: Book) -> None:
    for name, text in every(book).items():
        for token in tokens(re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$", "", text, flags=re.DOTALL)):
            assert not token.type.startswith("html"), (name, token.content)
            if token.type == "text":
                assert not re.search(r"\{[a-z-]+\}|<\w+[ >]|cutaway-", token.content), (name, token.content)


def test_every_link_of_a_twin_leads_somewhere(book: Book) -> None:
    texts = {f"{name}.md": text for name, text in every(book).items()}
    texts["llms.txt"] = (book.folder / "llms.txt").read_text("utf-8")
    seen = set()
    for name, text in texts.items():
        for token in tokens(text):
            href = str(token.attrGet("href") or "")
            if token.type != "link_open" or "://" in href:
                continue
            path, _, id = href.partition("#")
            to = (book.folder / name).parent / path if path else book.folder / name
            to = to / "index.html" if to.is_dir() else to
            assert to.is_file(), (name, href)
            if id:
                assert f"[#{id}](" in to.read_text("utf-8"), (name, href)
            seen.add(to.suffix)
    assert {".md", ".html", ".txt", ".json"} <= seen


def test_links_between_pages_lead_from_twin_to_twin(book: Book) -> None:
    text = twin(book, "deep/cells")
    assert "[the mask](../things.md#attention-forward-mask)" in text
    assert "[Clips](../things.md#things-clips)" in text
    assert "[elsewhere](<https://example.org/a_(b)>)" in text
    assert "# Cells [#cells](../s/cells/)" in text


def test_drawings_are_those_of_the_page(book: Book) -> None:
    drawn = [pre.text.rstrip("\n") for pre in book.page("things").select(".cutaway-diagram pre")]
    fences = [token.content.rstrip("\n") for token in tokens(twin(book, "things")) if token.type == "fence"]
    assert len(drawn) == 2
    trimmed = ["\n".join(line.rstrip() for line in text.split("\n")) for text in fences]
    for text in drawn:
        assert "\n".join(line.rstrip() for line in text.split("\n")) in trimmed


def test_listings_have_their_lines_call_outs_and_notes(book: Book) -> None:
    text, page = twin(book, "things"), book.page("things")
    for row in page.select(".cutaway-listing .cutaway-line"):
        number = row.select_one(".cutaway-lineno").text  # type: ignore[union-attr]
        callouts = [a.extract().text for a in row.select(".cutaway-callout")]
        line = row.select_one(".cutaway-code").text.rstrip("\n")  # type: ignore[union-attr]
        printed = next(found for found in text.split("\n") if found.startswith(f"{number:>4} {line}".rstrip()))
        assert re.findall(r"\((\d+)\)", printed.removeprefix(f"{number:>4} {line}").partition("(1,")[0]) == callouts
        assert printed.endswith("# not run") == ("cutaway-unused" in row["class"] and bool(line))
    for note in page.select(".cutaway-note"):
        quotation = note.select_one(".cutaway-quotation").text  # type: ignore[union-attr]
        assert f"{note['value']}. `{quotation}` [#{note['id']}](s/{note['id']}/)" in text


def test_numbers_and_words_are_those_of_the_page(book: Book) -> None:
    for name in (*PAGES, "deep/cells"):
        rendered = BeautifulSoup(PARSER.render(twin(book, name)), "html.parser")
        said = " ".join(rendered.text.replace("_", "").split())
        article = book.page(name).select_one("article")
        assert article is not None
        for fact in article.select(".cutaway-fact, p .cutaway-shape-of, h1, h2, h3, td, th"):
            for extra in fact.select(".headerlink, .cutaway-link, details"):
                extra.extract()
            assert " ".join(fact.text.replace("_", "").rstrip("#").split()) in said, (name, fact)


def test_formulae_stay_as_they_were_typed(book: Book) -> None:
    text = twin(book, "words")
    assert r"formula $e^{-\infty} = 0$ in" in text
    assert "$$\n\\operatorname{softmax}(x)_i = \\frac{e^{x_i}}{\\sum_j e^{x_j}} \\tag{1}\n$$" in text


def test_cells_have_their_source_and_what_they_gave(book: Book) -> None:
    found = tokens(twin(book, "deep/cells"))
    sources = [token.content for token in found if token.type == "fence" and token.info == "python"]
    assert len(sources) == 1 and sources[0].startswith("from cutaway.cells import load, table\n")
    assert [token.content for token in found if token.type == "fence" and token.info == "text"] == ["said\n"]
    cells = [token.content for token in found if token.type == "inline" and token.level == 4]
    assert cells[:6] == ["name", "`T` | D", "`att`", "3", "a*b*c", "0.5"]
    assert twin(book, "deep/cells").count("Output:") == 1  # that of a hidden cell follows nothing


def test_a_clip_is_what_it_shows(book: Book) -> None:
    text = twin(book, "things")
    alt = "A T by T grid of scores; the triangle above the diagonal fades."
    assert f"**Clip:** {alt} [#clip-mask](s/clip-mask/)\n\nEach token may look back, never ahead.\n\n1. " in text


def test_a_page_says_where_its_twin_is(book: Book) -> None:
    for name in (*PAGES, "deep/cells"):
        link = book.page(name).find("link", rel="alternate", type="text/markdown")
        assert link is not None and (book.folder / name).parent / link["href"] == book.folder / f"{name}.md"
    assert book.page("search").find("link", type="text/markdown") is None


def test_the_list_names_every_page_with_a_line_on_it(book: Book) -> None:
    text = (book.folder / "llms.txt").read_text("utf-8")
    kinds = [token.tag for token in PARSER.parse(text) if token.type in ("heading_open", "blockquote_open")]
    assert kinds == ["h1", "blockquote", "h2"]  # as llmstxt.org has it
    for name in ("things", "words", "deep/cells"):
        assert re.search(rf"^- \[[^]]+\]\({name}\.md\)", text, re.MULTILINE)
    assert "\n> One page for each thing that a book may hold.\n" in text
    assert "(words.md): A paragraph long enough to be wrapped" in text
    assert "(things.md): Sections, listings, steps, drawings and clips, each with an id.\n" in text


def test_twins_are_written_with_their_pages_alone(book: Book, build_book: BuildBook) -> None:
    before = {path: path.stat().st_mtime_ns for path in [*book.folder.rglob("*.md"), book.folder / "llms.txt"]}
    pages = book.folder.with_name("pages")
    (pages / "words.md").write_text((pages / "words.md").read_text("utf-8") + "\nOne more.\n", "utf-8")
    again = build_book(pages, book.folder, "-W")
    assert again.returncode == 0, again.warnings
    changed = [
        path.name for path, time in before.items() if path.stat().st_mtime_ns != time and "_sources" not in str(path)
    ]
    assert changed == ["words.md"]
    assert twin(book, "words").endswith("\nOne more.\n")


# Any text


@example("ChatLoader.__next__ of __init__, a_b, __c, d__")
@given(st.text(alphabet="ab1 \n*_`$[](){}<>#+-.!&;\\|=~\"'", max_size=40))
def test_text_means_itself(text: str) -> None:
    text = " ".join(line.strip() for line in text.split("\n") if line.strip())
    if text.strip():
        rendered = BeautifulSoup(PARSER.render(f"x {escaped(text)} x"), "html.parser")
        assert " ".join(rendered.text.split()) == " ".join(f"x {text} x".split())


@given(st.lists(st.text(alphabet="ab1 *_`#+-.>)=", min_size=1, max_size=12), min_size=1, max_size=4))
def test_lines_of_a_paragraph_stay_one_paragraph(lines: list[str]) -> None:
    text = "\n".join(line.strip() for line in lines if line.strip())
    if text:
        kinds = [token.type for token in PARSER.parse(f"{next(blocks(nodes.paragraph('', text), ALONE))}\n")]
        assert kinds == ["paragraph_open", "inline", "paragraph_close"], escaped(text)


@given(st.text(alphabet="a` b\\*", min_size=1, max_size=20))
def test_code_means_itself(text: str) -> None:
    spans = [token for token in tokens(f"x {code(text)} x") if token.type == "code_inline"]
    assert len(spans) == 1
    assert spans[0].content == text


@given(st.text(alphabet="a`~ \n", max_size=30))
def test_a_fence_holds_its_text(text: str) -> None:
    (fence,) = PARSER.parse(fenced(text))
    assert fence.type == "fence" and fence.content.rstrip("\n") == text.rstrip("\n")


@given(st.lists(st.lists(st.sampled_from(["a", "b\nc", "```text\nx\n\ny\n```"]), min_size=1, max_size=3), min_size=1))
def test_a_list_holds_its_blocks(rows: list[list[str]]) -> None:
    text = items([(f"{number}.", parts) for number, parts in enumerate(rows, 9)])
    kinds = [token.type for token in PARSER.parse(text)]
    assert kinds.count("ordered_list_open") == 1
    assert kinds.count("list_item_open") == len(rows)
    assert kinds.count("fence") == sum(part.startswith("`") for parts in rows for part in parts)


def test_what_has_no_words_is_left_out() -> None:
    paragraph = nodes.paragraph("", "", nodes.raw("", "<b>", format="html"), nodes.Text("a"), nodes.target())
    assert inline(paragraph, ALONE) == "a"
    assert list(blocks(nodes.comment("", "hidden"), ALONE)) == []
