"""A clip outside the book: films, animated pictures and frames of a scene that no build has drawn."""

from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from cutaway.clips.export import ClipError, _run_on_page, frame_at, in_quality, render_one
from cutaway.settings import Book

SCENES = """
from manim import RIGHT, Circle, Scene, Square


class Moves(Scene):
    def construct(self):
        behind = Circle(3, color="#00ff00", fill_opacity=1)
        self.add(behind)
        self.play(Square(2, color="#ff0000", fill_opacity=1).animate.shift(2 * RIGHT), run_time=0.5)
        self.wait(1.5)
"""
PAGES = {
    "one": ":::{clip} some.First\n:run: small\n:name: clip-first\n:alt: A.\n:::\n",
    "two": "Text.\n\n```{clip} some.Second\n:name: clip-second\n:run:  large\n```\n\n:::{clip} some.Third\n:::\n",
}


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Book:
    folder = tmp_path_factory.mktemp("book")
    (folder / "scenes").mkdir()
    (folder / "scenes/small.py").write_text(SCENES, "utf-8")
    (folder / "runs.py").write_text("", "utf-8")
    (folder / "conf.py").write_text('extensions = ["cutaway"]\ncutaway_sources = {}\n', "utf-8")
    return Book.read(folder)


@pytest.mark.parametrize("kind", ["mp4", "gif", "webp", "png"])
def test_a_scene_as_a_file(book: Book, tmp_path: Path, kind: str) -> None:
    path = render_one(book, "small.Moves", tmp_path / f"clip.{kind}", kind)
    if kind == "mp4":
        with av.open(str(path)) as film:
            stream = film.streams.video[0]
            assert (stream.width, stream.height) == book.clip_size
            assert float(stream.duration * stream.time_base) == pytest.approx(2, abs=0.01)
        return
    with Image.open(path) as picture:
        assert picture.format == kind.upper()
        assert getattr(picture, "n_frames", 1) > 5 or kind == "png"


def test_a_film_in_another_quality(book: Book, tmp_path: Path) -> None:
    sharp = in_quality(book, "1080p60")
    film = render_one(sharp, "small.Moves", tmp_path / "clip.mp4", "mp4")
    with av.open(str(film)) as opened:
        stream = opened.streams.video[0]
        assert (stream.width, stream.height) == (1920, 1080)
        moments = [float(frame.pts * frame.time_base) for frame in opened.decode(video=0)]
    moving = np.diff([moment for moment in moments if moment < 0.45])
    assert moving == pytest.approx(1 / 60, abs=1e-4)
    assert len(moving) > 20


@pytest.mark.parametrize("quality", ["1080", "p60", "1081p60", "9999p60", "1080p0", "1080p999", "720p30 "])
def test_no_such_quality(book: Book, quality: str) -> None:
    with pytest.raises(ClipError, match=f"'{quality}' is no quality; write the height in pixels"):
        in_quality(book, quality)


def test_any_frame_is_what_the_film_shows(book: Book, tmp_path: Path) -> None:
    film = render_one(book, "small.Moves", tmp_path / "clip.mp4", "mp4")
    frame = frame_at(book, "small.Moves", "0.2s", tmp_path / "frame.png")
    with av.open(str(film)) as opened:
        shown = {round(float(f.pts * f.time_base) * 30): f.to_ndarray(format="rgb24") for f in opened.decode(video=0)}
    with Image.open(frame) as picture:
        difference = np.abs(np.asarray(picture.convert("RGB")).astype(int) - shown[6])
    assert difference.mean() < 1.5  # what the codec loses, and the colours that lie beside each other
    assert np.abs(shown[6].astype(int) - shown[0]).mean() > 3


def test_no_such_moment_or_scene(book: Book, tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="frames 0 to 59"):
        frame_at(book, "small.Moves", "60", tmp_path / "frame.png")
    with pytest.raises(ClipError, match="no run 'sort'"):
        render_one(book, "small.Moves", tmp_path / "clip.png", "png", run="sort")
    assert not list(tmp_path.iterdir())


def test_before_the_first_build_the_page_knows_the_run(tmp_path: Path) -> None:
    for name, text in PAGES.items():
        (tmp_path / f"{name}.md").write_text(text, "utf-8")
    pages = SimpleNamespace(confdir=tmp_path)
    found = [_run_on_page(pages, f"some.{name}") for name in ("First", "Second", "Third", "Fourth")]
    assert found == ["small", "large", None, None]


RUNS = """
from cutaway import Run


class One(Run):
    def trace(self, weights, record):
        with record("forward"):
            pass
        record.fact(size=1)


class Two(Run):
    def trace(self, weights, record):
        with record("forward"):
            pass
        record.fact(size=2)


class Three(Run):
    def trace(self, weights, record):
        raise RuntimeError("nobody asked for this run")
"""
READS = """
from manim import Square

from cutaway import RecordedScene


class Reads(RecordedScene):
    def construct(self):
        self.add(Square(self.fact("one.size") + self.fact("two.size")))
        self.wait(1)
"""


def test_a_scene_may_read_other_runs_than_its_own(tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes/reads.py").write_text(READS, "utf-8")
    (tmp_path / "runs.py").write_text(RUNS, "utf-8")
    (tmp_path / "conf.py").write_text('extensions = ["cutaway"]\n', "utf-8")
    assert frame_at(Book.read(tmp_path), "reads.Reads", "0s", tmp_path / "frame.png", run="one").is_file()
