"""`fieldguide data` on a training part too large to be read through for leaks: stretches of it are, and it says so."""

from pathlib import Path

import numpy as np
import pytest

from fieldguide.data import leaks, tokens
from fieldguide.data.tokens import Tokens

TRAIN, VAL = 1_500_000, 60_000


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the part is read, in 37 stretches."""
    monkeypatch.setattr(tokens, "CHUNK", 4096)
    monkeypatch.setattr(tokens, "SEARCHED", 37 * 4096)


def part(path: Path, ids: np.ndarray) -> Tokens:
    ids.astype("<u2").tofile(path)
    return tokens.examine(path, 2, None, lambda done: None)


def texts(folder: Path, copied: float, phrases: float = 0.0) -> tuple[Tokens, Tokens]:
    """Two parts; of the second a share is copied from the first, and a share of both is one phrase."""
    rng = np.random.default_rng(5)
    train, val = rng.integers(0, 60, TRAIN), rng.integers(0, 60, VAL)
    for ids in (train, val):
        for at in range(0, len(ids) - 1000, 1000):
            ids[at : at + int(1000 * phrases)] = np.arange(1000)[: int(1000 * phrases)] % 59
    for at in range(0, VAL - 1000, 1000):
        if rng.random() < copied:
            start = int(rng.integers(0, TRAIN - 1000))
            val[at : at + 1000] = train[start : start + 1000]
    return part(folder / "train.bin", train), part(folder / "val.bin", val)


@pytest.mark.parametrize(("copied", "level"), [(0.0, "good"), (0.25, "warning"), (1.0, "error")])
def test_copies_are_found_in_a_tenth_of_the_part(copied: float, level: str, tmp_path: Path) -> None:
    found, facts = leaks.look(*texts(tmp_path, copied))
    assert found[0].level == level, found
    assert facts["train_read"] == pytest.approx(37 * 4096 / TRAIN)
    assert 0.5 * copied - 0.05 <= facts["val_in_train"] <= 1.5 * copied  # copies are blocks: few draws, not many
    said = f"{found[0].what} {found[0].evidence}"
    assert "151,552 of 1,500,000 tokens of the training part were read, in stretches" in said


def test_a_phrase_that_stands_everywhere_is_no_copy(tmp_path: Path) -> None:
    found, facts = leaks.look(*texts(tmp_path, 0.0, phrases=0.2))
    assert facts["val_in_train"] < leaks.ALIKE and found[0].level == "good"
    assert facts["train_repeated"] > 0  # the phrase, which both have


def test_only_the_stretches_are_read(tmp_path: Path) -> None:
    train, _ = texts(tmp_path, 0.0)
    starts = tokens.stretches(train.count)
    read = [len(ids) for _, ids in tokens.parts(train.path, 2, starts, 95)]
    assert sum(read) == 37 * 4096 and max(read) == 4096
    inside = tokens.hashes(next(ids for _, ids in tokens.parts(train.path, 2, starts, 95)), 96)
    assert not np.isin(tokens.sample(train.path, 2, train.count, 96, starts), inside).any()


def test_a_part_that_is_not_large_is_read_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "SEARCHED", TRAIN)
    found, facts = leaks.look(*texts(tmp_path, 0.3))
    assert facts["train_read"] == 1 and "were read" not in found[0].evidence
    assert facts["val_in_train"] == pytest.approx(0.27, abs=0.1)
