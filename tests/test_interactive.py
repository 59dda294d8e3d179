"""Plots to play with: a picture first, from the same numbers; Plotly only when asked, in the page's colours."""

import json
import math
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from conftest import Book, BuildBook, wait_until
from playwright.sync_api import Browser, Frame, Locator, Page
from weight import served, weigh

from cutaway.plots.interactive import MOST, Band, Level, Line, Points, interactive
from cutaway.theme.palette import BY_NAME

pytestmark = pytest.mark.slow

NAMED = {"x": "step", "y": "loss", "alt": "It falls."}
SERIES = (
    Line("each </script><!-- & batch", range(4), [4, 3.123456789, math.nan, 1], faint=True, colour=0),
    Line("smoothed", range(4), [4, 3, 2, 1.0], colour=0, dashed=True),
    Points("validation", [0, 3], [4, 2], low=[3, 1], high=[5, 3]),
    Band("fits", [0, 3], [1, 1], [2, 2]),
    Level("even guess", 3.5),
)


def told(markdown: str) -> dict[str, Any]:
    return json.loads(BeautifulSoup(markdown, "html.parser").find("script").string)


def test_picture_and_data_are_one_block_that_nothing_in_it_can_end() -> None:
    markdown = interactive(*SERIES, **NAMED, log="")._repr_markdown_()
    assert "\n" not in markdown
    assert markdown.count("<script") == markdown.count("</script>") == 1
    assert "<!--" not in markdown
    figure = BeautifulSoup(markdown, "html.parser").find("figure")
    assert [image["alt"] for image in figure.select("img")] == ["It falls."] * 2
    first, second, points, band, level = told(markdown)["series"]
    assert first["name"] == "each </script><!-- & batch"
    assert first["y"] == [4, 3.12346, None, 1]
    assert (first["colour"], second["colour"]) == ("dim-C", "dim-C")
    assert points["colour"] != band["colour"] != first["colour"]
    assert (points["low"], points["high"]) == ([3, 1], [5, 3])
    assert level["y"] == [3.5]


def test_the_same_series_give_the_same_bytes() -> None:
    assert interactive(*SERIES, **NAMED)._repr_markdown_() == interactive(*SERIES, **NAMED)._repr_markdown_()


@pytest.mark.parametrize(
    ("given", "log", "texts"),
    [
        ([0.25, 0.5, 0.8, 1, 1.25, 2, 4], "x", ["0.25", "0.5", "0.8", "1", "2", "4"]),  # thinned
        ([0.00001, 0.0004], "x", ["0.00001", "0.0004"]),
        ([9000 * 1.1**n for n in range(30)], "xy", ["10,000", "20,000", "50,000", "100,000"]),  # many
        ([2.1 * 1.01**n for n in range(30)], "x", None),  # nothing round in it
        ([1, 10, 100], "x", None),  # long enough for powers of 10
        ([1, math.nan, 1], "x", None),
        ([0.25, 1, 4], "", None),
        ([0.25, 1, 4], "y", None),
    ],
)
def test_a_short_logarithmic_axis_has_plain_numbers_that_keep_apart(
    given: list[float], log: str, texts: list[str] | None
) -> None:
    axis = told(interactive(Line("loss", given, [1] * len(given)), **NAMED, log=log)._repr_markdown_()).get("ticks")
    assert (axis and axis["text"]) == texts
    if axis:
        assert axis["at"] == [float(text.replace(",", "")) for text in texts]


def test_the_picture_has_the_ticks_that_the_figure_has() -> None:
    axes = []

    @dataclass
    class Kept(Line):
        def draw(self, on: Any, *look: str) -> None:
            super().draw(on, *look)
            axes.append(on)

    interactive(Kept("loss", [0.25, 0.5, 1, 4], [1] * 4), **NAMED, log="x")
    for one in axes:
        assert [label.get_text() for label in one.get_xticklabels()] == ["0.25", "0.5", "1", "4"]
        assert not any(label.get_text() for label in one.get_xticklabels(minor=True))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: interactive(**NAMED), "one series or more"),
        (lambda: interactive(Line("a", [1], [1]), Line("a", [1], [1]), **NAMED), "each its own name"),
        (lambda: interactive(Line("a", [1], [1]), **NAMED, log="z"), "one of"),
        (lambda: interactive(Line("a", [1], [1]), **{**NAMED, "x": " "}), "name the axis"),
        (lambda: interactive(Line("a", [1], [1]), **{**NAMED, "alt": ""}), "say in words"),
        (lambda: interactive(Line("a", [1, 0], [1, 1]), **NAMED, log="x"), "'a': .* axis x has no place for 0"),
        (lambda: interactive(Level("a", -1), **NAMED, log="y"), "no place for -1"),
        (lambda: interactive(Line("a", range(MOST), range(MOST)), **NAMED), f"at most {MOST:,}"),
        (lambda: Line("a", [1, 2], [1]), r"Line\('a'\): 2 in x, 1 in y"),
        (lambda: Line("a", [], []), "at least one"),
        (lambda: Line("", [1], [1]), "give it a name"),
        (lambda: Points("a", [1], [1], low=[1, 2], high=[1]), "2 in low"),
        (lambda: Points("a", [1], [1], low=[1]), "low and high"),
        (lambda: Band("a", [1], [[1, 2]], [1]), r"Band\('a'\): low must be a row of numbers"),
        (lambda: Level("a", "high"), "must be a row of numbers|must be a number"),
    ],
)
def test_a_mistake_is_said_with_the_name_of_its_series(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


# In a book

PAGE = """---
file_format: mystnb
kernelspec: {name: python3}
---
# A page with a plot

```{code-cell}
from cutaway.plots.interactive import Level, Line, Points, interactive
interactive(Line("each batch", range(1, 101), [1 / n for n in range(1, 101)], faint=True, colour=0),
            Points("evaluated", [1, 50, 100], [1.1, 0.1, 0.05]), Level("even guess", 0.7),
            x="step", y="loss, nats", alt="The loss falls like one by the step.")
```
"""
SHORT = """---
file_format: mystnb
kernelspec: {name: python3}
---
# A page with a short logarithmic axis

```{code-cell}
from cutaway.plots.interactive import Line, interactive
interactive(Line("loss", [0.25, 0.5, 0.8, 1, 1.25, 2, 4], [4, 2, 1.2, 1, 1.3, 2, 4]),
            x="times what was learned", y="loss, nats", log="x", alt="A valley around 1.")
```
"""
START = "# Start\n\n```{toctree}\nfolder/plots\nshort\nplain\n```\n"
BROKEN = """addEventListener("securitypolicyviolation", event =>
    console.error(`against the policy: ${event.violatedDirective} ${event.blockedURI}`))"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plots") / "pages"
    (folder / "folder").mkdir(parents=True)
    (folder / "index.md").write_text(START, "utf-8")
    (folder / "plain.md").write_text("# Plain\n\nNo plot.\n", "utf-8")
    (folder / "folder/plots.md").write_text(PAGE, "utf-8")
    (folder / "short.md").write_text(SHORT, "utf-8")
    return folder


@pytest.fixture(scope="module")
def book(build_book: BuildBook, pages: Path) -> Book:
    built = build_book(pages, pages.parent / "html", "-W", "--keep-going")
    assert built.returncode == 0, built.warnings
    return built


@pytest.fixture(scope="module")
def host(book: Book) -> Iterator[str]:
    with served(book.folder) as address:
        yield address


@pytest.fixture
def open_plot(chromium: Browser, book: Book, host: str) -> Callable[..., Any]:
    """``with open_plot(over="http", ...) as (page, asked, complaints)``: what it asked for, what went wrong."""

    @contextmanager
    def opened(
        over: str = "http", width: int = 1280, name: str = "folder/plots", **options: Any
    ) -> Iterator[tuple[Page, list[str], list[str]]]:
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        page, asked, complaints = context.new_page(), [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.add_init_script(BROKEN)
        page.goto(book.url(name) if over == "file" else f"{host}/{name}.html")
        page.wait_for_load_state("networkidle")
        yield page, asked, complaints
        context.close()

    return opened


def play(page: Page) -> Frame:
    page.get_by_role("button", name="Play with it").click()
    frame = page.locator(".cutaway-plot iframe").element_handle().content_frame()
    frame.locator("#plot .main-svg").first.wait_for()
    return frame


def colour_of(locator: Locator, name: str) -> str:
    return locator.evaluate("(element, name) => getComputedStyle(element)[name]", name)


def css(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("over", ["file", "http"])
def test_plotly_comes_when_asked_and_draws_all_points_in_the_pages_colours(
    open_plot: Callable[..., Any], over: str, theme: str
) -> None:
    with open_plot(over, color_scheme=theme) as (page, asked, complaints):
        assert page.locator(f".cutaway-plot-{theme}").is_visible()
        assert page.locator("img:visible").count() == 1
        assert not [url for url in asked if "plotly" in url]
        assert len([url for url in asked if re.search(r"/_images/plot-\w+\.svg$", url)]) == 1
        frame = play(page)
        assert len([url for url in asked if re.search(r"/plotly-\w+\.js$", url)]) == 1
        assert page.locator("img:visible").count() == 0
        sizes = frame.evaluate("document.getElementById('plot').data.map(({x}) => x.length)")
        assert sizes == [100, 3, 2]
        assert frame.locator(".scatterlayer .trace").count() == 3
        assert colour_of(frame.locator(".scatterlayer path.js-line").first, "stroke") == css(
            BY_NAME[theme].dimension("C")
        )
        assert colour_of(frame.locator("body"), "backgroundColor") == css(BY_NAME[theme].ground)
        frame.locator(".nsewdrag").hover()  # the values under the pointer
        frame.locator(".hoverlayer").get_by_text("each batch").first.wait_for()
        page.get_by_role("button", name="Show the picture").click()
        assert page.locator("img:visible").count() == 1
        assert page.locator("iframe:visible").count() == 0
        assert complaints == []


@pytest.mark.browser
def test_frame_follows_the_theme_and_keeps_what_was_chosen(open_plot: Callable[..., Any]) -> None:
    with open_plot(color_scheme="light") as (page, _, complaints):
        frame = play(page)
        page.keyboard.press("Tab")  # from the button into the frame, to its tools and choices
        frame.get_by_role("checkbox", name="evaluated").focus()
        page.keyboard.press("Space")
        frame.get_by_role("checkbox", name="y logarithmic").check()
        state = """() => {
            const {_fullLayout: layout, _fullData: data} = document.getElementById("plot");
            return [layout.yaxis.type, layout.xaxis.type, data.map(({visible}) => visible)];
        }"""
        expected = ["log", "linear", [True, False, True]]
        assert frame.evaluate(state) == expected
        frame.evaluate("Plotly.relayout('plot', {'xaxis.range': [10, 20]})")
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        line = frame.locator(".scatterlayer path.js-line").first
        frame.wait_for_function(
            "wanted => getComputedStyle(document.body).backgroundColor === wanted", arg=css(BY_NAME["dark"].ground)
        )
        assert colour_of(line, "stroke") == css(BY_NAME["dark"].dimension("C"))
        assert frame.evaluate(state) == expected
        frame.get_by_role("button", name="Reset axes").click()
        low, high = frame.evaluate("document.getElementById('plot')._fullLayout.xaxis.range")
        assert low <= 1 and high >= 100
        with page.expect_download() as kept:
            frame.get_by_role("button", name="Download").click()
        assert Path(kept.value.path()).read_bytes().startswith(b"\x89PNG")
        assert complaints == []


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_picture_is_there_without_script_and_on_paper(open_plot: Callable[..., Any], theme: str) -> None:
    with open_plot(color_scheme=theme, java_script_enabled=False) as (page, _, _):
        assert page.locator(".cutaway-plot > *:visible").count() == 1
        assert page.locator(f".cutaway-plot-{theme}").is_visible()
    with open_plot(color_scheme=theme) as (page, _, _):
        play(page)
        page.emulate_media(media="print")
        assert page.locator(".cutaway-plot > *:visible").count() == 1
        assert page.locator(".cutaway-plot-light").is_visible()


@pytest.mark.browser
def test_a_telephone_has_room_for_the_frame_and_nothing_jumps(
    open_plot: Callable[..., Any], chromium: Browser, host: str
) -> None:
    with open_plot(width=360) as (page, _, _):
        frame = play(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert frame.locator(".nsewdrag").bounding_box()["width"] > 200
    visits = (weigh(chromium, f"{host}/folder/plots.html") for _ in range(3))  # a busy machine may paint before
    found = next((visit for visit in visits if visit.shift <= 0.02), None)  # the typeface is there
    assert found
    assert found.total < 105_000, found


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 360])
def test_a_short_logarithmic_axis_is_legible_and_has_more_ticks_when_zoomed_into(
    open_plot: Callable[..., Any], width: int
) -> None:
    texts = """() => [...document.querySelectorAll("#plot .xaxislayer-above .xtick text")].map(one => {
        const {left, right} = one.getBoundingClientRect();
        return [one.textContent, left, right];
    }).sort((one, other) => one[1] - other[1])"""
    with open_plot(width=width, name="short") as (page, _, complaints):
        frame = play(page)
        ticks = frame.evaluate(texts)
        assert [text for text, _, _ in ticks] == ["0.25", "0.5", "0.8", "1", "2", "4"]
        assert all(right < left for (_, _, right), (_, left, _) in pairwise(ticks))
        frame.evaluate("Plotly.relayout('plot', {'xaxis.range': [Math.log10(2.1), Math.log10(3.9)]})")
        wait_until(page, lambda: len(frame.evaluate(texts)) > 1)
        frame.get_by_role("button", name="Reset axes").click()
        wait_until(page, lambda: [text for text, _, _ in frame.evaluate(texts)] == [text for text, _, _ in ticks])
        frame.get_by_role("checkbox", name="x logarithmic").uncheck()
        wait_until(page, lambda: "0.25" not in [text for text, _, _ in frame.evaluate(texts)])
        assert complaints == []


@pytest.mark.browser
def test_the_frame_has_a_name_and_runs_nothing_but_its_scripts(open_plot: Callable[..., Any]) -> None:
    with open_plot() as (page, asked, complaints):
        frame = play(page)
        alt = page.locator(".cutaway-plot > img").first.get_attribute("alt")
        assert page.locator("iframe").get_attribute("title") == f"Plot to play with: {alt}"
        assert frame.get_by_role("group", name=alt).count() == 1
        before = len(asked)
        frame.evaluate(
            """() => {
                const script = document.createElement("script");
                script.textContent = "document.title = 'taken'";
                const image = Object.assign(new Image(), {src: "https://example.org/a.png"});
                document.body.append(script, image);
                return fetch("https://example.org/").catch(() => {});
            }"""
        )
        wait_until(page, lambda: len([text for text in complaints if text.startswith("against the policy")]) >= 3)
        assert frame.title() != "taken"
        assert len([text for text in complaints if text.startswith("against the policy")]) == 3
        assert [url for url in asked[before:] if "example" in url and not complaints] == []


def test_a_rebuild_that_runs_no_cell_publishes_the_same_files(
    build_book: BuildBook, book: Book, pages: Path
) -> None:
    def files() -> dict[str, bytes]:
        paths = [*book.folder.glob("_static/plotly/*"), *book.folder.glob("_images/plot-*")]
        paths.append(book.folder / "folder/plots.html")
        return {path.name: path.read_bytes() for path in paths}

    first = files()
    kinds = sorted(re.sub(r"-\w+", "", name) for name in first)
    assert kinds == ["frame.html", "frame.js", *["plot.svg"] * 4, "plotly.js", "plots.html"]
    assert all(name in first["frame.html"].decode() for name in first if name.endswith(".js"))
    shutil.rmtree(book.folder)
    shutil.rmtree(f"{book.folder}-doctrees")  # what the cells gave is kept elsewhere
    again = build_book(pages, book.folder, "-W", "--keep-going")
    assert again.returncode == 0, again.warnings
    assert "Executing notebook" not in again.log
    assert files() == first


def test_a_site_without_such_a_plot_carries_no_plotly(mini_book: Book) -> None:
    assert not list(mini_book.folder.glob("_static/plotly/*"))


def test_plotly_that_is_missing_is_told_and_the_page_keeps_its_picture(
    build_book: BuildBook, book: Book, pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plotly").mkdir()
    (tmp_path / "plotly/__init__.py").touch()  # found first, and without the script
    with monkeypatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        with pytest.raises(ModuleNotFoundError, match="pip install plotly"):
            interactive(*SERIES, **NAMED)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parents[1] / 'ext'}")
    built = build_book(pages, tmp_path / "html", "-d", f"{book.folder}-doctrees")
    wanted = r"folder/plots\.md:\d+: WARNING: the plot is a picture only: .* \[cutaway\.plotly\]"
    assert re.search(wanted, built.warnings), built.warnings
    assert built.page("folder/plots").select(".cutaway-plot > img")
