"""The format as docs/recording.md describes it: the page's own example, drawn; and what a small scene becomes."""

import tests.clip_book  # isort: skip # noqa: F401 - imports Manim quietly, before anything else does

import json
import re
from pathlib import Path

import manim as m
import numpy as np
import pytest

from cutaway.clips.format.contents import contents_of
from cutaway.clips.format.script import read_script, script_of
from cutaway.clips.raster.painter import Painter
from cutaway.clips.raster.shots import shots as every_shot
from cutaway.clips.scene.manim_recorder import record
from cutaway.clips.scene.scene import RecordedScene, Tag
from cutaway.theme.paints import entries
from cutaway.theme.palette import DARK, LIGHT, mix, rgb

PAGE = Path(__file__).parents[1] / "docs/recording.md"
SIZE = (192, 108)


def taken(scene_class, tmp_path, fps=10):
    settings = {"media_dir": str(tmp_path), "frame_rate": fps, "pixel_width": 1920, "pixel_height": 1080}
    quiet = {"disable_caching": True, "verbosity": "ERROR", "progress_bar": "none"}
    with m.tempconfig({**settings, **quiet, "background_color": DARK.ground}):
        return record(scene_class, fps)


def colour(text):
    return [round(255 * part) for part in rgb(text)]


def seen(pixels, x, y):
    return [int(part) for part in pixels[y, x, :3]]


@pytest.fixture(scope="module")
def example():
    return json.loads(re.search(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)[1])


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_the_page_s_example_is_what_the_page_says(example, theme):
    painter = Painter(example, theme)
    for frame, weight in enumerate([0, 0.1667, 0.5, 0.8333]):
        pixels = painter.pixels(frame, SIZE)
        left = round((2000 + weight * 13600) / 100)
        faded = mix(theme.ground, theme.accent, 1 - weight / 2)
        assert seen(pixels, left + 8, 50) == pytest.approx(colour(faded), abs=2)
        for x in (left - 2, left + 18):
            assert seen(pixels, x, 50) == colour(theme.ground)


def test_every_key_of_the_page_is_in_a_recording_and_no_other(example, tmp_path):
    class Empty(m.Scene):
        def construct(self):
            self.wait(0.1)

    cells = re.findall(r"^\| (`.*?) \|", PAGE.read_text(), re.M)
    described = {key for cell in cells for key in re.findall(r"`(\w+)`", cell)}
    recorded = set(taken(Empty, tmp_path))
    assert recorded == set(example) == described


class Slide(RecordedScene):
    def construct(self):
        square = m.Square(2, stroke_width=0, fill_opacity=1, fill_color=self.theme.weight(0.3)).shift(3 * m.LEFT)
        square.cutaway_tag = Tag("scores", "0, 1", "0.5")
        self.next_section("First half")
        self.wait(0.5)
        self.next_section("Second half", "poster")
        self.play(square.animate.shift(6 * m.RIGHT).set_fill(self.theme.accent), run_time=1, subcaption="It slides.")
        self.next_section("Second half")
        self.play(m.Rotate(square, m.PI / 3), run_time=0.5)
        self.wait(0.5)


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    return taken(Slide, tmp_path_factory.mktemp("slide"))


def test_one_movement_is_one_span_and_one_path(slide):
    (spans, tag, cell) = slide["objects"][0]
    assert [len(span) for span in spans[:2]] == [4, 4]
    assert spans[0][0] == 5  # hidden in the first half: nothing is there before it is played
    assert len(slide["paths"]) == 1  # turned by a matrix
    assert slide["tags"][tag] == ["scores", [["0, 1", "0.5"]]]
    assert cell == 0


def test_colours_are_names_and_their_twins_are_drawn(slide):
    assert "ground" in slide["paints"] and "accent" in slide["paints"]
    assert not [paint for paint in slide["paints"] if str(paint).startswith("#")]
    for theme in (DARK, LIGHT):
        painter = Painter(slide, theme)
        assert seen(painter.pixels(5, SIZE), 56, 54) == pytest.approx(colour(theme.weight(0.3)), abs=2)
        assert seen(painter.pixels(24, SIZE), 136, 54) == pytest.approx(colour(theme.accent), abs=1)


def test_contents_name_sections_captions_poster_and_tags(slide):
    contents = contents_of(slide)
    assert [(s["name"], s["slug"], s["start"]) for s in contents["sections"]] == [
        ("First half", "first-half", 0),
        ("Second half", "second-half", 5),
        ("Second half", "second-half-2", 15),
    ]
    assert [s["captions"] for s in contents["sections"]] == [[], ["It slides."], []]
    assert (contents["frames"], contents["poster"], contents["tags"]) == (25, 1, {"scores": 1})


def test_a_script_gives_its_recording_back(slide):
    odd = {**slide, "captions": [[0, 1, "a 'quoted' \\ and \u2028 line"]]}
    script = script_of(odd)
    assert read_script(script) == odd
    assert "\u2028" not in script and script.count("\n") == 1


def test_a_tag_that_changes_is_another_object_in_the_same_place(tmp_path):
    class Retagged(RecordedScene):
        def construct(self):
            square = m.Square(2, fill_opacity=1, color=self.theme.ink)
            square.cutaway_tag = Tag("before")
            self.add(square, m.Dot(color=self.theme.accent))
            self.wait(0.5)
            square.cutaway_tag = Tag("after")
            self.wait(0.5)

    recording = taken(Retagged, tmp_path)
    tags = [recording["tags"][tag[0]][0] if tag else "" for _, *tag in recording["objects"]]
    assert sorted(tags) == ["", "after", "before"] and tags[-1] == ""  # the dot stays in front
    assert contents_of(recording)["tags"] == {"before": 0, "after": 0}
    one, two = Painter(recording, DARK).pixels(4, SIZE), Painter(recording, DARK).pixels(5, SIZE)
    np.testing.assert_array_equal(one, two)


def test_a_camera_that_comes_near_finds_finer_outlines(tmp_path):
    class Near(m.MovingCameraScene):
        def construct(self):
            self.add(m.Circle(0.1))
            self.play(self.camera.frame.animate.set(width=1), run_time=0.3)
            self.wait(0.1)

    recording = taken(Near, tmp_path)
    assert recording["views"][0] == [9600, 5400, 19200]
    assert recording["views"][-1][2] == pytest.approx(19200 / 14.222, rel=1e-3)
    assert any("." in path for path in recording["paths"])


def test_shots_merge_what_stands_still(slide):
    shots = list(every_shot(Painter(slide, DARK), SIZE, 10))
    assert sum(shot.lasts for shot in shots) == slide["frames"]
    assert shots[0].lasts == 5 and shots[-1].lasts >= 5
    frames = [shot.pixels for shot in shots for _ in range(shot.lasts)]
    for number in range(0, slide["frames"], 3):
        np.testing.assert_array_equal(frames[number], Painter(slide, DARK).pixels(number, SIZE))


def test_every_name_of_a_paint_is_a_palette_entry(slide):
    assert {paint for paint in slide["paints"] if isinstance(paint, str)} <= set(entries(DARK))
