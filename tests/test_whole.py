"""The whole book, built twice from nothing in different folders: the same bytes, but where a page measures time."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from faults.site import digests

# A cell that measures how long something takes prints another number each time.
TIMED = re.compile(r"\b(perf_counter|process_time|training_times|seconds\()")
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
    # A plot is named by its bytes, so another plot is a file that the other site has not.
    plots = {name for name in here.keys() ^ there.keys() if Path(name).name in shown and name.startswith("_")}
    return [name for name in found if name not in excused | plots]


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


def cold_book(folder: Path, **env: str) -> Path:
    """The site of a copy of the tree, built with a store of its own that is empty."""
    copy_of_the_tree(folder)
    given = {name: value for name, value in os.environ.items() if not name.startswith("CUTAWAY_")}
    given |= {"PYTHONPATH": str(folder / "ext"), "OMP_NUM_THREADS": "1", "CUTAWAY_CACHE": "off", **env}
    command = [sys.executable, "-m", "sphinx", "-n", "-W", "--keep-going", "-j", "auto", "-d", "build/doctrees"]
    done = subprocess.run([*command, "docs", "build/html"], cwd=folder, env=given, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "build/html"


@pytest.mark.whole
def test_two_cold_books_are_the_same_bytes(tmp_path: Path) -> None:
    one = cold_book(tmp_path / "one")
    two = cold_book(tmp_path / "another" / "and deeper", PYTHONHASHSEED="7", TZ="Pacific/Auckland", LC_ALL="C.UTF-8")
    assert len(digests(one)) > 1000
    assert differences(one, two, timed(ROOT / "docs")) == []


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
