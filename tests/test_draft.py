"""A draft: every page soon, each saying what it lacks, and nothing that a whole build would trip over."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

pytestmark = pytest.mark.slow

MODEL = '''"""A model."""


def scale(x, w):
    return x * w
'''
RUN = """
class {cls}(Run):
    name = "{name}"
    sources = ("pkg",)

    def train(self, log):
        log.fact(size={size})
        return {{}}

    def trace(self, weights, record):
        from pkg.model import scale
        with record("forward"):
            scale(2.0, 3.0)
"""
RUNS = "from cutaway.runs import Run\n" + "".join(
    RUN.format(cls=name.title(), name=name, size=size) for name, size in (("first", 3), ("second", 7))
)
SCENES = """
from manim import Scene, Square


class Box(Scene):
    def construct(self):
        self.add(Square())
        self.wait(0.1)
"""
CONF = """
project = "Draft"
extensions = ["myst_nb", "cutaway.cells", "cutaway.permalinks"]
html_theme = "basic"
nb_execution_mode = "force"
cutaway_sources = {"pkg": ["pkg"]}
cutaway_cards = False
"""
PAGE = """---
file_format: mystnb
kernelspec: {name: python3}
---
# A page

Sizes {fact}`first.size` and {fact}`second.size`.

```{clip} boxes.Box
:alt: A box that stands still.
```

```{code-cell}
print(6 * 7)
```
"""
DRAFT = ["-D", "cutaway_draft=1"]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    for folder in ("pkg", "scenes"):
        (tmp_path / folder).mkdir()
    texts = {"pkg/model.py": MODEL, "runs.py": RUNS, "scenes/boxes.py": SCENES, "conf.py": CONF, "index.md": PAGE}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def build(book: Path, name: str, *options: str) -> BeautifulSoup:
    """The page of a build into folders of its own; a warning is an error."""
    target = book.parent / f"{book.name}-{name}"
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-n", "-d", str(target / "doctrees"), *options]
    done = subprocess.run(
        [*command, str(book), str(target / "html")],
        env=environment(book),
        text=True,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return BeautifulSoup((target / "html/index.html").read_text("utf-8"), "html.parser")


def environment(book: Path) -> dict[str, str]:
    return {**os.environ, "CUTAWAY_STORE": str(book.parent / f"{book.name}-store")}


def test_draft_shows_what_is_there_and_says_what_is_not(book: Path) -> None:
    page = build(book, "draft", *DRAFT)
    note, text = page.select_one(".cutaway-draft").get_text(" ", strip=True), page.get_text(" ", strip=True)
    assert "the output of 1 cell" in note
    assert "1 clip, for which words stand" in note
    assert "1 number of the run “second”" in note
    assert "Sizes 3 and second.size." in text.replace(" .", ".")
    assert "A box that stands still." in text
    assert "42" not in text
    assert page.select_one(".cell_input .nb")  # code is coloured all the same
    stored = {path.parent.name for path in Path(environment(book)["CUTAWAY_STORE"]).rglob("*.json")}
    assert "clip" not in stored

    # The whole build after it has everything, and no word of the draft.
    whole = build(book, "whole")
    assert not whole.select(".cutaway-draft")
    assert "Sizes 3 and 7." in whole.get_text(" ", strip=True).replace(" .", ".")
    assert "42" in whole.select_one(".cell_output").get_text()
    assert whole.select("figure.cutaway-clip[data-recording]")

    # A draft made now takes what the store has.
    note = build(book, "draft", *DRAFT).select_one(".cutaway-draft").get_text(" ", strip=True)
    assert "clip" not in note and "second" not in note and "1 cell" in note
