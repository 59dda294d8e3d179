"""The book's sources: each is cited and listed with the places that cite it, also after an edit and with workers."""

import functools
import json
import re
import subprocess
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from built_site import Quiet
from conftest import ROOT

CONF = f"""import sys
sys.path[:0] = ["{ROOT}/docs/_ext"]
extensions = ["myst_parser", "cutaway", "website.sources"]
bibtex_bibfiles = ["references.bib"]
bibtex_default_style = bibtex_reference_style = "cutaway"
bibtex_cite_id = "source-{{key}}"
html_theme = "basic"
"""
BIB = """@misc{su2021, author = {Su, Jianlin and Lu, Yu and others}, year = 2021, title = {RoFormer}, url = {https://a.example/su}}
@misc{press2017, author = {Press, Ofir and Wolf, Lior}, year = 2017, title = {Tied}, accessed = {1 May 2026}}
@misc{never, author = {Nobody}, year = 2000, title = {Never cited}}
"""
PAGES = {
    "conf.py": CONF,
    "references.bib": BIB,
    "index.md": "# Index\n\n```{toctree}\nzero\none\nsources\n```\n\n{cite:t}`press2017`.\n",
    "zero.md": "# Zero\n\nSo it is {cite:p}`su2021,press2017`.\n",
    "one.md": "# One\n\nNothing.\n",
    "sources.md": "# Sources\n\n```{bibliography}\n```\n",
}


def built(folder: Path, out: str = "html", *options: str) -> tuple[dict[str, str], str]:
    """The pages of a book, and all that was said."""
    command = [sys.executable, "-m", "sphinx", "-q", "-n", "-d", str(folder / f"trees-{out}"), *options]
    done = subprocess.run([*command, str(folder), str(folder / out)], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return {path.stem: path.read_text("utf-8") for path in (folder / out).glob("*.html")}, done.stderr


@pytest.fixture
def book(tmp_path: Path) -> Path:
    for name, text in PAGES.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def listed(page: str) -> list[str]:
    return [item.get_text(" ", strip=True) for item in BeautifulSoup(page, "html.parser").select(".book-sources li")]


def text(page: str) -> str:
    return " ".join(BeautifulSoup(page, "html.parser").get_text().split())


def test_a_source_is_cited_and_listed_with_its_places(book: Path) -> None:
    pages, said = built(book)
    assert not said
    assert "Press and Wolf (2017)" in text(pages["index"])
    assert "(Press and Wolf, 2017; Su et al., 2021)" in text(pages["zero"])
    press, su = listed(pages["sources"])  # what nobody cites is not listed
    assert re.fullmatch(r"Press and Wolf \(2017\): Tied . Looked up on 1 May 2026. Cited in Index , Zero .", press)
    assert su.startswith("Su, Lu and others (2021): RoFormer . a.example/su . Looked up on ")
    assert su.endswith("in Zero .")
    for link in BeautifulSoup(pages["sources"], "html.parser").select('.book-sources a[href*="#"]'):
        page, id = str(link["href"]).split(".html#")
        assert BeautifulSoup(pages[page], "html.parser").find(id=id), link
    assert BeautifulSoup(pages["zero"], "html.parser").select_one('a[href="sources.html#source-su2021"]')


def test_what_is_edited_reaches_the_pages_that_show_it(book: Path) -> None:
    built(book)
    (book / "one.md").write_text("# One\n\nNow {cite:t}`su2021`.\n", "utf-8")
    pages, _ = built(book)
    assert listed(pages["sources"])[1].endswith("Cited in Zero , One .")
    (book / "references.bib").write_text(BIB.replace("year = 2021", "year = 2022"), "utf-8")
    pages, _ = built(book)
    assert "Su et al. (2022)" in text(pages["one"]) and "(2022): RoFormer" in listed(pages["sources"])[1]


def test_workers_and_an_edit_leave_the_bytes_of_a_whole_build(book: Path) -> None:
    first, _ = built(book)
    assert built(book, "many", "-j", "2")[0] == first
    (book / "one.md").write_text("# One\n\nNow {cite:t}`su2021`.\n", "utf-8")
    assert built(book)[0] == built(book, "again")[0] != first


def test_a_source_that_is_not_in_the_file_is_a_warning(book: Path) -> None:
    (book / "one.md").write_text("# One\n\n{cite:t}`nobody2020`.\n", "utf-8")
    assert re.search(r'one\.md:3: WARNING: could not find bibtex key "nobody2020"', built(book)[1])


def test_the_nightly_asks_all_links_but_those_that_lead_nowhere_on_purpose(book: Path) -> None:
    conf = (ROOT / "docs/conf.py").read_text("utf-8")
    settings = re.findall(r"^linkcheck_\w+ = (?:\[.*?^\]|.+?)$", conf, re.MULTILINE | re.DOTALL)
    assert len(settings) >= 5
    (book / "conf.py").write_text(CONF + "\n".join(settings), "utf-8")
    served = book / "served"
    served.mkdir()
    (served / "there.html").write_text("<p>There.</p>", "utf-8")
    handler = functools.partial(Quiet, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.2", 0), handler) as server:  # 127.0.0.1 is the reader's own machine
        threading.Thread(target=server.serve_forever, daemon=True).start()
        at = f"http://127.0.0.2:{server.server_port}"
        (book / "references.bib").write_text(BIB.replace("https://a.example/su", f"{at}/there.html"), "utf-8")
        links = f"[gone]({at}/gone.html), [yours](https://YOUR-SITE/s/x/), [mine](http://127.0.0.1:8000)"
        (book / "one.md").write_text(f"# One\n\n{links}\n", "utf-8")
        built(book, "links", "-b", "linkcheck")
        server.shutdown()
    lines = (book / "links/output.json").read_text("utf-8").splitlines()
    found = {row["uri"].removeprefix(at): row["status"] for row in map(json.loads, lines) if "://" in row["uri"]}
    assert found == {
        "/there.html": "working",
        "/gone.html": "broken",
        "https://YOUR-SITE/s/x/": "ignored",
        "http://127.0.0.1:8000": "ignored",
    }


def test_every_entry_of_the_book_is_cited_and_complete() -> None:
    entries = (ROOT / "docs/references.bib").read_text("utf-8").split("\n@")[1:]
    text = "".join(path.read_text("utf-8") for path in (ROOT / "docs").rglob("*.md"))
    cited = {key.strip() for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text) for key in keys.split(",")}
    known = {entry.partition("{")[2].partition(",")[0] for entry in entries}
    assert cited == known
    assert [entry for entry in entries if not all(f"{name} = " in entry for name in ("author", "year", "title"))] == []
