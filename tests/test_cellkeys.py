"""The keys of cells' outputs: another where the cells could give something else, the same otherwise."""

import ast
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cutaway.cells.keys import CellKeys, asked_of, loaded, parsed
from cutaway.runs import Outcome
from cutaway.settings import Book
from cutaway.source.find import Source
from cutaway.store import Store

OWN = Path(__file__).parents[1] / "ext/cutaway"
RUNS = """
from cutaway.runs import Run
from runs.beside import WORD

class One(Run):
    name = "one"

class Two(Run):
    name = "two"
"""
LOAD = "from cutaway.cells import load, note, table\n"


@pytest.fixture
def book(tmp_path: Path) -> Book:
    files = {"pkg/a.py": "from pkg.b import B\n", "pkg/b.py": "B = 1\n", "pkg/c.py": "C = 1\n", "runs/runs.py": RUNS,
             "runs/beside.py": "WORD = 1\n"}  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    sources = {"pkg": [tmp_path / "pkg"]}
    return Book(tmp_path, sources, (tmp_path / "runs/runs.py",), tmp_path / "scenes", Store(tmp_path / "store"))


def key(book: Book, code: str, kernel: str = "python3", **traces: str) -> str:
    """The key of one cell; ``traces``: of runs other than ``one`` and ``two``, the keys."""
    traces = {"one": "aaaa", "two": "bbbb", **traces}
    outcomes = {name: Outcome(name, Path(), 1, trace=f"{book.confdir}/{trace}.json") for name, trace in traces.items()}
    cells = [new_markdown_cell("Prose."), new_code_cell(code)]
    notebook = new_notebook(cells=cells, metadata={"kernelspec": {"name": kernel, "display_name": "Python"}})
    return CellKeys(book, outcomes).key(asked_of(notebook, allow_errors=False, in_temp=False))


def changes(book: Book, code: str, file: str, text: str = "NEW = 1\n") -> bool:
    before = key(book, code)
    (book.confdir / file).write_text(text, "utf-8")
    return key(book, code) != before


@pytest.mark.parametrize("file", ["a", "b"])
def test_what_is_imported_counts_also_through_others(book: Book, file: str) -> None:
    assert changes(book, "from pkg.a import B", f"pkg/{file}.py")


def test_what_is_not_imported_does_not_count(book: Book) -> None:
    assert not changes(book, "from pkg.a import B", "pkg/c.py")
    assert not changes(book, "print(1)", "pkg/a.py")
    assert not changes(book, "import re, pkg\nre.compile('x')\nmodel.eval()", "pkg/c.py", "NEW = 2\n")
    assert not changes(book, LOAD + "load('one')", "runs/beside.py")


def test_a_public_name_is_its_module(book: Book) -> None:
    inside = LOAD + "load('one')"
    public = "from cutaway import load\nload('one')"
    assert key(book, public, two="cccc") == key(book, public)  # a run that is not loaded
    assert key(book, public, one="cccc") != key(book, public)
    assert key(book, inside, one="cccc") != key(book, inside)
    names = {module.name for module in CellKeys(book, {})._modules(parsed([["from cutaway import load", []]]))}
    assert "cutaway.cells" in names


def test_what_stands_beside_the_runs_counts_where_it_is_imported(book: Book) -> None:
    assert changes(book, "from runs.beside import WORD", "runs/beside.py")


@pytest.mark.parametrize(
    "code", ["import pkg, subprocess\npkg.a", "import pkg\npkg.__file__", "exec('import pkg.c')", "%time 1", "!ls"]
)
def test_everything_counts_where_imports_say_too_little(book: Book, code: str) -> None:
    assert changes(book, code, "pkg/c.py")


def test_loaded_runs_count_and_no_others(book: Book) -> None:
    code = LOAD + "load('one')"
    assert key(book, code) == key(book, code, two="cccc")
    assert key(book, code) != key(book, code, one="cccc")
    code = LOAD + "name = 'one'\nload(name)"
    assert key(book, code) != key(book, code, two="cccc") != key(book, code, one="cccc")


def test_the_place_of_a_book_does_not_count(book: Book, tmp_path: Path) -> None:
    code = LOAD + "from pkg.a import B\nimport subprocess\nload('one').model()"
    here = key(book, code)
    tmp_path.rename(moved := tmp_path.with_name(tmp_path.name + "-moved"))
    sources = {"pkg": [moved / "pkg"]}
    there = Book(moved, sources, (moved / "runs/runs.py",), moved / "scenes", Store(moved / "store"))
    assert key(there, code) == here


def test_the_kernel_and_the_threads_count(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    assert key(book, "1") != key(book, "1", kernel="python4")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = key(book, "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert key(book, "1") != before


def test_tags_that_a_kernel_heeds_count_and_those_of_the_page_do_not() -> None:
    def asked(*tags: str) -> dict:
        notebook = new_notebook(cells=[new_code_cell("1", metadata={"tags": list(tags)})])
        return asked_of(notebook, allow_errors=False, in_temp=False)

    assert asked("hide-input") == asked()
    assert asked("raises-exception") != asked() != asked("skip-execution")


def test_a_version_of_what_the_source_imports_counts(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    (book.confdir / "pkg/b.py").write_text("import yours\nB = 1\n", "utf-8")
    versions = {"yours": "1"}
    monkeypatch.setattr("cutaway.made_with.version", versions.get)
    before = [key(book, code) for code in ("import pkg.a", "import pkg.c")]
    versions["yours"] = "2"
    after = [key(book, code) for code in ("import pkg.a", "import pkg.c")]
    assert [one != other for one, other in zip(before, after, strict=True)] == [True, False]


def test_a_source_with_a_mistake_is_the_cell_s_to_report(book: Book) -> None:
    assert changes(book, "import pkg.a", "pkg/b.py", "def (:\n")


def test_the_state_changes_with_every_file_and_trace(book: Book) -> None:
    def state(trace: str) -> str:
        return CellKeys(book, {"one": Outcome("one", Path(), 1, trace=trace)}).state

    before = state("a.json")
    assert state("a.json") == before != state("b.json")
    (book.confdir / "pkg/c.py").write_text("C = 2\n", "utf-8")
    assert state("a.json") != before


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ('load("a")', {"a"}),
        ('x, y = load("a"), load("b").model()', {"a", "b"}),
        ('[load(name) for name in ("a", "b")]', {"a", "b"}),
        ('f(*(load(n).log for n in ["a", "b"] if n))', {"a", "b"}),
        ('(load(f"{n}") for n in ("a", "b"))', None),
        ('(load(n) for n in names)', None),
        ('[(lambda n: load(n))(m) for n in ("a", "b")]', None),
        ('for n in ("a", "b"): load(n)', None),
        ('[load(n) for n in ("a", "b") for n in names]', None),
        ("list(map(load, names))", None),
        ('load(name="a")', None),
        ("import torch\ntorch.load('a')", set()),
        ("from cutaway.cells import find_book", None),
        ("import cutaway.runs", None),
        ("from cutaway import cells", None),
        ("from cutaway.plots import plot", set()),
        ("1", set()),
    ],
)
def test_the_runs_that_cells_load(code: str, named: set[str] | None) -> None:
    assert loaded(ast.parse(LOAD + code), Source({"cutaway": [OWN]})) == named


def test_cells_that_are_no_python() -> None:
    assert parsed([["%matplotlib inline", []]]) is None
    tree = parsed([["import a", []], ["await b()", []]])
    assert tree is not None and len(tree.body) == 2
