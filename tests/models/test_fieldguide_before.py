"""The training commands look before they begin, unless told not to, and tell torchrun which rank failed and why."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fieldguide.check import before, surroundings
from fieldguide.report import Finding, Report
from nanochat.__main__ import main as nanochat
from nanogpt import data, entry, train, train_sort
from ngpt import shards
from ngpt import train as ngpt_train

SOURCE = Path(before.__file__).parents[2]
NANO = [
    "--device=cpu", "--compile=False", "--dataset=mine", "--batch_size=2", "--block_size=16", "--n_layer=1",
    "--n_head=2", "--n_embd=16", "--max_iters=1", "--eval_interval=2", "--eval_iters=1",
]  # fmt: skip
CHAT = [
    "--depth", "1", "--n-embd", "32", "--head-dim", "16", "--max-seq-len", "32", "--device-batch-size", "2",
    "--total-batch-size", "64", "--num-iterations", "1", "--device", "cpu", "--eval-tokens", "64", "--peak-flops", "1",
]  # fmt: skip
FULL = Finding("error", "The disk is too small for the checkpoints.", "1 MiB free", "make room")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a text as nanoGPT's data and as nanochat's shards with a tokenizer."""
    folder = tmp_path_factory.mktemp("before")
    text = "\n\n".join(f"The value of {i} is {i * i}." for i in range(3000))
    (folder / "t.txt").write_text(text)
    with contextlib.redirect_stdout(io.StringIO()):
        data.main(["char", str(folder / "t.txt"), str(folder / "data/mine")])
        nanochat(
            ["dataset", "--text", str(folder / "t.txt"), "--folder", str(folder / "base/base_data"), "--shards", "3"]
        )
        words = ["--data", str(folder / "base/base_data"), "--out", str(folder / "base/tokenizer")]
        nanochat(["tokenizer", "--vocab-size", "512", *words])
    return folder


@pytest.fixture
def here(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that sees the data."""
    (tmp_path / "data").symlink_to(prepared / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NANOCHAT_BASE_DIR", str(prepared / "base"))
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    return tmp_path


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk without room."""
    monkeypatch.setattr(surroundings, "check_disk", lambda *_: [FULL])


COMMANDS = {
    "nanogpt.train": lambda off: train.main([*NANO, *(["--check=False"] if off else [])]),
    "ngpt.train": lambda off: ngpt_train.main([*NANO, *(["--check=False"] if off else [])]),
    "nanogpt.train_sort": lambda off: train_sort.main(["--check=False"] if off else []),
    "base_train": lambda off: nanochat(["base_train", *CHAT, "--out", "b", *(["--no-check"] if off else [])]),
    "ngpt.shards": lambda off: shards.main([*CHAT, "--out", "s", *(["--no-check"] if off else [])]),
    "gpt": lambda off: shards.main([*CHAT, "--out", "g", "--model", "gpt", *(["--no-check"] if off else [])]),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_an_error_ends_a_training_before_it_begins(command: str, here: Path, full: None) -> None:
    with pytest.raises(SystemExit) as ended:
        COMMANDS[command](False)
    said = str(ended.value.code)
    assert "The disk is too small for the checkpoints. 1 MiB free -> make room" in said
    assert ("--check=False" if command in before.LOOKS and "." in command else "--no-check") in said
    assert [path.name for path in here.rglob("*") if path.is_file() and "data" not in path.parts] == []


def test_told_not_to_a_training_begins_all_the_same(here: Path, full: None, capsys: pytest.CaptureFixture[str]) -> None:
    COMMANDS["nanogpt.train"](True)
    COMMANDS["base_train"](True)
    assert "check:" not in capsys.readouterr().out
    assert (here / "b/log.jsonl").is_file()


def test_the_chat_stages_look_too(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    COMMANDS["base_train"](False)
    few = ["--examples", "20", "--held-out", "2", "--num-iterations", "1", "--device", "cpu", "--max-seq-len", "256"]
    nanochat(["mid_train", "b", *few, "--out", "mid"])
    said = capsys.readouterr().out
    assert said.count("things were looked at, nothing is in the way\n") == 2
    monkeypatch.setattr(surroundings, "check_disk", lambda *_: [FULL])
    for command in (["chat_sft", "mid", *few], ["chat_rl", "mid", "--num-steps", "1", "--device", "cpu"]):
        with pytest.raises(SystemExit, match="too small for the checkpoints"):
            nanochat([*command, "--out", "next"])
    assert not (here / "next").exists()


def test_a_warning_is_told_and_the_training_goes_on(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        surroundings, "check_disk", lambda *_: [Finding("warning", "It is\x1b[2J narrow.", "a\nb", "c")]
    )
    train.main(NANO)
    said = capsys.readouterr().out
    assert "check: It is\\x1b[2J narrow. a; b -> c\n" in said and "iter 1: loss" in said


def test_data_of_another_tokenizer_is_found_before_the_first_step(here: Path) -> None:
    (here / "data").unlink()
    with contextlib.redirect_stdout(io.StringIO()):
        (here / "t.txt").write_text("abcdefgh" * 400)
        data.main(["char", "t.txt", "data/mine"])
    (here / "data/mine/val.bin").write_bytes(b"\xff\x7f" * 400)
    with pytest.raises(SystemExit, match=r"train: data/mine/val.bin has tokens that the model lacks"):
        train.main(NANO)


def test_compiled_steps_that_are_counted_too_large_are_a_warning() -> None:
    large = Finding("error", "A step does not fit into memory: 60.00 GiB.", "GPU: 40 GiB")
    assert before.softened(large).level == "warning" and "torch.compile" in before.softened(large).evidence
    assert before.softened(FULL) is FULL


def test_one_process_of_a_machine_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setitem(before.LOOKS, "x", lambda: asked.append("looked") or Report("x"))
    for rank in ("0", "1", "0"):
        monkeypatch.setenv("LOCAL_RANK", rank)
        entry.look("x")
    assert asked == ["looked"] * 2


def test_without_fieldguide_a_training_begins(here: Path) -> None:
    hidden = "import sys; sys.modules['fieldguide'] = None\nfrom nanogpt import train\n"
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    ran = subprocess.run([sys.executable, "-c", f"{hidden}train.main({NANO})"], env=env, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "iter 1: loss" in ran.stdout and "check" not in ran.stdout


FAILING = """
import sys
import torch.distributed as dist
from {module} import {name} as command

def fails(settings, world, *rest):
    if world.rank == 1:
        raise ValueError("the shard of this rank is cut short")
    dist.barrier()

command.{function} = fails
command.main(sys.argv[1:])
"""


@pytest.mark.slow
@pytest.mark.parametrize(("module", "name", "function", "options"), [
    ("nanogpt", "train", "train", [*NANO, "--backend=gloo", "--check=False"]),
    ("nanochat.cli", "base_train", "fitted", [*CHAT, "--no-check"]),
])  # fmt: skip
def test_torchrun_shows_the_error_of_the_rank_that_failed(
    module: str, name: str, function: str, options: list[str], here: Path
) -> None:
    text = FAILING.format(module=module, name=name, function=function)
    (here / "fails.py").write_text(text)
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node=2",
        "fails.py",
        *options,
    ]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 1
    cause = ran.stderr.partition("Root Cause")[2]
    assert "rank      : 1 " in cause and "ValueError: the shard of this rank is cut short" in cause, ran.stderr[-2000:]


def test_without_torchrun_nothing_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCHELASTIC_ERROR_FILE", raising=False)
    assert entry.recorded(train.command) is train.command
    assert torch.__version__  # torch is there, its elastic part is not loaded for this
