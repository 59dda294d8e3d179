"""Ids never die: the registry, what the build says of it, and where old addresses lead."""

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Book, BuildBook
from playwright.sync_api import Browser

from cutaway.permalinks.registry import Entry, Registry, RegistryError
from cutaway.targets import Target

pytestmark = pytest.mark.slow

PAGES = {
    "index": "(home)=\n# A book\n\n```{toctree}\n:glob:\n*\n```\n",
    "cats": "(cats)=\n# Cats\n\nThey sleep.\n\n(cats-paws)=\n## Paws\n\nFour.\n\n(cats-tails)=\n## Tails\n\nOne.\n",
    "dogs": "(dogs)=\n# Dogs\n\nThey bark.\n",
}
TODAY = "2026-01-02"


def target(id: str, page: str = "cats", title: str = "A title") -> Target:
    return Target(id, "section", page, 1, title)


def registry(*entries: tuple[str, Entry]) -> Registry:
    return Registry(dict(entries))


def entry(page: str = "cats", **more: str) -> Entry:
    return Entry(page, "A title", "section", "2025-05-05", **more)


# The file


def test_an_id_is_recorded_once_and_keeps_its_date() -> None:
    book = registry(("paws", entry()))
    lost = book.refresh({"paws": target("paws", title="Feet"), "ears": target("ears")}, ["cats"], TODAY)
    assert lost == []
    assert (book.ids["paws"].since, book.ids["paws"].title) == ("2025-05-05", "Feet")
    assert book.ids["ears"].since == TODAY


def test_the_file_has_a_line_for_each_id_and_reads_back(tmp_path: Path) -> None:
    book = registry(("b", entry(to="a", moved=TODAY)), ("a", entry()))
    book.pages["kittens"] = "cats"
    path = tmp_path / "permalinks.json"
    book.write(path)
    assert [line[:4] for line in path.read_text("utf-8").splitlines() if line.startswith('"')] == [
        '"ids', '"a":', '"b":', '"pag', '"kit',
    ]  # fmt: skip
    again = Registry.read(path)
    assert (again.ids, again.pages) == (book.ids, book.pages)
    path.write_text('{"ids": {"a": {"page": 1, "nonsense": 2}}, "pages": {}}', "utf-8")
    with pytest.raises(RegistryError, match="last commit"):
        Registry.read(path)


def test_an_id_that_left_is_lost_until_it_leads_somewhere() -> None:
    book, here = registry(("paws", entry()), ("ears", entry())), {"feet": target("feet"), "ears": target("ears")}
    assert book.refresh(here, ["cats"], TODAY) == ["paws"]
    book.lead("paws", "feet", here, TODAY)
    assert book.refresh(here, ["cats"], TODAY) == []
    assert book.live("paws") == "feet"
    assert list(book.old_addresses()) == [("cats", "paws", "feet")]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("paw", "feet", "did you mean 'paws'"),
        ("paws", "foot", "did you mean 'feet'"),
        ("feet", "feet", "still in the book"),
    ],
)
def test_a_mistaken_move_is_refused(old: str, new: str, message: str) -> None:
    book = registry(("paws", entry()), ("feet", entry()))
    with pytest.raises(RegistryError, match=message):
        book.lead(old, new, {"feet": target("feet")}, TODAY)


def test_what_leads_on_may_move_again() -> None:
    book = registry(("a", entry(to="b")), ("b", entry(to="c")), ("c", entry()))
    assert book.live("a") == "c"
    book.ids["c"] = entry(to="a")
    with pytest.raises(RegistryError, match="circle"):
        book.live("a")


def test_a_page_that_is_gone_leads_to_where_most_of_it_is() -> None:
    book = registry(("a", entry("old")), ("b", entry("old")), ("c", entry("old")))
    here = {"a": target("a", "one"), "b": target("b", "two"), "c": target("c", "two")}
    book.refresh(here, ["one", "two"], TODAY)
    assert book.pages == {"old": "two"}
    assert list(book.old_addresses()) == [("two", "a", "a")]  # the only one that is not where the old page leads
    book.refresh({id: target(id, "old") for id in "abc"}, ["old", "one"], TODAY)
    assert "old" not in book.pages


def test_what_comes_back_leads_to_itself() -> None:
    book = registry(("a", entry(to="b", retired=TODAY)), ("b", entry()))
    book.refresh({"a": target("a"), "b": target("b")}, ["cats"], TODAY)
    assert book.live("a") == "a" and not book.ids["a"].retired


def test_no_id_ever_left_our_own_registry() -> None:
    """By its whole history, as far as this checkout has it."""
    git = ["git", "log", "-p", "--format=", "--", "permalinks.json"]
    done = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip("not a checkout of git")
    ever = set(re.findall(r'^[-+]"([\w-]+)": \{', done.stdout, re.MULTILINE)) - {"ids", "pages"}
    assert ever <= Registry.read(ROOT / "permalinks.json").ids.keys()


# The build


@pytest.fixture
def book(build_book: BuildBook, tmp_path: Path) -> "Small":
    return Small(build_book, tmp_path)


@pytest.fixture(scope="module")
def kept(build_book: BuildBook, tmp_path_factory: pytest.TempPathFactory) -> "Small":
    """A book that was built and recorded."""
    book = Small(build_book, tmp_path_factory.mktemp("recorded"))
    book.build()
    assert "5 new" in book.record()
    return book


@pytest.fixture
def recorded(kept: "Small", book: "Small") -> "Small":
    """A copy of it, to be changed."""
    shutil.copytree(kept.folder, book.folder, dirs_exist_ok=True)
    return book


CONF = """
project, extensions, html_theme = "A book", ["myst_parser", "sphinx_reredirects", "cutaway.permalinks"], "basic"
cutaway_permalinks, cutaway_cards, cutaway_store = "permalinks.json", False, "store"
"""


class Small:
    """A book of three pages that is changed, built and recorded again."""

    def __init__(self, build_book: BuildBook, folder: Path) -> None:
        self.build_book, self.folder, self.registry = build_book, folder, folder / "pages/permalinks.json"
        self.write("conf.py", CONF)
        for name, text in PAGES.items():
            self.write(f"{name}.md", text)

    def write(self, name: str, text: str) -> None:
        (self.folder / "pages").mkdir(exist_ok=True)
        (self.folder / "pages" / name).write_text(text, "utf-8")

    def build(self, *options: str) -> Book:
        pages = self.folder / "pages"
        return self.build_book(pages, self.folder / "html", "-c", str(pages), *options, store=self.folder / "store")

    def record(self, *options: str) -> str:
        """What the command says after a build; its errors, too."""
        env = {**os.environ, "CUTAWAY_STORE": str(self.folder / "store")}
        command = [sys.executable, "-m", "cutaway", "--docs", str(self.folder / "pages"), "permalinks", *options]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
        return done.stdout + done.stderr


def test_what_is_not_recorded_is_named_with_its_line_and_the_command(book: Small) -> None:
    assert "build the book first" in book.record()
    built = book.build()
    lines = [line for line in built.warnings.splitlines() if "cutaway.permalinks" in line]
    assert len(lines) == 5
    advice = "python -m cutaway permalinks"
    assert any("cats.md:7" in line and "'cats-paws'" in line and advice in line for line in lines)
    assert "5 ids, 5 new" in book.record()
    assert book.build("-W").warnings == ""
    assert "0 new; as it was" in book.record()


def test_a_heading_may_be_renamed(recorded: Small) -> None:
    before = recorded.registry.read_text("utf-8")
    recorded.write("cats.md", PAGES["cats"].replace("## Paws", "## Feet and claws"))
    built = recorded.build("-W")
    assert built.returncode == 0, built.warnings
    assert "Feet" in built.page("cats").select_one("#cats-paws").h2.text
    assert "url=../../cats.html#cats-paws" in (built.folder / "s/cats-paws/index.html").read_text("utf-8")
    recorded.record()
    assert recorded.registry.read_text("utf-8") == before.replace('"title": "Paws"', '"title": "Feet and claws"')


def test_an_id_that_leaves_fails_the_build_with_the_command_that_settles_it(recorded: Small) -> None:
    recorded.write("cats.md", PAGES["cats"].replace("(cats-paws)=", "(cats-feet)="))
    failed = recorded.build("-W", "--keep-going")
    assert failed.returncode != 0
    (line,) = [line for line in failed.warnings.splitlines() if "has left the book" in line]
    rows = recorded.registry.read_text("utf-8").splitlines()
    where = next(number for number, row in enumerate(rows, 1) if row.startswith('"cats-paws"'))
    assert f"permalinks.json:{where}:" in line
    assert "python -m cutaway permalinks --move cats-paws NEW" in line and "'cats-feet'" in line
    assert failed.warnings == recorded.build("-W", "--keep-going").warnings  # it does not go away by itself
    assert "--move cats-paws NEW" in recorded.record()  # nor by recording
    assert recorded.registry.read_text("utf-8").splitlines() == rows
    assert "did you mean 'cats-feet'" in recorded.record("--move", "cats-paws", "cat-feet")
    assert "6 ids, 1 new" in recorded.record("--move", "cats-paws", "cats-feet")
    assert recorded.build("-W").returncode == 0


def test_a_redirect_to_nothing_and_a_section_without_a_label_are_named(recorded: Small) -> None:
    found = Registry.read(recorded.registry)
    found.ids["old"] = entry(to="nowhere", moved=TODAY)
    found.write(recorded.registry)
    recorded.write("dogs.md", PAGES["dogs"] + "\n## Breeds\n\nMany.\n")
    warnings = recorded.build().warnings
    assert "'old' leads to 'nowhere', which there is not" in warnings
    assert re.search(r"dogs\.md:6: .*'Breeds' has no id that lasts", warnings)


def test_two_things_with_one_id_are_named(recorded: Small) -> None:
    recorded.write("dogs.md", PAGES["dogs"] + "\n(cats-paws)=\n## Paws\n\nFour, too.\n")
    warnings = recorded.build().warnings
    assert re.search(r"dogs\.md:7: .*section 'cats-paws' has the id of the section at .*cats\.md:7", warnings)


def test_a_broken_registry_is_one_warning(recorded: Small) -> None:
    recorded.registry.write_text("<<<<<<< HEAD", "utf-8")
    assert recorded.build().warnings.count("can't be read") == 1
    assert "can't be read" in recorded.record()


def test_pages_that_borrow_the_settings_are_not_checked(mini_book: Book) -> None:
    assert "permalinks" not in mini_book.warnings


# Old addresses


LONG = "\nA line.\n" * 60


@pytest.fixture(scope="module")
def moved(build_book: BuildBook, tmp_path_factory: pytest.TempPathFactory) -> Book:
    """A book in which an id was renamed, one was retired, one went to another page, and a page is gone."""
    small = Small(build_book, tmp_path_factory.mktemp("moved"))
    extra = "".join(f"\n(cats-{name})=\n## {name.title()}\n\nLoud.\n" for name in ("old", "gone", "barks"))
    small.write("cats.md", PAGES["cats"] + LONG + extra)
    small.write("wolves.md", "(wolves)=\n# Wolves\n\nThey howl.\n")
    small.build()
    small.record()
    small.write("cats.md", PAGES["cats"] + LONG)
    barks = "\n(cats-barks)=\n## Barks\n\nLoud.\n"
    small.write("dogs.md", PAGES["dogs"] + LONG + barks + "\n(wolves)=\n## Wolves\n\nThey howl.\n" + LONG)
    (small.folder / "pages/wolves.md").unlink()
    small.build()
    told = small.record("--move", "cats-old", "cats-paws", "--retire", "cats-gone", "--to", "cats-tails")
    assert "9 ids, 0 new; changed" in told
    built = small.build("-W")  # pages are written again, though their text is as it was
    assert built.returncode == 0, built.warnings
    return built


@pytest.fixture(scope="module")
def served(moved: Book) -> Iterator[str]:
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    handler = functools.partial(quiet, directory=str(moved.folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("kept", ["file", "http"])
@pytest.mark.parametrize(
    ("old", "lands"),
    [
        ("s/cats-tails/", "cats.html#cats-tails"),
        ("s/cats-old/", "cats.html#cats-paws"),
        ("s/wolves/", "dogs.html#wolves"),
        ("s/cats-barks/", "dogs.html#cats-barks"),
    ],
)
def test_a_permanent_address_lands_on_its_id(
    moved: Book, served: str, chromium: Browser, script: bool, kept: str, old: str, lands: str
) -> None:
    root = served if kept == "http" else moved.folder.as_uri() + "/"
    with chromium.new_context(java_script_enabled=script, viewport={"width": 800, "height": 200}) as context:
        page = context.new_page()
        page.goto(root + old + ("" if kept == "http" else "index.html"))
        page.wait_for_url(f"**/{lands}")
        assert page.locator(f"#{lands.partition('#')[2]}").first.bounding_box()["y"] < 100


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False])
def test_an_old_anchor_still_leads_to_the_thing(moved: Book, chromium: Browser, script: bool) -> None:
    with chromium.new_context(java_script_enabled=script, viewport={"width": 800, "height": 200}) as context:
        page = context.new_page()
        page.goto(moved.url("cats") + "#cats-old")  # another id now, on the same page
        assert -50 < page.locator("#cats-paws h2").bounding_box()["y"] < 100
        page.goto(moved.url("cats") + "#cats-barks")  # it went to another page
        page.locator("#cats-barks a").click()
        page.wait_for_url("**/dogs.html#cats-barks")
        page.goto(moved.url("cats"))
        assert not page.locator("#cats-barks").is_visible()


def test_a_retired_id_says_so_and_names_the_nearest(moved: Book) -> None:
    stub = (moved.folder / "s/cats-gone/index.html").read_text("utf-8")
    assert "no longer in the book" in stub and "refresh" not in stub
    assert 'href="../../cats.html#cats-tails"' in stub


@pytest.mark.browser
def test_a_page_that_is_gone_leads_to_the_one_in_its_place(moved: Book, chromium: Browser) -> None:
    with chromium.new_context(viewport={"width": 800, "height": 200}) as context:
        page = context.new_page()
        page.goto(moved.url("wolves") + "#wolves")
        page.wait_for_url("**/dogs.html#wolves")


def test_stubs_are_written_when_they_change_and_removed_when_stale(recorded: Small) -> None:
    stub = recorded.folder / "html/s/cats-paws/index.html"
    before = stub.stat().st_mtime_ns
    recorded.write("cats.md", PAGES["cats"].replace("(cats-tails)=\n", "") + "\nMore.\n")
    recorded.build()
    assert stub.stat().st_mtime_ns == before
    assert not (recorded.folder / "html/s/cats-tails").exists()
