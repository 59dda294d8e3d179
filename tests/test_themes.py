"""What the core prints is read in every theme: dark where the theme is and nowhere else; on a phone, too."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import ROOT, SPHINX
from playwright.sync_api import Browser, Page

from cutaway.theme.palette import BY_NAME, contrast, hexadecimal

pytestmark = [pytest.mark.slow, pytest.mark.browser]
TOGGLED = ("furo", "pydata_sphinx_theme", "sphinx_book_theme")  # a reader may choose
THEMES = (*TOGGLED, "sphinx_rtd_theme", "alabaster")
INDEX = """
A book in any theme
===================

The answer is :fact:`mix.answer`, the shape :fact:`mix/mix-step-scores.shape`; see :step:`mix-step-scores`.
:claim:`It is more than forty. <mix.answer \\> 40>`

.. _part:

A part
------

.. listing:: mixer.model.mix
   :run: mix
   :name: mix-step

   ``scores = x @ weight`` {#scores}
      Each row meets each column.

   ``left, right =`` {#halves}
      Two halves.

.. diagram:: mixer.model.mix
   :run: mix

.. clip:: mixing.Mixing
   :run: mix
   :alt: A grid of numbers turns.

.. sequence::
"""
CONF = """
import os
extensions = ["cutaway", "cutaway.permalinks"]
exclude_patterns = ["src", "_build"]
cutaway_sources = {"mixer": ["src/mixer"]}
html_theme = os.environ["THEME"]
"""
# Of an element: the colour of its text and what lies behind it, as "#rrggbb".
COLOURS = """(element) => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colours) => {
    canvas.globalCompositeOperation = "source-over";
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const behind = [];
  for (let one = element; one; one = one.parentElement) behind.unshift(getComputedStyle(one).backgroundColor);
  return [rgb(["white", ...behind, getComputedStyle(element).color]), rgb(["white", ...behind])];
}"""
READ = [
    ".cutaway-code > span",
    ".cutaway-lineno",
    ".cutaway-shape i",
    ".cutaway-note p",
    ".cutaway-quotation",
    "figure.cutaway-diagram pre",
    ".cutaway-clip-clock",
    ".cutaway-clip-words > summary",
    "td .cutaway-dim",
]
OURS = ".cutaway-listing, .cutaway-diagram, .cutaway-clip, .cutaway-link"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("themes")
    (folder / "src").symlink_to(ROOT / "tests/foreign/src")
    (folder / "scenes").symlink_to(ROOT / "tests/themes")
    (folder / "runs.py").write_bytes((ROOT / "tests/foreign/runs.py").read_bytes())
    (folder / "conf.py").write_text(CONF, "utf-8")
    (folder / "index.rst").write_text(INDEX, "utf-8")

    def build(theme: str) -> Path:
        out = folder / "_build" / theme
        if not out.exists():
            env = {**os.environ, "THEME": theme, "CUTAWAY_STORE": str(folder / "_build/store")}
            command = [*SPHINX, "-n", "-W", "-q", "-d", f"{out}-doctrees", str(folder), str(out)]
            done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
            assert done.returncode == 0, done.stderr
        return out

    return build


@contextmanager
def opened(chromium: Browser, site: Path, system: str, chosen: str = "", width: int = 1280) -> Iterator[Page]:
    """The page of a reader whose system is dark or light, who may have chosen otherwise with the theme's button."""
    context = chromium.new_context(color_scheme=system, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
    if chosen:  # where furo's and pydata's buttons keep it
        context.add_init_script(f"for (const key of ['theme', 'mode']) localStorage.setItem(key, '{chosen}')")
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    page.wait_for_function("document.querySelector('.cutaway-clip-clock')?.textContent")
    yield page
    context.close()


def colours(page: Page, selector: str) -> tuple[str, str]:
    ink, ground = page.locator(selector).first.evaluate(COLOURS)
    return tuple(hexadecimal((r / 255, g / 255, b / 255)) for r, g, b in (ink, ground))  # type: ignore[return-value]


def is_dark(colour: str) -> bool:
    return contrast(colour, "#000000") < contrast(colour, "#ffffff")


READERS = [("light", ""), ("dark", ""), ("light", "dark"), ("dark", "light")]


@pytest.mark.parametrize(("system", "chosen"), READERS)
@pytest.mark.parametrize("theme", THEMES)
def test_text_is_read_and_panels_are_of_the_page_s_side(
    built: Callable[[str], Path], chromium: Browser, theme: str, system: str, chosen: str
) -> None:
    with opened(chromium, built(theme), system, chosen) as page:
        shown = (chosen or system) if theme in TOGGLED else "light"
        _, ground = colours(page, "p")
        _, panel = colours(page, ".cutaway-listing pre")
        assert [is_dark(ground), is_dark(panel)] == [shown == "dark"] * 2
        stage = page.locator(".cutaway-clip-stage > img:visible")
        assert stage.count() == 1
        assert f"cutaway-clip-{shown}" in (stage.get_attribute("class") or "")
        for selector in READ:
            ink, behind = colours(page, selector)
            assert contrast(ink, behind) >= 4.5, f"{selector}: {ink} on {behind}"
        assert colours(page, ".cutaway-clip-clock")[1] == BY_NAME[shown].panel


@pytest.mark.parametrize("theme", THEMES)
def test_a_line_stands_beside_its_number_and_nothing_leaves_the_text(
    built: Callable[[str], Path], chromium: Browser, theme: str
) -> None:
    for width in (1280, 800, 360):
        with opened(chromium, built(theme), "light", width=width) as page:
            page.locator(".cutaway-link > summary").first.click(force=True)
            tops = page.evaluate(
                "[...document.querySelectorAll('.cutaway-line')].map((line) => "
                "[line.children[0].getBoundingClientRect(), line.children[1].getBoundingClientRect()]"
                ".map(({ top, left, right }) => [Math.round(top), left, right]))"
            )
            assert tops
            for number, code in tops:
                assert number[0] == code[0]
                assert number[2] <= code[1] + 1
            wide = page.evaluate(
                f"[...document.querySelectorAll('{OURS}')].filter((one) => one.checkVisibility()"
                " && one.getBoundingClientRect().right > innerWidth).map((one) => one.className)"
            )
            assert wide == []
            style = "all => all.map(one => getComputedStyle(one).listStyleType)"
            assert set(page.locator(".cutaway-notes > li").evaluate_all(style)) == {"none"}


@pytest.mark.parametrize("theme", THEMES)
def test_the_rest_of_the_page_keeps_its_scheme(built: Callable[[str], Path], chromium: Browser, theme: str) -> None:
    scheme = "[document.documentElement, document.body].map((one) => getComputedStyle(one).colorScheme)"
    with opened(chromium, built(theme), "dark") as page:
        with_ours = page.evaluate(scheme)
        page.evaluate("document.querySelectorAll('link[href*=\"cutaway-\"]').forEach((one) => one.remove())")
        assert page.evaluate(scheme) == with_ours
