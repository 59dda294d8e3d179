"""Training against nanoGPT's own figures; resuming; several processes; options."""

import math
import os
import pickle
import re
import subprocess
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nanogpt import checkpoint, train
from nanogpt.configurator import PRESETS, OptionError, configure, read_config
from nanogpt.device import usable_device
from nanogpt.model import GPTConfig
from nanogpt.train import TrainOptions, World, get_lr

pytestmark = pytest.mark.slow

SOURCE = Path(train.__file__).parents[1]
SMALL = TrainOptions(
    dataset="lcg", device="cpu", dtype="float32", compile=False, block_size=16, batch_size=4, n_layer=2,
    n_head=2, n_embd=32, gradient_accumulation_steps=2, learning_rate=1e-2, min_lr=1e-3, warmup_iters=5,
    max_iters=20, lr_decay_iters=20, eval_interval=10, eval_iters=3,
)  # fmt: skip
# Printed by the original on the same data and options.
LOSSES = [
    2.8529, 2.7629, 2.6544, 2.6231, 2.4227, 2.3542, 2.3369, 2.2085, 2.1763, 2.2513, 2.0665, 2.1037,
    2.0039, 2.3068, 2.0357, 2.2376, 2.2749, 2.0802, 2.1262, 1.8638, 2.0768,
]  # fmt: skip
EVALUATIONS = [
    "step 0: train loss 2.8415, val loss 2.8509",
    "step 10: train loss 2.2217, val loss 2.2818",
    "step 20: train loss 2.1609, val loss 2.1315",
]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with 4000 tokens, made by a generator that is easy to write in any language."""
    state, tokens = 42, []
    for k in range(4000):
        state = (1103515245 * state + 12345) % 2**31
        tokens.append(k % 5 if (state >> 16) % 3 else (state >> 16) % 17)
    assert sum(tokens) == 16497
    folder = tmp_path / "data" / "lcg"
    folder.mkdir(parents=True)
    np.array(tokens[:3600], dtype="<u2").tofile(folder / "train.bin")
    np.array(tokens[3600:], dtype="<u2").tofile(folder / "val.bin")
    itos = dict(enumerate("abcdefghijklmnopq"))
    meta = {"vocab_size": 17, "itos": itos, "stoi": {c: i for i, c in itos.items()}}
    (folder / "meta.pkl").write_bytes(pickle.dumps(meta))
    monkeypatch.chdir(tmp_path)
    return folder


def lines(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(start)]


def losses(text: str) -> list[str]:
    return [line.split("loss ")[1].split(",")[0] for line in lines(text, "iter ")]


def test_the_original_run(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = train.train(SMALL, World())
    text = capsys.readouterr().out
    assert [float(x) for x in losses(text)] == pytest.approx(LOSSES, abs=2e-4)
    assert len(lines(text, "step ")) == len(EVALUATIONS)
    for line, golden in zip(lines(text, "step "), EVALUATIONS, strict=True):
        assert re.sub(r"[\d.]{6}", "", line) == re.sub(r"[\d.]{6}", "", golden)
        values, wanted = ([float(x) for x in re.findall(r"\d\.\d{4}", text)] for text in (line, golden))
        assert values == pytest.approx(wanted, abs=2e-4)  # the last digit depends on the processor
    assert "parameters decayed: 25,632 in 10 tensors" in text
    saved = checkpoint.load("out", "cpu")
    assert set(saved) == {*checkpoint.KEYS, "rng"}
    assert saved["config"] == asdict(SMALL)
    assert len(saved["config"]) == 33 + 1  # nanoGPT's options, and tensorboard
    assert set(saved["model_args"]) == {field.name for field in fields(GPTConfig)}
    assert saved["iter_num"] == 20
    assert saved["best_val_loss"].shape == ()
    assert state.iter_num == 21


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_resumed_training_is_bit_equal(dropout, data, capsys) -> None:
    options = replace(SMALL, dropout=dropout)
    whole = train.train(options, World())
    expected = capsys.readouterr().out
    train.train(replace(options, max_iters=12), World())  # stops after the checkpoint of iteration 10
    capsys.readouterr()
    resumed = train.train(replace(options, init_from="resume"), World())
    text = capsys.readouterr().out
    assert losses(text) == losses(expected)[10:]
    assert lines(text, "step ") == lines(expected, "step ")[1:]
    for a, b in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_resumes_a_checkpoint_of_nanogpt(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train.train(replace(SMALL, max_iters=10), World())
    saved = torch.load("out/ckpt.pt", weights_only=True)
    del saved["rng"]
    saved["model"] = {f"_orig_mod.{name}": tensor for name, tensor in saved["model"].items()}
    torch.save(saved, "out/ckpt.pt")
    capsys.readouterr()
    state = train.train(replace(SMALL, init_from="resume", max_iters=11), World())
    text = capsys.readouterr().out
    assert "other batches follow" in text
    assert [line.split(":")[0] for line in lines(text, "iter ")] == ["iter 10", "iter 11"]
    assert state.iter_num == 12
    with pytest.raises(OptionError, match="resume with that"):
        train.train(replace(SMALL, init_from="resume", block_size=8), World())


def test_a_save_that_fails_keeps_the_checkpoint(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, {"model": torch.ones(3)})
    before = path.read_bytes()
    with pytest.raises((AttributeError, pickle.PicklingError)):
        checkpoint.save(tmp_path, {"model": lambda: None})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["ckpt.pt"]


def test_checkpoints_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        checkpoint.load(tmp_path, "cpu")
    torch.save({"model": {}}, tmp_path / "ckpt.pt")
    with pytest.raises(ValueError, match="lacks optimizer"):
        checkpoint.load(tmp_path, "cpu")
    (tmp_path / "ckpt.pt").write_bytes(b"cut off")
    with pytest.raises(ValueError, match="can't be read"):
        checkpoint.load(tmp_path, "cpu")


PROCESS = """
import sys, torch
from dataclasses import replace
from nanogpt import train
from nanogpt.train import TrainOptions
torch.set_num_threads(1)
options = TrainOptions(dataset="lcg", device="cpu", dtype="float32", compile=False, block_size=16,
                       batch_size=4,
                       n_layer=2, n_head=2, n_embd=32, gradient_accumulation_steps=4, backend="gloo")
options, world = train.join(options)
torch.manual_seed(0)
state = train.begin(options, world, None)
micro = torch.randint(17, (4, 2, 4, 16), generator=torch.Generator().manual_seed(1)).unbind()

class Given:
    def __init__(self):
        self.left = list(micro[world.rank::world.size])
        self.fetch()
    def fetch(self):
        self.current = self.left.pop(0) if self.left else None

losses = torch.stack(train.micro_steps(state, options, world, Given())).mean()
if world.size > 1:
    torch.distributed.all_reduce(losses)
    losses /= world.size
if world.rank == 0:
    torch.save({"loss": losses, "grads": [p.grad for p in state.model.parameters()]}, sys.argv[1])
if world.size > 1:
    torch.distributed.destroy_process_group()
"""


def test_two_processes_do_what_one_does(data: Path, tmp_path: Path) -> None:
    script = tmp_path / "step.py"
    script.write_text(PROCESS)
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    found = []
    for start in ([sys.executable], torchrun):
        target = tmp_path / f"{len(start)}.pt"
        run = subprocess.run([*start, script, target], env=env, capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, run.stderr
        found.append(torch.load(target, weights_only=True))
    torch.testing.assert_close(found[0]["loss"], found[1]["loss"])
    assert found[0]["grads"][0].abs().max() > 0
    torch.testing.assert_close(found[0]["grads"], found[1]["grads"])


def test_learning_rates() -> None:
    table = {0: 2.9985007e-07, 1: 5.9970015e-07, 1999: 5.9970015e-04, 2000: 6e-4, 100_000: 5.6499992e-04}
    table |= {301_000: 3.3e-4, 600_000: 6e-5, 700_000: 6e-5}
    for it, lr in table.items():
        assert get_lr(it, TrainOptions()) == pytest.approx(lr, rel=1e-7)
    assert math.isfinite(get_lr(5, replace(SMALL, warmup_iters=5, lr_decay_iters=5)))


def test_batches_are_shifted_windows(data: Path) -> None:
    torch.manual_seed(0)
    x, y = train.get_batch(SMALL, "train", "cpu")
    assert x.shape == y.shape == (4, 16)
    assert x.dtype == y.dtype == torch.int64
    assert torch.equal(x[:, 1:], y[:, :-1])
    with pytest.raises(ValueError, match=r"has 400 tokens: more than block_size=400"):
        train.get_batch(replace(SMALL, block_size=400), "val", "cpu")


def test_command_line(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.py").write_text(
        "import time\nsteps = 2\ngradient_accumulation_steps = 1 * steps\nweight_decay = 1\n"
        "wandb_run_name = 'run' + str(time.time())\n"
    )
    options = configure(SMALL, ["mine.py", "--max_iters=0", "--out_dir=a=b"], "usage")
    assert (options.gradient_accumulation_steps, options.max_iters, options.out_dir) == (2, 0, "a=b")
    assert type(options.weight_decay) is float
    assert options.wandb_run_name.startswith("run1")
    with pytest.raises(SystemExit):
        configure(SMALL, ["--help"], "usage")
    text = capsys.readouterr().out
    assert all(f"    {name}: " in text for name in asdict(SMALL))


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--learning_rat=0.1", "unknown key, did you mean learning_rate"),
        ("--learning_rate=1", r"a float is needed, this is a int; write 1\.0"),
        ("--compile=0", "a bool is needed"),
        ("--max_iters=many", "a int is needed, this is a str"),
        ("--compile", "an option is --name=value"),
        ("compile=False", "two dashes"),
        ("nowhere.py", "no such config file"),
    ],
)
def test_wrong_arguments(argument: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        configure(SMALL, [argument], "usage")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("max_iter = 5", "unknown key max_iter, did you mean max_iters"),
        ("max_iters = 'many'", "max_iters must be a int"),
        ("max_iters = open('x')", "only literals"),
        ("import os", "only 'name = value'"),
        ("max_iters = 1 // 0", "zero"),
        ("max_iters = ", "not Python"),
    ],
)
def test_wrong_config_files(line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "config.py"
    path.write_text(f"bias = True\n{line}\n")
    with pytest.raises(OptionError, match=message) as caught:
        read_config(path, SMALL)
    assert f"{path}:2: " in str(caught.value)


@pytest.mark.parametrize("path", sorted(PRESETS.glob("*.py")), ids=lambda path: path.stem)
def test_presets_can_be_read(path: Path) -> None:
    assert configure(TrainOptions(), [f"config/{path.name}"], "usage") != TrainOptions()


def test_auto_is_the_fastest_device_that_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert usable_device("auto") == "cpu"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert usable_device("auto") == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert usable_device("auto") == "cuda"


def test_a_mistake_is_one_line_on_the_terminal(data: Path) -> None:
    with pytest.raises(SystemExit, match="train: no data at"):
        options = ["--check=False", "--device=cpu", "--compile=False", "--n_layer=1", "--n_embd=12"]
        train.main(["--dataset=nowhere", *options])
