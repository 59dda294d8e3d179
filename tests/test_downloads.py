"""A clip's MP4 and GIF: what they show and where they stand, that they are made once, what is said where they can't."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import av
import pytest
from bs4 import BeautifulSoup, Tag
from PIL import Image
from playwright.sync_api import Browser
from test_clip import CONF

from cutaway.clips.format.script import script_of
from cutaway.clips.raster.film import write
from tests.clip_book import write_book

pytestmark = pytest.mark.slow

SQUARE = {  # slides to the right for two seconds, then rests for one
    "format": 2, "fps": 10, "frames": 30, "size": [19200, 10800], "background": 0,
    "paints": ["ground", "accent"], "paths": ["M0 0l1600 0l0 1600l-1600 0z"], "styles": [[[1, 1]]],
    "states": [[0, 2000, 4600, 0], [0, 15600, 4600, 0]], "curves": [[i * 500 for i in range(21)]],
    "objects": [[[[0, 0, 1, 0], [20, 1]], 0, 0]], "views": [], "camera": [],
    "eyes": [], "turns": [], "sections": [[0, "Slide", "slide"]],
    "captions": [], "tags": [], "poster": 29,
}  # fmt: skip
PAGE = """# Clips

:::{clip} some.Plain
:alt: A box appears.
:name: clip-plain
:download: gif mp4

Its caption.
:::

:::{clip} some.Filmed
:alt: An image.
:download: mp4
:::

:::{clip} some.Plain
:alt: The same without files.
:::
"""


# One file


def test_a_film_shows_the_recording(tmp_path: Path) -> None:
    source = tmp_path / "square.js"
    source.write_text(script_of(SQUARE), "utf-8")
    write(source, tmp_path / "a.mp4", "mp4", (160, 90))
    with av.open(str(tmp_path / "a.mp4")) as film:
        video = film.streams.video[0]
        assert (video.width, video.height) == (160, 90)
        assert film.duration / av.time_base == pytest.approx(3, abs=0.11)
        pictures = [frame.to_ndarray(format="gray") for frame in film.decode(video)]
    first, last = (picture.astype(int) for picture in (pictures[0], pictures[-1]))
    assert abs(first[45, 22] - first[45, 137]) > 40  # the square is on the left, then on the right
    assert abs(last[45, 137] - first[45, 22]) < 12


def test_a_gif_plays_for_ever_and_no_two_makings_differ(tmp_path: Path) -> None:
    source = tmp_path / "square.js"
    source.write_text(script_of(SQUARE), "utf-8")
    for kind, times in (("mp4", 40), ("gif", 2)):  # with AVX-512, x264 made one in thirty otherwise
        found = set()
        for _ in range(times):
            write(source, tmp_path / f"a.{kind}", kind, (160, 90))
            found.add((tmp_path / f"a.{kind}").read_bytes())
        assert len(found) == 1
    with Image.open(tmp_path / "a.gif") as image:
        assert image.n_frames > 10 and image.info["loop"] == 0  # type: ignore[attr-defined]
        assert image.height == 480


# A book


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("downloads") / "book"
    write_book(folder)
    (folder / "conf.py").write_text(CONF)
    (folder / "index.md").write_text(PAGE)
    return folder


def build(folder: Path, *options: str, without: Path | None = None) -> tuple[Path, str]:
    """Build; returns the output folder and everything that was said. ``without`` comes first in Python's path."""
    out = folder.parent / "html"
    path = os.pathsep.join(part for part in (str(without or ""), *sys.path) if part)
    environment = {name: value for name, value in os.environ.items() if name != "CUTAWAY_STORE"}
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-d", str(folder.parent / "doctrees"), *options]
    done = subprocess.run(
        [*command, str(folder), str(out)], capture_output=True, text=True, timeout=300, check=False,
        env={**environment, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return out, done.stdout + done.stderr


@pytest.fixture(scope="module")
def html(folder: Path) -> tuple[Path, str]:
    return build(folder, "-j2", "-W")


def lines(out: Path) -> list[Tag | None]:
    """For each clip of the page the line with its files."""
    page = BeautifulSoup((out / "index.html").read_text("utf-8"), "html.parser")
    return [figure.select_one(".cutaway-clip-files") for figure in page.select("figure.cutaway-clip")]


def contents(out: Path) -> dict[Path, bytes]:
    """The files that the page offers."""
    found = [out / link["href"] for line in lines(out) if line for link in line.select("a")]
    return {path: path.read_bytes() for path in found}


def test_the_page_offers_files_with_their_sizes(html: tuple[Path, str]) -> None:
    both, film, none = lines(html[0])
    assert none is None
    assert re.fullmatch(r"Download: MP4 \(\d+ KB\) · GIF \(\d+ KB\)", both.text.strip())
    assert [link["download"] for link in both.select("a")] == ["some.Plain.mp4", "some.Plain.gif"]
    for link in both.select("a"):
        path = html[0] / link["href"]
        told = re.search(r"\((\d+) KB\)", str(link.next_sibling))
        assert abs(path.stat().st_size / 1000 - int(told[1])) <= 1
    with av.open(str(html[0] / both.a["href"])) as made:
        assert (made.streams.video[0].width, made.streams.video[0].height) == (160, 90)
        assert made.duration / av.time_base == pytest.approx(3, abs=0.11)
    assert (html[0] / film.a["href"]).read_bytes()[4:8] == b"ftyp"  # of a film it is the film


def test_a_second_build_makes_nothing(folder: Path, html: tuple[Path, str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in contents(html[0])}
    _, said = build(folder, "-j2", "-W")
    assert "to download" in html[1] and "to download" not in said
    assert "no targets are out of date" in said
    assert {path: path.stat().st_mtime_ns for path in contents(html[0])} == before


def test_what_was_deleted_comes_back_from_the_store(folder: Path, html: tuple[Path, str]) -> None:
    before = contents(html[0])
    for path in before:
        path.unlink()
    _, said = build(folder, "-W")
    assert "to download" not in said
    assert contents(html[0]) == before


def test_a_store_that_lost_or_spoiled_them_gets_the_same_bytes(folder: Path, html: tuple[Path, str]) -> None:
    before = {path.name: path.read_bytes() for path in (folder / "store/download").iterdir()}
    one, *_ = (path for path in (folder / "store/download").iterdir() if path.suffix == ".gif")
    one.write_bytes(one.read_bytes()[:-100])
    two, *_ = (path for path in (folder / "store/download").iterdir() if path.suffix == ".mp4")
    two.unlink()
    _, said = build(folder, "-W")
    assert "2 files of clips to download are made" in said
    assert {path.name: path.read_bytes() for path in (folder / "store/download").iterdir()} == before


def test_an_encoder_that_fails_is_a_warning_with_its_place(
    folder: Path, html: tuple[Path, str], tmp_path: Path
) -> None:
    """The page goes without; when the encoder works again, it has them."""
    before = contents(html[0])
    (tmp_path / "av.py").write_text("raise ImportError('no codec')")
    shutil.rmtree(folder / "store/download")
    _, said = build(folder, "-E", without=tmp_path)
    for line, scene, kind in ((3, "Plain", "mp4"), (3, "Plain", "gif"), (11, "Filmed", "mp4")):
        place = f"index.md:{line}: WARNING: clip some.{scene}: no {kind} of it could be made: ImportError: no codec"
        assert place in said, said
    assert lines(html[0]) == [None, None, None]
    build(folder, "-W")
    assert contents(html[0]) == before


def test_a_kind_that_there_is_not_is_named(folder: Path, html: tuple[Path, str], tmp_path: Path) -> None:
    book = tmp_path / "book"
    shutil.copytree(folder, book)
    (book / "index.md").write_text(PAGE.replace("gif mp4", "avi mp4"))
    out, said = build(book)
    assert "index.md:3: WARNING: :download: avi: no such kind of file; there is mp4, gif, webp [cutaway.clip]" in said
    assert lines(out)[0].text.startswith("Download: MP4")


def test_a_draft_goes_without(folder: Path, html: tuple[Path, str], tmp_path: Path) -> None:
    book = tmp_path / "book"
    shutil.copytree(folder, book, ignore=shutil.ignore_patterns("download"))
    out, said = build(book, "-D", "cutaway_draft=1")
    assert "to download" not in said
    assert lines(out) == [None, None, None]


def test_a_share_of_a_build_makes_them_for_the_others(folder: Path, html: tuple[Path, str], tmp_path: Path) -> None:
    """``nox -s docs -- --shard`` fills the store and writes no page."""
    book = tmp_path / "book"
    shutil.copytree(folder, book, ignore=shutil.ignore_patterns("download"))
    _, said = build(book, "-b", "clips", "-W")
    assert "3 files of clips to download are made" in said
    made = {path.name: path.read_bytes() for path in (book / "store/download").iterdir()}
    assert made == {path.name: path.read_bytes() for path in (folder / "store/download").iterdir()}


@pytest.mark.browser
def test_paper_does_not_offer_files(html: tuple[Path, str], chromium: Browser) -> None:
    page = chromium.new_page(viewport={"width": 360, "height": 800})
    page.goto((html[0] / "index.html").as_uri())
    line = page.locator(".cutaway-clip-files").first
    assert line.is_visible()
    box = line.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 360
    page.emulate_media(media="print")
    assert not line.is_visible()
    page.close()
