"""Every clip says what it shows, keeps its place, and starts only when asked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from built_site import texts

pytestmark = pytest.mark.site
SHORTEST, LONGEST = 20, 250  # characters: less says nothing, more is a text that belongs under the clip


def clips(site: Path, markup: Callable[[str], BeautifulSoup]) -> list[tuple[str, Tag]]:
    """Each clip of the site, with "page#id"."""
    return [
        (f"{name}#{figure.get('id')}", figure)
        for name, html in texts(site)
        if not name.startswith("s/") and "cutaway-clip" in html
        for figure in markup(name).select("figure.cutaway-clip")
    ]


def untold(figure: Tag) -> list[str]:
    """What a clip fails to say."""
    stage = figure.select_one(".cutaway-clip-stage")
    if stage is None:
        return ["no stage"]
    missing = []
    canvas, films = stage.select_one("canvas"), stage.select("video")
    posters = [image for image in stage.select("img") if image.get("width") and image.get("height")]
    for label in {str(shown.get("aria-label", "")) for shown in [*films, *([canvas] if canvas else [])]} or {""}:
        if not SHORTEST <= len(label) <= LONGEST or " " not in label:
            missing.append(f"a label of {SHORTEST} to {LONGEST} characters; it has {label!r}")
    missing += [] if posters else ["a poster with width and height"]
    missing += ["alt text on each picture"] if any(not image.get("alt") for image in figure.select("img")) else []
    if canvas and not figure.select_one('.cutaway-clip-bar[role="group"][aria-label] button[aria-label]'):
        missing.append("controls")
    for film in films:
        wanted = ("controls", "poster", "width", "height")
        missing += [f"{name} of the film" for name in wanted if not film.has_attr(name)]
    missing += ["no autoplay"] if any(film.has_attr("autoplay") for film in films) else []
    missing += [] if figure.select("ol.cutaway-clip-sections > li[id] a") else ["sections in words"]
    missing += [] if figure.get("id") else ["an id"]
    return missing


def test_every_clip_says_what_it_shows(site: Path, markup: Callable[[str], BeautifulSoup]) -> None:
    found = clips(site, markup)
    assert found, "the site has no clips"
    wanting = {place: missing for place, figure in found if (missing := untold(figure))}
    assert wanting == {}


def test_every_section_of_a_clip_is_told(site: Path, markup: Callable[[str], BeautifulSoup]) -> None:
    """Whoever sees no picture reads what happens: each section but a silent first one has words."""
    silent = {
        place: names
        for place, figure in clips(site, markup)
        if (names := [str(item["id"]) for item in figure.select(".cutaway-clip-sections > li") if not item.select("p")])
    }
    assert silent == {}


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_nothing_plays_by_itself(
    motion: str, site: Path, markup: Callable[[str], BeautifulSoup], reader: Callable[..., Any]
) -> None:
    """On the page with the most clips, in sight; where motion is to be reduced, asking steps instead of playing."""
    names = [place.partition("#")[0] for place, _ in clips(site, markup)]
    with reader(max(set(names), key=names.count), reduced_motion=motion) as page:
        for clip in page.locator("figure.cutaway-clip").all():
            clip.scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        assert page.locator('.cutaway-clip-toggle[aria-pressed="true"]').count() == 0
        assert page.evaluate("[...document.querySelectorAll('video')].every(film => film.paused)")
        moving = "document.getAnimations().filter(a => a.playState === 'running').length"
        assert motion != "reduce" or page.evaluate(moving) == 0


def test_the_code_beside_a_clip_is_the_source(site: Path, markup: Callable[[str], BeautifulSoup]) -> None:
    """Each line stands in a file of the source, and each step that is marked in it has its note and its link."""
    root = Path(__file__).resolve().parents[2]
    paths = [path for folder in ("model_src", "docs", "ext") for path in root.joinpath(folder).rglob("*.py")]
    files = [path.read_text("utf-8") for path in paths]
    source = {" ".join(line.split()) for text in files for line in text.splitlines()}
    shown = 0
    for place, figure in clips(site, markup):
        links = json.loads(str(figure.get("data-links", "{}")))
        marked = {str(mark["data-step"]) for mark in figure.select(".cutaway-clip-code .cutaway-quote")}
        noted = {str(note["data-step"]) for note in figure.select(".cutaway-clip-code p")}
        assert marked <= noted <= set(links), place
        for line in figure.select(".cutaway-clip-code code"):
            lost = [row for row in line.get_text().splitlines() if " ".join(row.split()) not in source]
            assert not lost, f"{place}: {lost}"
            shown += 1
    assert shown > 50
