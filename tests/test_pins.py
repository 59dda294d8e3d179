"""What is committed of the book's runs fits the code that would train them."""

import pytest
from conftest import ROOT

from cutaway.runs import pinned
from cutaway.runs.declared import Declared, declared
from cutaway.runs.keys import Keys
from cutaway.settings import Book

BOOK = Book.read(ROOT / "docs")
RUNS = {run.name: run for run in declared(BOOK.runs)}


@pytest.mark.parametrize("run", [run for run in RUNS.values() if run.pinned], ids=lambda run: run.name)
def test_a_build_trains_none_of_them(run: Declared) -> None:
    kept = pinned.read(run)
    assert kept, f"{run.name} is not pinned: nox -s runs -- {run.name} --pin"
    given = {name: (pinned.read(RUNS[name]) or {})["digest"] for name in run.after}
    assert kept["code"] == Keys(BOOK, run).code(given), f"{run.name} would train anew: nox -s runs -- {run.name} --pin"
