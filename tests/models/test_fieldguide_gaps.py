"""`fieldguide loss`: gaps of validation, resumes and loss scales, each planted in synthetic logs, and healthy ones.

The limits were stated first; the seeds here begin at 7000 and were not used for anything else.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from fieldguide import loss

N = 600


def course(rng: np.random.Generator, n: int = N) -> np.ndarray:
    """A power law from ln 65 down, with noise."""
    low, scale = rng.uniform(1.2, 2.0), rng.uniform(10, 60)
    return low + (4.17 - low) * (1 + np.arange(n) / scale) ** -rng.uniform(0.4, 0.8) + rng.normal(0, 0.05, n)


def alarms(folder: Path, lines: list[str]) -> list[str]:
    """What is said to be wrong."""
    (folder / "log").write_text("\n".join(lines))
    report = loss.run(argparse.Namespace(file=folder / "log", stage="auto", vocab_size=65))
    return [finding.what for finding in report.findings if finding.level in ("warning", "error")]


def log(values: np.ndarray, first: int = 0, **more: np.ndarray) -> list[str]:
    """JSON lines; ``more`` curves have equally many steps between their values, and begin with the first."""
    lines = []
    for i, value in enumerate(values):
        others = {
            name: float(of[i * len(of) // len(values)])
            for name, of in more.items()
            if i % (len(values) // len(of)) == 0
        }
        lines.append(json.dumps({"step": first + i, "loss": float(value), **others}))
    return lines


def evaluated(rng: np.random.Generator, values: np.ndarray, gap: np.ndarray, noise: float) -> dict[str, np.ndarray]:
    """Measurements of both parts at len(gap) steps."""
    every = len(values) // len(gap)
    smooth = np.array([values[max(0, i - 5) : i + 5].mean() for i in range(0, len(values), every)])[: len(gap)]
    smooth[0] = 4.17
    return {
        "train_loss": smooth + noise * rng.normal(size=len(gap)),
        "val_loss": smooth + gap + noise * rng.normal(size=len(gap)),
    }


@pytest.mark.parametrize("noise", [0.005, 0.03, 0.08])
def test_healthy_gaps_raise_no_alarm(tmp_path: Path, noise: float) -> None:
    """Gaps that grow from nothing to 0.15 at most, 30 logs each: none is called another text, or overfitting."""
    found = []
    for seed in range(7000, 7030):
        rng = np.random.default_rng(seed)
        values, gap = course(rng), np.linspace(0, rng.uniform(0, 0.15), 20)
        found += alarms(tmp_path, log(values, **evaluated(rng, values, gap, noise)))
    assert not found


def test_overfitting_is_found_in_noisy_measurements(tmp_path: Path) -> None:
    named = 0
    for seed in range(7100, 7120):
        rng = np.random.default_rng(seed)
        values = course(rng)
        gap = np.r_[np.zeros(8), np.linspace(0, 1.0, 22)]
        found = alarms(tmp_path, log(values, **evaluated(rng, values, gap, 0.08)))
        named += any("Overfitting" in each for each in found)
    assert named >= 18


def test_validation_of_another_text_is_above_training_at_once(tmp_path: Path) -> None:
    for seed in range(7200, 7210):
        rng = np.random.default_rng(seed)
        values, gap = course(rng), np.r_[0.0, np.full(19, 0.9)]
        found = alarms(tmp_path, log(values, **evaluated(rng, values, gap, 0.03)))
        assert any("from the first measurements on" in each for each in found), (seed, found)


def test_one_file_for_both_parts_gives_the_same_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(7300)
    values = course(rng)
    both = evaluated(rng, values, np.zeros(20), 0.03)
    both["val_loss"] = both["train_loss"]
    assert any("the same number in 20 of 20" in each for each in alarms(tmp_path, log(values, **both)))


@pytest.mark.parametrize(("rise", "word"), [(2.6, "back at guessing"), (0.5, "jumps up"), (0.0, "")])
def test_what_is_lost_at_a_resume_is_told_and_a_good_resume_is_left_alone(
    tmp_path: Path, rise: float, word: str
) -> None:
    for seed in range(7400, 7415):
        values = course(np.random.default_rng(seed))
        values[400:] += np.minimum(rise, 4.17 - values[400]) * np.exp(-np.arange(200) / 40)
        lines = log(values[:410])
        lines += ["Resuming training from out", *log(values[400:], first=400)]
        found = alarms(tmp_path, lines)
        assert any(word in each and "400" in each for each in found) if word else not found, (seed, found)


def test_a_resume_without_its_past_that_is_at_guessing_has_lost_its_weights(tmp_path: Path) -> None:
    values = course(np.random.default_rng(7500))
    lines = ["Resuming training from out"]
    assert any("back at guessing at step 4,000" in each for each in alarms(tmp_path, lines + log(values, first=4000)))
    assert not any("guessing" in each for each in alarms(tmp_path, lines + log(values[300:], first=4000)))


def scales(skipped: float, seed: int) -> np.ndarray:
    """What a GradScaler does: it looks for its scale, then skips a share of the steps; doubled after 200 good ones."""
    rng, scale, good, found = np.random.default_rng(seed), 65536.0, 0, []
    for step in range(N):
        bad = step < 5 or rng.random() < skipped
        scale, good = (scale / 2, 0) if bad else (scale, good + 1)
        scale, good = (scale * 2, 0) if good == 200 else (scale, good)
        found.append(scale)
    return np.array(found)


@pytest.mark.parametrize(("skipped", "collapses"), [(0.0, False), (0.005, False), (0.3, True), (1.0, True)])
def test_a_loss_scale_that_collapses_is_an_error(tmp_path: Path, skipped: float, collapses: bool) -> None:
    for seed in range(7600, 7610):
        values = course(np.random.default_rng(seed))
        found = alarms(tmp_path, log(values, loss_scale=scales(skipped, seed)))
        assert any("loss scale collapses" in each for each in found) == collapses, (seed, found)
        assert collapses or not found


@pytest.mark.parametrize(("places", "alarmed"), [(range(8), False), ((3, 250, 450), False), (range(0, N, 20), True)])
def test_infinite_gradients_are_an_alarm_where_they_are_repeated(
    tmp_path: Path, places: Iterable[int], alarmed: bool
) -> None:
    values, norms = course(np.random.default_rng(7700)), np.ones(N)
    norms[list(places)] = np.inf
    found = alarms(tmp_path, log(values, grad_norm=norms))
    assert any("grad_norm is not finite" in each for each in found) == alarmed, found


def test_a_rate_of_zero_is_named_first_by_what_it_is(tmp_path: Path) -> None:
    values = 4.17 + np.random.default_rng(7800).normal(0, 0.03, N)
    found = alarms(tmp_path, log(values, lr=np.zeros(N)))
    assert any(each.startswith("The learning rate is 0") for each in found), found
