"""An author's own letters: their colours are read and told apart, and reach prose, listings and scenes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT, SPHINX
from hypothesis import given
from hypothesis import strategies as st

from cutaway.theme import dimensions, palette
from cutaway.theme.dimensions import DimensionError, adopt, oklab
from cutaway.theme.palette import BY_NAME, contrast

LETTERS = st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
OURS = {"N": "rows", "E": ("experts", "#0b6a99", "#5cc8f5"), "K": "chosen"}


@pytest.fixture(autouse=True)
def back() -> Iterator[None]:
    yield
    adopt({})


@given(st.dictionaries(LETTERS, st.text(max_size=9), max_size=6))
def test_chosen_colours_are_read_and_are_nobody_else_s(names: dict[str, str]) -> None:
    adopt(names)
    assert set(names) <= set(palette.DIMENSIONS)
    for theme in BY_NAME.values():
        shown = {letter: theme.dimension(letter) for letter in palette.DIMENSIONS}
        assert len(set(shown.values())) == len(shown)
        assert all(contrast(colour, theme.panel) >= 4.5 for colour in shown.values())


def test_a_few_letters_are_as_far_apart_as_those_built_in() -> None:
    def least() -> float:
        pairs = [
            sum((a - b) ** 2 for a, b in zip(oklab(theme.dimension(one)), oklab(theme.dimension(other)), strict=True))
            for theme in BY_NAME.values()
            for one in palette.DIMENSIONS
            for other in palette.DIMENSIONS
            if one < other
        ]
        return min(pairs) ** 0.5

    built_in = least()
    adopt({"N": "rows", "E": "experts"})
    assert least() >= 0.6 * built_in


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"NN": "rows"}, "one capital letter"),
        ({"n": "rows"}, "one capital letter"),
        ({"N": 5}, 'write a name, or ("name", "#rrggbb", "#rrggbb")'),
        ({"N": ("rows", "#123456")}, "for light pages and for dark"),
        ({"N": ("rows", "red", "#5cc8f5")}, "'red' is no colour"),
        ({"N": ("rows", "#ffff00", "#5cc8f5")}, "has a contrast of 1.0 on light panels"),
    ],
)
def test_bad_letters_say_what_to_write(setting: dict[str, object], said: str) -> None:
    with pytest.raises(DimensionError) as found:
        adopt(setting)
    assert said in str(found.value)
    assert f"cutaway_dimensions[{next(iter(setting))!r}]" in str(found.value)


def test_another_process_adopts_what_this_one_has() -> None:
    adopt(OURS)
    there = "import json, sys; from cutaway.theme import dimensions, palette\n"
    there += "dimensions.adopt(json.load(sys.stdin)); print(palette.css())"
    done = subprocess.run(
        [sys.executable, "-c", there], input=json.dumps(dimensions.plain()), capture_output=True, text=True, check=True
    )
    assert done.stdout.rstrip() == palette.css().rstrip()
    assert "--cutaway-dim-E: #5cc8f5;" in done.stdout


def test_an_unknown_letter_names_the_setting() -> None:
    with pytest.raises(KeyError, match="cutaway_dimensions"):
        palette.DARK.dimension("N")


SCENE = """
from manim import Square
from cutaway.clips.scene.scene import RecordedScene


class Rows(RecordedScene):
    def construct(self):
        self.add(Square(color=self.theme.dimension("R"), fill_opacity=1))
        self.wait(1)
"""


@pytest.mark.slow
def test_a_letter_reaches_prose_listings_clips_and_cards(tmp_path: Path) -> None:
    (tmp_path / "src").symlink_to(ROOT / "tests/foreign/src")
    (tmp_path / "runs.py").write_bytes((ROOT / "tests/foreign/runs.py").read_bytes())
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes/mixing.py").write_text(SCENE, "utf-8")
    conf = 'extensions = ["cutaway", "cutaway.cards"]\ncutaway_sources = {"mixer": ["src/mixer"]}\n'
    conf += 'exclude_patterns = ["src", "_build"]\ncutaway_dimensions = {"R": ("rows", "#7a3e00", "#ffd9a0")}\n'
    (tmp_path / "conf.py").write_text(conf, "utf-8")
    page = (ROOT / "tests/foreign/index.rst").read_text("utf-8")
    clip = "\n.. clip:: mixing.Rows\n   :run: mix\n   :alt: A square.\n   :name: rows\n\nMany :dim:`R`.\n"
    (tmp_path / "index.rst").write_text(page + clip, "utf-8")
    env = {**os.environ, "CUTAWAY_STORE": str(tmp_path / "store")}
    command = [*SPHINX, "-n", "-W", "-q", str(tmp_path), str(tmp_path / "_build")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    html = BeautifulSoup((tmp_path / "_build/index.html").read_text("utf-8"), "html.parser")
    assert html.select_one(".cutaway-listing .cutaway-dim-R")
    assert html.select_one("p .cutaway-dim-R")
    [sheet] = (tmp_path / "_build/_static").glob("cutaway-*.css")
    assert "--cutaway-dim-R: #ffd9a0;" in sheet.read_text("utf-8")
    [recording] = (tmp_path / "_build").rglob("clip-*.js")
    assert "dim-R" in recording.read_text("utf-8")
    assert (tmp_path / "_build/s/mix-step/card.png").is_file()
