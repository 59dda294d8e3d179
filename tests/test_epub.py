"""A book for e-readers: parts, chapters and sections with their numbers, where a reading program lists them."""

import re
import subprocess
import zipfile

import pytest
from bs4 import BeautifulSoup, Tag
from conftest import SPHINX

CONF = """
extensions = ["myst_parser", "cutaway", "cutaway.dev.printing.epub"]
project, version, copyright = "My book", "1", "2026, nobody"
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
"""
TREE = "```{{toctree}}\n{}\n\n{}\n```\n"
PAGES = {
    "index": "# My book\n\n"
    + TREE.format(":hidden:\n:caption: Beginning", "a/one\ntwo")
    + TREE.format(":hidden:\n:caption: Going on & on", "three"),
    "a/one": "# One\n\nWords.\n\n## First\n\n### Deep\n\nWords.\n\n## Second \\<b>\n\nWords.\n",
    "two": "# Two\n\nWords.\n\n## First\n\nWords.\n",
    "three": "# Three\n\n## Own\n\nWords.\n\n" + TREE.format("", "four"),
    "four": "# Four\n\nWords.\n\n## Below\n\nWords.\n",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files of the book, by their names."""
    folder = tmp_path_factory.mktemp("epub")
    (folder / "docs/a").mkdir(parents=True)
    (folder / "docs/conf.py").write_text(CONF, "utf-8")
    for name, text in PAGES.items():
        (folder / f"docs/{name}.md").write_text(text, "utf-8")
    command = [*SPHINX, "-n", "-W", "-q", "-b", "epub", "-d", "doctrees", "docs", "out"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(folder / "out/Mybook.epub") as book:
        texts = [name for name in book.namelist() if name.endswith((".xhtml", ".opf", ".ncx"))]
        return {name: book.read(name).decode() for name in texts}


def parsed(text: str) -> BeautifulSoup:
    return BeautifulSoup(text.partition("?>")[2], "html.parser")  # XML, which this parser need not know


def tree(listed: Tag) -> list:
    found: list = []
    for item in listed.find_all("li", recursive=False):
        found.append(item.a.get_text())
        if item.ol:
            found.append(tree(item.ol))
    return found


def test_the_contents_have_parts_chapters_and_sections(made: dict[str, str]) -> None:
    nav = parsed(made["nav.xhtml"])
    one, two = ["1.1 First", "1.2 Second <b>"], ["2.1 First"]
    first = ["Part I. Beginning", ["1 One", one, "2 Two", two]]
    # A page below a section is the fourth level, and Sphinx's epub_tocdepth is 3.
    second = ["Part II. Going on & on", ["3 Three", ["3.1 Own"]]]
    assert tree(nav.ol) == ["My book", *first, *second]


def test_each_entry_leads_somewhere_and_no_two_to_one_place(made: dict[str, str]) -> None:
    links = [link["href"] for link in parsed(made["nav.xhtml"]).select("li > a")]
    assert len(links) == len(set(links))
    for link in links:
        name, _, id = link.partition("#")
        assert not id or f'id="{id}"' in made[name], link


def test_headings_have_the_numbers_of_the_contents(made: dict[str, str]) -> None:
    headings = re.findall(r"<h\d>(.*?)</h\d>", made["a/one.xhtml"])
    said = [BeautifulSoup(heading, "html.parser").get_text() for heading in headings]
    assert said == ["1. One", "1.1. First", "1.1.1. Deep", "1.2. Second <b>"]


def test_pages_are_read_in_the_order_of_the_contents(made: dict[str, str]) -> None:
    content = parsed(made["content.opf"])
    files = {item["id"]: item["href"] for item in content.select("manifest item")}
    order = [files[item["idref"]] for item in content.select("spine itemref")]
    assert order[:5] == ["index.xhtml", "a/one.xhtml", "two.xhtml", "three.xhtml", "four.xhtml"]
