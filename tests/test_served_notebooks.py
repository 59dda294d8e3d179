"""What a site serves for its notebooks, and the line below a title that offers them."""

import hashlib
import io
import json
import subprocess
import zipfile
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from built_site import served
from conftest import SPHINX
from sphinx.errors import ConfigError
from test_notebooks import CONF, PAGE, RUNS, cells_of

from cutaway.notebooks import FetchError, fetch, kit, links
from cutaway.notebooks.first import first_cell
from cutaway.notebooks.wheel import files_in, wheel, zipped

COLAB = "https://colab.research.google.com/github/me/book/blob/gh-pages/{path}"


@pytest.mark.parametrize(
    "services, said",
    [
        (["https://a.example/{path}"], "write {'Name'"),
        ({"Colab": "http://a.example/{path}"}, "https address"),
        ({"Colab": "https://a.example/"}, "{url}"),
        ({"Colab": "https://a.example/{page}"}, "{path}"),
        ({"Colab": "https://a.example/{path"}, "{path}"),
        ({"": COLAB}, "cutaway_notebook_services['']"),
        ({"Colab": 3}, "= 3"),
    ],
)
def test_a_service_that_leads_nowhere_is_refused(services: object, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        links.check(None, SimpleNamespace(cutaway_notebook_services=services))
    assert said in str(caught.value)


@pytest.mark.parametrize("given", ["torch", ["torch", 3], ["a\nb"], [" "]])
def test_what_is_no_list_for_pip_is_refused(given: object) -> None:
    with pytest.raises(ConfigError, match="cutaway_notebook_install"):
        kit.check(None, SimpleNamespace(cutaway_notebook_install=given, cutaway_notebook_files=[]))


def test_the_wheel_is_the_tool_that_runs_here_and_the_same_each_time() -> None:
    name, files = wheel()
    assert name.startswith(f"cutaway-{version('cutaway')}+book.") and name.endswith("-py3-none-any.whl")
    data = zipped(files)
    assert data == zipped(wheel()[1])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        told = [line.split(",")[0] for line in archive.read(names[-1]).decode().splitlines()]
        assert "cutaway/static/" not in names and "cutaway/__init__.py" in names and "cutaway/theme/palette.py" in names
    assert told == names  # RECORD lists all
    assert not [path for path in names if "__pycache__" in path or path.endswith(".pyc")]


def test_hidden_files_and_what_lies_behind_links_stay_at_home(tmp_path: Path) -> None:
    for name in ("inside/a.py", "inside/.env", "inside/.git/config", "inside/__pycache__/a.pyc", "secret.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, "utf-8")
    (tmp_path / "inside/link.txt").symlink_to(tmp_path / "secret.txt")
    assert files_in(tmp_path / "inside") == [("a.py", b"inside/a.py")]


def test_without_an_address_the_first_cell_says_what_to_do() -> None:
    unknown, known = first_cell("", "book", []), first_cell("https://a.example/b/", "book", ["sort", "chars"])
    assert "SITE = ''" in unknown and "Write the address" in unknown
    assert "SITE = 'https://a.example/b/'" in known and 'fetch(SITE, "sort", "chars")' in known
    assert "the trained weights of sort, chars" in known and "weights" not in unknown


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small book with a pinned run, its address and a hosted service."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "docs/src").mkdir(parents=True)
    (folder / "docs/src/model.py").write_text("def twice(x):\n    return x * 2\n", "utf-8")
    more = (
        'extensions += ["cutaway.notebooks"]\nproject = "My Book"\ncutaway_notebook_install = ["torch==2.13.0"]\n'
        f'cutaway_notebook_files = ["../data/*.csv"]\ncutaway_notebook_services = {{"Colab": {COLAB!r}}}\n'
        'html_baseurl = "https://a.example/book"\n'
    )
    (folder / "docs/conf.py").write_text(CONF + more, "utf-8")
    (folder / "docs/runs.py").write_text(RUNS, "utf-8")
    (folder / "docs/index.md").write_text(PAGE, "utf-8")
    (folder / "data").mkdir()
    (folder / "data/a.csv").write_text("1,2\n", "utf-8")
    (folder / "data/b.txt").write_text("not named", "utf-8")
    command = [*SPHINX, "-W", "-d", "build/doctrees", "docs", "build/html"]
    for options in ([], ["-D", "html_baseurl=", "-d", "build/plain-doctrees", "docs", "build/plain"]):
        whole = command if not options else [*SPHINX, "-W", *options]
        done = subprocess.run(whole, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
    return folder / "build/html"


def line(page: Path) -> list[tuple[str, str]]:
    found = BeautifulSoup(page.read_text("utf-8"), "html.parser").select(".cutaway-notebook a")
    return [(link.get_text(), str(link["href"])) for link in found]


@pytest.mark.slow
def test_a_page_offers_its_notebook_and_a_service_where_the_address_is_known(site: Path) -> None:
    (told, service) = line(site / "index.html")
    assert told[0] == "Download as a notebook"
    assert service == ("Open in Colab", COLAB.format(path=told[1]))
    assert (site / told[1]).is_file()
    assert len(line(site.parent / "plain/index.html")) == 1  # no address, no service


@pytest.mark.slow
def test_the_site_serves_what_the_first_cell_fetches(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = (site / "_notebooks/requirements.txt").read_text("utf-8").splitlines()
    assert requirements[1] == "torch==2.13.0"
    assert requirements[2].startswith("cutaway[cells,plots] @ ${CUTAWAY_SITE}_notebooks/cutaway-")
    listed = json.loads((site / "_notebooks/book.json").read_text("utf-8"))
    archive = site / "_notebooks" / listed["source"]["file"]
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == listed["source"]["sha256"]
    with zipfile.ZipFile(archive) as files:
        assert sorted(files.namelist()) == ["data/a.csv", "docs/conf.py", "docs/runs.py", "docs/src/model.py"]
        conf = files.read("docs/conf.py").decode()
    assert "cutaway_sources = {'pkg': ['src']}" in conf and "extensions" not in conf
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CUTAWAY_BOOK", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with served(site) as address:
        folder = fetch(address)
        assert folder == fetch(address, "toy")  # nothing of it is pinned: it is made where a cell loads it
        assert (folder / "docs/runs.py").read_text("utf-8") == RUNS
        broken = archive.read_bytes()
        archive.write_bytes(broken[:-1])
        folder.rename(tmp_path / "old")
        with pytest.raises(FetchError, match="is not what the site told"):
            fetch(address)
        archive.write_bytes(broken)
        with pytest.raises(FetchError, match="is this the address of the book"):
            fetch(f"{address}elsewhere/")
    with pytest.raises(FetchError, match="is no address"):
        fetch("file:///etc/")


@pytest.mark.slow
def test_the_notebook_begins_with_its_page_and_the_first_cell(site: Path) -> None:
    found = cells_of((site / line(site / "index.html")[0][1]).read_text("utf-8"))
    assert [kind for kind, _ in found[:3]] == ["markdown", "code", "markdown"]
    assert found[0][1].startswith("# A page\n\n> [A page](https://a.example/book/index.html), a page of ")
    assert "SITE = 'https://a.example/book/'" in found[1][1] and "== 'my-book'" in found[1][1]
    assert [source for kind, source in found[2:] if kind == "code"] == ["a = 1", "b = 2", "c = 3"]
