"""Presets of base training: what is typed wins, the rest fits the machine and the text."""

from pathlib import Path

import pytest
import torch

from nanochat.cli import base_train
from nanochat.common import World
from nanochat.dataset import documents, write_shards
from nanochat.tokenizer import RustBPETokenizer
from nanochat.training import presets
from nanochat.training.presets import EPOCHS, PRESETS, STEPS, count_tokens, wanted_tokens, with_preset
from nanochat.training.settings import Settings, settings_from


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shards of about 60,000 characters, and a tokenizer. One thread: models as small as these are slower with two."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("text")
    texts = [f"The number {i} comes before {i + 1}, and after {i - 1}." * 3 for i in range(400)]
    write_shards(texts, folder / "data", "numbers", shard_count=3)
    RustBPETokenizer.train_from_iterator(documents("train", folder / "data"), 300).save(folder / "tokenizer")
    return folder


def typed(text: Path, **more: object) -> dict[str, object]:
    return {"data": str(text / "data"), "tokenizer": str(text / "tokenizer"), "device": "cpu", **more}


def test_the_tokens_of_a_text_are_estimated(text: Path) -> None:
    settings = settings_from(typed(text))
    tokenizer = RustBPETokenizer.from_directory(text / "tokenizer")
    exact = sum(len(tokenizer.encode(document)) for document in documents("train", text / "data"))
    assert count_tokens(settings) == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize("name", ["laptop", "gpu"])
@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize("tokens", [3_000, 300_000, 30_000_000, 3_000_000_000])
def test_the_training_fits_the_text(name: str, processes: int, tokens: int, text: Path, monkeypatch) -> None:
    monkeypatch.setattr(presets, "count_tokens", lambda settings: tokens)
    settings = settings_from(with_preset(name, typed(text), processes))
    shown = settings.num_iterations * settings.total_batch_size
    row = settings.max_seq_len * processes
    assert settings.total_batch_size % (settings.device_batch_size * row) == 0
    assert shown <= 1.05 * min(EPOCHS * tokens, wanted_tokens(settings)) or settings.num_iterations == 1
    if settings.total_batch_size > row:  # else it can't be smaller
        assert settings.num_iterations >= STEPS * 0.95
    assert settings.total_batch_size <= PRESETS[name].rows * row
    assert settings.eval_every * presets.MEASUREMENTS <= max(settings.num_iterations, presets.MEASUREMENTS)


def test_more_text_makes_a_larger_model_and_never_a_smaller_one(text: Path, monkeypatch) -> None:
    depths = []
    for tokens in (10**4, 10**6, 10**8, 3 * 10**8, 10**10):
        monkeypatch.setattr(presets, "count_tokens", lambda settings, tokens=tokens: tokens)
        depths.append(with_preset("gpu", typed(text), 1)["depth"])
    assert depths == sorted(depths) and depths[0] == 4 and depths[-1] == 12 and len(set(depths)) > 2


@pytest.mark.parametrize(
    "option",
    [
        {"depth": 3}, {"n_embd": 64}, {"max_seq_len": 64}, {"device_batch_size": 3}, {"total_batch_size": 4096},
        {"num_iterations": 7}, {"warmdown_ratio": 0.5}, {"eval_every": 9}, {"save_every": -1}, {"newest": True},
        {"target_param_data_ratio": 1.0}, {"target_flops": 1e9},
    ],
)  # fmt: skip
def test_what_is_typed_wins_and_the_rest_follows(option: dict, text: Path) -> None:
    for name in PRESETS:
        options = with_preset(name, typed(text, **option), 1)
        settings = settings_from(options)
        assert {key: getattr(settings, key) for key in option} == option
        if name != "8xh100":
            assert settings.total_batch_size % (settings.device_batch_size * settings.max_seq_len) == 0
            how_long = {"num_iterations", "target_param_data_ratio", "target_flops"}
            assert len(how_long & options.keys()) == 1


def test_the_largest_preset_is_nanochats_own(text: Path) -> None:
    assert settings_from(with_preset("8xh100", {}, 8)) == Settings()


def command(text: Path, out: Path, *options: str) -> list[str]:
    places = ["--data", str(text / "data"), "--tokenizer", str(text / "tokenizer"), "--out", str(out)]
    return [*places, "--device", "cpu", "--peak-flops", "1e9", *options]


def test_the_command_takes_a_preset_and_says_what_it_added(text: Path, tmp_path: Path, capsys) -> None:
    small = ["--n-embd", "16", "--head-dim", "8", "--max-seq-len", "64", "--num-iterations", "2", "--eval-tokens", "64"]
    base_train.main(command(text, tmp_path / "a", "--preset", "laptop", *small))
    told = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("preset laptop: "))
    added = told.removeprefix("preset laptop: ").split()
    assert "--depth" in added and not {"--n-embd", "--num-iterations"} & set(added)
    base_train.main(command(text, tmp_path / "b", *small, *added))  # the same, typed
    assert (tmp_path / "a" / "log.jsonl").read_bytes() == (tmp_path / "b" / "log.jsonl").read_bytes()


def test_a_step_that_reads_the_text_over_and_over_is_warned_of(text: Path, tmp_path: Path, capsys) -> None:
    small = ["--n-embd", "16", "--head-dim", "8", "--depth", "1", "--max-seq-len", "64", "--device-batch-size", "1024"]
    once = ["--num-iterations", "0", "--eval-every", "-1", "--eval-tokens", "64"]
    base_train.main(command(text, tmp_path / "a", *small, *once, "--total-batch-size", "65536"))
    told = capsys.readouterr().out
    tokens = count_tokens(settings_from(typed(text)))
    warned = next(line for line in told.splitlines() if line.startswith("warning: a step takes 65,536 tokens, "))
    assert float(warned.split("tokens, ")[1].split()[0]) == pytest.approx(65536 / tokens, rel=0.1)
    assert 65536 / tokens > 1.2
    small[-1] = "1"
    base_train.main(command(text, tmp_path / "b", *small, *once, "--total-batch-size", "64"))
    assert "warning" not in capsys.readouterr().out


def test_a_text_that_is_not_there_is_told_in_one_line(text: Path, tmp_path: Path) -> None:
    nowhere = ["--data", str(tmp_path / "nowhere"), "--tokenizer", str(text / "tokenizer"), "--device", "cpu"]
    with pytest.raises(SystemExit, match=r"^base_train: no shards at .*nowhere: make them with"):
        base_train.main([*nowhere, "--preset", "gpu"])


def test_the_world_counts(text: Path, monkeypatch) -> None:
    given = {"preset": "laptop", **typed(text)}
    monkeypatch.setattr(presets, "count_tokens", lambda settings: 10**8)
    alone, four = (base_train.fitted(given, World(0, size, "cpu")).total_batch_size for size in (1, 4))
    assert four == 4 * alone
