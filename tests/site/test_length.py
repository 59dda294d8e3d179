"""A chapter is no longer than a newcomer reads: twelve screens, as a desk first shows it."""

from pathlib import Path

import pytest
from built_site import shown
from playwright.sync_api import Browser

pytestmark = pytest.mark.site
PARTS = ("start", "data", "model", "train", "chat", "sample", "ngpt", "guide")
SCREEN = {"width": 1280, "height": 900}
SCREENS = 12
FONTS = 0.3  # screens; other fonts break lines elsewhere
HEIGHT = "document.fonts.ready.then(() => document.documentElement.scrollHeight / innerHeight)"


@pytest.mark.parametrize("part", PARTS)
def test_a_chapter_has_twelve_screens_at_most(part: str, site: Path, address: str, lonely_chromium: Browser) -> None:
    chapters = [page for page in shown(site) if page.startswith(f"{part}/")]
    assert chapters, part
    context = lonely_chromium.new_context(base_url=address, viewport=SCREEN)
    long, page = {}, context.new_page()
    for chapter in chapters:
        page.goto(chapter)
        screens = page.evaluate(HEIGHT)
        if screens > SCREENS + FONTS:
            long[chapter] = round(screens, 1)
    context.close()
    said = "fold what a first reader may skip: {.skip-at-first} before a section's paragraph, `:collapse:` in a listing"
    assert not long, f"{long} screens: {said}"
