"""Clips in space, in a browser: what the player draws is what the painter draws, and the reader's hand turns it."""

import tests.gallery as gallery  # isort: skip - imports Manim quietly, before anything else does

import base64
import copy
import io

import numpy as np
import pytest
from PIL import Image
from test_gallery import SMALL, TILE, likeness, recorded
from test_player import open_page, seek, settle  # noqa: F401 - a fixture

from cutaway.clips.raster.painter import Painter
from cutaway.clips.raster.shots import shots
from cutaway.theme.palette import DARK
from tests.gallery import space
from tests.recordings import Shown

pytestmark = pytest.mark.stages
SCENES = [space.Own, space.Turned, space.Gradient, space.Moves, space.Captioned]


def canvas(page):
    """What is on the canvas: an array (height, width, RGBA)."""
    url = page.evaluate("document.querySelector('canvas').toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGBA"))


def apart(one, other):
    """The mean difference of a channel, of 255."""
    return np.abs(one[..., :3].astype(int) - other[..., :3]).mean()


def shown(scene):
    return Shown(copy.deepcopy(recorded(scene)))


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_the_player_draws_what_the_painter_draws(open_page, scene):  # noqa: F811
    page = open_page([shown(scene)], around="", viewport=(700, 700))
    for frame in (0, recorded(scene)["frames"] - 1):
        seek(page, frame)
        drawn = canvas(page)
        height, width = drawn.shape[:2]
        tiles = slice(height // TILE * TILE), slice(width // TILE * TILE)
        alike, _ = likeness(drawn[tiles], Painter(recorded(scene), DARK).pixels(frame, (width, height))[tiles])
        assert alike > 33


def turned(recording, phi, theta):
    """The recording as if Manim's camera had stood elsewhere."""
    found = copy.deepcopy(recording)
    for eye in found["eyes"]:
        eye[0] += phi
        eye[1] += theta
    return found


def test_a_drag_turns_it_and_does_not_play_it(open_page):  # noqa: F811
    page = open_page([shown(space.Own)], around="", viewport=(700, 700))
    seek(page, 0)
    stage = page.locator(".cutaway-clip-stage")
    box = stage.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 80, steps=6)
    page.mouse.up()
    settle(page)
    drawn = canvas(page)
    height, width = drawn.shape[:2]
    other = Painter(turned(recorded(space.Own), 10, -30), DARK).pixels(0, (width, height))
    assert page.locator(".cutaway-clip-toggle").get_attribute("aria-pressed") == "false"
    assert apart(drawn, other) < 1
    page.keyboard.press("r")
    settle(page)
    back = Painter(recorded(space.Own), DARK).pixels(0, (width, height))
    assert apart(canvas(page), back) < 1
    assert apart(other, back) > 1.5
    page.keyboard.press("d")
    settle(page)
    assert apart(canvas(page), back) > 0.5


def test_a_flat_clip_is_not_turned(open_page):  # noqa: F811
    flat = next(scene for scene in gallery.RECORDED if scene.__name__ == "Sections")
    page = open_page([shown(flat)], around="", viewport=(700, 700))
    seek(page, 1)
    before = canvas(page)
    page.locator("canvas").press("d")
    settle(page)
    np.testing.assert_array_equal(canvas(page), before)


def test_shots_of_a_turning_clip_are_its_frames():
    recording = recorded(space.Own)
    painter, made = Painter(recording, DARK), list(shots(Painter(recording, DARK), SMALL, gallery.FPS))
    frames = [shot.pixels for shot in made for _ in range(shot.lasts)]
    assert len(frames) == recording["frames"] and len(made) > 2
    for number, pixels in enumerate(frames):
        np.testing.assert_array_equal(pixels, painter.pixels(number, SMALL))
