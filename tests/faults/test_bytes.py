"""The same bytes from the same inputs, and others only where an input is another."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT, BuildBook

from .site import Site, digests

pytestmark = pytest.mark.faults
TRAINED = "weights = np.linspace(0, 1, 12).reshape(3, 4)"


def test_two_cold_builds_are_the_same_bytes(good: Site, tmp_path: Path, attempt) -> None:
    with attempt("another folder, time zone and hash seed: the same bytes"):
        site = Site.write(tmp_path / "elsewhere" / "deeper")
        built = site.build(PYTHONHASHSEED="7", TZ="Pacific/Auckland", LC_ALL="C.UTF-8")
        assert built.returncode == 0, built.said
        assert site.pages(exact=True) == good.pages(exact=True)
        assert site.stored() == good.stored()


@pytest.mark.rare
def test_two_cold_books_of_the_tests_are_the_same_bytes(build_book: BuildBook, tmp_path: Path, attempt) -> None:
    """The book that the tests look at, of every directive: its run is trained, and its clips drawn, twice."""
    with attempt("the tests' book, cold, twice: the same bytes"):
        for name in ("here", "there/and/deeper"):
            book = build_book(ROOT / "tests/pages", tmp_path / name / "html", "-W", store=tmp_path / name / "store")
            assert book.returncode == 0, book.warnings
        one, two = (digests(tmp_path / name / "html") for name in ("here", "there/and/deeper"))
        assert len(one) > 50 and one == two


def test_another_weight_changes_what_shows_it_and_nothing_else(good: Site, warm: Site, attempt) -> None:
    with attempt("one weight changed: what depends on it, and nothing else"):
        before, pages = warm.stored(), good.pages()
        warm.edit("docs/runs.py", TRAINED, f"{TRAINED}; weights[0, 1] += 0.5")
        built = warm.build()
        assert built.returncode == 0, built.said
        assert "clip 1 of 1 first.Grows" in built.said  # it reads the number; its neighbour reads none
        now = warm.stored()
        assert before.items() <= now.items()
        new = {name.split("/")[0] for name in now.keys() - before.keys()}
        # beside the weights stands with what they were made, and which passes have graphs; a cell loads the run
        assert new == {"train", "made-with", "trace", "clip", "reads", "card", "cells", "live"}
        changed = {name for name, digest in warm.pages().items() if pages.get(name) != digest}
        assert {name for name in changed if name.endswith(".html")} == {"clips.html"}
        assert {name.split("/")[1] for name in changed if name.startswith("s/")} == {"clip-grows", "clips"}
