"""`nox -s live`, for real: one build for each edit, and in the browser what it complains of."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import ROOT, Book
from playwright.sync_api import Browser, expect

from cutaway.dev.live.server import death, warnings

pytestmark = pytest.mark.slow

PAGE = """(words)=
# Words

{text}
"""
CONF = """
project = "Live"
extensions = ["myst_nb", "cutaway.cells"]
html_theme = "basic"
cutaway_runs = "none.py"
"""
RUNS = '"""No runs."""\n'


@dataclass
class Live:
    """A book under edit: its folder, where it is served, and what was said."""

    docs: Path
    log: Path

    def builds(self) -> int:
        return self.log.read_text("utf-8", "replace").count("[cutaway] built")

    def url(self) -> str:
        return re.search(r"Serving on (http://\S+)", self.log.read_text("utf-8", "replace"))[1]

    def wait(self, builds: int, seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while self.builds() < builds:
            assert time.monotonic() < end, self.log.read_text("utf-8", "replace")
            time.sleep(0.1)

    def wait_for_the_server(self, seconds: float = 120) -> None:
        """It listens only after the first build, and on a busy machine a good while after."""
        at, end = urlsplit(self.url()), time.monotonic() + seconds
        while True:
            try:
                socket.create_connection((at.hostname, at.port), timeout=5).close()
                return
            except OSError:
                assert time.monotonic() < end, self.log.read_text("utf-8", "replace")
                time.sleep(0.1)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "conf.py").write_text(CONF, "utf-8")
    (docs / "none.py").write_text(RUNS, "utf-8")
    (docs / "index.md").write_text(PAGE.format(text="First words."), "utf-8")
    log = tmp_path / "log.txt"
    command = [sys.executable, "-m", "cutaway.dev.live.server", "--port", "0", "-n", "-d", "doctrees", "docs", "out"]
    env = {**os.environ, "CUTAWAY_STORE": str(tmp_path / "store"), "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=file, stderr=subprocess.STDOUT)
    try:
        started = Live(docs, log)
        started.wait(1)
        started.wait_for_the_server()
        yield started
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.browser
def test_each_edit_builds_once_and_what_is_wrong_shows_until_it_is_mended(live: Live, chromium: Browser) -> None:
    page = chromium.new_page()
    banner = page.locator("#cutaway-banner")

    def save(name: str, text: str) -> None:
        """As editors do, in one step: who looks in between finds no half of it, and hears of one change."""
        beside = live.docs.parent / "being-saved"
        beside.write_text(text, "utf-8")
        os.replace(beside, live.docs / name)

    def edit(text: str) -> None:
        save("index.md", PAGE.format(text=text))

    page.goto(live.url())
    expect(page.get_by_text("First words.")).to_be_visible()
    expect(banner).to_have_count(0)

    edit("Second words, and {step}`nowhere`.")
    expect(banner).to_contain_text("docs/index.md:4 no step 'nowhere'", timeout=60_000)
    assert live.builds() == 2

    # An edit elsewhere does not hide what is still wrong here.
    page.evaluate("window.isOld = true")
    save("other.md", "---\norphan: true\n---\n# Other\n")
    page.wait_for_function("!window.isOld", timeout=60_000)  # it was loaded anew
    expect(banner).to_contain_text("no step 'nowhere'")
    assert live.builds() == 3

    edit("Third words.")
    expect(page.get_by_text("Third words.")).to_be_visible(timeout=60_000)
    expect(banner).to_have_count(0, timeout=60_000)
    assert live.builds() == 4

    # A build that dies before it has begun shows, too, above the last good page.
    save("conf.py", f"{CONF}\nraise ValueError('so it goes')\n")
    expect(banner).to_contain_text("so it goes", timeout=60_000)
    expect(page.get_by_text("Third words.")).to_be_visible()
    save("conf.py", CONF)
    expect(banner).to_have_count(0, timeout=60_000)

    # What others write beside the sources is no edit.
    (live.docs / "__pycache__").mkdir()
    (live.docs / "__pycache__" / "x.pyc").write_bytes(b"x")
    (live.docs / "index.md~").write_text("x", "utf-8")
    page.wait_for_timeout(4000)  # twice as long as changes are gathered
    assert live.builds() == 6
    page.close()


def test_published_site_has_nothing_of_it(mini_book: Book) -> None:
    assert not list(mini_book.folder.rglob("banner.js")) + list(mini_book.folder.rglob("build-status.json"))
    assert "banner.js" not in (mini_book.folder / "index.html").read_text("utf-8")


def test_warnings_are_told_apart() -> None:
    text = (
        "/x/a.md:12: WARNING: no step 'b' [cutaway.step]\n  its second line\n"
        "/x/a.md: WARNING: a page's\nWARNING: nobody's\n"
    )
    assert [tuple(each) for each in warnings(text)] == [
        ("/x/a.md", "12", "no step 'b' [cutaway.step]\n  its second line"),
        ("/x/a.md", "", "a page's"),
        ("", "", "nobody's"),
    ]


def test_death_names_the_last_of_our_files(monkeypatch: pytest.MonkeyPatch) -> None:
    own = ROOT / "docs/conf.py"
    last = ["Traceback", f'  File "{own}", line 7, in <module>', '  File "/usr/lib/x.py", line 1', "ValueError: x"]
    monkeypatch.chdir(ROOT)
    assert death(last)[:2] == ("docs/conf.py", "7")
