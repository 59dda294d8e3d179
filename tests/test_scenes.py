"""The book's clips, run without drawing: one idea, short, legible on a phone, nothing on top of anything."""

import tests.clip_book  # isort: skip # noqa: F401 - imports Manim quietly, before anything else does

import importlib
import inspect
import re
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from manim import Rectangle, Scene, Text, tempconfig

from cutaway import runs
from cutaway.clips.scene.fast_copy import copy_fast
from cutaway.clips.scene.scene import Reading
from cutaway.settings import Book, places_of_last_build
from cutaway.theme import paints
from cutaway.theme.palette import DARK
from cutaway.trace.names import Names
from cutaway.trace.reading import load
from scenes import kit
from tests.conftest import ROOT

pytestmark = pytest.mark.stages

SCENES = Path(kit.__file__).parent
PHONE_CSS_PX = 360
SMALLEST_CSS_PX = 11
LONGEST_S, LONGEST_LINES, MOST_MOVING = 20, 60, 3
LONGER_S = {"changes.Whole": 40}  # goes through a whole model and into five of its parts


def book_scenes():
    for path in sorted(SCENES.glob("*.py")):
        module = importlib.import_module(f"scenes.{path.stem}")
        for name, found in inspect.getmembers(module, inspect.isclass):
            if found.__module__ == module.__name__ and issubclass(found, Scene) and "construct" in vars(found):
                yield pytest.param(found, id=f"{path.stem}.{name}")


@pytest.fixture(scope="session")
def names(tmp_path_factory):
    """The recorded runs and the steps of the book, as a build gives them to its scenes."""
    book = Book.read(ROOT / "docs")
    traces = {name: load(Path(found.trace)) for name, found in runs.ensure(book, lambda line: None).items()}
    steps = places_of_last_build(book)
    if not steps:
        folder = tmp_path_factory.mktemp("steps")
        command = [sys.executable, "-m", "sphinx", "-b", "dummy", "-d", str(folder / "doctrees")]
        subprocess.run([*command, str(ROOT / "docs"), str(folder / "out")], check=True, timeout=300)
        steps = places_of_last_build(book)
    return Names(traces, steps, "sort")


RUN_OF_CLIP = re.compile(r"^:+\{clip\} (\S+)\n:run: (\w+)", re.M)
RUNS = {clip: run for page in (ROOT / "docs").rglob("*.md") for clip, run in RUN_OF_CLIP.findall(page.read_text())}


def watched(scene_class):
    """The scene with its beats looked at: its ``plays`` and, at each rest, the visible texts and the numbers tagged."""

    class Watched(scene_class):
        def setup(self):
            super().setup()
            self.plays, self.rests, self.tagged = [], [], []

        def play(self, *animations, **options):
            self.plays.append((len(animations), options.get("run_time", 1.0)))
            super().play(*animations, **options)

        def wait(self, duration=1.0, **options):
            seen = [m for top in self.mobjects for m in top.get_family()]
            self.rests.append([self.as_seen(m) for m in seen if isinstance(m, Text | kit.Digits)])
            self.tagged.append([m.copy() for m in seen if isinstance(m, Text | Rectangle) and is_number(m)])
            super().wait(duration, **options)

        def as_seen(self, text):
            """A copy where the text is seen: what stands in space is projected."""
            copy = text.copy()
            if text.shade_in_3d:
                at = text.get_center()
                copy.shift(self.camera.transform_points_pre_display(text, at[None])[0] - at)
            return copy

    return Watched


def is_number(mobject):
    return bool(getattr(mobject, "cutaway_tag", None) and mobject.cutaway_tag.value)


@pytest.fixture(scope="module", params=list(book_scenes()))
def performed(request, names, tmp_path_factory):
    copy_fast()
    scene_class = watched(request.param)
    run = RUNS[f"{request.param.__module__.removeprefix('scenes.')}.{request.param.__name__}"]
    scene_class.reading, scene_class.theme = Reading(Names(names.traces, names.steps, run)), DARK
    folder = tmp_path_factory.mktemp("media")
    settings = {"media_dir": str(folder), "dry_run": True, "verbosity": "ERROR", "progress_bar": "none"}
    with tempconfig(settings):
        scene = scene_class(skip_animations=True)
        scene.render()
        yield request.param, scene


def test_every_tag_names_something_and_there_is_one(performed):
    _, scene = performed
    assert not scene.reading.notices
    assert any(name.startswith("tag ") for name in scene.reading.reads)


def test_one_idea_told_briefly(performed):
    scene_class, scene = performed
    assert scene_class.__doc__
    assert len(inspect.getsource(scene_class.construct).splitlines()) <= LONGEST_LINES
    name = f"{scene_class.__module__.removeprefix('scenes.')}.{scene_class.__name__}"
    assert scene.renderer.time <= LONGER_S.get(name, LONGEST_S)


def test_beats_are_calm(performed):
    _, scene = performed
    assert max(count for count, _ in scene.plays) <= MOST_MOVING
    assert all(0.3 <= seconds <= 2 for _, seconds in scene.plays)
    assert len(scene.rests) >= 2


def type_px(text):
    """Height of the line of type in pixels of the stage, measured on the outlines, upright text included."""
    weight = getattr(text, "weight", "NORMAL")
    fresh = Text(text.text.strip(), font=text.font, weight=weight, font_size=kit.SMALL * kit.FONT_UNITS)
    return kit.SMALL * outline(text) / outline(fresh)


def outline(text):
    return sum(
        np.linalg.norm(np.diff(glyph.points, axis=0), axis=1).sum() for glyph in text.family_members_with_points()
    )


def test_every_text_is_legible_at_phone_width(performed):
    _, scene = performed
    assert all(scene.rests) or not any(scene.rests)  # the tutorial's has no words
    sizes = {(text.text, round(text.height, 4)): text for texts in scene.rests for text in texts}
    for text in sizes.values():
        assert type_px(text) * PHONE_CSS_PX / kit.STAGE[0] >= SMALLEST_CSS_PX, text.text


def box(text):
    (left, bottom, _), (right, top, _) = text.get_corner((-1, -1, 0)), text.get_corner((1, 1, 0))
    return left, bottom, right, top


def test_texts_stay_on_the_stage_and_off_each_other(performed):
    _, scene = performed
    (left, top, _), (right, bottom, _) = kit.at(16, 16), kit.at(kit.STAGE[0] - 16, kit.STAGE[1] - 16)
    for texts in scene.rests:
        boxes = [(text.text, box(text)) for text in texts]
        for text, (x0, y0, x1, y1) in boxes:
            assert left <= x0 and x1 <= right and bottom <= y0 and y1 <= top, text
        flat = [place for text, place in zip(texts, boxes, strict=True) if not text.shade_in_3d]
        for (one, a), (other, b) in combinations(flat, 2):  # in space, letters go where their vectors go
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart, (one, other)


def test_captions_say_every_beat(performed):
    _, scene = performed
    captions = scene.renderer.file_writer.subcaptions
    assert len(captions) >= 2
    for one, other in pairwise(captions):
        assert one.end <= other.start or abs((one.end - other.start).total_seconds()) < 0.05


def number(text):
    return float(text.replace("−", "-").replace("∞", "inf"))


def test_a_tagged_number_is_the_one_that_is_shown(performed):
    """As it is, or in the scene's own unit: a caption says "in thousandths", and UNIT is 1000."""
    chosen, scene = performed
    units = {1, getattr(sys.modules[chosen.__module__], "UNIT", 1)}
    for tagged in scene.tagged:
        for text in (m for m in tagged if isinstance(m, Text)):
            shown, value = number(text.text), number(text.cutaway_tag.value)
            half = 0.51 * 10.0 ** -len(text.text.partition(".")[2])
            near = [np.isclose(shown, value * unit, rtol=0.001 * (unit > 1), atol=half) for unit in units]
            assert any(near), (shown, value)


def test_a_tagged_cell_has_the_colour_of_its_number(performed):
    """Of weights the place on the ramp; of signed numbers the sign, and the more the further; an outline is nothing."""
    _, scene = performed
    for tagged in scene.tagged:
        places = {}
        for cell in (m for m in tagged if isinstance(m, Rectangle)):
            ramp, place = along(cell.get_fill_color())
            tag = cell.cutaway_tag
            places.setdefault((ramp, tag.name), []).append((place, number(tag.value)))
        for (ramp, _name), pairs in places.items():
            place, value = np.array(pairs).T
            if ramp == "outline":
                assert set(value) <= {0.0, -np.inf}
            elif ramp == "weight":
                np.testing.assert_allclose(value, place, atol=0.03)
            else:  # grids of one tensor may have scales of their own
                clear = np.abs(place) > 0.02
                assert (np.sign(value[clear]) == np.sign(place[clear])).all()
                assert len(value) < 3 or np.ptp(value) < 0.02 or np.corrcoef(value, place)[0, 1] > 0.9


def along(color):
    """Where a colour stands on a ramp: ("weight", 0..1), ("signed", -1..1), or it is the ground."""
    paint = paints.find(color.to_rgb(), DARK)
    if paint == "ground":
        return "outline", 0.0
    one, other, share = (paint, paint, 0.0) if isinstance(paint, str) else paint
    ramp, (first, last) = one.split("-")[0], (int(name.split("-")[1]) for name in (one, other))
    place = first + (last - first) * share
    return ramp, place / 4 if ramp == "weight" else place / 3 - 1


def test_numbers_read_as_printed():
    texts = [kit.number_text(value) for value in (-0.5, float("-inf"), -0.001, 12.346)]
    assert texts == ["−0.50", "−∞", "0.00", "12.35"]
