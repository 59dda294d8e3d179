"""Claims on pages: what readers see, what a build says where one is false, and which pages are written again."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT
from playwright.sync_api import Browser, Locator, Page

CONF = f"""
extensions = ["myst_parser", "cutaway", "cutaway.markdown"]
myst_enable_extensions = ["colon_fence", "deflist"]
cutaway_sources = {{"mixer": [{str(ROOT / "tests/foreign/src/mixer")!r}]}}
cutaway_runs = "runs.py"
exclude_patterns = ["out"]
suppress_warnings = ["toc.not_included"]
"""
INDEX = """# A book

Words before. {claim}`The *answer* is near forty-two. <40 < mix.answer < 45>` Words after.
{claim}`And some < more. <mix.answer >= 42>`

:::{claim} mix.answer == 42 and max(mix/x) == 11
It is {fact}`mix.answer`, of {fact}`mix.rows:words` rows.

A second paragraph.
:::

```{toctree}
all
```
"""
ALL = """# All claims

:::{claims}
:::
"""
OTHER = """# Another page

{claim}`Rows are few. <mix.rows < 10>`
"""


class Book:
    """A small book in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("conf.py", CONF)
        runs = (ROOT / "tests/foreign/runs.py").read_text("utf-8")
        self.write("runs.py", runs.replace("answer=42", "answer=42, rows=3"))
        for name, text in (("index.md", INDEX), ("all.md", ALL), ("other.md", OTHER)):
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def build(self, builder: str = "html") -> "subprocess.CompletedProcess[str]":
        options = ["-n", "-W", "--keep-going", "-j", "2", "-b", builder]
        command = [sys.executable, "-m", "sphinx", *options, str(self.folder), str(self.folder / "out" / builder)]
        command += ["-d", str(self.folder / "doctrees")]
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)

    def made(self, name: str) -> str:
        return (self.folder / "out" / name).read_text("utf-8")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    book = Book(tmp_path_factory.mktemp("claims"))
    done = book.build()
    assert done.returncode == 0, done.stderr
    return book


@pytest.mark.parametrize("builder", ["singlehtml", "latex"])
def test_a_builder_that_joins_all_pages_judges_each_claim_by_its_own(tmp_path: Path, builder: str) -> None:
    joined = Book(tmp_path)
    joined.edit("index.md", "all\n", "other\n")
    joined.edit("other.md", "mix.rows < 10", "mix.rows > 10")
    done = joined.build(builder)
    assert done.stderr.count("[cutaway.claim]") == 1 and "other.md" in done.stderr, done.stderr
    joined.edit("other.md", "mix.rows > 10", "mix.rows < 10")
    assert joined.build(builder).returncode == 0


@pytest.fixture(scope="module")
def page(book: Book) -> BeautifulSoup:
    return BeautifulSoup(book.made("html/index.html"), "html.parser")


def test_a_claim_is_its_words_and_is_described_by_its_condition(page: BeautifulSoup) -> None:
    found = page.select(".cutaway-claim")
    assert [claim.name for claim in found] == ["span", "span", "div"]
    for claim in found:
        assert claim["tabindex"] == "0"
        (why,) = page.select(f"#{claim['aria-describedby']}")
        assert why["role"] == "tooltip" and why.parent is claim
    said = " ".join(found[0].select(".cutaway-claim-why")[0].get_text().split())
    assert said == "Checked: 40 < mix.answer < 45 holds. mix.answer = 42"
    assert found[0].select("em")[0].get_text() == "answer"
    values = [value.get_text() for value in found[2].select(".cutaway-claim-value")]
    assert values == ["mix.answer = 42", "mix/x = 0, 1, 2, 3, 4, 5, … (12 values)"]


def test_elsewhere_only_the_words_are_printed(book: Book) -> None:
    assert "Words before. The *answer* is near forty-two. Words after." in book.made("html/index.md")
    assert "It is 42, of three rows." in book.made("html/index.md") and "mix.answer" not in book.made("html/index.md")
    for builder, pattern in (("text", "index.txt"), ("latex", "*.tex")):
        assert book.build(builder).returncode == 0
        chapter = next((book.folder / "out" / builder).glob(pattern)).read_text("utf-8").split("All claims")[0]
        assert "second paragraph" in chapter and "mix.answer" not in chapter


def test_all_claims_are_listed_by_page(book: Book) -> None:
    page = BeautifulSoup(book.made("html/all.html"), "html.parser")
    assert [title.get_text() for title in page.select("p.rubric")] == ["A book", "Another page"]
    rows = [[cell.get_text(" ", strip=True) for cell in row.select("td")] for row in page.select("tbody tr")]
    assert rows[0] == ["The answer is near forty-two.", "40 < mix.answer < 45", "mix.answer = 42", "yes"]
    assert rows[2][0] == "It is 42, of three rows. A second paragraph."
    assert rows[3][0] == "Rows are few."
    for link in page.select("td a"):
        name, _, id = str(link["href"]).partition("#")
        assert BeautifulSoup(book.made(f"html/{name}"), "html.parser").select(f"#{id}")


def test_all_claims_are_published_as_data(book: Book) -> None:
    pages = json.loads(book.made("html/claims.json"))
    assert [len(rows) for rows in pages.values()] == [3, 1] and list(pages) == ["index", "other"]
    first = pages["index"][0]
    assert first.pop("id").startswith("claim-")
    sentence = "The answer is near forty-two."
    assert first == {
        "sentence": sentence, "condition": "40 < mix.answer < 45", "holds": True, "values": {"mix.answer": 42},
    }  # fmt: skip


@pytest.mark.slow
def test_another_outcome_is_noticed_on_pages_that_nobody_edited(tmp_path: Path) -> None:
    book = Book(tmp_path)
    assert book.build().returncode == 0
    nothing = book.build()
    assert nothing.returncode == 0 and "no targets are out of date" in nothing.stdout
    book.edit("runs.py", "answer=42", "answer=7")
    for _ in range(2):  # a second build must not hide it
        done = book.build()
        assert done.returncode == 1
        told = [line for line in done.stderr.splitlines() if "[cutaway.claim]" in line]
        assert [line.partition("WARNING: ")[2][:30] for line in told] == [
            "false: “The answer is near for",
            "false: “And some < more.” <mix",
            "false: “It is 7, of three rows",
        ]
        assert "where mix.answer = 7 [cutaway.claim]" in told[0] and f"{tmp_path}/index.md:3: " in told[0]
    listed = BeautifulSoup(book.made("html/all.html"), "html.parser")
    assert [row.select("td")[-1].get_text(strip=True) for row in listed.select("tbody tr")] == ["no"] * 3 + ["yes"]
    book.edit("runs.py", "answer=7", "answer=42")
    assert book.build().returncode == 0
    book.edit("other.md", "few", "not many")  # the list of all changes, too
    assert book.build().returncode == 0 and "Rows are not many." in book.made("html/all.html")
    (tmp_path / "other.md").unlink()
    assert book.build().returncode == 0 and "not many" not in book.made("html/all.html") + book.made("html/claims.json")


@pytest.mark.slow
def test_a_run_that_failed_is_said_once(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.edit("runs.py", "record.fact(", "1 / 0, record.fact(")
    done = book.build()
    assert done.returncode == 1 and "[cutaway.runs]" in done.stderr
    assert "[cutaway.claim]" not in done.stderr and "[cutaway.fact]" not in done.stderr
    assert "forty-two" in book.made("html/index.html") and "a value is missing" in book.made("html/all.html")


@pytest.mark.slow
def test_what_is_not_true_of_another_checkout_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Book(tmp_path)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    text = (ROOT / "tests/foreign/src/mixer/model.py").read_text("utf-8")
    (theirs / "model.py").write_text(text.replace("scores = x @ weight", "x = 2 * x\n    scores = x @ weight"), "utf-8")
    monkeypatch.setenv("CUTAWAY_SOURCE", f"mixer={theirs}")
    done = book.build()
    assert done.returncode == 0, done.stderr
    assert "cutaway: 1 claims do not hold for this source:\n  index: It is 42, of three rows." in done.stdout


# In a browser


@pytest.fixture
def open_page(book: Book, chromium: Browser) -> Iterator[Callable[..., Page]]:
    opened: list[Page] = []

    def open_it(script: bool = True, width: int = 1000) -> Page:
        opened.append(chromium.new_page(java_script_enabled=script, viewport={"width": width, "height": 800}))
        opened[-1].goto((book.folder / "out/html/index.html").as_uri())
        return opened[-1]

    yield open_it
    for page in opened:
        page.close()


def parts(page: Page, number: int) -> tuple[Locator, Locator]:
    """A claim, and its tooltip."""
    claim = page.locator(".cutaway-claim").nth(number)
    return claim, claim.locator(".cutaway-claim-why")


@pytest.mark.parametrize("script", [True, False])
def test_who_points_at_a_claim_sees_its_condition(script: bool, open_page: Callable[..., Page]) -> None:
    page = open_page(script=script)
    claim, why = parts(page, 0)
    assert not why.is_visible()
    claim.hover()
    why.wait_for(state="visible")
    box, words = why.bounding_box(), claim.bounding_box()
    assert box and words and box["y"] >= words["y"] + words["height"]  # below: it covers no word of it
    assert "display" in why.evaluate("element => getComputedStyle(element).transitionProperty")  # time to get there
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.wait_for_timeout(500)
    assert why.is_visible()  # the pointer may go there, to select it
    page.mouse.move(5, 790)
    why.wait_for(state="hidden")


def test_with_the_keyboard(open_page: Callable[..., Page]) -> None:
    page = open_page()
    seen = []
    page.locator(".cutaway-claim").nth(0).focus()
    for number in range(3):
        claim, why = parts(page, number)
        why.wait_for(state="visible")
        seen.append(claim.evaluate("element => element === document.activeElement"))
        page.keyboard.press("Escape")
        assert not why.is_visible()
        page.keyboard.press("Tab")
    assert seen == [True] * 3
    page.keyboard.press("Shift+Tab")
    parts(page, 2)[1].wait_for(state="visible")  # it is back where the focus comes back


def test_print_has_the_words_alone(open_page: Callable[..., Page]) -> None:
    page = open_page()
    claim, why = parts(page, 0)
    claim.focus()
    page.emulate_media(media="print")
    assert claim.is_visible() and not why.is_visible()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_on_a_telephone_it_stays_in_the_window(number: int, open_page: Callable[..., Page]) -> None:
    page = open_page(width=320)
    claim, why = parts(page, number)
    claim.focus()  # as a tap does
    why.wait_for(state="visible")
    box = why.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 320
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
