"""One visit to every page: it is accessible, complains of nothing, and asks no other host for anything.

On a desk and on a telephone, in the light and in the dark, used as a reader uses it, with every name unknown; a second
tab opens it as a file meanwhile.
"""

import re
from pathlib import Path

import pytest
from axe import EVERYTHING, LAYOUT, in_the_dark, violations
from built_site import asked_outside, served
from playwright.sync_api import Browser, ConsoleMessage, Page

pytestmark = pytest.mark.site
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 800}
UNFOLD = "for (const part of document.querySelectorAll('.book-fold, .cutaway-listing > details')) part.open = true"
# Half of a page's elements are spans of code: after the whole check in the light they are text, and their colours in
# the dark are checked once for all pages, below.
PLAIN = """for (const code of document.querySelectorAll('.highlight pre'))
    if (!code.closest('.cutaway-clip')) code.textContent = code.textContent"""
NO_FILE = "404.html"  # a server shows it at any address, so it names its files from the site's root


def test_a_visit_finds_nothing(page_name: str, site: Path, address: str, lonely_chromium: Browser, npm: Path) -> None:
    found = visited(page_name, site, address, lonely_chromium, npm)
    assert found == [], f"{page_name}:\n" + "\n".join(found)


def test_every_kind_of_code_is_legible_in_the_dark(
    site: Path, address: str, lonely_chromium: Browser, npm: Path
) -> None:
    kinds = sorted(set(re.findall(r"\.highlight \.(\w+)", (site / "_static/pygments.css").read_text("utf-8"))))
    assert len(kinds) > 50
    code = "".join(f'<span class="{kind}">{kind}</span> ' for kind in kinds)
    with lonely_chromium.new_context(viewport=WIDE, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(address + "model/attention.html")
        page.evaluate(UNFOLD)
        page.evaluate(
            "code => { for (const each of document.querySelectorAll('.highlight pre')) each.innerHTML = code }", code
        )
        page.evaluate((npm / "axe-core/axe.min.js").read_text("utf-8"))
        assert in_the_dark(page) == []


def visited(page_name: str, site: Path, address: str, browser: Browser, npm: Path) -> list[str]:
    """What is wrong with a page of the site in a folder, which is served at an address: one text a fault."""
    context = browser.new_context(viewport=WIDE, color_scheme="light", reduced_motion="reduce")
    files = site.as_uri() + "/"
    file = context.new_page()
    asked_by_file = asked_outside(file, files)
    if page_name != NO_FILE:
        open_file(file, files + page_name)  # it has the whole visit's time to ask
    page = context.new_page()  # the last tab is the one in front
    asked, complaints = asked_outside(page, address), heard(page)
    page.goto(address + page_name)
    page.evaluate(UNFOLD)
    page.evaluate((npm / "axe-core/axe.min.js").read_text("utf-8"))
    found = violations(page, **EVERYTHING)
    page.evaluate(PLAIN)
    found += in_the_dark(page)
    found += on_a_telephone(page)
    use(page)
    context.close()
    found += [f"the console: {text}" for text in complaints]
    found += [f"asks from outside: {url}" for url in asked]
    return found + [f"opened as a file, asks from outside: {url}" for url in asked_by_file]


def heard(page: Page) -> list[str]:
    """The list that fills with the errors that a page's scripts raise or print."""
    complaints: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


def open_file(page: Page, url: str) -> None:
    """Down to its end; what comes into sight there is asked for when a frame is drawn."""
    page.goto(url)
    page.evaluate(
        """async () => {
            scrollTo(0, document.body.scrollHeight);
            for (let frame = 0; frame < 2; frame += 1)
                await new Promise((done) => { requestAnimationFrame(done); setTimeout(done, 100); });
        }"""
    )


def on_a_telephone(page: Page) -> list[str]:
    """The violations of the rules for layout at 360 pixels, in the light."""
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(NARROW)
    page.wait_for_function("innerWidth === 360")
    width = page.evaluate("document.documentElement.scrollWidth")
    wide = [f"at 360 px, the page is {width} wide"] if width > NARROW["width"] else []
    return [*wide, *(f"at 360 px, {text}" for text in violations(page, runOnly=LAYOUT))]


def use(page: Page) -> None:
    """What a reader at a desk does: down to the end, each clip for a moment, each plot, the search, everything
    unfolded."""
    page.emulate_media(reduced_motion="no-preference")
    page.set_viewport_size(WIDE)
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


BAD = """<!doctype html><html lang="en"><head><title>Bad</title><meta name="viewport" content="width=device-width">
<style>
  html { background: white } .low { color: #767676 }
  @media (prefers-color-scheme: dark) { html { background: black } .low { color: #222 } }
  .small { display: none } @media (width < 400px) { .small { display: block } }
</style></head><body><main><h1>Bad</h1><img src="picture.png"><p class="low">Too dark in the dark.</p>
<div class="small"><button></button></div></main>
<script>
  addEventListener("scroll", () => { fetch("https://elsewhere.example/").catch(() => 0); });
  document.body.addEventListener("keydown", (event) => { if (event.key === "m") throw Error("a key"); });
</script></body></html>"""


def test_what_is_wrong_with_a_page_is_found(tmp_path: Path, lonely_chromium: Browser, npm: Path) -> None:
    """The visit itself: a fault of each kind, one that each theme, each width and each way to open it alone shows."""
    (tmp_path / "bad.html").write_text(BAD.replace("<p", "<p style='height: 3000px'", 1), "utf-8")
    (tmp_path / "picture.png").write_bytes(b"")
    with served(tmp_path) as address:
        found = visited("bad.html", tmp_path, address, lonely_chromium, npm)
    starts = dict.fromkeys(text.partition(" (")[0].partition(": http")[0] for text in found)
    assert [start for start in starts if not start.startswith("the console")] == [
        "image-alt",
        "in the dark, color-contrast",
        "at 360 px, button-name",
        "asks from outside",
        "opened as a file, asks from outside",
    ]
    assert any("a key" in text for text in found)
