"""The built site for tests/site: its folder, its pages, a server for it, and a reader who reaches no other host.

A plugin of pytest (tests/conftest.py names it): ``pytest -m site tests/site --site FOLDER``.
"""

import functools
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page, Request, sync_playwright

import bootstrap

ROOT = Path(__file__).parents[1]
THEIRS = {"_static", "_sources", "_downloads"}  # templates and files that are no pages
CHROMIUM = [
    "--no-sandbox",  # continuous integration runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # whoever asks another host is heard, not answered
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--site", type=Path, default=ROOT / "build/html", metavar="FOLDER", help="the built site for tests/site"
    )


def pages(folder: Path) -> list[str]:
    """Every page of a site, by its path in it; of the stubs, too."""
    found = (path.relative_to(folder) for path in folder.rglob("*.html"))
    return sorted(path.as_posix() for path in found if path.parts[0] not in THEIRS)


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Every page of a site, by its path in it, with its HTML. To parse them all takes a minute: look first."""
    return ((name, (folder / name).read_text("utf-8")) for name in pages(folder))


def shown(folder: Path) -> list[str]:
    """The pages that are opened in a browser: all but those that lead on at once, which nobody sees."""
    return [page for page in pages(folder) if 'http-equiv="refresh"' not in (folder / page).read_text("utf-8")[:4000]]


def looked_at(folder: Path) -> list[str]:
    """The pages that tests open one by one. Those of source files have one mould: the longest and the shortest stand
    for all."""
    found = shown(folder)
    sources = [page for page in found if page.startswith("source/")]
    sources.sort(key=lambda page: (folder / page).stat().st_size)
    return [page for page in found if page not in sources[1:-1]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "page_name" in metafunc.fixturenames:
        metafunc.parametrize("page_name", looked_at(metafunc.config.getoption("site")))


@pytest.fixture(scope="session")
def site(pytestconfig: pytest.Config) -> Path:
    """The folder of the built site."""
    folder: Path = pytestconfig.getoption("site").resolve()
    assert (folder / "index.html").is_file(), f"no site in {folder}; build it with `nox -s docs`"
    return folder


@pytest.fixture(scope="session")
def markup(site: Path) -> Callable[[str], BeautifulSoup]:
    """``markup(page_name)`` is a page, parsed."""

    @functools.cache
    def parsed(name: str) -> BeautifulSoup:
        return BeautifulSoup((site / name).read_text("utf-8"), "html.parser")

    return parsed


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing about it."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address, with a slash at the end, at which a folder is served meanwhile."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the site is served, with a slash at the end."""
    with served(site) as at:
        yield at


def chromium_path() -> str:
    path = next(filter(None, map(shutil.which, bootstrap.BROWSERS)), None)
    assert path, f"none of {', '.join(bootstrap.BROWSERS)} is installed; `python bootstrap.py --tests` installs it"
    return path


@pytest.fixture(scope="session")
def lonely_chromium() -> Iterator[Browser]:
    """A browser that can look up no name."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM)
        yield browser
        browser.close()


Reader = Callable[..., AbstractContextManager[Page]]


@pytest.fixture(scope="session")
def reader(lonely_chromium: Browser, address: str) -> Reader:
    """``with reader(page_name, width=360, ...) as page``; afterwards nothing may have been asked from outside."""

    @contextmanager
    def opened(name: str, width: int = 1280, **options: object) -> Iterator[Page]:
        context = lonely_chromium.new_context(viewport={"width": width, "height": 800}, **options)
        page = context.new_page()
        asked = asked_outside(page, address)
        page.goto(address + name)
        yield page
        context.close()
        assert asked == [], f"{name} asks from outside"

    return opened


def asked_outside(page: Page, at: str) -> list[str]:
    """The list that fills with what a page asks for elsewhere than below ``at``."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((at, "data:", "blob:")):
            asked.append(request.url)

    page.on("request", note)
    return asked


@pytest.fixture(scope="session")
def npm() -> Path:
    """The folder of the packages that tests/site/package-lock.json pins."""
    folder = Path(os.environ.get("CUTAWAY_NODE_MODULES", ROOT / "build/npm/node_modules"))
    assert folder.is_dir(), f"no packages in {folder}; `nox -s site-check` installs them"
    return folder
