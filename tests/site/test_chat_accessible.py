"""The chat's page through axe-core: on a desk and on a telephone, in the light and in the dark."""

from pathlib import Path

import pytest
from axe import EVERYTHING, in_the_dark, violations
from chat_server import CONTEXT, HELLO, hello, serving, small_tokenizer
from playwright.sync_api import Browser, expect

from nanochat.chat.turns import Speaker

pytestmark = pytest.mark.site


@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_in_the_chat(width: int, lonely_chromium: Browser, npm: Path) -> None:
    script = hello(small_tokenizer())
    with serving(Speaker(script, script.tokenizer, CONTEXT)) as served:
        page = lonely_chromium.new_page(viewport={"width": width, "height": 740}, color_scheme="light")
        page.goto(f"http://127.0.0.1:{served.port}/")
        page.get_by_label("Message").fill("hi")
        page.keyboard.press("Enter")
        expect(page.locator(".message.assistant .said")).to_have_text(HELLO)
        page.evaluate((npm / "axe-core/axe.min.js").read_text("utf-8"))
        found = violations(page, **EVERYTHING)
        found += in_the_dark(page)
        page.close()
    assert found == [], "\n".join(found)
