"""The search, in a browser: what a page shows is found while one types, and leads to its place."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from conftest import ROOT, Book, BuildBook, wait_until
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page
from weight import served

from cutaway.search.entries import commands
from cutaway.search.index import COMMON, thin
from cutaway.search.links import Place, linked
from cutaway.search.packing import ALPHABET, SHORT, Packer
from cutaway.search.synonyms import SynonymError, synonyms

pytestmark = pytest.mark.browser
INDEX = "searchindex.js"


def rows(folder: Path) -> list[tuple[str, str, str]]:
    """The entries of a built book: id, title, text."""
    index = json.loads((folder / INDEX).read_text("utf-8").partition("=")[2])
    read = Unpacked(index)
    columns = (map(read, index[name]) for name in ("ids", "titles", "texts"))
    return [*zip(*columns, strict=True)]


class Unpacked:
    """The way back from a packed text, by another way than the browser's: codes are looked up, longest first."""

    def __init__(self, index: dict[str, Any]) -> None:
        pieces, long = index["pieces"].split("\n"), index["long"]
        base = len(ALPHABET)
        pairs = [a + b for a in ALPHABET[SHORT : base - long] for b in ALPHABET]
        triples = (a + b + c for a in ALPHABET[base - long :] for b in ALPHABET for c in ALPHABET)
        self.pieces = dict(zip([*ALPHABET[:SHORT], *pairs, *triples], pieces, strict=False))

    def __call__(self, text: str | list[int]) -> str:
        if not isinstance(text, str):
            return ""  # a claim: a part of another text
        found, code = "", ""
        for one in text:
            code += one
            if code in self.pieces:
                found, code = found + self.pieces[code], ""
        assert not code
        return found


def told(page: Page, within: str) -> None:
    """Wait until the list says how much was found."""
    page.locator(f"{within} .cutaway-search-count", has_text=re.compile(r"\d+ result|Nothing found")).wait_for()


def results(chromium: Browser, address: str) -> list[str]:
    """Where the results lead, best first, as parts of an address after the site's."""
    page = chromium.new_page()
    page.goto(address)
    told(page, "#search-results")
    found = [link.get_attribute("href") or "" for link in page.locator("#search-results li a").all()]
    page.close()
    return [href.rpartition("/")[2] for href in found]


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ("masked_fill", "things.html#attention-forward-mask"),  # a symbol in a quotation
        ("F.softmax(att", "things.html#attention-forward-softmax"),  # a quotation
        ("c_attn", "things.html#attention-forward"),  # only in the listing's code
        ("hidden", "things.html#things-steps"),  # in a paragraph
        ("gives the future no weight", "things.html#attention-forward-mask"),  # in a note
        ("triangle", "things.html#clip-mask"),  # in a clip's alt
        ("drawings", "things.html#things-drawings"),  # a heading
        ("CausalSelfAttention", "things.html#attention-forward"),
        ("causal self attention", "things.html#attention-forward"),
        ("trinagle", "things.html#clip-mask"),
        ("tria", "things.html#clip-mask"),
    ],
)
def test_what_is_shown_is_found(chromium: Browser, mini_book: Book, asked: str, place: str) -> None:
    assert place in results(chromium, f"{mini_book.url('search')}?q={quote(asked)}")[:3]


def test_nothing_is_found_of_what_is_not_there(chromium: Browser, mini_book: Book) -> None:
    assert results(chromium, f"{mini_book.url('search')}?q=zzzzqqqq") == []


@pytest.mark.parametrize("over", ["file", "http"])
def test_list_comes_while_one_types_and_keys_go_through_it(chromium: Browser, mini_book: Book, over: str) -> None:
    with served(mini_book.folder) as host:
        page = chromium.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{host}/index.html" if over == "http" else mini_book.url("index"))
        assert not [url for url in asked if INDEX in url]  # nothing of it before somebody is about to type
        page.keyboard.press("Control+k")
        page.keyboard.type("masked_fi")
        told(page, "#pst-search-dialog")
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.getAttribute('href')").endswith("#attention-forward-mask")
        page.keyboard.press("ArrowUp")
        assert page.evaluate("document.activeElement.name") == "q"
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/things.html#attention-forward-mask")
        wait_until(page, lambda: page.evaluate("CSS.highlights.get('cutaway-found')?.size > 0"))
        assert page.locator("#attention-forward-mask").is_visible()
        assert not [url for url in asked if not url.startswith((host, "file:", "data:", "blob:"))]
        page.close()


def test_result_on_the_same_page_closes_the_dialog(chromium: Browser, mini_book: Book) -> None:
    page = chromium.new_page()
    page.goto(mini_book.url("things"))
    page.keyboard.press("Control+k")
    page.keyboard.type("masked_fill")
    told(page, "#pst-search-dialog")
    page.locator("#pst-search-dialog li a").first.click()
    wait_until(page, lambda: page.evaluate("CSS.highlights.get('cutaway-found')?.size > 0"))
    assert page.locator("#pst-search-dialog").is_hidden()
    page.close()


def test_kinds_are_chosen(chromium: Browser, mini_book: Book) -> None:
    page = chromium.new_page()
    page.goto(f"{mini_book.url('search')}?q=attention")
    told(page, "#search-results")
    page.get_by_role("button", name="Listings").click()
    kinds = page.locator("#search-results .cutaway-search-kind").all_inner_texts()
    assert kinds
    assert {*kinds} == {"Listing"}
    page.get_by_role("button", name="Listings").click()
    assert page.locator("#search-results li").count() > len(kinds)
    page.close()


def test_excerpt_marks_the_words(chromium: Browser, mini_book: Book) -> None:
    page = chromium.new_page()
    page.goto(f"{mini_book.url('search')}?q=triangle+diagonal")
    told(page, "#search-results")
    words = page.locator("#search-results li").first.locator("mark").all_inner_texts()
    assert {"triangle", "diagonal"} <= {word.lower() for word in words}
    page.close()


def test_clips_sections_and_captions_are_found(chromium: Browser, mini_book: Book) -> None:
    section = mini_book.page("things").select_one(".cutaway-clip-sections > li")
    name, caption = section.find("a").get_text(), section.find("p").get_text()
    place = f"things.html#{section['id']}"
    assert place in results(chromium, f"{mini_book.url('search')}?q={quote(name)}")
    row = next(row for row in rows(mini_book.folder) if row[0] == section["id"])
    assert row[1:] == (name, " ".join(caption.split()))


def test_index_follows_the_pages(build_book: BuildBook, tmp_path: Path) -> None:
    source, target = tmp_path / "pages", tmp_path / "html"
    source.mkdir()
    first = "(one)=\n# One\n\n```{toctree}\ntwo\nthree\n```\n\nA walrus.\n"
    (source / "index.md").write_text(first, "utf-8")
    (source / "two.md").write_text(
        "(two)=\n# Two\n\nA heron.\n\n```sh\n$ ls  # here\n$ git push hub\nstork\n```\n", "utf-8"
    )
    (source / "three.md").write_text("---\nnosearch: true\n---\n(three)=\n# Three\n\nAn egret.\n", "utf-8")
    assert build_book(source, target, "-W").returncode == 0
    found = rows(target)
    assert [row[1] for row in found] == ["One", "Two", "git push hub", "Three"]
    assert "egret" not in str(found)
    assert build_book(source, tmp_path / "other", "-W", "-j", "2").returncode == 0
    assert (tmp_path / "other" / INDEX).read_bytes() == (target / INDEX).read_bytes()
    (source / "index.md").write_text(first.replace("walrus", "dugong").replace("three\n", ""), "utf-8")
    (source / "three.md").unlink()
    assert build_book(source, target, "-W").returncode == 0
    said = str(rows(target))
    assert "dugong" in said
    assert "heron" in said  # of a page that was not written again
    assert "walrus" not in said
    assert "Three" not in said
    shutil.rmtree(next(Path(f"{target}-doctrees").glob("search-html-*")))
    assert build_book(source, target, "-W").returncode == 0
    assert str(rows(target)) == said


def test_commands_are_lines_that_are_typed() -> None:
    assert [*commands("$ ls -l\nprinted here\n$ git \\\n  push  # away\n")] == ["ls -l", "git push"]
    assert [*commands("# said\nnox -s docs\n")] == ["nox -s docs"]


def test_of_code_the_names_that_lead_somewhere_are_kept() -> None:
    texts = ["Said here.", "Spoken of, and n_head.", *[""] * COMMON]
    code = ["self said rare spoken n_head", "n_head", *["self"] * COMMON]
    assert thin(texts, code)[:3] == ["n_head rare", "", ""]


def test_a_link_tells_what_it_leads_to() -> None:
    places = [
        Place(0, "chapter", "one", "One", -1, [("Who reads?", "readers"), ("Readers", "readers"), ("here", "one")], []),
        Place(1, "chapter", "two", "Two", -1, [("a term", "term-x"), ("who reads?", "readers"), ("x", "gone")], []),
        Place(1, "section", "readers", "Readers", 1, [("In bold.", "readers")], ["term-x"]),
    ]
    assert linked(places) == [("here", 0), ("", 0), ("Who reads? · a term · In bold.", 2)]


@given(st.lists(st.text()))
def test_what_is_packed_is_unpacked(texts: list[str]) -> None:
    texts = [" ".join(text.split()) for text in texts]
    packer = Packer(texts)
    read = Unpacked({"pieces": "\n".join(packer.pieces), "long": packer.long})
    packed = [packer.pack(text) for text in texts]
    assert [read(text) for text in packed] == texts
    assert set("".join(packed)) <= set(ALPHABET)  # nothing that JSON must escape


def test_many_words_are_packed_in_three_characters(tmp_path: Path) -> None:
    """The browser's way back as well."""
    texts = [" ".join(f"{chr(97 + n // 676)}{chr(97 + n // 26 % 26)}{chr(97 + n % 26)}" for n in range(6000))] * 2
    packer = Packer(texts)
    packed = packer.pack(texts[0])
    read = Unpacked({"pieces": "\n".join(packer.pieces), "long": packer.long})
    assert packer.long > 0
    assert read(packed) == texts[0]
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node")
    script = (ROOT / "ext/cutaway/search/static/unpack.js").read_text("utf-8")
    given_ = json.dumps({"pieces": "\n".join(packer.pieces), "long": packer.long})
    program = f"{script}\nprocess.stdout.write(cutawayUnpack({given_})({json.dumps(packed)}))"
    (tmp_path / "program.js").write_text(program, "utf-8")
    done = subprocess.run([node, tmp_path / "program.js"], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == texts[0]


@pytest.mark.parametrize("line", ["one", "one: ", "one, : two", "a: b: c"])
def test_a_line_that_is_no_synonym_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "words.txt").write_text(f"# other words\n\nfast: quick\n{line}\n", "utf-8")
    app = SimpleNamespace(confdir=tmp_path, config=SimpleNamespace(cutaway_synonyms="words.txt"))
    with pytest.raises(SynonymError, match="what readers type: what the book says") as found:
        synonyms(app)  # type: ignore[arg-type]
    assert found.value.place == f"{tmp_path}/words.txt:4"


def test_no_table_of_synonyms_is_named(tmp_path: Path) -> None:
    app = SimpleNamespace(confdir=tmp_path, config=SimpleNamespace(cutaway_synonyms="gone.txt"))
    with pytest.raises(SynonymError, match=r"gone\.txt"):
        synonyms(app)  # type: ignore[arg-type]
