"""`fieldguide` inside an upstream checkout: its `nanochat` is not taken for ours, its files are read, none is run."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from fieldguide.__main__ import main
from nanogpt import train

SOURCE = Path(train.__file__).parents[1]
RUNS = "raise SystemExit('upstream code was imported')\n"
SIZES = ["--depth", "2", "--n-embd", "64", "--n-head", "2", "--block", "64", "--batch", "2", "--vocab", "392"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder as nanochat's repository is laid out, with packages that must not be imported."""
    for name in ("nanochat/__init__.py", "nanochat/gpt.py", "tasks/__init__.py", "model.py", "train.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(RUNS)
    return tmp_path


def inside(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "fieldguide", *words]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("words", [
    ["check", "--model", "nanochat-newest", *SIZES, "--total-batch-size", "128", "--device", "cpu", "--json"],
    ["scale", "--model", "nanochat-newest", "--depth", "4", "--json"],
])  # fmt: skip
def test_the_checkouts_own_package_is_not_taken_for_ours(words: list[str], checkout: Path) -> None:
    ran = inside(checkout, *words)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["exit_code"] == 0


def check(folder: Path, capsys: pytest.CaptureFixture[str], vocab: str = "392") -> list[dict[str, Any]]:
    words = [*SIZES[:-1], vocab, "--total-batch-size", "128", "--device", "cpu", "--without-memory", "--json"]
    main(["check", "--model", "nanochat-newest", *words, "--tokenizer", str(folder)])
    return [each for each in json.loads(capsys.readouterr().out)["findings"] if "tokenizer at" in each["what"].lower()
            or "tokenizer has" in each["what"]]  # fmt: skip


def test_upstreams_tokenizer_is_sized_by_what_stands_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tokenizer.pkl").write_bytes(pickle.dumps(print))  # opened, it would be refused or run
    (found,) = check(tmp_path, capsys)
    assert found["level"] == "warning" and "is not opened" in found["what"]
    torch.save(torch.ones(392, dtype=torch.int32), tmp_path / "token_bytes.pt")
    assert check(tmp_path, capsys)[0]["level"] == "good"
    assert check(tmp_path, capsys, "256")[0]["level"] == "error"


def test_a_folder_of_data_sets_leads_to_those_that_are_prepared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("openwebtext", "shakespeare_char"):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "prepare.py").write_text(RUNS)
    (tmp_path / "data/shakespeare_char/train.bin").write_bytes(b"\0\0" * 99)
    assert main(["data", str(tmp_path / "data")]) == 2
    assert f"name {tmp_path / 'data/shakespeare_char'}" in capsys.readouterr().err
    assert main(["check", "--data", str(tmp_path / "data/openwebtext"), "--without-memory", "--device", "cpu"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert f"python {tmp_path / 'data/openwebtext/prepare.py'}"[:60] in said


UPSTREAM = Path(os.environ.get("UPSTREAM", "/nowhere"))


@pytest.mark.slow
@pytest.mark.skipif(
    not (UPSTREAM / "nanoGPT/train.py").is_file(), reason="$UPSTREAM names no folder with nanoGPT's code"
)
def test_nanogpts_own_training_is_read(tmp_path: Path) -> None:
    """The original program trains for a moment; its log, checkpoint, data and presets go through the tools."""
    import shutil

    folder = tmp_path / "nanoGPT"
    shutil.copytree(UPSTREAM / "nanoGPT", folder)
    data = folder / "data/shakespeare_char"
    (data / "input.txt").write_text("".join(f"The value of {i} is {i * i}.\n" for i in range(9000)))
    subprocess.run([sys.executable, "prepare.py"], cwd=data, check=True, capture_output=True)
    small = {"device": "cpu", "compile": False, "eval_iters": 2, "log_interval": 1, "block_size": 32, "batch_size": 4,
             "n_layer": 2, "n_head": 2, "n_embd": 32, "max_iters": 60, "eval_interval": 20, "dropout": 0.0}  # fmt: skip
    options = [f"--{name}={value}" for name, value in small.items()]
    command = [sys.executable, "train.py", "config/train_shakespeare_char.py", *options]
    with (folder / "train.log").open("w") as log:
        subprocess.run(command, cwd=folder, check=True, stdout=log)
    config, out = "config/train_shakespeare_char.py", "out-shakespeare-char"
    for words in (["check", "--config", config, "--device", "cpu", "--without-memory"], ["loss", "train.log"],
                  ["memory", "--config", config, "--batch", "2", "--device", "cpu"], ["checkpoint", "verify", out],
                  ["runs", "record", "train.log"], ["data", "data/shakespeare_char"]):  # fmt: skip
        ran = inside(folder, *words)
        assert ran.returncode == 0, (words, ran.stdout, ran.stderr)
