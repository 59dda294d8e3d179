"""The live view of one clip: recorded again when a save changes it, and only then; no other file is served."""

import threading
import urllib.error
import urllib.request

import pytest

from cutaway.clips import preview as module
from cutaway.clips.preview import Stage, preview
from tests.clip_book import write_book

pytestmark = pytest.mark.slow


@pytest.fixture
def book(tmp_path):
    return write_book(tmp_path / "book")


def change(book, old, new):
    scene = book.scenes / "some.py"
    assert old in scene.read_text()
    scene.write_text(scene.read_text().replace(old, new, 1))


def test_a_save_that_changes_the_clip_records_it_again(book):
    stage = Stage(book, "some.Plain", None)
    assert stage.look() and 'data-frames="30"' in stage.page
    change(book, "self.wait(2.6)", "self.wait(2.6)  # the same")
    assert not stage.look()
    change(book, "self.wait(2.6)", "self.wait(3.6)")
    assert stage.look() and 'data-frames="40"' in stage.page


def test_a_mistake_is_shown_until_it_is_mended(book):
    stage = Stage(book, "some.Plain", None)
    change(book, "run_time=0.4", "run_time=0.4 nonsense")
    assert stage.look() and 'role="alert"' in stage.page and "some.py" in stage.page
    change(book, "FadeIn(box()), run_time=0.4 nonsense", "FadeIn(bax()), run_time=0.4")
    assert stage.look() and "NameError" in stage.page
    change(book, "bax", "box")
    assert stage.look() and "data-recording" in stage.page


def test_the_page_plays_in_a_browser_and_is_renewed_where_it_was(book, chromium, monkeypatch):
    monkeypatch.setattr(module, "LOOK_S", 0.1)
    addresses, shown, stop = [], threading.Event(), threading.Event()

    def show(address):
        addresses.append(address)
        shown.set()

    running = threading.Thread(target=preview, args=(book, "some.Plain", None, show, stop), daemon=True)
    running.start()
    assert shown.wait(60)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(addresses[0] + "../some.py")
    page = chromium.new_page()
    mistakes = []
    page.on("pageerror", lambda error: mistakes.append(error))
    page.goto(addresses[0])
    clock = "document.querySelector('.cutaway-clip-clock')?.textContent.endsWith('%s s')"
    page.wait_for_function(clock % "3.0")
    page.locator(".cutaway-clip-range").fill("7")
    change(book, "self.wait(2.6)", "self.wait(3.6)")
    page.wait_for_function(clock % "4.0", timeout=60_000)
    assert page.locator(".cutaway-clip-range").input_value() == "7"
    assert not mistakes
    page.close()
    stop.set()
    running.join(10)
    assert not running.is_alive()
