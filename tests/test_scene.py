"""What a scene may ask of a run, and what is noted of its asking."""

import tests.clip_book  # isort: skip # noqa: F401 - imports Manim quietly, before anything else does

import json
from types import SimpleNamespace

import numpy as np
import pytest
from manim import Square, VGroup

from cutaway.clips.scene.scene import NoValue, Reading, RecordedScene, Tag
from cutaway.theme.palette import BY_NAME
from cutaway.trace.names import Found, UnknownName
from cutaway.trace.reading import Value
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
    with pytest.raises(NoValue, match=r"'n' is no tensor but a fact, 3: .*; a variable of that name is 'RUN/n'"):
        scene.value("n")
    several = Found("pair", Value("tuple", "", items=(Value("object", ""), Value("object", ""))))
    scene.reading = Reading(SimpleNamespace(resolve=lambda name: several))
    with pytest.raises(NoValue, match=r"'pair' is no tensor but 2 values: write 'pair\[0\]' for the first"):
        scene.value("pair")


def test_a_tensor_is_no_number_and_a_misspelt_name_nothing(scene):
    with pytest.raises(NoValue, match=r"self\.value\('weights'\)"):
        scene.fact("weights")
    with pytest.raises(UnknownName, match="did you mean 'weights'"):
        scene.value("weight")


def test_tags_are_kept_and_checked(scene):
    square = scene.tag(VGroup(Square(), Square()), "the-step")
    assert [part.cutaway_tag for part in square.get_family()] == [Tag("the-step")] * 3
    assert not scene.reading.notices
    scene.tag(Square(), "the-stop")
    ((place, message),) = scene.reading.notices.items()
    assert place.startswith(__file__) and "did you mean 'the-step'" in message
    json.dumps(scene.reading.reads)  # a manifest holds them


def test_a_cell_knows_its_index_and_the_recorded_value(scene):
    cells = VGroup(*(Square() for _ in range(4)))
    values = scene.value("weights")
    scene.tag(cells, "weights", [(cells[2 * i + j], (i, j)) for i in range(2) for j in range(2)])
    assert [cell.cutaway_tag for cell in cells] == [
        Tag("weights", f"{i}, {j}", f"{values[i, j]:.4g}") for i in range(2) for j in range(2)
    ]
    assert cells.cutaway_tag == Tag("weights")
    assert scene.reading.reads["weights"]  # another value is another clip
    with pytest.raises(IndexError):
        scene.tag(cells, "weights", [(cells[0], (0, 2))])


def test_a_tag_that_becomes_known_is_a_change(scene):
    scene.tag(Square(), "the-step")
    known = dict(scene.reading.reads)
    scene.reading.names.steps.pop("the-step")
    scene.tag(Square(), "the-step")
    assert scene.reading.reads != known


def test_themes_are_the_palette(scene):
    assert scene.theme is BY_NAME["dark"]
