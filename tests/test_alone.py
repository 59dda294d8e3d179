"""A page's notebook alone: downloaded into an empty folder, it runs, and its tables have the page's numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alone import Reader, fresh, page_tables, reader, tables
from bs4 import BeautifulSoup
from built_site import served

ROOT = Path(__file__).parents[1]
HTML, MADE = ROOT / "build/html", ROOT / "build/jupyter_execute"
SOME = ("model/attention", "chat/masking", "chat/rewards")  # their tables hold no times
ALL = sorted(path.relative_to(MADE).with_suffix("").as_posix() for path in MADE.rglob("*.ipynb"))


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """An address at which the built site can be read: in a folder, as most are."""
    if not (HTML / "_notebooks/book.json").is_file():
        pytest.skip("the book isn't built: `nox -s docs`")
    with served(HTML.parent) as address:
        yield f"{address}{HTML.name}/"


def run_alone(who: Reader, page: str, site: str) -> Any:
    """Run the notebook that a page offers; what a cell trained would differ from the page on other machines."""
    html = BeautifulSoup((HTML / f"{page}.html").read_text("utf-8"), "html.parser")
    link = html.select_one(".cutaway-notebook a[download]")
    assert link, f"{page} offers no notebook"
    ran = who.run((HTML / f"{page}.html").parent / str(link["href"]), site)
    said = "".join(output.get("text", "") for cell in ran.cells for output in cell.get("outputs", ()))
    assert ": training" not in said, said
    return ran


def test_a_notebook_runs_elsewhere_and_gives_the_page_s_numbers(site: str, tmp_path: Path) -> None:
    given = page_tables(HTML, SOME[0])  # the others' runs take a minute to trace; the nightly runs all
    assert given
    assert tables(run_alone(reader(tmp_path), SOME[0], site)) == given


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return fresh(tmp_path_factory.mktemp("newcomer"))


@pytest.mark.alone
@pytest.mark.parametrize("page", ALL)
def test_every_notebook_runs_in_a_python_that_had_nothing(page: str, site: str, newcomer: Reader) -> None:
    ran = run_alone(newcomer, page, site)
    if page in SOME:  # others measure times, too
        assert tables(ran) == page_tables(HTML, page)
