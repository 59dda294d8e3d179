"""What a scene may ask of a run, and what is noted of its asking."""

import tests.clip_book  # isort: skip # noqa: F401 - imports Manim quietly, before anything else does

import json

import numpy as np
import pytest

from cutaway.filming.scene import NoValue, Reading, RecordedScene
from cutaway.names import UnknownName
from cutaway.palette import BY_NAME
from tests.clip_book import write_trace


@pytest.fixture
def scene(tmp_path):
    """A scene that reads the tiny run, not yet set up for drawing."""
    scene = RecordedScene.__new__(RecordedScene)
    scene.reading = Reading(write_trace(tmp_path / "tiny.json").names("tiny"))
    return scene


def test_values_by_variable_step_and_full_name(scene):
    for name in ("weights", "the-step", "tiny/weights", "tiny.forward/weights"):
        np.testing.assert_array_equal(scene.value(name), [[1, 2], [3, 4]])
    assert list(scene.reading.reads) == ["weights", "the-step", "tiny/weights", "tiny.forward/weights"]


def test_values_are_read_only(scene):
    with pytest.raises(ValueError, match="read-only"):
        scene.value("weights")[0, 0] = 5


def test_facts_and_single_numbers(scene):
    assert scene.fact("n") == 3
    assert scene.fact("weights[1, 0]") == 3.0


def test_a_shape_depends_on_the_shape_alone(scene, tmp_path):
    assert scene.shape("weights") == (2, 2)
    other = RecordedScene.__new__(RecordedScene)
    other.reading = Reading(write_trace(tmp_path / "other.json", weight=9.0).names("tiny"))
    other.shape("weights")
    assert other.reading.reads == scene.reading.reads
    assert other.value("weights")[0, 1] == 9
    scene.value("weights")
    assert other.reading.reads != scene.reading.reads


def test_the_wrong_kind_is_named(scene):
    with pytest.raises(NoValue, match=r"self\.fact\('n'\)"):
        scene.value("n")
    with pytest.raises(NoValue, match=r"self\.value\('weights'\)"):
        scene.fact("weights")
    with pytest.raises(UnknownName, match="did you mean 'weights'"):
        scene.value("weight")


class Thing:
    """Stands in for a mobject: a tag is an attribute."""


def test_tags_are_kept_and_checked(scene):
    thing = scene.tag(Thing(), "the-step")
    assert thing.cutaway_tag == "the-step" and not scene.reading.notices
    scene.tag(Thing(), "the-stop")
    ((place, message),) = scene.reading.notices.items()
    assert place.startswith(__file__) and "did you mean 'the-step'" in message
    json.dumps(scene.reading.reads)  # a manifest holds them


def test_a_tag_that_becomes_known_is_a_change(scene):
    scene.tag(Thing(), "the-step")
    known = dict(scene.reading.reads)
    scene.reading.names.steps.pop("the-step")
    scene.tag(Thing(), "the-step")
    assert scene.reading.reads != known


def test_themes_are_the_palette(scene):
    assert scene.theme is BY_NAME["dark"]
