"""The core changes nothing of a site but what its own directives print, and each part works without the others."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT, SPHINX

from cutaway import parts

pytestmark = pytest.mark.slow
FOREIGN = ROOT / "tests/foreign"
PLAIN = """
Plain
=====

.. _label:

Section
-------

Some :math:`x^2` and text, and a table with an empty corner.

===  ====
 \\    a
===  ====
one  two
===  ====
"""
CONF = """
import os
extensions = os.environ["EXTENSIONS"].split()
exclude_patterns = ["src", "_build"]
html_theme = "alabaster"
project = "My Own Book"
if os.environ["EXTENSIONS"]:
    cutaway_sources = {"mixer": ["src/mixer"]}
"""
# What each part leaves in the output, beside the page itself.
LEAVES = {
    parts.MATH: [],
    parts.SEARCH: [],
    parts.REFERENCE: [],
    parts.CELLS: [],
    parts.SOURCE_PAGES: ["explains.json", "source/mixer/model.html"],
    parts.PERMALINKS: ["s/mix-step/index.html"],
    parts.CARDS: ["s/mix-step/card.png", "s/mix-step/badge.svg"],
    parts.MARKDOWN: ["index.md", "plain.md", "llms.txt"],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(FOREIGN, folder, dirs_exist_ok=True)
    (folder / "conf.py").write_text(CONF, "utf-8")
    (folder / "plain.rst").write_text(PLAIN, "utf-8")
    with (folder / "index.rst").open("a", encoding="utf-8") as page:
        page.write("\n.. toctree::\n\n   plain\n")
    return folder


def build(project: Path, *extensions: str, builder: str = "html", allowed: bool = False) -> Path:
    out = project / "_build" / f"{'-'.join(extensions) or 'none'}-{builder}"
    env = {**os.environ, "EXTENSIONS": " ".join(extensions), "CUTAWAY_STORE": str(project / "_build/store")}
    strict = [] if allowed else ["-n", "-W", "--keep-going"]
    command = [*SPHINX, *strict, "-q", "-b", builder, "-d", f"{out}-doctrees", str(project), str(out)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return out


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def without_links(path: Path) -> str:
    """A page without the lines that name stylesheet and script."""
    lines = path.read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if "_static/cutaway-" not in line)


def test_the_core_leaves_a_page_that_uses_nothing_of_it_as_it_was(project: Path) -> None:
    before, after = build(project, allowed=True), build(project, "cutaway")
    assert without_links(after / "plain.html") == without_links(before / "plain.html")
    new = {name for name in names(after) - names(before) if not name.startswith(("_static/", "_images/"))}
    assert new == set()


@pytest.mark.parametrize("part", LEAVES)
def test_each_part_works_alone(project: Path, part: str) -> None:
    before = ["myst_nb"] if part == parts.CELLS else []
    out = build(project, *before, part)
    core = build(project, "cutaway")
    assert [name for name in LEAVES[part] if not (out / name).is_file()] == []
    mine = {name.partition("/")[0] for name in LEAVES[part]}
    needed = {"s"} if part == parts.CARDS else set()
    static = ("_static/", "_images/", "_sphinx_design_static/")
    new = {name.partition("/")[0] for name in names(out) - names(core) if not name.startswith(static)}
    assert new <= mine | needed


def test_formulae_are_mathml_where_the_part_is_loaded(project: Path) -> None:
    assert "<math" not in (build(project, "cutaway") / "plain.html").read_text("utf-8")
    assert "<math" in (build(project, parts.MATH) / "plain.html").read_text("utf-8")


def test_headings_have_a_button_where_addresses_last_and_it_names_the_project(project: Path) -> None:
    def buttons(out: Path) -> list[str]:
        page = BeautifulSoup((out / "plain.html").read_text("utf-8"), "html.parser")
        return [found.get_text() for found in page.select("details.cutaway-link")]

    assert buttons(build(project, "cutaway")) == []
    [text] = buttons(build(project, parts.PERMALINKS))
    assert "inv:my-own-book:std:label#label" in text


def test_the_search_takes_sphinxs_place_where_the_part_is_loaded(project: Path) -> None:
    before, after = build(project, "cutaway"), build(project, parts.SEARCH)
    assert (before / "searchindex.js").read_text("utf-8").startswith("Search.setIndex(")
    index = (after / "searchindex.js").read_text("utf-8")
    assert index.startswith("cutawaySearchIndex=")
    kinds = json.loads(index.removeprefix("cutawaySearchIndex="))
    assert str(kinds["kinds"].index("step")) in kinds["kind"]  # a step of a listing can be found
    assert "loadIndex() {}" in (after / "_static/searchtools.js").read_text("utf-8")  # themes' pages still name it


def test_cells_without_myst_nb_say_what_to_write(project: Path) -> None:
    env = {**os.environ, "EXTENSIONS": parts.CELLS}
    command = [*SPHINX, "-q", str(project), str(project / "_build/cells-alone")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode
    assert 'write extensions = ["myst_nb", "cutaway.cells"]' in done.stderr


@pytest.mark.parametrize("builder", ["dirhtml", "singlehtml", "text", "latex", "epub"])
def test_other_builders_print_the_core(project: Path, builder: str) -> None:
    out = build(project, "cutaway", builder=builder, allowed=builder == "epub")  # Sphinx misses the epub's own data
    pages = [path for path in out.rglob("*") if path.suffix in (".html", ".xhtml", ".txt", ".tex")]
    texts = [BeautifulSoup(path.read_text("utf-8"), "html.parser").get_text() for path in pages]
    assert any("scores = x @ weight" in text for text in texts)


def test_a_wrong_folder_of_the_source_is_one_mistake_for_cards(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "wrong", ignore=shutil.ignore_patterns("_build", "src"))
    env = {**os.environ, "EXTENSIONS": parts.CARDS}
    command = [*SPHINX, "-q", str(tmp_path / "wrong"), str(tmp_path / "html")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert "the source folder" in done.stderr
    assert "card" not in done.stderr
