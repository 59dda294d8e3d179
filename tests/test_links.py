"""What one copies to link to a part of the book, the button that offers it, and the pages behind the addresses."""

import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT, SPHINX, Book, BuildBook
from docutils import nodes
from docutils.core import publish_doctree
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from playwright.sync_api import Browser
from sphinx.util.inventory import InventoryFile

from cutaway.__main__ import LINKS
from cutaway.address import PLACEHOLDER, permanent
from cutaway.permalinks.pages import Site, Stub, oembed
from cutaway.permalinks.pages import html as stub_html
from cutaway.permalinks.registry import Registry
from cutaway.permalinks.snippets import LABELS, snippets
from cutaway.targets import KINDS, Target

BASE = "https://example.org/cutaway/"
README = ROOT / "README.md"
COMMONMARK = MarkdownIt("commonmark").enable("table")

MARKS = " `[]()<>|*_\\!&~$#{}\"'@:-+.=/"  # what any of the languages reads as its own
characters = st.sampled_from(MARKS) | st.characters(codec="utf-8", exclude_categories=["C", "Z"])
titles = st.text(characters, min_size=1).map(lambda text: " ".join(text.split())).filter(bool)


def ways(title: str, kind: str = "section", said: str = "") -> dict[str, str]:
    return snippets(Target("an-id", kind, "page", 1, title), said, BASE, "book")


def render(markdown: str) -> BeautifulSoup:
    return BeautifulSoup(COMMONMARK.render(markdown), "html.parser")


# Every kind, whatever the title


@given(titles, st.sampled_from(KINDS))
def test_markdown_says_the_title_and_leads_to_it(title: str, kind: str) -> None:
    for text in (ways(title, kind)["markdown"], f"| a |\n|---|\n| {ways(title, kind)['markdown']} |\n"):
        (link,) = render(text).select("a")
        assert link.text == title and link["href"] == f"{BASE}s/an-id/"


@given(titles, titles)
def test_pictures_have_words_and_lead_on(title: str, said: str) -> None:
    for way, file in {"card": "card.png", "animated": "card.webp", "gif": "card.gif", "badge": "badge.svg"}.items():
        (link,) = render(ways(title, "clip", said)[way]).select("a")
        assert link["href"] == f"{BASE}s/an-id/" and link.img["src"] == f"{BASE}s/an-id/{file}"
        assert link.img["alt"].startswith(title[:100])


@given(titles, st.sampled_from(KINDS))
def test_html_says_the_title(title: str, kind: str) -> None:
    (link,) = BeautifulSoup(ways(title, kind)["html"], "html.parser").select("a")
    assert link.text == title and link["href"] == f"{BASE}s/an-id/"


@given(titles)
def test_restructuredtext_says_the_title(title: str) -> None:
    tree = publish_doctree(ways(title)["rst"], settings_overrides={"report_level": 5})
    (link,) = tree.findall(nodes.reference)
    assert link.astext() == title and link["refuri"] == f"{BASE}s/an-id/"
    assert not list(tree.findall(nodes.system_message))


def test_only_a_clip_moves() -> None:
    assert set(ways("x", "clip")) == set(LABELS) == set(LINKS)
    assert set(LABELS) - set(ways("x", "step")) == {"animated", "gif"}


# Against the built site


def panels(book: Book) -> dict[str, dict[str, str]]:
    """The snippets of each button of the page ``things``, by id and by label."""
    found = {}
    for box in book.page("things").select("details.cutaway-link"):
        names, texts = ([part.text for part in box.select(tag)] for tag in ("dt", "dd"))
        rows = dict(zip(names, texts, strict=True))
        found[next(iter(rows.values())).removesuffix("/").rpartition("/")[2]] = rows
    return found


def resolve(book: Book, url: str) -> Path:
    """The file of the site behind an address."""
    path = book.folder / unquote(url.removeprefix(PLACEHOLDER))
    return path / "index.html" if url.endswith("/") else path


def test_each_thing_has_a_button_and_all_its_snippets_lead_into_the_site(mini_book: Book) -> None:
    found, inventory = panels(mini_book), inventory_of(mini_book)
    things = {"things", "things-steps", "attention-forward", "attention-forward-mask", "diagram-attention", "clip-mask"}
    assert things <= found.keys()
    for id, rows in found.items():
        for label, text in rows.items():
            parsed = {
                LABELS["rst"]: lambda text: publish_doctree(text).next_node(nodes.reference)["refuri"],
                LABELS["html"]: lambda text: BeautifulSoup(text, "html.parser").a["href"],
            }.get(label, lambda text: render(text).a["href"] if render(text).a else text)(text)
            if parsed.startswith("inv:"):
                assert parsed.partition("#")[2] in inventory, label
                continue
            assert parsed.startswith(PLACEHOLDER) and resolve(mini_book, parsed).is_file(), (id, label)
            for picture in render(text).select("img"):
                assert resolve(mini_book, picture["src"]).is_file(), (id, label)


def inventory_of(book: Book) -> set[str]:
    data = InventoryFile.loads((book.folder / "objects.inv").read_bytes(), uri="")
    return set(data.data["std:label"])


def test_another_project_finds_every_id_by_intersphinx(mini_book: Book, tmp_path: Path) -> None:
    found = {id: Target(id, "step", "things", 1, "a `title` [of] it_") for id in panels(mini_book)}
    where = f'{{"cutaway": ("{mini_book.folder}", None)}}'
    settings = f'extensions = ["myst_parser", "sphinx.ext.intersphinx"]\nintersphinx_mapping = {where}\n'
    (tmp_path / "conf.py").write_text(settings, "utf-8")
    in_myst = [snippets(target, "", "", "cutaway")["myst"] for target in found.values()]
    in_rst = [snippets(target, "", "", "cutaway")["sphinx"] for target in found.values()]
    (tmp_path / "index.md").write_text("# A\n\n" + "\n\n".join(in_myst) + "\n\n```{toctree}\nother\n```\n", "utf-8")
    (tmp_path / "other.rst").write_text("B\n=\n\n" + "\n\n".join(in_rst) + "\n", "utf-8")
    command = [*SPHINX, "-n", "-W", "-q", "-b", "html", str(tmp_path), str(tmp_path / "html")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    for page in ("index", "other"):
        links = BeautifulSoup((tmp_path / f"html/{page}.html").read_text("utf-8"), "html.parser").select("a.external")
        ends = {link["href"].rpartition("/")[2] for link in links}
        assert {f"things.html#{id}" for id in found} <= ends


def test_stubs_say_what_is_there_in_plain_words(mini_book: Book) -> None:
    stubs = list(mini_book.folder.glob("s/*/index.html"))
    assert {path.parent.name for path in stubs} >= panels(mini_book).keys()
    for path in stubs:
        page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        facts = {tag.get("property") or tag.get("name"): tag["content"] for tag in page.select("meta[content]")}
        assert facts["og:title"] in page.title.text and facts["description"] == facts["og:description"]
        assert "\\" not in facts["description"] and 0 < len(facts["description"]) <= 202
        assert (path.parent / facts["og:image"]).is_file()
        assert json.loads((path.parent / "oembed.json").read_text("utf-8"))["version"] == "1.0"
        assert (path.parent / page.select_one("link[rel=canonical]")["href"]).resolve().is_file()


def test_where_the_site_stands_all_addresses_are_absolute() -> None:
    stub = Stub("old", Target("new", "step", "model/page", 1, 'a < "b"'), "Say & tell.", "model/page.html")
    page = BeautifulSoup(stub_html(stub, Site(BASE, "A <book>", "en", True)), "html.parser")
    facts = {tag.get("property"): tag["content"] for tag in page.select("meta[property]")}
    assert facts["og:image"] == f"{BASE}s/old/card.png" and facts["og:url"] == permanent(BASE, "new")
    assert facts["og:title"] == 'a < "b"' and facts["og:description"] == "Say & tell."
    assert page.select_one("link[rel=canonical]")["href"] == f"{BASE}model/page.html"
    assert page.select_one("link[type='application/json+oembed']")["href"] == f"{BASE}s/old/oembed.json"
    told = json.loads(oembed(stub, Site(BASE, "A <book>", "en", True)))
    assert told["type"] == "rich" and {"html", "width", "height"} <= told.keys()  # what the type requires
    assert {"thumbnail_url", "thumbnail_width", "thumbnail_height"} <= told.keys()  # all or none
    assert BeautifulSoup(told["html"], "html.parser").img["alt"] == html.unescape('a &lt; "b"')


# The button


@pytest.mark.browser
def test_the_button_is_reached_by_keyboard_and_copies(mini_book: Book, chromium: Browser) -> None:
    with chromium.new_context(permissions=["clipboard-read", "clipboard-write"]) as context:
        page = context.new_page()
        page.goto(mini_book.url("things"))
        box = page.locator("#attention-forward-mask > .cutaway-link")
        assert box.evaluate("box => getComputedStyle(box).opacity") == "0"
        box.locator("summary").focus()
        assert box.evaluate("box => getComputedStyle(box).opacity") == "1"
        assert "masked_fill(" in box.locator("summary").get_attribute("aria-label")
        page.keyboard.press("Enter")
        box.get_by_role("button").first.wait_for()  # made when the box has opened, which the key does not wait for
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        box.get_by_text("Copied").wait_for()
        site = mini_book.folder.as_uri()  # where the page was opened; the mini book says no address
        assert page.evaluate("navigator.clipboard.readText()") == f"{site}/s/attention-forward-mask/"
        assert PLACEHOLDER not in box.inner_text()


@pytest.mark.browser
def test_the_button_works_on_a_telephone_without_script(mini_book: Book, chromium: Browser) -> None:
    telephone = {"viewport": {"width": 360, "height": 700}, "is_mobile": True, "has_touch": True}
    with chromium.new_context(java_script_enabled=False, **telephone) as context:
        page = context.new_page()
        page.goto(mini_book.url("things"))
        for box in page.locator("details.cutaway-link").all():
            assert box.locator("summary").is_visible()
            box.locator("summary").tap()
            for code in box.locator("code").all():
                place = code.bounding_box()
                assert place["x"] >= 0 and place["x"] + place["width"] <= 360
        assert page.locator(".cutaway-link button").count() == 0
        page.emulate_media(media="print")
        assert not page.locator("details.cutaway-link").first.is_visible()


# The command line and the README


EXTENSIONS = 'myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]\n'
LISTING = """# A

:::{listing} nanogpt.model.CausalSelfAttention.forward
:name: attention

`masked_fill(`{#mask}
: What is to come is hidden.
:::
"""


def command(*arguments: str, store: Path, docs: Path = ROOT / "docs") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "CUTAWAY_STORE": str(store), "CUTAWAY_BASEURL": "https://example.org/cutaway"}
    run = [sys.executable, "-m", "cutaway", "--docs", str(docs), "link", *arguments]
    return subprocess.run(run, env=env, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_the_terminal_gives_the_same_without_a_build(tmp_path: Path) -> None:
    """The store is empty: what is known stands in the registry."""
    done = command("attention-mask", "--as", "markdown", store=tmp_path)
    title = Registry.read(ROOT / "permalinks.json").ids["attention-mask"].title
    assert done.stdout == f"[{title}]({BASE}s/attention-mask/)\n", done.stderr
    everything = command("attention-mask", store=tmp_path).stdout
    assert f"({BASE}s/attention-mask/card.png)" in everything and "inv:cutaway:std:label#attention-mask" in everything
    assert "did you mean 'attention-mask'" in command("atention-mask", store=tmp_path).stderr
    wrong = command("attention-mask", "--as", "gif", store=tmp_path)
    assert wrong.returncode == 1 and "is a section" in wrong.stderr


def test_a_line_of_the_source_leads_to_the_steps_that_explain_it(build_book: BuildBook, tmp_path: Path) -> None:
    source = ROOT / "model_src/nanogpt"
    settings = f'cutaway_sources, cutaway_cards = {{"nanogpt": ["{source}"]}}, False\nhtml_theme = "basic"\n'
    parts = 'extensions = ["myst_parser", "cutaway.permalinks"]\n'
    (tmp_path / "conf.py").write_text(parts + settings + EXTENSIONS, "utf-8")
    (tmp_path / "index.md").write_text(LISTING, "utf-8")
    built = build_book(tmp_path, tmp_path / "html", "-c", str(tmp_path), store=tmp_path / "store")
    assert (tmp_path / "html/s/attention-mask/index.html").is_file(), built.warnings
    lines = (source / "model.py").read_text("utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "masked_fill(" in text)
    asked = ["--as", "url", "--", f"nanogpt/model.py:{line}"]
    done = command(*asked, store=tmp_path / "store", docs=tmp_path)
    assert done.stdout == f"{PLACEHOLDER}s/attention-mask/\n", done.stderr  # this conf.py knows no address
    nowhere = command(f"nanogpt/model.py:{line - 1}", store=tmp_path / "store", docs=tmp_path)
    assert nowhere.returncode == 1 and "explains" in nowhere.stderr


def test_the_readme_links_to_what_is_there() -> None:
    """By the one address that is to be filled in; every id is in the registry."""
    registry = Registry.read(ROOT / "permalinks.json")
    text = README.read_text("utf-8")
    fences = [token.content for token in COMMONMARK.parse(text) if (token.type, token.info) == ("fence", "markdown")]
    page = render("\n\n".join([text, *fences]))
    ids = set()
    for url in [link["href"] for link in page.select("a")] + [picture["src"] for picture in page.select("img")]:
        if url.startswith(BASE):
            id, file = re.fullmatch(r"s/([\w-]+)/(\S*)", url.removeprefix(BASE)).groups()
            assert registry.live(id) == id and file in ("", "card.png", "card.webp", "badge.svg"), url
            ids.add(id)
        elif "://" not in url:
            assert (ROOT / url).exists(), url
    assert len(ids) >= 8
