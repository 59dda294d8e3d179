"""Recordings show what stock Manim shows: each frame of each scene of the gallery, drawn from its recording."""

import tests.gallery as gallery  # isort: skip - imports Manim quietly, before anything else does

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

from cutaway.clips.format.script import text_of
from cutaway.clips.raster.painter import Painter
from cutaway.clips.scene.manim_recorder import Unrecordable, record
from cutaway.store import Store
from cutaway.theme.palette import DARK, LIGHT, hexadecimal
from cutaway.user_store import open_store
from tests import stock
from tests.stock import kept_frames, settings, stock_frames

pytestmark = pytest.mark.stages

STORE = open_store(Path(os.environ.get("CUTAWAY_STORE", ROOT / ".cutaway")))
SMALL, LARGE = (640, 360), (1280, 720)
LEAST_DB, MOST_OFF = 40.0, 6.0  # of a whole picture; of 255, in the mean of any tile of it
TILE = 20  # pixels: where the picture is black but for one dot, the dot counts
KEYS = ["format", "fps", "frames", "size", "background", "paints", "paths", "styles", "states", "curves", "objects"]
KEYS += ["views", "camera", "eyes", "turns", "sections", "captions", "tags", "poster"]
NUMBER, NEXT = r"-?[\d.]+", r"( |(?=-))-?[\d.]+"
PATH = re.compile(rf"(M{NUMBER}{NEXT}([lcz][-\d. ]*)*)*|S(M{NUMBER}{NEXT}{NEXT}([lcz][-\d. ]*)*)*")
NAMED = [pytest.param(scene, id=scene.__name__) for scene in gallery.RECORDED]


@cache
def recorded(scene_class, size=SMALL):
    with settings(size, gallery.FPS):
        return record(scene_class, gallery.FPS)


def likeness(one, other):
    """PSNR of two pictures in decibels, and how far off the tile is that is farthest off (0..255)."""
    off = np.abs(one[..., :3].astype(np.int16) - other[..., :3])
    error = np.square(off, dtype=np.int32).mean()
    height, width = off.shape[:2]
    tiles = off.max(2).reshape(height // TILE, TILE, width // TILE, TILE).mean((1, 3))
    return 10 * np.log10(255**2 / max(error, 1e-9)), tiles.max()


def frames_of(scene_class, size):
    """Stock Manim's frames, kept from an earlier run; not where each process draws others."""
    if scene_class.__name__ in gallery.IN_NO_ORDER:
        return np.stack(stock_frames(scene_class, size, gallery.FPS))
    return kept_frames(STORE, scene_class, size, gallery.FPS)


def compare(scene_class, size, folder):
    """Paint each frame from the recording; where one differs from stock Manim's, leave the worst in ``folder``."""
    frames = frames_of(scene_class, size)
    recording = recorded(scene_class, size)
    if len(frames) == 1:  # a still: shown as long as one likes
        frames = np.repeat(frames, recording["frames"], axis=0)
    assert recording["frames"] == len(frames)
    painter = Painter(recording, DARK)
    differ, least = {}, np.inf
    for number, frame in enumerate(frames):
        painted = painter.pixels(number, size)
        alike, off = likeness(painted, frame)
        if alike < LEAST_DB or off > MOST_OFF:
            differ[number] = f"{alike:.1f} dB, a tile by {off:.1f}"
            if alike < least:
                least = alike
                Image.fromarray(frame).save(folder / "stock.png")
                Image.fromarray(painted).save(folder / "painted.png")
    assert not differ, f"of {len(frames)} frames {differ}; the worst in {folder}"


@pytest.mark.parametrize("scene_class", NAMED)
def test_a_recording_shows_what_stock_manim_shows(scene_class, tmp_path):
    compare(scene_class, SMALL, tmp_path)


def test_a_recording_is_as_true_in_twice_the_size(tmp_path):
    compare(next(scene for scene in gallery.RECORDED if scene.__name__ == "Listing"), LARGE, tmp_path)


@pytest.mark.parametrize("scene_class", gallery.FILMED)
def test_what_has_pixels_or_depth_is_no_recording(scene_class):
    with settings(SMALL, gallery.FPS), pytest.raises(Unrecordable) as found:
        record(scene_class, gallery.FPS)
    assert re.search(scene_class.why, str(found.value)) and "\n" not in str(found.value)


@pytest.mark.parametrize("scene_class", NAMED)
def test_a_recording_is_format_2(scene_class):
    recording = recorded(scene_class)
    assert json.loads(json.dumps(recording)) == recording and list(recording) == KEYS and recording["format"] == 2
    assert recording["size"] == [19200, 10800] and recording["fps"] == gallery.FPS
    assert 0 <= recording["poster"] < recording["frames"] and recording["background"] < len(recording["paints"])
    check_paints(recording["paints"])
    check_states(recording)
    for spans, *tag in recording["objects"]:
        check_spans(spans, recording, recording["states"])
        assert not tag or 0 <= tag[0] < len(recording["tags"])
        for span in spans:
            if len(span) == 4:
                a, b = (recording["states"][number] for number in span[1:3])
                assert commands(recording["paths"][a[0]]) == commands(recording["paths"][b[0]])
                assert same_shape(recording["styles"][a[3]], recording["styles"][b[3]])
    check_spans(recording["camera"], recording, recording["views"])
    check_spans(recording["turns"], recording, recording["eyes"])
    check_times(recording)


def check_paints(paints):
    for number, paint in enumerate(paints):
        if isinstance(paint, str):
            assert re.fullmatch(r"#[0-9a-f]{6}|[a-z]+(-[A-Z0-9])?", paint)
        else:
            one, other, weight = paint
            assert one < number and other < number and 0 <= weight <= 1


def check_states(recording):
    for path, x, y, style, *rest in recording["states"]:
        assert path in range(len(recording["paths"])) and style in range(len(recording["styles"]))
        in_space = isinstance(x, list) and recording["paths"][path].startswith("S")
        assert all(part == 0 or len(part) == (6 if number and in_space else 4) for number, part in enumerate(rest))
        assert not isinstance(x, list) or (len(x) == 3 and len(y) == 2 and recording["turns"])
    for fill, stroke, back, pen in map(padded, recording["styles"]):
        assert pen in range(18)
        assert all(coat[0] >= 0 and len(coat) % 2 for coat in (stroke, back) if coat)
        for pairs in (fill or [], (stroke or [])[1:], (back or [])[1:]):
            assert all(paint in range(len(recording["paints"])) for paint in pairs[::2])
            assert all(0 <= alpha <= 1 for alpha in pairs[1::2])
    assert all(PATH.fullmatch(path) for path in recording["paths"])


def check_spans(spans, recording, states):
    """In order of time, each with states and a curve that there are; the curve lasts as long as the span."""
    starts = [span[0] for span in spans]
    assert starts == sorted(set(starts)) and set(starts) <= set(range(recording["frames"]))
    for span, end in zip(spans, [*starts, recording["frames"]][1:], strict=True):
        assert len(span) in (1, 2, 4) and all(number in range(len(states)) for number in span[1:3])
        if len(span) == 4:
            assert len(recording["curves"][span[3]]) >= end - span[0]


def check_times(recording):
    starts = [start for start, _, _ in recording["sections"]]
    assert starts == sorted(set(starts)) and starts[0] == 0 and starts[-1] < recording["frames"]
    slugs = [slug for _, _, slug in recording["sections"]]
    assert len(set(slugs)) == len(slugs) and all(re.fullmatch(r"[\w-]+", slug) for slug in slugs)
    assert all(0 <= start < end <= recording["frames"] and text for start, end, text in recording["captions"])


def padded(style):
    return [*style, *(None, None, None, 0)[len(style) :]]


def commands(path):
    return re.sub(r"[^Mlcz]", "", path)


def same_shape(one, other):
    """Whether two styles can be mixed: the same coats with the same number of colours, and one pen."""
    return [part and len(part) for part in padded(one)[:3]] == [part and len(part) for part in padded(other)[:3]] and (
        padded(one)[3] == padded(other)[3]
    )


def test_sections_and_captions_are_the_scene_s():
    recording = recorded(next(scene for scene in gallery.RECORDED if scene.__name__ == "Sections"))
    assert recording["sections"] == [[0, "Begin", "begin"], [3, "End", "end"]]
    assert recording["captions"] == [[0, 3, "A square."], [6, 8, "Nothing moves."]]


def test_colours_of_the_theme_are_recorded_by_name():
    """So that the reader's theme can put its own in their place, in mixes, too."""
    recording = recorded(next(scene for scene in gallery.RECORDED if scene.__name__ == "Palette"))
    names = {paint for paint in recording["paints"] if isinstance(paint, str)}
    assert {"ground", "panel", "ink", "muted", "line", "accent", "signed-0", "signed-6", "dim-B", "dim-V"} <= names
    assert not any(name.startswith("#") for name in names)
    assert [name for name, _ in recording["tags"]] == ["no-such-step"]
    dark, light = (Painter(recording, theme).pixels(recording["poster"], SMALL)[0, 0] for theme in (DARK, LIGHT))
    assert [hexadecimal(pixel[:3] / 255) for pixel in (dark, light)] == [DARK.ground, LIGHT.ground]


PRINT = """
import tests.gallery as gallery
from cutaway.clips.scene.manim_recorder import record
from cutaway.clips.format.script import text_of
from tests.stock import settings
for scene in gallery.RECORDED:
    with settings((640, 360), gallery.FPS):
        print(text_of(record(scene, gallery.FPS)))
"""


def test_a_recording_has_the_same_bytes_in_every_process():
    """Whatever the order of sets and the addresses of objects are."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "1"}
    there = subprocess.check_output([sys.executable, "-c", PRINT], env=env, text=True).splitlines()
    differ = [
        scene.__name__
        for scene, text in zip(gallery.RECORDED, there, strict=True)
        if text != text_of(recorded(scene)) and scene.__name__ not in gallery.IN_NO_ORDER
    ]
    assert not differ


def test_stock_frames_are_kept_and_a_damaged_file_of_them_is_drawn_again(tmp_path, monkeypatch):
    scene, store = next(scene for scene in gallery.RECORDED if scene.__name__ == "Sections"), Store(tmp_path)
    drawn = np.stack(stock_frames(scene, SMALL, gallery.FPS))
    assert len(drawn) > 3 and (kept_frames(store, scene, SMALL, gallery.FPS) == drawn).all()
    (kept,) = (tmp_path / stock.KIND).glob("*.npz")
    data = kept.read_bytes()
    calls = []
    monkeypatch.setattr(stock, "stock_frames", lambda *asked: calls.append(asked) or stock_frames(*asked))
    assert (kept_frames(store, scene, SMALL, gallery.FPS) == drawn).all() and not calls
    kept.write_bytes(data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :])
    assert (kept_frames(store, scene, SMALL, gallery.FPS) == drawn).all() and len(calls) == 1
    assert kept.read_bytes() == data
    for other in (LARGE, gallery.FPS), (SMALL, 2 * gallery.FPS):
        kept_frames(store, scene, *other)
    assert len(calls) == 3
