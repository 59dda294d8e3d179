"""The short names of this book for `python -m cutaway explain`: each stands for a drawing that the book has, too."""

import re
from pathlib import Path

import pytest
from conftest import ROOT

from cutaway.__main__ import main
from cutaway.diagrams.explain import function_of, named
from cutaway.prose.page_sections import drawings, section
from cutaway.settings import Book

SEEDS = {"gpt", "attention", "mlp", "optimizer", "dataloader", "rotary", "tokenizer", "engine"}
DIAGRAM = re.compile(r"^:::\{diagram\} (\S+)\n(?:[^:].*\n|:(?!run|::).*\n)*(?::run: (\S+))?", re.MULTILINE)


@pytest.fixture(scope="module")
def book() -> Book:
    return Book.read(ROOT / "docs")


def drawn_in_pages(book: Book) -> set[tuple[str, str]]:
    """Function and run of each computed diagram."""
    texts = [path.read_text("utf-8") for path in Path(ROOT / "docs").rglob("*.md")]
    found = [match for text in texts for match in DIAGRAM.findall(text) if match[0].split(".")[0] in book.sources]
    return {(function_of(book.source, dotted).dotted, run) for dotted, run in found}


def test_every_module_of_the_seed_has_a_name(book: Book) -> None:
    assert book.explain.keys() >= SEEDS


def test_every_name_stands_for_a_diagram_of_a_page(book: Book) -> None:
    pages = drawn_in_pages(book)
    assert len(pages) > 10
    for name, by_program in book.explain.items():
        for program in by_program:
            what, _ = named(book, name, program or None)
            if what.startswith("#"):
                assert "diagram" in {getattr(block, "name", "") for block in section(book.confdir, what[1:])}, name
                continue
            for dotted, run in drawings(book, name, program or None):
                assert (function_of(book.source, dotted).dotted, run) in pages, name


def test_a_name_prints_the_drawing(book: Book, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--docs", str(ROOT / "docs"), "explain", "attention"]) == 0
    short = capsys.readouterr().out
    assert "softmax" in short and "┌" in short
    dotted = ["nanogpt.model.CausalSelfAttention.forward", "--run", "sort"]
    assert main(["--docs", str(ROOT / "docs"), "explain", *dotted]) == 0
    assert capsys.readouterr().out == short


def test_each_of_the_seed_s_is_drawn_of_nanochat(book: Book) -> None:
    assert {name for name, by_program in book.explain.items() if "nanochat" in by_program} >= SEEDS


def test_what_has_no_name_is_told_which_there_are(book: Book, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--docs", str(ROOT / "docs"), "explain", "engines"]) == 1
    said = capsys.readouterr().err
    assert "nothing has the short name 'engines'" in said
    assert all(name in said for name in SEEDS)
