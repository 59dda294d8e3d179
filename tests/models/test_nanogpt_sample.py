"""Sampling from a checkpoint, as from the terminal."""

from pathlib import Path

import pytest
import torch

from nanogpt import checkpoint, data, sample
from nanogpt.model import GPT, GPTConfig

TEXT = "abcdefgh" * 20


@pytest.fixture(autouse=True)
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with data and a checkpoint of random weights, whose names a compiled model left."""
    monkeypatch.chdir(tmp_path)
    data.prepare_char(TEXT, Path("data/letters"))
    torch.manual_seed(0)
    sizes = {"block_size": 8, "vocab_size": 8, "n_layer": 1, "n_head": 2, "n_embd": 8, "dropout": 0.5}
    model = GPT(GPTConfig(**sizes))
    weights = {f"_orig_mod.{name}": tensor for name, tensor in model.state_dict().items()}
    config = {"dataset": "letters"}
    checkpoint.save("out", {"model": weights, "optimizer": {}, "model_args": sizes, "iter_num": 1,
                            "best_val_loss": torch.tensor(1.0), "config": config})  # fmt: skip


ARGUMENTS = ["--device=cpu", "--dtype=float32", "--num_samples=2", "--max_new_tokens=20"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """The samples, as printed."""
    capsys.readouterr()
    sample.main([*ARGUMENTS, *arguments])
    text = capsys.readouterr().out.split("M\n", 1)[1]
    return text.split(f"\n{sample.RULE}\n")


def test_samples_go_on_from_the_prompt_and_repeat_under_a_seed(capsys: pytest.CaptureFixture[str]) -> None:
    one = run(capsys, "--start=abc")
    assert len(one) == 3  # the last is empty: a rule follows every sample
    assert [len(text) for text in one] == [23, 23, 0]
    assert all(text.startswith("abc") for text in one[:2])
    assert one[0] != one[1]
    assert run(capsys, "--start=abc") == one
    assert run(capsys, "--start=abc", "--seed=1") != one


def test_prompt_from_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("prompt.txt").write_text("hgf", encoding="utf-8")
    assert run(capsys, "--start=FILE:prompt.txt") == run(capsys, "--start=hgf")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--start=xyz", "does not know the characters"),
        ("--start=", "empty"),
        ("--start=FILE:none.txt", "no such file"),
        ("--temperature=0.0", "above 0"),
        ("--out_dir=nowhere", "no checkpoint at"),
        ("--init_from=gpt2", r"weights are not in"),
        ("--dtype=float8", "expected one of float32"),
    ],
)
def test_mistakes_are_one_line(argument: str, message: str) -> None:
    with pytest.raises(SystemExit, match=f"sample: .*{message}"):
        sample.main([*ARGUMENTS, "--start=abc", argument])
