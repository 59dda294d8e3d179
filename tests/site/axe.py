"""axe-core in a page of a browser: which rules, and which violations are allowed."""

from typing import Any

from playwright.sync_api import Page

COLOURS = ["color-contrast", "link-in-text-block"]  # the rules whose answer depends on the theme
# The rules whose answer may depend on the width: what is large enough, what scrolls, what is hidden or unfolded.
LAYOUT = [
    "target-size", "scrollable-region-focusable", "aria-hidden-focus", "aria-allowed-attr", "aria-valid-attr-value",
    "button-name", "link-name", "label", "meta-viewport", "nested-interactive", "region", "skip-link", "summary-name",
]  # fmt: skip
OFF_UNLESS_ASKED = ["target-size", "td-has-header"]  # axe-core's own default; WCAG 2.2 and Lighthouse ask
EVERYTHING = {"rules": {rule: {"enabled": True} for rule in OFF_UNLESS_ASKED}}

# A rule, and how the markup begins that may break it.
ALLOWED = {("target-size", '<a href="#L')}  # a line's number is as high as its line of code, as WCAG's "essential" says


def violations(page: Page, **options: Any) -> list[str]:
    """What axe-core finds in a page that it was loaded into: rule, place, and what to do."""
    asked = {"resultTypes": ["violations"], **options}
    found = page.evaluate("asked => axe.run(document, asked)", asked)
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:200]} at {node['target']}\n    {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
        if not any(rule["id"] == allowed and node["html"].startswith(start) for allowed, start in ALLOWED)
    ]


def in_the_dark(page: Page) -> list[str]:
    """The violations of the rules for colours, in the dark theme."""
    page.emulate_media(color_scheme="dark")
    page.locator("html:not([data-theme=light])").wait_for(state="attached")
    return [f"in the dark, {text}" for text in violations(page, runOnly=COLOURS)]
