"""One thing, lit everywhere: a small book in a browser, with mouse, keyboard and touch, with script and without."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from conftest import SPHINX
from playwright.sync_api import Browser, Page

HERE = Path(__file__).parent
pytestmark = pytest.mark.browser
# Where the clips are made is no business of this test: a figure written by hand says what it shows.
CONF = """
extensions = ["cutaway"]
cutaway_sources = {"mixer": ["src/mixer"]}
exclude_patterns = ["src"]
html_sidebars = {"**": []}  # the search field has a script inline

def setup(app):
    from cutaway.listings import resolve

    later, start, end = ("other", "film-later", "Later"), ("index", "film-start", "Start"), ("index", "film-end", "End")
    shown = {"mix-step-scores": [later, start, end], "mix-step-halves": [later], "mix-step-exp": [later, end]}
    resolve.clips_showing = lambda env, step: shown.get(step, [])
"""
INDEX = """
A lit book
==========

See :step:`mix-step-scores`, :step:`the exponent <mix-step-exp>` and `a page elsewhere <other.html#mix-step-halves>`__.

.. raw:: html

   <figure id="film" data-links='{"mix-step-scores": ["#mix-step-scores", "scores"]}'><button>an object</button>
   <ol><li id="film-start">Start</li><li id="film-end">End</li></ol></figure>

.. diagram:: mixer.model.mix
   :run: mix
   :name: flow

.. listing:: mixer.model.mix
   :run: mix
   :name: mix-step

   ``scores = x @ weight`` {#scores}
      Each row meets each column, long before the :step:`halves <mix-step-halves>`.

   ``np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)`` {#shares}
      Shares.

   ``np.exp(scores).sum(axis=1, keepdims=True)`` {#exp}
      What they are shares of.

   ``left, right =`` {#halves}
      Two halves.

.. listing:: mixer.model.mix
   :run: mix

   ``scores = x @ weight``
      Said again.

   ``total = 0.0``
      Nobody's step.

.. toctree::

   other
"""
OTHER = """
Another page
============

.. diagram:: mixer.model.mix
   :run: mix
   :name: again
"""


# A drawing says in style attributes how large its boxes are.
POLICY = "default-src 'none'; script-src file:; style-src file: 'unsafe-inline'; font-src file:; img-src file: data:"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lit") / "book"
    shutil.copytree(HERE / "foreign", folder)
    for name, text in {"conf.py": CONF, "index.rst": INDEX, "other.rst": OTHER}.items():
        (folder / name).write_text(text)
    return folder


def build(book: Path, builder: str = "html") -> Path:
    out = book.parent / builder
    epub = ["-D", "version=1", "-D", "copyright=nobody"] if builder == "epub" else []
    command = [*SPHINX, "-nW", *epub, "-b", builder, "-d", str(out) + "-doctrees", str(book), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def site(book: Path) -> Path:
    """The book in HTML, with a policy that allows nothing but the site's own files."""
    out = build(book)
    for page in out.glob("*.html"):
        text = page.read_text("utf-8")
        meta = f'<head><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        page.write_text(text.replace("<head>", meta, 1), "utf-8")
    return out


def soup(site: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((site / f"{name}.html").read_text("utf-8"), "html.parser")


Open = Callable[..., Any]


@pytest.fixture
def open_page(chromium: Browser, site: Path) -> Open:
    """``with open_page(...) as page``: it complains of nothing, and what it says of lights is in ``heard``."""

    @contextmanager
    def opened(name: str = "index.html", width: int = 1280, **options: Any) -> Iterator[Page]:
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        page, complaints = context.new_page(), []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.add_init_script(
            "window.heard = []; document.addEventListener('cutaway-light', ({ detail }) => heard.push(detail.step))"
        )
        path, _, hash = name.partition("#")
        page.goto((site / path).as_uri() + (f"#{hash}" if hash else ""))
        yield page
        context.close()
        assert complaints == []

    return opened


def lit(page: Page) -> list[str]:
    """What is lit, as words: the element's class or id, and its step."""
    return page.evaluate("""[...document.querySelectorAll('.cutaway-lit')].map(one =>
        `${(one.className.match(/cutaway-(?!lit)([\\w-]+)/) ?? [, one.closest('pre') ? 'box' : 'a'])[1]} ` +
        (one.dataset.step ?? new URL(one.href).hash))""")


def rest(page: Page, ms: int = 200) -> None:
    """Wait longer than the light stays on, by the page's own clock: of two of its timers the shorter one ends first,
    however busy the machine is."""
    page.evaluate("ms => new Promise(done => setTimeout(done, ms))", ms)


SCORES = {
    "a #mix-step-scores",  # a step role in prose
    "quote mix-step-scores",
    "callout mix-step-scores",
    "note mix-step-scores",
}
PLACES = {
    "prose": "section > p a[href='#mix-step-scores']",
    "box": "#flow-mix-step-scores",
    "quotation": ".cutaway-quote[data-step=mix-step-scores]",
    "call-out": ".cutaway-callout[data-step=mix-step-scores]",
    "note": "#mix-step-scores .cutaway-quotation",
    "note of another listing": "[id^=note-][data-step=mix-step-scores]",
}


# What the page says


def test_all_that_stands_for_a_step_says_so(site: Path) -> None:
    page = soup(site, "index")
    notes = [note["data-step"] for note in page.select(".cutaway-note")]
    steps = [f"mix-step-{name}" for name in ("scores", "shares", "exp", "halves")]
    assert notes[:4] == steps
    assert notes[4] == "mix-step-scores"  # the owner's
    assert notes[5].startswith("note-")  # nobody's but its own
    for css in (".cutaway-quote", ".cutaway-callout"):
        assert {one["data-step"] for one in page.select(css)} == set(notes)
    boxes = {a["data-step"] for a in page.select("#flow a")}
    assert boxes == {"mix-step-scores", "mix-step-shares mix-step-exp", "mix-step-halves"}
    assert {a["data-step"] for a in soup(site, "other").select("#again a")} == boxes


def test_notes_lead_to_where_else_their_step_is_seen(site: Path) -> None:
    page = soup(site, "index")
    links = {
        note["id"]: {a.text: a["href"] for a in note.select(".cutaway-elsewhere a:not([rel])")}
        for note in page.select(".cutaway-note")[:4]
    }
    assert links == {
        "mix-step-scores": {
            "diagram": "#flow-mix-step-scores",
            "clip: Start": "#film-start",  # and not that of the other page
            "clip: End": "#film-end",
        },
        "mix-step-shares": {"diagram": "#flow-mix-step-shares"},
        "mix-step-exp": {"diagram": "#flow-mix-step-exp", "clip": "#film-end"},
        "mix-step-halves": {"diagram": "#flow-mix-step-halves", "clip": "other.html#film-later"},
    }
    for step, found in links.items():
        (box,) = page.select(found["diagram"])
        assert step in box["data-step"].split() and box.find_parent(id="flow")
    ids = [one["id"] for one in page.select("[id]")]
    assert len(ids) == len(set(ids))
    assert not page.select("[id^=note-] .cutaway-elsewhere")


def test_an_epub_has_no_links_to_what_it_has_not(book: Path) -> None:
    text = next(build(book, "epub").glob("index.xhtml")).read_text("utf-8")
    assert "cutaway-note" in text and "#flow-" not in text and "#film-" not in text


def test_notes_follow_a_diagram_of_another_page(tmp_path: Path) -> None:
    book = tmp_path / "book"
    shutil.copytree(HERE / "foreign", book)
    index = (book / "index.rst").read_text()
    (book / "index.rst").write_text(index.partition(".. diagram::")[0] + ".. toctree::\n\n   other\n")
    for name in ("again", "otherwise"):
        (book / "other.rst").write_text(OTHER.replace("again", name))
        link = soup(build(book), "index").select_one("#mix-step-halves .cutaway-elsewhere a")
        assert link is not None and link["href"] == f"other.html#{name}-mix-step-halves"


# Pointer


@pytest.mark.parametrize("place", PLACES)
def test_pointed_at_anywhere_it_is_lit_everywhere(open_page: Open, place: str) -> None:
    with open_page() as page:
        page.locator(PLACES[place]).first.scroll_into_view_if_needed()
        before = page.evaluate("scrollY")
        page.locator(PLACES[place]).first.hover()
        assert set(lit(page)) >= SCORES | {"box mix-step-scores"}
        assert all(one.endswith("mix-step-scores") for one in lit(page))
        assert page.evaluate("heard") == ["mix-step-scores"]
        assert page.evaluate("scrollY") == before
        page.mouse.move(2, 2)
        rest(page)
        assert lit(page) == []
        assert page.evaluate("heard") == ["mix-step-scores", ""]


def test_from_a_quotation_to_its_number_nothing_flickers(open_page: Open) -> None:
    with open_page() as page:
        page.locator(PLACES["quotation"]).first.hover()
        quote, number = (page.locator(PLACES[place]).first.bounding_box() for place in ("quotation", "call-out"))
        y = quote["y"] + quote["height"] / 2
        gap = quote["x"] + quote["width"] + 2
        assert page.evaluate("([x, y]) => document.elementFromPoint(x, y).className", [gap, y]) == "cutaway-code"
        for x in (gap - 4, gap, number["x"] + 4):
            page.mouse.move(x, y)
        rest(page)
        assert page.evaluate("heard") == ["mix-step-scores"]


def test_of_nested_quotations_the_innermost_counts(open_page: Open) -> None:
    with open_page() as page:
        inner, outer = (page.locator(f".cutaway-quote[data-step=mix-step-{name}]") for name in ("exp", "shares"))
        plain = outer.evaluate("one => getComputedStyle(one).backgroundColor")
        inner.hover()
        assert "note mix-step-exp" in lit(page) and "quote mix-step-shares" not in lit(page)
        assert outer.evaluate("one => getComputedStyle(one).backgroundColor") == plain
        assert "box mix-step-shares mix-step-exp" in lit(page)  # it holds both
        outer.locator("> span").first.hover()
        assert "note mix-step-shares" in lit(page) and "quote mix-step-exp" not in lit(page)
        page.locator("#flow-mix-step-shares").hover(position={"x": 4, "y": 4})  # it leads to the first
        rest(page)
        assert "note mix-step-shares" in lit(page) and "note mix-step-exp" not in lit(page)
        page.locator("#mix-step-scores a[href='#mix-step-halves']").hover()  # in a note of another step
        assert "note mix-step-halves" in lit(page) and "note mix-step-scores" not in lit(page)


def test_a_link_to_another_page_stands_for_its_step_and_one_to_a_section_for_none(open_page: Open) -> None:
    with open_page() as page:
        page.locator("a[href='other.html#mix-step-halves']").hover()
        assert "note mix-step-halves" in lit(page)
        page.locator("a.headerlink[href='#a-lit-book']").hover(force=True)
        rest(page)
        assert lit(page) == []


def test_a_page_with_the_drawing_alone_lights_its_boxes(open_page: Open) -> None:
    with open_page("other.html") as page:
        page.locator("#again-mix-step-scores").hover()
        assert lit(page) == ["box mix-step-scores"] and page.evaluate("heard") == ["mix-step-scores"]


# Clips

TELL = "step => document.dispatchEvent(new CustomEvent('cutaway-light', { detail: { step, from: film } }))"


def test_what_a_clip_tells_is_lit_and_not_told_again(open_page: Open) -> None:
    with open_page() as page:
        page.evaluate(TELL, "mix-step-scores")
        assert set(lit(page)) >= SCORES
        page.evaluate(TELL, "x.y")  # a value, which no element stands for
        assert lit(page) == []
        page.evaluate(TELL, "")
        rest(page)
        assert page.evaluate("heard") == ["mix-step-scores", "x.y", ""]


def test_when_a_clip_is_left_what_has_the_focus_is_lit_again(open_page: Open) -> None:
    with open_page() as page:
        page.locator(PLACES["call-out"]).first.focus()
        page.evaluate(TELL, "mix-step-halves")
        assert "note mix-step-halves" in lit(page)
        page.evaluate(TELL, "")
        rest(page)
        assert set(lit(page)) >= SCORES
        assert page.evaluate("heard") == ["mix-step-scores", "mix-step-halves", "", "mix-step-scores"]


def test_a_click_elsewhere_puts_out_what_a_clip_told(open_page: Open) -> None:
    with open_page() as page:
        page.evaluate(TELL, "mix-step-scores")
        page.locator("#film button").click()  # its own affair
        rest(page)
        assert set(lit(page)) >= SCORES
        page.locator("h1").click()
        rest(page)
        assert lit(page) == []


# Clicks


def test_a_click_on_a_quotation_leads_to_its_note(open_page: Open) -> None:
    with open_page() as page:
        before = page.evaluate("history.length")
        # One at once after the other: the last one counts.
        quotes = [f".cutaway-quote[data-step=mix-step-{name}]" for name in ("halves", "exp")]
        page.evaluate("(quotes) => quotes.forEach((quote) => document.querySelector(quote).click())", quotes)
        page.wait_for_url("**#mix-step-exp")
        assert page.evaluate("history.length") == before + 1
        page.locator(PLACES["quotation"]).nth(1).click()  # of the listing without steps: to its own note
        page.wait_for_url("**#note-*")
        page.mouse.move(2, 2)
        rest(page)
        assert set(lit(page)) >= SCORES


def test_code_can_still_be_selected(open_page: Open) -> None:
    with open_page() as page:
        quote = page.locator(PLACES["quotation"]).first
        quote.scroll_into_view_if_needed()
        box = quote.bounding_box()
        page.mouse.move(box["x"] + 1, box["y"] + 6)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 6, steps=4)
        page.mouse.up()
        rest(page, 500)  # longer than it waits for a second click
        assert page.evaluate("getSelection().toString()") == "scores = x @ weight"
        quote.dblclick(position={"x": 10, "y": 6})
        rest(page, 500)  # longer than it waits for a second click
        assert page.evaluate("getSelection().toString()") == "scores"
        assert page.evaluate("location.hash") == ""


def test_from_each_a_click_leads_to_the_others(open_page: Open) -> None:
    path = [
        (".cutaway-callout[data-step=mix-step-exp]", "#mix-step-exp"),
        ("#mix-step-exp .cutaway-note-number", "#mix-step-exp-code"),
        ("#mix-step-exp >> text=diagram", "#flow-mix-step-exp"),
        ("#flow-mix-step-shares", "#mix-step-shares"),  # the box holds two steps, and leads to the first
        ("#mix-step-scores >> text=clip: Start", "#film-start"),
    ]
    with open_page() as page:
        for place, hash in path:
            page.locator(place).click(position={"x": 4, "y": 4})
            assert page.evaluate("location.hash") == hash
            page.mouse.move(2, 2)
            rest(page)
            step = "mix-step-scores" if hash == "#film-start" else hash[1:].replace("flow-", "").removesuffix("-code")
            assert f"note {step}" in lit(page)
            assert page.evaluate("document.querySelector(':target').getBoundingClientRect().top") > -1
        page.locator("#mix-step-halves >> text=clip").click()
        page.wait_for_url("**/other.html#film-later")


def test_who_arrives_at_a_step_sees_all_of_it(open_page: Open) -> None:
    with open_page("index.html#mix-step-scores") as page:
        assert set(lit(page)) >= SCORES | {"box mix-step-scores"}
        page.keyboard.press("Escape")
        assert lit(page) == [] and page.evaluate("heard") == ["mix-step-scores", ""]


# Keyboard and touch


def test_with_the_keyboard_alone(open_page: Open) -> None:
    with open_page() as page:
        page.locator(".cutaway-listing pre").first.focus()
        assert lit(page) == []
        page.keyboard.press("Tab")
        assert set(lit(page)) >= SCORES
        page.keyboard.press("Enter")  # to the note
        page.wait_for_url("**#mix-step-scores")
        rest(page)
        assert set(lit(page)) >= SCORES
        while page.evaluate("document.activeElement.textContent") != "diagram":
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.closest('.cutaway-note')")
        page.keyboard.press("Enter")  # to the box, which has the focus then
        assert page.evaluate("document.activeElement.id") == "flow-mix-step-scores"
        assert set(lit(page)) >= SCORES
        page.keyboard.press("Tab")
        rest(page)  # the light goes on when the one before goes out
        assert "note mix-step-shares" in lit(page)
        page.keyboard.press("x")
        assert "note mix-step-shares" in lit(page)
        page.keyboard.press("Escape")
        assert lit(page) == []
        page.keyboard.press("Shift+Tab")
        assert set(lit(page)) >= SCORES
        page.keyboard.press("Shift+Tab")  # to the drawing, which scrolls
        rest(page)
        assert lit(page) == []


def test_focus_and_pointer_take_turns(open_page: Open) -> None:
    with open_page() as page:
        page.locator("#mix-step-halves").hover()
        page.locator(PLACES["call-out"]).first.focus()
        assert "note mix-step-scores" in lit(page) and "note mix-step-halves" not in lit(page)
        page.locator("#mix-step-exp").hover()
        assert "note mix-step-exp" in lit(page) and "note mix-step-scores" not in lit(page)
        page.mouse.move(2, 2)
        rest(page)
        assert "note mix-step-scores" in lit(page)


def test_a_finger_that_scrolls_lights_nothing(open_page: Open) -> None:
    with open_page(width=390, has_touch=True, is_mobile=True) as page:
        page.locator("#mix-step-scores").scroll_into_view_if_needed()
        place = page.locator("#mix-step-scores p").nth(1).bounding_box()
        device = page.context.new_cdp_session(page)
        touch = [{"x": place["x"] + 20, "y": place["y"] + 5}]
        device.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": touch})
        touch[0]["y"] -= 60
        device.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": touch})
        device.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        rest(page)
        assert page.evaluate("heard") == []


def test_a_tap_lights_and_a_tap_elsewhere_puts_out(open_page: Open) -> None:
    with open_page(width=390, has_touch=True, is_mobile=True) as page:
        page.locator("#mix-step-scores p").nth(1).tap()
        assert set(lit(page)) >= SCORES
        page.locator("h1").tap()
        rest(page)
        assert lit(page) == []
        page.locator("#flow-mix-step-scores").tap()
        page.wait_for_url("**#mix-step-scores")
        assert set(lit(page)) >= SCORES
        page.locator(".cutaway-quote[data-step=mix-step-halves]").tap()
        page.wait_for_url("**#mix-step-halves")
        assert "note mix-step-halves" in lit(page) and "note mix-step-scores" not in lit(page)


# Looks


def differs(page: Page, selector: str, *properties: str, pseudo: str = "") -> dict[str, bool]:
    """Which properties of an element's look change when the step of the scores is lit."""
    look = "(one, [pseudo, names]) => names.map(name => getComputedStyle(one, pseudo)[name])"
    page.mouse.move(2, 2)
    rest(page)
    before = page.locator(selector).first.evaluate(look, [pseudo, properties])
    page.locator(PLACES["call-out"]).first.hover()
    after = page.locator(selector).first.evaluate(look, [pseudo, properties])
    return {name: a != b for name, a, b in zip(properties, before, after, strict=True)}


@pytest.mark.parametrize("forced", ["none", "active"])
def test_colour_is_never_the_only_sign(open_page: Open, forced: str) -> None:
    with open_page(forced_colors=forced) as page:
        note = "outlineStyle" if forced == "active" else "backgroundColor"  # its border has no colour of its own there
        assert all(differs(page, "#mix-step-scores", note, "borderLeftColor" if forced == "none" else note).values())
        assert all(differs(page, PLACES["quotation"], "borderBottomStyle", "borderBottomWidth").values())
        assert all(differs(page, PLACES["call-out"], "outlineStyle").values())
        assert all(differs(page, PLACES["prose"], "outlineStyle").values())
        assert all(differs(page, PLACES["box"], "outlineStyle", pseudo="::before").values())


def test_without_script_notes_and_code_light_up_in_pairs(open_page: Open) -> None:
    ground = "one => getComputedStyle(one).backgroundColor"
    with open_page(java_script_enabled=False) as page:
        quote, note = page.locator(PLACES["quotation"]).first, page.locator("#mix-step-scores")
        plain = quote.evaluate(ground)
        note.hover()
        assert quote.evaluate(ground) != plain
        page.mouse.move(2, 2)
        assert quote.evaluate(ground) == plain
        page.locator(PLACES["call-out"]).first.click()
        assert page.url.endswith("#mix-step-scores") and quote.evaluate(ground) != plain
        page.locator("#mix-step-scores >> text=diagram").click()
        look = page.locator("#flow-mix-step-scores").evaluate("one => getComputedStyle(one, '::before').outlineStyle")
        assert page.url.endswith("#flow-mix-step-scores") and look == "solid"


def test_keys_lead_from_step_to_step(open_page: Open) -> None:
    with open_page("index.html#mix-step-exp") as page:
        for key, step in (("n", "shares"), ("P", "exp"), ("p", "scores"), ("p", "scores")):
            page.keyboard.press(key)
            page.wait_for_url(f"**#mix-step-{step}")
        assert page.locator("#mix-step-scores.cutaway-lit").count() == 1
