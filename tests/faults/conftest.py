"""One good build that every fault is measured by, and the table of what was survived."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from .site import Site

TABLE = Path(__file__).parent / "survived.csv"


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A book that was built from nothing, without a word of complaint."""
    site = Site.write(tmp_path_factory.mktemp("good") / "book")
    built = site.build()
    assert built.returncode == 0, built.said
    return site


@pytest.fixture(scope="session")
def plain_and_seconds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, float]:
    """The same without cells, for what is tried many times; and how long it took to build from nothing."""
    site, began = Site.write(tmp_path_factory.mktemp("plain") / "book", cells=False), time.monotonic()
    built = site.build()
    assert built.returncode == 0, built.said
    return site, time.monotonic() - began


@pytest.fixture(scope="session")
def plain(plain_and_seconds: tuple[Site, float]) -> Site:
    return plain_and_seconds[0]


@pytest.fixture(scope="session")
def plain_s(plain_and_seconds: tuple[Site, float]) -> float:
    return plain_and_seconds[1]


@pytest.fixture
def warm(good: Site, tmp_path: Path) -> Site:
    """A copy of the good book with its store: a build of it makes nothing anew."""
    return good.copy(tmp_path / "book")


@pytest.fixture(scope="session")
def tally() -> Iterator[dict[str, list[int]]]:
    """Fault -> [tries, survived]; kept beside the tests, for the book to show, where all of them were run."""
    rows: dict[str, list[int]] = {}
    yield rows
    if os.environ.get("CUTAWAY_FAULTS_TABLE"):
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([name, *row] for name, row in sorted(rows.items()))


@pytest.fixture
def attempt(tally: dict[str, list[int]]) -> Callable[[str], AbstractContextManager[None]]:
    """``with attempt("kill -9 of a worker"): ...`` counts a try, and one survived where nothing was raised."""

    @contextmanager
    def counted(fault: str) -> Iterator[None]:
        row = tally.setdefault(fault, [0, 0])
        row[0] += 1
        yield
        row[1] += 1

    return counted
