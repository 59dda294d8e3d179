"""No page asks another host for anything, whatever is done on it: with every name unknown, and from a file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.site


def use(page: Page) -> None:
    """What a reader does: down to the end, each clip for a moment, each plot, the search, everything unfolded."""
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    page.evaluate(
        """async () => {
            for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
                scrollTo(0, y);
                // a busy browser may leave out frames, and then never calls
                await new Promise((done) => { requestAnimationFrame(done); setTimeout(done, 100); });
            }
        }"""
    )
    for button in page.locator(".cutaway-clip-toggle:visible, video:visible").all():
        button.click()
    for plot in page.locator(".cutaway-plot:has(> script)").all():
        plot.get_by_role("button", name="Play with it").click()
        plot.frame_locator("iframe").locator(".main-svg").first.wait_for()
    page.keyboard.press("Control+k")
    page.keyboard.type("mask")
    page.wait_for_timeout(200)


def test_page_asks_nobody_else(page_name: str, reader: Callable[..., Any]) -> None:
    complaints: list[str] = []
    with reader(page_name) as page:
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        use(page)
    assert complaints == []


def test_page_opened_as_a_file_asks_nobody_else(page_name: str, site: Path, reader: Callable[..., Any]) -> None:
    if page_name == "404.html":
        pytest.skip("a server shows it at any address, so it names its files from the site's root")
    with reader(page_name, at=site.as_uri() + "/") as page:
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_load_state("networkidle")
