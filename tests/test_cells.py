"""Cells: executed again when the source that they import changes, and only then; also side by side, and elsewhere."""

import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from conftest import SPHINX
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from cutaway.cells.execution import outputs_of, restore

CONF = """
extensions = ["myst_nb", "cutaway.cells"]
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
        if folder.exists():  # a copy
            return
        (folder / "src").mkdir(parents=True)
        self.write("src/model.py", "def twice(x):\n    return x * 2\n")
        self.write("conf.py", CONF)
        self.write("runs.py", RUNS)
        self.write("index.md", PAGE)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    def build(self, *options: str) -> str:
        command = [*SPHINX, "-W", *options, "-d", "build/doctrees", ".", "build/html"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        assert "without encryption" not in done.stderr  # nothing that a kernel says for itself
        return done.stdout + done.stderr

    def cells(self, page: str = "index") -> list[list[str]]:
        html = (self.folder / f"build/html/{page}.html").read_text("utf-8")
        rows = BeautifulSoup(html, "html.parser").select(".cell_output table tr")
        return [[cell.text for cell in row.select("th, td")] for row in rows]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "a book")


@pytest.mark.slow
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
    assert "Using kept outputs" in book.build()


@pytest.mark.slow
def test_a_second_clone_executes_nothing(book: Book, tmp_path: Path) -> None:
    """It has the store, at another place; what readers download is the same."""
    book.build()
    clone = shutil.copytree(book.folder, tmp_path / "elsewhere/clone", ignore=shutil.ignore_patterns("build"))
    other = Book(clone)
    said = other.build("-j", "2")
    assert "Using kept outputs" in said and "Executed notebook" not in said
    assert other.cells() == book.cells()
    texts = [(each.folder / "build/jupyter_execute/index.ipynb").read_text("utf-8") for each in (book, other)]
    assert texts[0] == texts[1]
    nbformat.validate(nbformat.reads(texts[0], as_version=4))


@pytest.mark.slow
def test_damaged_outputs_are_made_again(book: Book) -> None:
    book.build()
    (kept,) = (book.folder / ".cutaway/cells").glob("*.nb")
    before = kept.read_bytes()
    kept.write_bytes(before[:100])
    assert "Executed notebook" in book.build("-E")
    assert book.cells()[1] == ["42", "4"]
    assert kept.read_bytes() == before


def executed() -> NotebookNode:
    """A notebook as a kernel leaves it."""
    outputs = [new_output("stream", text="1\n"), new_output("display_data", {"text/plain": "é", "image/png": "iVBO"})]
    cells = [new_markdown_cell("# A"), new_code_cell("print(1)", outputs=outputs, execution_count=1)]
    return new_notebook(cells=cells, metadata={"language_info": {"name": "python"}, "widgets": {"a": 1}})


def test_outputs_come_back_as_they_were() -> None:
    before, after = executed(), executed()
    after.metadata.clear()
    after.cells = [new_markdown_cell("Other prose."), *after.cells]
    after.cells[-1].outputs, after.cells[-1].execution_count = [], None
    restore(after, outputs_of(before).decode())
    assert after.cells[-1].outputs == before.cells[-1].outputs
    assert after.cells[-1].execution_count == 1
    assert after.metadata == before.metadata
    assert outputs_of(after) == outputs_of(before)


@pytest.mark.slow
def test_a_cold_cache_stands_several_readers(book: Book) -> None:
    names = [f"page{number}" for number in range(3)]
    for name in names:
        book.write(f"{name}.md", PAGE.replace('["{dim}', f'["{name}", ""], ["{{dim}}'))
    book.build("-j", "2")
    assert [book.cells(name)[2][0] for name in names] == names
