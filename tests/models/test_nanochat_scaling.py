"""Scaling laws: fits that find what was put in, intervals that hold it as often as they say, models measured."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nanochat.cli import scaling
from nanochat.cli.scaling import Point
from nanochat.dataset import documents, write_shards
from nanochat.gpt import GPT
from nanochat.tokenizer import RustBPETokenizer
from nanochat.training import powerlaw
from nanochat.training.powerlaw import bootstrap, exponent, exponent_of_optima, fit, lowest, optimum

SIZES = np.array([1e4, 3e4, 1e5, 3e5, 1e6, 3e6])
WORDS = ["a", "row", "of", "tokens", "is", "read", "by", "the", "model", "and", "next", "one", "foreseen"]


@given(st.floats(-2, 2), st.floats(1e-3, 1e3))
def test_a_power_law_is_found(b: float, a: float) -> None:
    y = a * SIZES**b
    constant, slope = fit(SIZES, y, 1)
    assert slope == pytest.approx(b, abs=1e-9)
    assert np.exp(constant) == pytest.approx(a, rel=1e-6)
    found = exponent(SIZES, y)
    assert found.low == pytest.approx(b, abs=1e-6)
    assert found.high == pytest.approx(b, abs=1e-6)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Of 400 noisy measurements of a known law; six points are few, so it is a little too narrow."""
    chance, held = np.random.default_rng(1), 0
    for trial in range(400):
        y = 5 * SIZES**-0.1 * np.exp(chance.normal(0, 0.02, len(SIZES)))
        found = exponent(SIZES, y, seed=trial)
        assert found.low < found.value < found.high
        held += found.low <= -0.1 <= found.high
    assert 0.78 < held / 400 < 0.94


def test_more_scatter_is_a_wider_interval() -> None:
    noise = np.random.default_rng(2).normal(0, 1, len(SIZES))
    widths = []
    for size in (0.01, 0.02):
        found = exponent(SIZES, SIZES**-0.1 * np.exp(size * noise))
        widths.append(found.high - found.low)
    assert widths[1] == pytest.approx(2 * widths[0], rel=1e-6)


@given(st.floats(1.2e4, 2.5e6), st.floats(0.01, 1))
def test_the_bottom_of_a_valley_is_found(best: float, steep: float) -> None:
    y = 2.5 * np.exp(steep * np.log(SIZES / best) ** 2)
    found = optimum(SIZES, y)
    assert found.at.value == pytest.approx(best, rel=1e-6)
    assert found.at.low == pytest.approx(best, rel=1e-4)
    assert found.undetermined == 0


def test_a_hill_is_no_valley() -> None:
    with pytest.raises(ValueError, match="no valley: measure smaller and larger sizes"):
        optimum(SIZES, np.exp(-(np.log(SIZES / 1e5) ** 2)))
    assert np.isnan(lowest(np.array([0.0, 1.0, -1.0])))
    noise = np.random.default_rng(3).normal(0, 0.5, len(SIZES))
    unsure = optimum(SIZES, np.exp(0.002 * np.log(SIZES / 1e5) ** 2 + 0.02 * noise))
    assert 0 < unsure.undetermined < 0.5


def test_how_the_bottom_moves() -> None:
    """Valleys whose bottom is at C^0.5."""
    chance = np.random.default_rng(4)
    budgets = [1e9, 4e9, 1.6e10]
    valleys = [np.exp(0.05 * np.log(SIZES / c**0.5) ** 2 + chance.normal(0, 0.003, len(SIZES))) for c in budgets]
    found = exponent_of_optima(budgets, [optimum(SIZES, y, seed=i) for i, y in enumerate(valleys)])
    assert found.low < 0.5 < found.high
    assert found.value == pytest.approx(0.5, abs=0.05)


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match="2 different x: a curve of degree 1 needs 3"):
        fit([1, 2, 2], [1, 2, 3], 1)


def test_equal_seeds_draw_equal_fits() -> None:
    y = SIZES**-0.1 * np.exp(np.random.default_rng(5).normal(0, 0.01, len(SIZES)))
    assert np.array_equal(bootstrap(SIZES, y, 1, seed=7), bootstrap(SIZES, y, 1, seed=7))
    assert not np.array_equal(bootstrap(SIZES, y, 1, seed=7), bootstrap(SIZES, y, 1, seed=8))
    assert bootstrap(SIZES, y, 2, draws=50).shape == (50, 3)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory):
    """Settings of the smallest trainings."""
    folder = tmp_path_factory.mktemp("base")
    texts = [" ".join(WORDS[(i * k + k * k) % len(WORDS)] for k in range(40)) for i in range(40)]
    write_shards(texts, folder / "data", "words", shard_count=4)
    RustBPETokenizer.train_from_iterator(documents("train", folder / "data"), 280).save(folder / "tokenizer")
    return scaling.small(
        str(folder / "data"), str(folder / "tokenizer"), device="cpu", max_seq_len=16, device_batch_size=4,
        total_batch_size=64,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_sizes_are_trained_on_equal_tokens(base) -> None:
    heard: list[Point] = []
    points = scaling.equal_tokens(base, 1000, [(1, 16), (2, 32)], heard.append)
    assert heard == points
    assert [point.tokens for point in points] == [960, 960]  # whole steps
    assert [(point.n_layer, point.n_embd) for point in points] == [(1, 16), (2, 32)]
    for point in points:
        c, n = point.n_embd, point.n_layer
        assert point.parameters == 12 * n * c * c + 280 * c
        assert point.flops == 960 * (6 * point.parameters + 12 * n * c * 16)
        assert 0.5 < point.bpb < 4
    assert points[0].bpb != points[1].bpb
    assert scaling.equal_tokens(base, 1000, [(1, 16)], heard.append) == points[:1]  # bit for bit


def test_sizes_are_trained_with_equal_operations(base) -> None:
    points = scaling.iso_flop(base, 1e8, [(1, 16), (2, 16)], lambda point: None)
    for point in points:
        per_step = 64 * point.flops / point.tokens
        assert abs(point.flops - 1e8) <= per_step / 2
    assert points[0].tokens > 1.2 * points[1].tokens


def test_the_fits_of_points() -> None:
    points = [Point(1, 1, int(n), 1000, 1e9, 4 * n**-0.07) for n in SIZES]
    assert scaling.exponent_of_size(points).value == pytest.approx(-0.07)
    lines = {
        c: [Point(1, 1, int(n), 1, c, 2 * np.exp(0.05 * np.log(n / c**0.5) ** 2)) for n in SIZES]
        for c in (1e9, 4e9, 1.6e10)
    }
    assert scaling.best_size(lines[4e9]).at.value == pytest.approx(4e9**0.5)
    assert scaling.exponent_of_best_size(lines).value == pytest.approx(0.5)


def test_the_command_prints_points_and_fits(base, monkeypatch, capsys) -> None:
    monkeypatch.setattr(scaling, "SIZES", ((1, 16), (1, 32), (2, 32)))
    monkeypatch.setattr(scaling, "small", lambda data, tokenizer: base)
    scaling.main(["--data", base.data, "--tokenizer", base.tokenizer, "--tokens", "640", "--flops"])
    text = capsys.readouterr().out.splitlines()
    assert len(text) == 4
    assert "2 layers x 32:    33,536 parameters,       640 tokens" in text[2]
    assert text[3].startswith("at equal tokens, bpb = a N^b with b = ")


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="scaling: no tokenizer at nowhere"):
        scaling.main(["--data", str(tmp_path), "--tokenizer", "nowhere"])
    with pytest.raises(SystemExit):
        scaling.main(["--help"])


def test_the_books_sizes_span_a_decade() -> None:
    with torch.device("meta"):
        counts = [
            GPT(scaling.small(depth=n_layer, n_embd=n_embd).model_config(512)).num_scaling_params()["total"]
            for n_layer, n_embd in scaling.SIZES
        ]
    assert len(counts) >= 5
    assert counts == sorted(counts)
    assert counts[-1] > 10 * counts[0]
    assert powerlaw.LEVEL == 0.9
