"""Cells: executed again when the source that they import changes, and only then; also side by side."""

import subprocess
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from conftest import SPHINX

pytestmark = pytest.mark.slow

CONF = """
extensions = ["myst_nb", "cutaway"]
cutaway_sources = {"pkg": ["src"]}
nb_execution_mode = "cache"
nb_render_markdown_format = "myst"
exclude_patterns = ["src", "build"]
suppress_warnings = ["toc.not_included"]
"""
RUNS = """
from cutaway.runs import Run

class Toy(Run):
    name = "toy"
    sources = ("pkg",)
    limit_s = 30

    def build(self, weights):
        from pkg.model import twice
        return twice

    def trace(self, weights, record):
        from pkg.model import twice
        with record("forward"):
            twice(21)
        record.fact(answer=twice(21))
"""
PAGE = """---
file_format: mystnb
kernelspec: {name: python3}
---
# A page

```{code-cell}
from cutaway.cells import load, table
toy = load("toy")
from pkg.model import twice
table(["a", "b"], [[toy.value("toy.answer"), toy.model()(twice(1))], ["{dim}`T`", "x|y"]])
```
"""


class Book:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "src").mkdir(parents=True)
        self.write("src/model.py", "def twice(x):\n    return x * 2\n")
        self.write("conf.py", CONF)
        self.write("runs.py", RUNS)
        self.write("index.md", PAGE)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    def build(self, *options: str) -> str:
        command = [*SPHINX, "-W", *options, "-d", "build/doctrees", ".", "build/html"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def cells(self, page: str = "index") -> list[list[str]]:
        html = (self.folder / f"build/html/{page}.html").read_text("utf-8")
        rows = BeautifulSoup(html, "html.parser").select(".cell_output table tr")
        return [[cell.text for cell in row.select("th, td")] for row in rows]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "a book")


def test_cells_follow_the_source_and_nothing_else(book: Book) -> None:
    said = book.build()
    assert "Executed notebook" in said
    assert book.cells() == [["a", "b"], ["42", "4"], ["T", "x|y"]]
    assert "no targets are out of date" in book.build()
    book.write("src/model.py", "def twice(x):\n    return x * 2 + 1\n")
    said = book.build()
    assert "Executed notebook" in said and "run toy: tracing" in said
    assert book.cells()[1] == ["43", "7"]
    book.write("index.md", PAGE + "\nMore prose.\n")
    assert "Using cached notebook" in book.build()


def test_half_a_database_is_made_again(book: Book) -> None:
    """As a builder leaves it that is killed while its cells' outputs are kept."""
    book.build()
    notebook = book.folder / "build/jupyter_execute/index.ipynb"
    text = notebook.read_text("utf-8")
    database = book.folder / "build/cells/current/global.db"
    database.write_bytes(database.read_bytes()[:100] + bytes(3000))
    assert "Executed notebook" in book.build("-E")
    assert book.cells()[1] == ["42", "4"]
    assert "Using cached notebook" in book.build("-E")
    assert notebook.read_text("utf-8") == text  # what readers download is the same, however it came about
    nbformat.validate(nbformat.reads(text, as_version=4))


def test_a_cold_cache_stands_several_readers(book: Book) -> None:
    names = [f"page{number}" for number in range(3)]
    for name in names:
        book.write(f"{name}.md", PAGE.replace('["{dim}', f'["{name}", ""], ["{{dim}}'))
    book.build("-j", "2")
    assert [book.cells(name)[2][0] for name in names] == names
