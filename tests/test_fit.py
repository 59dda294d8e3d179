"""Straight movements: what is left of the samples is as good as all of them, and no more than needed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cutaway.clips.scene.lines import affine, stretches

numbers = st.floats(-1000, 1000, width=32)
TOLERANCE = 0.5


@given(arrays(float, st.tuples(st.integers(2, 30), st.integers(1, 6)), elements=numbers))
def test_whatever_was_sampled_is_given_back(samples):
    found = stretches(samples, TOLERANCE)
    assert [found[0].first, *(s.last for s in found)] == [*(s.first for s in found), len(samples) - 1]
    for stretch in found:
        a, b = samples[stretch.first], samples[stretch.last]
        again = a + stretch.weights[:, None] * (b - a)
        assert np.abs(again - samples[stretch.first : stretch.last + 1]).max() <= TOLERANCE + 1e-6


@given(
    arrays(float, 5, elements=numbers),
    arrays(float, 5, elements=numbers),
    st.lists(st.floats(-0.3, 1.3), min_size=1, max_size=20),
)
def test_one_movement_is_one_stretch_whatever_its_easing(a, b, easing):
    weights = np.array([0.0, *easing, 1.0])
    assert len(stretches(a + weights[:, None] * (b - a), TOLERANCE)) == 1


def test_there_and_back_is_cut_at_the_turn():
    there = np.linspace(0, 100, 9)[:, None]
    found = stretches(np.concatenate([there, there[-2::-1]]), TOLERANCE)
    assert [(s.first, s.last) for s in found] == [(0, 8), (8, 16)]


@given(arrays(float, (2, 2), elements=st.floats(-3, 3, width=32)), st.integers(0, 10**6))
def test_an_image_under_a_matrix_is_known_as_one(matrix, seed):
    points = np.random.default_rng(seed).uniform(-500, 500, (12, 2))
    found = affine(points, points @ matrix.T, TOLERANCE)
    assert found is not None
    assert np.abs(points @ found.T - points @ matrix.T).max() <= TOLERANCE


def test_another_shape_is_no_image():
    square = np.array([[0, 0], [90, 0], [90, 90], [0, 90]], float)
    assert affine(square, [*square, [0, 0], [0, 0], [20, 0], [0, 0]], TOLERANCE) is None
    assert affine(square, square[:3], TOLERANCE) is None


@pytest.mark.parametrize("flat", [np.zeros((4, 2)), np.linspace([0, 0], [90, 30], 4)])
def test_points_that_span_no_plane_are_images_only_of_themselves(flat):
    assert affine(flat, flat + 0.1, TOLERANCE) is not None
    assert affine(flat, np.array([[0, 0], [90, 0], [90, 90], [0, 90]], float), TOLERANCE) is None
