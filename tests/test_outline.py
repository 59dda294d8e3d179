"""Outlines as path strings: read again, they are the points that they were made of."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cutaway.clips.format.paths import common_form, form, path, subpaths
from cutaway.clips.raster.painter import Path

UNIT = 1350.0  # units in one of Manim's


def polygon(*corners):
    """Manim's points of a closed polygon: a cubic with its handles at thirds for each side."""
    corners = np.array(corners, float)
    sides = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    return np.concatenate([a + (b - a) * np.linspace(0, 1, 4)[:, None] for a, b in sides])


def curves(seed, count):
    """Cubics, each going on from the one before."""
    points = np.random.default_rng(seed).uniform(-3000, 3000, (count, 4, 2))
    points[1:, 0] = points[:-1, 3]
    return points.reshape(-1, 2)


def ends_of(text):
    """Where a path's commands end, absolute."""
    read = Path.read(text)
    return read.points


def test_a_square_is_four_lines_and_closed():
    square = polygon((0, 0), (1600, 0), (1600, 1600), (0, 1600))
    assert path(square, form(square, UNIT), 1) == "M0 0l1600 0l0 1600l-1600 0l0-1600z"


@given(st.integers(0, 10**6), st.integers(1, 8), st.sampled_from([1, 4]))
def test_curves_come_back_within_half_a_step(seed, count, fineness):
    points = curves(seed, count)
    points = points - points[0]
    read = ends_of(path(points, form(points, UNIT), fineness))
    wanted = np.delete(points, np.arange(4, len(points), 4), axis=0)  # starts are the ends before
    assert np.abs(read - wanted).max() <= 0.5 / fineness + 1e-9


def test_a_gap_begins_a_subpath():
    one, other = polygon((0, 0), (900, 0), (0, 900)), polygon((3000, 0), (3900, 0), (3000, 900))
    both = np.concatenate([one, other])
    assert subpaths(both, UNIT) == ((3, 6), (True, True))
    assert path(both, form(both, UNIT), 1).count("M") == 2


@given(st.integers(0, 10**6), st.integers(1, 6))
def test_two_that_morph_have_the_same_commands(seed, count):
    one, other = curves(seed, count), polygon(*np.random.default_rng(seed).uniform(0, 900, (count, 2)))
    common = common_form(one, other, subpaths((one + other) / 2, UNIT))
    paths = [Path.read(path(points, common, 1)) for points in (one, other)]
    assert paths[0].commands == paths[1].commands
