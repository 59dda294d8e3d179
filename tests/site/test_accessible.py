"""Every page through axe-core: on a desk and on a telephone, in the light and in the dark."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_server import CONTEXT, HELLO, hello, serving, small_tokenizer
from playwright.sync_api import Browser, Page, expect

from nanochat.turns import Speaker

pytestmark = pytest.mark.site
COLOURS = ["color-contrast", "link-in-text-block"]  # the rules whose answer depends on the theme
NARROW = 360
# The rules whose answer may depend on the width: what is large enough, what scrolls, what is hidden or unfolded.
LAYOUT = [
    "target-size", "scrollable-region-focusable", "aria-hidden-focus", "aria-allowed-attr", "aria-valid-attr-value",
    "button-name", "link-name", "label", "meta-viewport", "nested-interactive", "region", "skip-link", "summary-name",
]  # fmt: skip
OFF_UNLESS_ASKED = ["target-size", "td-has-header"]  # axe-core's own default; WCAG 2.2 and Lighthouse ask

# A rule, and how the markup begins that may break it.
ALLOWED = {("target-size", '<a href="#L')}  # a line's number is as high as its line of code, as WCAG's "essential" says


def violations(page: Page, **options: Any) -> list[str]:
    asked = {"resultTypes": ["violations"], **options}
    found = page.evaluate("asked => axe.run(document, asked)", asked)
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:200]} at {node['target']}\n    {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
        if not any(rule["id"] == allowed and node["html"].startswith(start) for allowed, start in ALLOWED)
    ]


@pytest.mark.parametrize("width", [1280, NARROW])
def test_axe_finds_nothing(
    page_name: str, width: int, reader: Callable[..., Any], npm: Path
) -> None:
    axe = (npm / "axe-core/axe.min.js").read_text("utf-8")
    with reader(page_name, width=width, color_scheme="light", reduced_motion="reduce") as page:
        page.evaluate(axe)
        if width == NARROW:
            found = violations(page, runOnly=LAYOUT)
        else:
            found = violations(page, rules={rule: {"enabled": True} for rule in OFF_UNLESS_ASKED})
            page.emulate_media(color_scheme="dark")
            page.locator("html:not([data-theme=light])").wait_for(state="attached")
            found += [f"in the dark, {text}" for text in violations(page, runOnly=COLOURS)]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("width", [1280, NARROW])
def test_axe_finds_nothing_in_the_chat(width: int, lonely_chromium: Browser, npm: Path) -> None:
    script = hello(small_tokenizer())
    with serving(Speaker(script, script.tokenizer, CONTEXT)) as served:
        page = lonely_chromium.new_page(viewport={"width": width, "height": 740}, color_scheme="light")
        page.goto(f"http://127.0.0.1:{served.port}/")
        page.get_by_label("Message").fill("hi")
        page.keyboard.press("Enter")
        expect(page.locator(".message.assistant .said")).to_have_text(HELLO)
        page.evaluate((npm / "axe-core/axe.min.js").read_text("utf-8"))
        found = violations(page, rules={rule: {"enabled": True} for rule in OFF_UNLESS_ASKED})
        page.emulate_media(color_scheme="dark")
        found += [f"in the dark, {text}" for text in violations(page, runOnly=COLOURS)]
        page.close()
    assert found == [], "\n".join(found)
