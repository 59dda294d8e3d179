"""Sampling from nanochat's checkpoints, as from the terminal."""

from pathlib import Path

import pytest
import torch

from nanochat.cli import sample
from nanochat.cli.base_train import sample as sample_after_training
from nanochat.cli.base_train import train
from nanochat.dataset import documents, write_shards
from nanochat.tokenizer import RustBPETokenizer
from nanochat.training.settings import Settings
from nanochat.training.step import Training

TEXTS = [f"The number {i} comes before {i + 1}, and after {i - 1}." for i in range(60)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with shards, two tokenizers, and room for checkpoints."""
    folder = tmp_path_factory.mktemp("sample")
    write_shards(TEXTS, folder / "data", "numbers", shard_count=3)
    for name, size in (("tokenizer", 300), ("other", 280)):
        RustBPETokenizer.train_from_iterator(documents("train", folder / "data"), size).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def trained(place: Path) -> Training:
    """A model of a few steps, with checkpoints after two and after four."""
    torch.set_num_threads(1)
    settings = Settings(
        data=str(place / "data"), tokenizer=str(place / "tokenizer"), depth=1, n_embd=16, head_dim=8, max_seq_len=16,
        device_batch_size=2, total_batch_size=64, num_iterations=4, save_every=2, eval_every=-1, device="cpu",
        peak_flops=1e9,
    )  # fmt: skip
    return train(settings, folder=place / "out")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """The samples, as printed."""
    sample.main([*arguments, "--device", "cpu", "--tokens", "20"])
    return capsys.readouterr().out.split("\n" + "-" * 15 + "\n")[:-1]


def test_it_writes_what_the_training_wrote(place: Path, trained: Training, capsys: pytest.CaptureFixture[str]) -> None:
    samples = run(capsys, str(place / "out"), "--prompt", "The number", "--samples", "3")
    assert len(samples) == 3 == len(set(samples))
    assert samples[0] == sample_after_training(trained, "The number", 20)
    assert run(capsys, str(place / "out"), "--prompt", "The number", "--seed", "43") == samples[1:2]
    likeliest = run(capsys, str(place / "out"), "--prompt", "The number", "--temperature", "0")
    assert run(capsys, str(place / "out"), "--prompt", "The number", "--top-k", "1") == likeliest
    assert run(capsys, str(place / "out"), "--step", "2") != run(capsys, str(place / "out"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no checkpoint at nowhere: train first, or name its folder"),
        (["out", "--step", "3"], r"no checkpoint of step 3 at .*: there are those of steps \[2, 4\]"),
        (["out", "--tokenizer", "other"], "was trained with another tokenizer"),
        (["out", "--tokenizer", "nowhere"], "no tokenizer at nowhere"),
        (["out", "--device", "cuda:7"], "device='cuda:7' can't be used here"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], message: str, place: Path, trained: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    with pytest.raises(SystemExit, match=f"^sample: .*{message}"):
        sample.main(["--tokens", "2", "--device", "cpu", *arguments])


@pytest.mark.parametrize("wrong", [["--tokens", "0"], ["--samples", "0"], ["--temperature", "-1"]])
def test_what_makes_no_sample(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        sample.main(["out", *wrong])
    assert "--samples and --tokens are 1 or more" in capsys.readouterr().err
