"""Spikes and plateaus: what is planted is found, and noise alone is seldom marked."""

import numpy as np
import pytest

from nanochat.training.diagnosis import falls_of_windows, plateaus, spikes


@pytest.fixture
def noise():
    return np.random.default_rng(7).normal(size=(100, 700))


def test_noise_is_seldom_marked_on_any_slope(noise):
    curves = noise - 0.01 * np.arange(noise.shape[1])
    assert sum(len(spikes(curve)) for curve in curves) < 100


def test_a_planted_spike_is_found_and_does_not_hide_the_next(noise):
    curve = noise[0].copy()
    already = set(spikes(curve))
    curve[[300, 320]] += 12
    assert set(spikes(curve)) - already == {300, 320}


def test_a_step_down_is_no_spike(noise):
    curve = noise[1].copy()
    curve[400:] -= 20
    assert not [step for step in spikes(curve) if 400 <= step <= 402]


def test_the_flat_part_of_a_curve_is_the_plateau():
    t = np.arange(600)
    curve = np.where(t < 300, 10 - t / 30, 0.0) + np.random.default_rng(3).normal(scale=0.01, size=600)
    ((first, last),) = plateaus(curve, 100)
    assert 200 < first <= 300 and last == 599


def test_falls_are_those_of_a_fitted_line(noise):
    falls, errors = falls_of_windows(noise[2], 50)
    t = np.arange(50)
    for start in (0, 123, 650):
        (slope, _), covariance = np.polyfit(t, noise[2][start : start + 50], 1, cov=True)
        np.testing.assert_allclose(falls[start], -slope * 50)
        np.testing.assert_allclose(errors[start], np.sqrt(covariance[0, 0]) * 50, rtol=1e-6)


def test_short_series_have_neither():
    assert not len(spikes(np.ones(20))) and not len(plateaus(np.ones(20), 50))
