"""The kit's cheap forms look as what they stand for and cost less; a tensor's cells know their index."""

import tests.clip_book  # isort: skip # noqa: F401 - imports Manim quietly, before anything else does

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manim import (
    LEFT,
    PI,
    RIGHT,
    UP,
    Axes,
    Circle,
    Dot,
    FadeIn,
    Line,
    Scene,
    Text,
    ValueTracker,
    VGroup,
    tempconfig,
)

from cutaway.theme.palette import DARK
from cutaway.trace.names import Found
from cutaway.trace.reading import Value
from scenes import kit

NUMBERS = (0.0, -0.5, 3.14159, -9.99, 12.346, -88.88, float("-inf"), 7.0, 1.11)


class Attention:
    """Stands in for a reading of the sort model: random numbers of its shapes, masked and softmaxed."""

    def __init__(self):
        draw = np.random.default_rng(1).normal
        q, k, v = (draw(size=(1, 3, 11, 16)) for _ in range(3))
        scores = q @ k.transpose(0, 1, 3, 2)
        mask = np.where(np.tril(np.ones((11, 11))) > 0, scores / 4, -np.inf)
        weights = np.exp(mask) / np.exp(mask).sum(-1, keepdims=True)
        steps = {
            "q": q,
            "k": k,
            "v": v,
            "scores": scores,
            "scale": scores / 4,
            "mask": mask,
            "softmax": weights,
        }
        steps["values"] = weights @ v
        self.arrays = {f"attention-forward-{name}": array for name, array in steps.items()}
        self.arrays["idx"] = np.array([[2, 1, 0, 1, 1, 2, 0, 1, 1, 1, 2]])
        self.arrays["targets"] = np.array([[-1, -1, -1, -1, -1, 0, 1, 1, 1, 2, 2]])

    def find(self, name):
        array = self.arrays[name]
        return Found(name, Value("tensor", name, shape=array.shape, kept=True, arrays={name: array}))

    def note_tag(self, name, place):
        assert name in self.arrays, (name, place)


@pytest.fixture(scope="module", autouse=True)
def media(tmp_path_factory):
    settings = {"media_dir": str(tmp_path_factory.mktemp("media")), "dry_run": True, "verbosity": "ERROR"}
    with tempconfig({**settings, "progress_bar": "none"}):
        yield


@pytest.fixture
def stage():
    stage = kit.Stage()
    stage.reading = Attention()
    return stage


def glyphs(mobject):
    """The characters' points, each relative to the first one's corner, in pixels of the stage."""
    seen = [part.points for part in mobject.family_members_with_points() if part.width and part.get_fill_opacity()]
    return [(points - seen[0].min(0)) / kit.px(1) for points in seen]


def corners(mobject):
    return np.array([mobject.get_corner(LEFT + UP), mobject.get_corner(RIGHT - UP)]) / kit.px(1)


@pytest.mark.parametrize("size", [kit.SMALL, kit.HUGE])
def test_digits_look_as_the_text_that_they_stand_for(stage, size):
    digits = stage.digits(0.0, size=size, widest=-88.88)
    for value in NUMBERS:
        for one, other in zip(glyphs(digits.set_value(value)), glyphs(stage.number(value, size=size)), strict=True):
            assert np.abs(one - other).max() < 0.5


def test_digits_stand_where_the_text_would_stand(stage):
    for value in (0.0, -0.46, 38.26):
        digits, text = stage.digits(value), stage.number(value)
        assert np.abs(corners(digits) - corners(text)).max() < 5  # a character may be narrower than its slot
        assert digits.slots[-1].get_fill_color() == text[-1].get_fill_color()


def test_digits_keep_their_slots(stage):
    digits = stage.digits(11.11, widest=-88.88).move_to(kit.at(1800, 300), aligned_edge=RIGHT)
    box, point = corners(digits), digits.slots[-3].get_center()
    for value in NUMBERS:
        digits.set_value(value)
        np.testing.assert_allclose(corners(digits), box)
        assert np.isinf(value) or np.allclose(digits.slots[-3].get_center(), point)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-99, 99), min_size=1, max_size=6))
def test_digits_do_not_drift(values):
    stage = kit.Stage()
    moved, fresh = stage.digits(0.0, widest=-88.88), stage.digits(0.0, widest=-88.88)
    for value in values:
        moved.set_value(value).shift(RIGHT).scale(0.5).rotate(PI / 3)
    for _ in values:
        fresh.shift(RIGHT).scale(0.5).rotate(PI / 3)
    fresh.set_value(values[-1])
    for one, other in zip(moved, fresh, strict=True):
        assert one.points.shape == other.points.shape
        np.testing.assert_allclose(one.points, other.points, atol=1e-6)


def test_a_number_that_has_no_room_is_told(stage):
    with pytest.raises(ValueError, match=r"−12\.50 needs 6 characters, there is room for 4: widest=-12\.5"):
        stage.digits(0.5).set_value(-12.5)


def test_digits_follow_a_tracker_in_a_scene_and_copies_are_free():
    class Counts(kit.Stage):
        def construct(self):
            tracker, digits = ValueTracker(0.0), self.digits(0.0, widest=-9.99)
            copy = digits.copy()
            digits.add_updater(lambda d: d.set_value(tracker.get_value()))
            self.add(digits, copy)
            self.play(tracker.animate.set_value(-4.5), run_time=0.2)
            self.texts = digits.text, copy.text
            copy.set_value(1)
            self.after = digits.text, copy.text

    scene = Counts()
    scene.render()
    assert scene.texts == ("−4.50", " 0.00") and scene.after == ("−4.50", " 1.00")


def test_digits_keep_their_place_through_animations():
    class Changes(kit.Stage):
        def construct(self):
            digits = self.digits(0.0, widest=-88.88).move_to(kit.at(1800, 300), aligned_edge=RIGHT)
            self.box, self.boxes = corners(digits), []
            self.add_updater(lambda dt: self.boxes.append(corners(digits)))
            self.play(FadeIn(digits), run_time=0.2)
            self.play(digits.animate.set_value(-88.88), run_time=0.2)
            self.last, self.first = glyphs(digits), glyphs(digits.set_value(0.0))

    scene, fresh = Changes(), kit.Stage().digits(0.0, widest=-88.88)
    scene.render()
    assert len(scene.boxes) > 4 and np.abs(scene.boxes - scene.box).max() < 1e-6
    for shown, value in ((scene.last, -88.88), (scene.first, 0.0)):
        for one, other in zip(shown, glyphs(fresh.set_value(value)), strict=True):
            np.testing.assert_allclose([one.min(0), one.max(0)], [other.min(0), other.max(0)], atol=1e-6)


def per_call(function, calls):
    """Seconds of processor time a call, the best of three rounds."""
    rounds = []
    for _ in range(3):
        began = time.process_time()
        for i in range(calls):
            function(i)
        rounds.append((time.process_time() - began) / calls)
    return min(rounds)


def test_digits_are_cheaper_than_text(stage):
    digits = stage.digits(0.0, widest=-99.99)
    cheap = per_call(lambda i: digits.set_value(i * 1.37 - 50), 40)
    assert per_call(lambda i: stage.number(i * 1.37 - 50), 5) > 3 * cheap


def curve(points=60):
    axes = Axes(x_range=[0, points, 1], y_range=[-2, 2])
    return axes.plot(lambda x: np.sin(x / 3) + 0.3 * np.sin(2.2 * x), x_range=[0, points, 0.2])


@pytest.mark.parametrize("path", [curve(), Circle(2), Line(LEFT, 3 * RIGHT)], ids=["plot", "circle", "line"])
def test_a_track_goes_along_its_curve(path):
    track = kit.Track(path)
    for share in np.linspace(0, 1, 41):
        assert np.abs(track.at(share) - path.point_from_proportion(share)).max() < kit.px(1.5)
    np.testing.assert_allclose(track.at(7), track.at(1))
    np.testing.assert_allclose(track.at(-7), path.get_start())


def test_a_track_of_points_goes_at_an_even_pace():
    track = kit.Track(np.array([[0, 0, 0], [3, 0, 0], [3, 1, 0]]))
    np.testing.assert_allclose(track.at(0.5), [2, 0, 0])
    np.testing.assert_allclose(track.at(0.875), [3, 0.5, 0])
    np.testing.assert_allclose(kit.Track(np.zeros((2, 3))).at(0.5), [0, 0, 0])


def test_a_track_is_cheaper_than_measuring():
    path = curve()
    track, dot = kit.Track(path), Dot()
    cheap = per_call(lambda i: dot.move_to(track.at(i / 40)), 40)
    assert per_call(lambda i: dot.move_to(path.point_from_proportion(i / 5)), 5) > 3 * cheap


# Tensors


def tags(cells):
    return [(cell.cutaway_tag.name, cell.cutaway_tag.where) for cell in cells]


def test_cells_know_their_index_and_value(stage):
    scores = stage.value("attention-forward-scores")
    grid = stage.signed(scores[0, 2], kit.GRID_AT)
    assert stage.tensor(grid, "attention-forward-scores", (0, 2)) is grid
    assert tags([grid.cell(4, 7)]) == [("attention-forward-scores", "0, 2, 4, 7")]
    value = grid.cell(4, 7).cutaway_tag.value
    assert float(value.replace("−", "-")) == pytest.approx(scores[0, 2, 4, 7], rel=1e-3)


def test_a_transposed_tensor_keeps_its_own_order(stage):
    v = stage.value("attention-forward-v")[0, 1]
    grid = stage.tensor(stage.signed(v.T, kit.GRID_AT), "attention-forward-v", (0, 1), transposed=True)
    assert tags([grid.cell(15, 3)]) == [("attention-forward-v", "0, 1, 3, 15")]


def test_parts_of_a_tensor(stage):
    name = "attention-forward-v"
    column = stage.tensor(VGroup(Dot(), Dot(), Dot()), name, (0, 1, slice(4, 7), 9))
    assert tags(column) == [(name, f"0, 1, {i}, 9") for i in (4, 5, 6)]
    assert tags(stage.tensor(VGroup(Dot()), name, (0, 1, 2, 3))) == [(name, "0, 1, 2, 3")]
    with pytest.raises(ValueError, match=r"longer|shorter"):
        stage.tensor(VGroup(Dot(), Dot()), name, (0, 1, 2))


def test_a_stage_prints_in_the_palette(stage):
    assert isinstance(stage, Scene) and stage.theme is DARK
    number = stage.number(0.5)
    assert isinstance(number, Text) and number[0].get_fill_color().to_hex().lower() == DARK.ink
