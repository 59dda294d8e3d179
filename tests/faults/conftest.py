"""One good build that every fault is measured by, and the table of what was survived."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .site import Site

TABLE = Path(__file__).parent / "survived.json"
Survived = Callable[..., None]


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A book that was built from nothing, without a word of complaint."""
    site = Site.write(tmp_path_factory.mktemp("good") / "book")
    built = site.build()
    assert built.returncode == 0, built.said
    return site


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The same without cells, for what is tried many times."""
    site = Site.write(tmp_path_factory.mktemp("plain") / "book", cells=False)
    built = site.build()
    assert built.returncode == 0, built.said
    return site


@pytest.fixture
def warm(good: Site, tmp_path: Path) -> Site:
    """A copy of the good book with its store: a build of it makes nothing anew."""
    return good.copy(tmp_path / "book")


@pytest.fixture(scope="session")
def tally() -> Iterator[dict[str, list[int]]]:
    """Fault -> [tries, survived]; written beside the tests when all of them were run, for the book to show."""
    rows: dict[str, list[int]] = {}
    yield rows
    if os.environ.get("CUTAWAY_FAULTS_TABLE"):
        found = {"python": platform.python_version(), "faults": [[name, *row] for name, row in sorted(rows.items())]}
        TABLE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")


@pytest.fixture
def attempt(tally: dict[str, list[int]]) -> Callable[[str], object]:
    """``with attempt("kill -9 of a worker"): ...`` counts a try, and one survived where nothing was raised."""
    from contextlib import contextmanager

    @contextmanager
    def counted(fault: str) -> Iterator[None]:
        row = tally.setdefault(fault, [0, 0])
        row[0] += 1
        yield
        row[1] += 1

    return counted
