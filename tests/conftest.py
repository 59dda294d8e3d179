"""What several tests share: a browser, and books built from folders of pages with docs/conf.py's settings."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, settings
from kept import digest_of_files, digest_of_tools, kept
from playwright.sync_api import Browser, Page, expect, sync_playwright

import bootstrap
from cutaway.store import digest

ROOT = Path(__file__).parents[1]
pytest_plugins = ["built_site"]  # what tests/site needs, and its option --site
# A machine that is busy with something else is no failure.
settings.register_profile("book", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("book")
expect.set_options(timeout=60_000)  # ms
os.environ["NO_COLOR"] = "1"  # Sphinx colours what it says where CI=true, and tests read it
os.environ.setdefault("CUTAWAY_CACHE", "off")  # tests read nothing that a developer's machine holds
os.environ["PYTHONPATH"] = str(ROOT / "ext")  # for child processes, however pytest was started
# What Sphinx 11 removes is an error where we use it (the theme does, too). Python's own -W can't name a class that is
# not loaded yet, and would go by without a word.
STRICT = """
import sys, warnings
from sphinx.cmd.build import main
from sphinx.deprecation import RemovedInSphinx11Warning
warnings.filterwarnings("error", category=RemovedInSphinx11Warning, module="cutaway")
code = main(sys.argv[1:])
heavy = {"torch", "manim"} & set(sys.modules)
sys.exit(f"imported in Sphinx's own process: {heavy}" if heavy else code)
"""
SPHINX = [sys.executable, "-c", STRICT]
CHROMIUM = [
    "--no-sandbox",  # continuous integration runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Book:
    """A built book: its folder, and what Sphinx said."""

    folder: Path
    returncode: int
    log: str
    warnings: str

    def page(self, name: str) -> BeautifulSoup:
        return BeautifulSoup((self.folder / f"{name}.html").read_text("utf-8"), "html.parser")

    def url(self, name: str) -> str:
        return (self.folder / f"{name}.html").as_uri()


BuildBook = Callable[..., Book]


def wait_until(page: Page, holds: Callable[[], bool], seconds: float = 60) -> None:
    """Let a page's events come in until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"it did not come to hold in {seconds:.0f} s"
        page.wait_for_timeout(20)


@pytest.fixture(scope="session")
def build_book() -> BuildBook:
    """``build_book(pages, target, *options, store=...)`` builds a folder of pages as `nox` builds docs/.

    The store is the repository's (or CUTAWAY_STORE): its files are named by their content, so the tests share
    its runs and clips with the book.
    """

    def build(pages: Path, target: Path, *options: str, store: Path | None = None) -> Book:
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        env["CUTAWAY_STORE"] = str(store or os.environ.get("CUTAWAY_STORE", ROOT / ".cutaway"))
        command = [*SPHINX, "-n"]
        if "-c" not in options:
            command += ["-c", str(ROOT / "docs"), "-D", "cutaway_excerpt=1"]
        command += ["-d", f"{target}-doctrees", *options, str(pages), str(target)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
        return Book(target, done.returncode, done.stdout, done.stderr)

    return build


@pytest.fixture(scope="session")
def mini_book(build_book: BuildBook) -> Book:
    """tests/pages, built without a warning; once for all workers and sessions, so nobody may write to it."""

    def make(folder: Path) -> list[str]:
        book = build_book(ROOT / "tests/pages", folder / "html", "-W", "--keep-going")
        assert book.returncode == 0, book.warnings
        return [book.log, book.warnings]

    names = ("ext", "docs", "model_src", "tests/pages", "tests/conftest.py", "permalinks.json")
    key = digest(digest_of_files([ROOT / name for name in names]), digest_of_tools())
    folder, (log, warnings) = kept(ROOT / "build/mini", key, make)
    return Book(folder / "html", 0, log, warnings)


Launch = Callable[..., Browser]


@pytest.fixture(scope="session")
def launch() -> Iterator[Launch]:
    """Start the system's Chromium; apt.txt brings it, so its absence is a failure, not a reason to skip."""
    path = next(filter(None, map(shutil.which, bootstrap.BROWSERS)), None)
    assert path, (
        f"none of {', '.join(bootstrap.BROWSERS)} is installed; run `nox -s tests`, which installs it"
    )
    with sync_playwright() as playwright:
        yield partial(playwright.chromium.launch, executable_path=path)


@pytest.fixture(scope="session")
def chromium(launch: Launch) -> Iterator[Browser]:
    """The browser that most tests share."""
    browser = launch(args=CHROMIUM)
    yield browser
    browser.close()
