"""The whole book, built twice from nothing in different folders: the same bytes, but where a page measures time.

A second clone on the same machine, with the first one's user store behind its own, makes nothing anew.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from faults.site import digests

from cutaway.claims.verdicts import PUBLISHED

# A cell that measures how long something takes prints another number each time.
TIMED = re.compile(r"\b(perf_counter|process_time|training_times|seconds\()")
MADE = re.compile(r"cutaway: run .*: (?:training|tracing)|cutaway: clip \d+ of \d+.*|cards and badges are drawn")
CELL = re.compile(r"^(`{3,})\{code-cell\}.*?^\1", re.MULTILINE | re.DOTALL)


def timed(docs: Path) -> set[str]:
    """The pages whose cells measure time."""
    return {
        path.relative_to(docs).with_suffix("").as_posix()
        for path in docs.rglob("*.md")
        if any(TIMED.search(cell[0]) for cell in CELL.finditer(path.read_text("utf-8")))
    }


def differences(one: Path, two: Path, pages: set[str]) -> list[str]:
    """The files that differ between two sites, or that one alone has; but for the pages, and what they alone show."""
    here, there = digests(one), digests(two)
    excused = {f"{page}{suffix}" for page in pages for suffix in (".html", ".md")}
    shown = {
        name
        for site in (one, two)
        for page in sorted(excused)
        if (site / page).is_file()
        for name in re.findall(r"[\w.-]+\.\w+", (site / page).read_text("utf-8"))
    }
    found = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
    if _claims(one, pages) == _claims(two, pages):  # what was measured on the pages is listed there, too
        excused |= {"claims.html", "claims.md", PUBLISHED}
    # A plot is named by its bytes, so another plot is a file that the other site has not.
    plots = {name for name in here.keys() ^ there.keys() if Path(name).name in shown and name.startswith("_")}
    return [name for name in found if name not in excused | plots]


def _claims(site: Path, pages: set[str]) -> dict[str, Any]:
    """The claims of all other pages, as the site publishes them."""
    path = site / PUBLISHED
    found = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return {page: rows for page, rows in found.items() if page not in pages}


def copy_of_the_tree(folder: Path) -> Path:
    """What git would commit of the working tree."""
    listed = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():  # not what was deleted and is not committed yet
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@dataclass(frozen=True)
class Built:
    """The site of a copy of the tree, what the build said, and how long it took."""

    site: Path
    said: str
    seconds: float


def build_whole(folder: Path, **env: str) -> Built:
    """Build a copy of the tree with an empty store of its own, and the user's store switched off unless asked for."""
    copy_of_the_tree(folder)
    given = {name: value for name, value in os.environ.items() if not name.startswith("CUTAWAY_")}
    given |= {"PYTHONPATH": str(folder / "ext"), "OMP_NUM_THREADS": "1", "CUTAWAY_CACHE": "off", **env}
    command = [sys.executable, "-m", "sphinx", "-n", "-W", "--keep-going", "-j", "auto", "-d", "build/doctrees"]
    began = time.monotonic()
    done = subprocess.run([*command, "docs", "build/html"], cwd=folder, env=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    return Built(folder / "build/html", done.stdout, time.monotonic() - began)


@pytest.mark.whole
def test_two_cold_books_are_the_same_bytes_and_a_second_clone_makes_nothing_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = {"CUTAWAY_CACHE": str(tmp_path / "cache")}
    one = build_whole(tmp_path / "one", **cache)
    two = build_whole(tmp_path / "another/and deeper", PYTHONHASHSEED="7", TZ="Pacific/Auckland", LC_ALL="C.UTF-8")
    clone = build_whole(tmp_path / "clone", **cache)
    with capsys.disabled():
        print(f"\ncold {one.seconds:.0f} and {two.seconds:.0f} s, a second clone {clone.seconds:.0f} s")
    assert len(digests(one.site)) > 1000
    assert differences(one.site, two.site, timed(ROOT / "docs")) == []
    assert differences(one.site, clone.site, timed(ROOT / "docs")) == []
    assert MADE.search(one.said) and MADE.findall(clone.said) == []


def test_the_pages_that_measure_time_are_found_by_their_cells(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/timed.md").write_text("# A\n\n```{code-cell}\nbegan = time.perf_counter()\n```\n", "utf-8")
    (tmp_path / "told.md").write_text("`perf_counter`\n\n```{code-cell}\nx = 1\n```\n\nperf_counter\n", "utf-8")
    assert timed(tmp_path) == {"a/timed"}
    book = timed(ROOT / "docs")
    assert "sample/tools" in book and "model/attention" not in book


def test_what_differs_is_found_and_a_timed_page_with_its_plot_is_excused(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for site, number in ((one, 1), (two, 2)):
        for name, text in {
            "same.html": "same",
            "other.html": f"<p>{number}",
            "timed.html": f'<img src="_images/plot-{number}.svg">',
            f"_images/plot-{number}.svg": "a plot",
            f"_images/stray-{number}.svg": "of no page",
            ".buildinfo": str(number),
        }.items():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).write_text(text, "utf-8")
    (two / "more.js").write_text("", "utf-8")
    strays = ["_images/stray-1.svg", "_images/stray-2.svg"]
    assert differences(one, two, {"timed"}) == [*strays, "more.js", "other.html"]
    assert differences(one, one, set()) == []


@pytest.mark.parametrize(("page", "differs"), [("timed", False), ("other", True)])
def test_the_list_of_claims_may_differ_by_what_timed_pages_measured(tmp_path: Path, page: str, differs: bool) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for site, number in ((one, 1), (two, 2)):
        site.mkdir()
        (site / "claims.html").write_text(f"<p>{number}", "utf-8")
        (site / PUBLISHED).write_text(json.dumps({page: [{"values": {"cell.s": number}}], "same": []}), "utf-8")
    assert differences(one, two, {"timed"}) == (["claims.html", PUBLISHED] if differs else [])
