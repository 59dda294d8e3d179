"""Base training: exact resume, several processes, bits per byte by hand, checkpoints that are damaged, the command."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields, replace
from itertools import cycle
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from scalars import read_scalars

from nanochat.cli import base_train
from nanochat.cli.base_train import train
from nanochat.common import World, compute_dtype, compute_init
from nanochat.config import sizes_of_depth
from nanochat.dataset import documents, write_shards
from nanochat.gpt import GPT, GPTConfig
from nanochat.tokenizer import RustBPETokenizer, token_bytes
from nanochat.training import checkpoint, loss_eval, mfu, settings
from nanochat.training import step as training
from nanochat.training.checkpoint import CheckpointError, build_model, find_steps
from nanochat.training.horizon import make_plan
from nanochat.training.logs import JsonLines, read_lines
from nanochat.training.settings import Settings, settings_from

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).parents[2] / "model_src"
WORDS = ["the", "model", "reads", "a", "row", "of", "tokens", "and", "foresees", "the", "next", "one", "in", "it"]
TEXTS = [" ".join(WORDS[(i * k + k * k) % len(WORDS)] for k in range(1, 30)) + "." for i in range(80)]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Models as small as these are slower with several, and differ in the last digit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with shards and a tokenizer."""
    folder = tmp_path_factory.mktemp("base")
    write_shards(TEXTS, folder / "data", "words", shard_count=4)
    RustBPETokenizer.train_from_iterator(documents("train", folder / "data"), 300).save(folder / "tokenizer")
    return folder


@pytest.fixture(scope="module")
def small(place: Path) -> Settings:
    """Eight steps of four micro-batches."""
    return Settings(
        data=str(place / "data"), tokenizer=str(place / "tokenizer"), depth=2, n_embd=32, head_dim=8, max_seq_len=16,
        device_batch_size=2, total_batch_size=128, num_iterations=8, eval_every=4, save_every=2, device="cpu",
        peak_flops=1e9,
    )  # fmt: skip


@pytest.fixture(scope="module")
def newest(small: Settings) -> Settings:
    """The same of July 2026."""
    given = {field.name for field in fields(Settings)} - {*settings.NEWEST, "newest"}
    return Settings.of_newest(
        **{name: getattr(small, name) for name in given}, total_batch_size=128, target_param_data_ratio=12.0
    )


class Curve:
    """What is reported, in order; it stops the training when it hears of a step."""

    def __init__(self, stop: int | None = None) -> None:
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.stop = stop

    def __call__(self, step: int, **values: float) -> None:
        if step == self.stop and "loss" in values:
            raise InterruptedError
        self.rows.append((step, values))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ---- the loop


def test_a_training_learns_and_tells(small: Settings) -> None:
    curve, clock = Curve(), Curve()
    done = train(replace(small, num_iterations=40, eval_every=20), report=curve, clock=clock)
    losses = [values["loss"] for _, values in curve.rows if "loss" in values]
    bpb = [values["val_bpb"] for _, values in curve.rows if "val_bpb" in values]
    assert losses[0] == pytest.approx(math.log(300))  # the head is zero at first: every token is as likely
    assert losses[-1] < 0.5 * losses[0]
    assert len(bpb) == 3
    assert bpb[-1] < 0.5 * bpb[0]
    assert (done.step, done.val_bpb, done.min_val_bpb) == (40, bpb[-1], min(bpb))
    assert [step for step, values in curve.rows if "loss" in values] == list(range(40))
    for (step, values), later in zip(curve.rows, curve.rows[1:], strict=False):
        assert step <= later[0]
        if "loss" in values:
            parts = [values[f"grad_norm_{name}"] for name in ("wte", "matrices", "lm_head")]
            assert math.hypot(*parts) == pytest.approx(values["grad_norm"], rel=1e-5)
            assert values["lr"] == pytest.approx(0.02 * min(1.0, (40 - step) / 8))
            assert values["momentum"] == pytest.approx(0.85 + 0.1 * step / 300)
    for _, speed in clock.rows:
        flops = done.model.estimate_flops() * speed["tokens_per_s"]
        assert speed["mfu"] == pytest.approx(flops / 1e9)


def test_the_smooth_loss_is_an_unbiased_mean(small: Settings) -> None:
    curve = Curve()
    train(small, report=curve)
    rows = [values for _, values in curve.rows if "loss" in values]
    for i, row in enumerate(rows):
        weights = [0.9 ** (i - k) for k in range(i + 1)]
        mean = sum(w * each["loss"] for w, each in zip(weights, rows, strict=False)) / sum(weights)
        assert row["smooth_loss"] == pytest.approx(mean)


def given_batches(state: training.Training, size: int, count: int) -> None:
    """Let a training have the same rows of tokens, in micro-batches of this size."""
    ids = torch.randint(300, (8, 17), generator=torch.Generator().manual_seed(3))
    state.loader = cycle([(rows[:, :-1], rows[:, 1:]) for rows in ids.split(size)])
    state.accumulation = count


def test_micro_batches_add_up(small: Settings) -> None:
    """Four small ones make the step of a large one."""
    found = []
    for size, count in ((8, 1), (2, 4)):
        state = training.begin(small)
        with torch.no_grad():
            for p in state.model.parameters():
                p.add_(0.1 * torch.randn(p.shape, generator=torch.Generator().manual_seed(p.numel())))
        given_batches(state, size, count)
        found.append((training.accumulate(state), {n: p.grad for n, p in state.model.named_parameters()}))
    assert found[0][0] == pytest.approx(found[1][0])
    assert min(g.abs().max() for g in found[0][1].values()) > 0
    torch.testing.assert_close(found[0][1], found[1][1])


def test_large_gradients_are_clipped(small: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in (0.01, 0.0):
        state = training.begin(replace(small, grad_clip=limit))
        monkeypatch.setattr(state.optimizer, "step", lambda: None)
        monkeypatch.setattr(state.model, "zero_grad", lambda set_to_none: None)  # so that they can be looked at
        told = training.take_step(state)
        assert told["grad_norm"] > 0.1
        found = training.gradient_norms(state.model)["grad_norm"]
        assert found == pytest.approx(limit or told["grad_norm"], rel=1e-3)


def test_peak_and_utilisation() -> None:
    assert mfu.mfu(6e6, 1000, 1.2e10) == 0.5
    peak = mfu.measure_peak("cpu", torch.float32, size=256, seconds=0.02)
    assert 1e8 < peak < 1e14


# ---- stopped and resumed


@pytest.mark.parametrize("generation", ["small", "newest"])
def test_a_resumed_training_is_bit_equal(generation: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    asked = request.getfixturevalue(generation)
    whole, first, second = Curve(), Curve(stop=5), Curve()
    expected = train(asked, folder=tmp_path / "whole", report=whole)
    with pytest.raises(InterruptedError):
        train(asked, folder=tmp_path / "cut", report=first)
    assert find_steps(tmp_path / "cut") == [2, 4]
    found = train(asked, folder=tmp_path / "cut", resume=True, report=second)
    assert second.rows == [row for row in whole.rows if row[0] >= 4]
    assert first.rows == [row for row in whole.rows if row[0] < 5]
    assert found.loader.state_dict() == expected.loader.state_dict()
    assert (found.step, found.running_loss, found.min_val_bpb) == (8, expected.running_loss, expected.min_val_bpb)
    for a, b in zip(expected.model.parameters(), found.model.parameters(), strict=True):
        assert torch.equal(a, b)
    memories = [each.optimizer.state_dict() for each in (expected, found)]
    torch.testing.assert_close(memories[0]["state"], memories[1]["state"], rtol=0, atol=0)
    assert memories[0]["param_groups"] == memories[1]["param_groups"]
    names = [name for name in contents(tmp_path / "cut") if name.endswith("safetensors")]
    assert {name: contents(tmp_path / "cut")[name] for name in names} == {
        name: contents(tmp_path / "whole")[name] for name in names
    }


KILLED = """
import os, random, signal, sys, time
import torch
import torch._dynamo  # which every optimizer loads: once for all children
torch.set_num_threads(1)
from nanochat.cli import base_train

def start(*argv):
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        base_train.main([*argv, "--no-check"])
        os._exit(0)
    return child

folder, *argv = sys.argv[1:]
began = time.monotonic()
assert os.waitpid(start(*argv, "--out", f"{folder}/whole"), 0)[1] == 0
took, killed, ended = time.monotonic() - began, 0, 0
while killed < 10:
    child = start(*argv, "--out", f"{folder}/cut{ended}", "--resume")
    time.sleep(random.uniform(0, 0.4 * took))
    os.kill(child, signal.SIGKILL)
    if os.waitpid(child, 0)[1] == signal.SIGKILL:
        killed += 1
    else:
        ended += 1  # it was faster; the next one begins anew
assert os.waitpid(start(*argv, "--out", f"{folder}/cut{ended}", "--resume"), 0)[1] == 0
"""


@pytest.mark.faults
def test_killed_at_ten_random_moments_the_curve_is_the_same(small: Settings, tmp_path: Path) -> None:
    """SIGKILL, ten times, and --resume each time: log, weights and memories are those of a training left in peace."""
    argv = as_arguments(replace(small, num_iterations=100, total_batch_size=32, eval_every=50, save_every=5))
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path, *argv], env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    whole = contents(tmp_path / "whole")
    assert len(whole["log.jsonl"].splitlines()) == 100 + 3
    resumed = sorted(tmp_path.glob("cut*"))
    assert resumed
    for folder in resumed:
        found = contents(folder)
        assert set(found) == set(whole)  # nothing half-written is left
        for name, data in found.items():
            assert name == "speed.jsonl" or data == whole[name], name


DYING = """
import os, signal, sys
import torch
import torch._dynamo  # which every optimizer loads: once for all children
torch.set_num_threads(1)
from nanochat.cli import base_train

def die_at(moment):
    calls = [0]
    def mortal(function):
        def call(*args):
            if calls[0] == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            calls[0] += 1
            return function(*args)
        return call
    os.fsync, os.replace = mortal(os.fsync), mortal(os.replace)

folder, *argv = sys.argv[1:]
moment = 0
while True:
    child = os.fork()
    if child == 0:
        die_at(moment)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        base_train.main([*argv, "--out", f"{folder}/{moment}", "--no-check"])
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
    moment += 1
print(moment)
"""


@pytest.mark.faults
def test_killed_while_it_saves_it_leaves_the_checkpoint_before(small: Settings, tmp_path: Path) -> None:
    """SIGKILL before each time that something would be made final: until one training gets through."""
    asked = replace(small, num_iterations=2, total_batch_size=32, eval_every=-1, eval_tokens=32, save_every=1)
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", DYING, tmp_path, *as_arguments(asked)], env=env, capture_output=True, text=True,
        timeout=300, check=True,
    )  # fmt: skip
    moments = int(done.stdout)
    assert moments == 2 * 2 + 2 * 4 * 2  # two logs; two checkpoints of four files: on the disk, and renamed
    whole = contents(tmp_path / str(moments))
    for moment in range(moments):
        folder = tmp_path / str(moment)
        for step in find_steps(folder):
            checkpoint.read_meta(folder, step)  # compares all digests
        train(asked, folder=folder, resume=True)
        found = contents(folder)
        names = {name for name in whole if "jsonl" not in name}
        assert names == {name for name in found if "jsonl" not in name}
        assert {name: found[name] for name in names} == {name: whole[name] for name in names}


def as_arguments(asked: Settings) -> list[str]:
    argv = []
    for name, value in asdict(asked).items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            argv.append(flag)
        elif value is not False:
            argv += [flag, str(value)]
    return argv


# ---- checkpoints that can't be used


@pytest.fixture(scope="module")
def trained(small: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the checkpoints of a training."""
    folder = tmp_path_factory.mktemp("trained") / "out"
    train(small, folder=folder)
    return folder


@pytest.fixture
def copy(trained: Path, tmp_path: Path) -> Path:
    """One that can be damaged."""
    folder = tmp_path / "out"
    folder.mkdir()
    for name, data in contents(trained).items():
        (folder / name).write_bytes(data)
    return folder


LAST = {"model": "model_000008.safetensors", "optim": "optim_000008_rank0.safetensors", "meta": "meta_000008.json"}


def truncate(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flip(data: bytes) -> bytes:
    return data[:-40] + bytes([data[-40] ^ 1]) + data[-39:]


@pytest.mark.parametrize("what", LAST)
@pytest.mark.parametrize("damage", [truncate, flip])
def test_damage_is_named_and_refused(what: str, damage: Callable, small: Settings, copy: Path) -> None:
    path = copy / LAST[what]
    path.write_bytes(damage(path.read_bytes()))
    before = contents(copy)
    with pytest.raises(CheckpointError) as caught:
        train(small, folder=copy, resume=True)
    assert str(path) in str(caught.value)
    assert f"delete {copy / LAST['meta']}" in str(caught.value)
    assert contents(copy) == before
    (copy / LAST["meta"]).unlink()  # what is advised
    assert train(small, folder=copy, resume=True).step == 8


def test_a_missing_file_is_named(small: Settings, copy: Path) -> None:
    (copy / LAST["optim"]).unlink()
    with pytest.raises(CheckpointError, match=r"optim_000008_rank0\.safetensors is missing"):
        train(small, folder=copy, resume=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_iterations": 9}, r"num_iterations is 9, the checkpoint's is 8"),
        ({"matrix_lr": 0.03}, r"matrix_lr is 0.03, the checkpoint's is 0.02"),
        ({"n_embd": 48}, "n_embd is 48, the checkpoint's is 32"),
        ({"packing": "greedy"}, "packing is 'greedy'"),
    ],
)
def test_another_training_can_not_go_on_with_it(change: dict, message: str, small: Settings, copy: Path) -> None:
    before = contents(copy)
    with pytest.raises(CheckpointError, match=message):
        train(replace(small, **change), folder=copy, resume=True)
    assert contents(copy) == before


def test_other_data_and_tokenizers_are_noticed(small: Settings, copy: Path, tmp_path: Path) -> None:
    write_shards(TEXTS[1:], tmp_path / "data", "fewer", shard_count=4)
    with pytest.raises(ValueError, match="the state's corpus is"):
        train(replace(small, data=str(tmp_path / "data")), folder=copy, resume=True)
    RustBPETokenizer.train_from_iterator(TEXTS[:3], 300).save(tmp_path / "tokenizer")
    with pytest.raises(ValueError, match=r"the tokenizer is another one|doesn't fit the model"):
        train(replace(small, tokenizer=str(tmp_path / "tokenizer")), folder=copy, resume=True)
    with pytest.raises(CheckpointError, match="saved by 1 processes, and there are 2 now"):
        state = training.begin(small)
        checkpoint.load_checkpoint(copy, checkpoint.read_meta(copy), state.model, state.optimizer, World(0, 2))


def test_a_disk_that_is_full_leaves_the_checkpoint_before(small: Settings, tmp_path: Path, monkeypatch) -> None:
    def full(tensors, path, notes) -> None:
        if "000004" in path.name:
            path.write_bytes(b"cut off")
            raise SafetensorError("No space left on device")
        save_file(tensors, path, notes)

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(OSError, match=r"_000004.*can't be written: No space left on device"):
        train(small, folder=tmp_path)
    assert find_steps(tmp_path) == [2]
    assert build_model(tmp_path)[1]["step"] == 2
    assert not list(tmp_path.glob("*000004*"))


def test_a_loss_that_is_no_number_ends_the_training(small: Settings, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the loss of step \d is nan: train again with lower learning rates"):
        train(replace(small, embedding_lr=math.inf), folder=tmp_path)


def test_a_folder_with_a_training_is_not_overwritten(small: Settings, copy: Path) -> None:
    before = contents(copy)
    with pytest.raises(CheckpointError, match="has done 8 steps: go on with it by --resume, or name another"):
        train(small, folder=copy)
    assert contents(copy) == before
    with pytest.raises(CheckpointError, match=r"no checkpoint of step 3 .*those of steps \[2, 4, 6, 8\]"):
        checkpoint.read_meta(copy, 3)
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        checkpoint.read_meta(copy / "nowhere")


def test_a_model_is_built_from_its_checkpoint(small: Settings, trained: Path) -> None:
    model, meta = build_model(trained)
    assert not model.training
    assert meta["step"] == 8
    assert meta["user_config"] == asdict(small)
    assert loss_eval.evaluate_split("val", model, training.get_tokenizer(small.tokenizer), small) == pytest.approx(
        meta["loop_state"]["val_bpb"], rel=1e-12
    )
    earlier, meta = build_model(trained, step=2)
    assert meta["step"] == 2
    assert not torch.equal(earlier.lm_head.weight, model.lm_head.weight)


# ---- bits per byte


class Known(torch.nn.Module):
    """Its loss for a target is what a table says."""

    def __init__(self, nats: torch.Tensor) -> None:
        super().__init__()
        self.nats = nats

    def forward(self, idx, targets, loss_reduction):
        assert loss_reduction == "none"
        return self.nats[targets.clamp_min(0)].flatten()


def test_bits_per_byte_by_hand() -> None:
    """Four tokens of 1, 3, 2 and no bytes; the last is special."""
    lengths = torch.tensor([1, 3, 2, 0], dtype=torch.int32)
    model = Known(torch.tensor([0.5, 2.0, 1.0, 100.0]))
    idx = torch.zeros(2, 3, dtype=torch.int64)
    targets = torch.tensor([[0, 1, 3], [2, -1, 1]])
    expected = (0.5 + 2.0 + 1.0 + 2.0) / math.log(2) / (1 + 3 + 2 + 3)
    assert loss_eval.evaluate_bpb(model, [(idx, targets)], 1, lengths) == pytest.approx(expected, rel=1e-6)
    both = [(idx, targets), (idx, torch.full((2, 3), 2))]
    expected = (5.5 + 6 * 1.0) / math.log(2) / (9 + 12)
    assert loss_eval.evaluate_bpb(model, both, 2, lengths) == pytest.approx(expected, rel=1e-6)
    assert loss_eval.evaluate_bpb(model, [(idx, torch.full((2, 3), 3))], 1, lengths) == math.inf


def test_bits_per_byte_of_a_guess(small: Settings) -> None:
    """A model that knows nothing needs log2 V bits a token; the validation text is read here once more, plainly."""
    tokenizer = training.get_tokenizer(small.tokenizer)
    model = training.begin(small).model
    bos = tokenizer.get_bos_token_id()
    ribbon = [id for text in documents("val", small.data) for id in tokenizer.encode(text, prepend=bos)]
    steps = len(ribbon) // 32
    targets = [id for k in range(steps) for id in (ribbon * 3)[33 * k + 1 : 33 * k + 33]]
    lengths = token_bytes(tokenizer)
    text = [id for id in targets if lengths[id]]
    expected = len(text) * math.log2(300) / sum(lengths[id] for id in text)
    assert loss_eval.evaluate_split("val", model, tokenizer, small) == pytest.approx(expected, rel=1e-6)
    few = replace(small, eval_tokens=64)
    text = [id for id in targets[:64] if lengths[id]]
    expected = len(text) * math.log2(300) / sum(lengths[id] for id in text)
    assert loss_eval.evaluate_split("val", model, tokenizer, few) == pytest.approx(expected, rel=1e-6)


# ---- several processes

PROCESS = """
import json, sys
from dataclasses import replace
from itertools import cycle
from pathlib import Path
import torch
from nanochat.training import step as training
from nanochat.cli.base_train import train
from nanochat.common import compute_cleanup, compute_init
from nanochat.training.settings import Settings

torch.set_num_threads(1)
asked, folder = Settings(**json.loads(sys.argv[1])), Path(sys.argv[2])
world = compute_init("cpu")
state = training.begin(asked, world)
ids = torch.randint(300, (8, 17), generator=torch.Generator().manual_seed(3))
mine = ids.split(2)[world.rank :: world.size]
state.loader, state.accumulation = cycle([(rows[:, :-1], rows[:, 1:]) for rows in mine]), len(mine)
told = [training.take_step(state) for _ in range(4)]
training.accumulate(state)
training.average_gradients(state)
found = {"told": told, "weights": state.model.state_dict(), "grads": [p.grad for p in state.model.parameters()]}
torch.save(found, folder / f"{world.rank}.pt")

rows = []
def heard(step, **values):
    rows.append([step, values])
whole = train(asked, world, folder / "out", report=heard)
if world.rank == 0:
    for path in (folder / "out").glob("*_000008*"):
        path.rename(path.with_suffix(".kept"))
again = []
resumed = train(asked, world, folder / "out", resume=True, report=lambda step, **values: again.append([step, values]))
assert again == [row for row in rows if row[0] >= 6], (again, rows)
for a, b in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
    assert torch.equal(a, b)
compute_cleanup()
"""


def test_two_processes_do_what_one_does(small: Settings, tmp_path: Path) -> None:
    """By torchrun: the same rows shared out give the same steps; a training of two goes on bit for bit."""
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    (tmp_path / "step.py").write_text(PROCESS)
    done = subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2",
            tmp_path / "step.py", json.dumps(asdict(small)), tmp_path,
        ],
        env=env, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    both = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    for name, weights in both[0]["weights"].items():
        assert torch.equal(weights, both[1]["weights"][name])
    state = training.begin(small)
    given_batches(state, 2, 4)
    for theirs in both[0]["told"]:  # Adam's first steps take only the signs of gradients: tiny ones may flip
        assert theirs == pytest.approx(training.take_step(state), rel=5e-3)
    state.model.load_state_dict(both[0]["weights"])
    training.accumulate(state)
    for p, mine, other in zip(state.model.parameters(), both[0]["grads"], both[1]["grads"], strict=True):
        assert torch.equal(mine, other)
        assert mine.abs().max() > 0
        torch.testing.assert_close(mine, p.grad)
    assert (tmp_path / "out" / "optim_000006_rank1.safetensors").exists()


# ---- settings and the plan

TABLE = [  # depth; ratio 12: tokens, batch, iterations, lr, decay, operations; ratio 8: iterations
    (6, 0.278e9, 2**18, 1062, 0.7071, 0.940, 4.66e16, 708),
    (12, 1.321e9, 2**19, 2520, 1, 0.280, 1.004e18, 1680),
    (16, 2.819e9, 2**19, 5376, 1, 0.131, 4.47e18, 3584),
    (20, 5.222e9, 2**20, 4980, 1.414, 0.100, 1.51e19, 3320),
    (24, 8.758e9, 2**20, 8352, 1.414, 0.0597, 4.18e19, 5568),
    (26, 11.02e9, 2**20, 10510, 1.414, 0.0475, 6.60e19, 7007),
    (32, 20.13e9, 2**21, 9600, 2, 0.0368, 2.17e20, None),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"d{row[0]}")
def test_plans_of_the_original(row: tuple) -> None:
    depth, tokens, batch, iterations, lr_scale, decay, flops, iterations8 = row
    asked = Settings.of_newest(depth=depth)
    with torch.device("meta"):
        model = GPT(asked.model_config(32768))
    plan = make_plan(asked, model)
    assert (plan.total_batch_size, plan.num_iterations) == (batch, iterations)
    assert plan.tokens == pytest.approx(tokens, rel=2e-3)
    assert plan.lr_scale == pytest.approx(lr_scale, rel=1e-3)
    assert plan.weight_decay == pytest.approx(decay, rel=8e-3)
    assert plan.tokens * model.estimate_flops() == pytest.approx(flops, rel=5e-3)
    if iterations8:
        shorter = make_plan(replace(asked, target_param_data_ratio=8.0), model)
        assert shorter.num_iterations == iterations8


def test_the_first_release_counts_all_parameters() -> None:
    """d20: 560,988,160 parameters, 21,400 steps of 524,288 tokens."""
    with torch.device("meta"):
        model = GPT(Settings().model_config(65536))
    plan = make_plan(Settings(), model)
    assert plan.num_iterations == 20 * model.num_scaling_params()["total"] // 524288 == 21400
    assert (plan.lr_scale, plan.weight_decay) == (1.0, 0.0)


def test_how_long_is_said_in_three_ways() -> None:
    with torch.device("meta"):
        model = GPT(Settings(depth=2).model_config(300))
    flops = model.estimate_flops() * 524288
    assert make_plan(Settings(depth=2, num_iterations=5, target_flops=9 * flops), model).num_iterations == 5
    assert make_plan(Settings(depth=2, target_flops=9.2 * flops), model).num_iterations == 9
    with pytest.raises(ValueError, match="nothing says how long to train"):
        make_plan(Settings(depth=2, target_param_data_ratio=-1.0), model)


def test_sizes_by_depth_or_by_name() -> None:
    config = Settings(depth=4).model_config(300)
    assert {name: getattr(config, name) for name in sizes_of_depth(4)} == sizes_of_depth(4)
    config = Settings(depth=3, n_embd=96, head_dim=16, n_kv_head=2).model_config(300)
    assert (config.n_layer, config.n_embd, config.n_head, config.n_kv_head) == (3, 96, 6, 2)
    assert config == GPTConfig(2048, 300, 3, 6, 2, 96)
    assert Settings.of_newest(depth=12).model_config(32768) == GPTConfig.newest(**sizes_of_depth(12))


def test_the_command_line_sets_everything(small: Settings, newest: Settings) -> None:
    def read(argv: list[str]) -> Settings:
        return settings_from(base_train.parse(argv))

    assert read([]) == Settings()
    assert read(["--newest"]) == Settings.of_newest()
    assert read(["--newest", "--packing", "flat"]) == Settings.of_newest(packing="flat")
    for asked in (small, newest):
        assert read(as_arguments(asked)) == asked


# ---- the command


def test_help_names_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        base_train.main(["--help"])
    text = capsys.readouterr().out
    for field in fields(Settings):
        assert f"  --{field.name.replace('_', '-')}" in text


def test_the_command_trains_and_writes(small: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = replace(small, num_iterations=30, eval_every=30)
    base_train.main([*as_arguments(asked), "--out", str(tmp_path), "--tensorboard", "--prompt", "the model"])
    text = capsys.readouterr().out
    tokenizer = training.get_tokenizer(small.tokenizer)
    parameters = build_model(tmp_path)[0].num_scaling_params()["total"]
    assert f"{parameters:,} parameters on 1 x cpu; 30 steps of 128 tokens, 4 micro-batches each" in text
    assert "bits per byte on the validation shard" in text
    written = text.splitlines()[-1]
    assert written.startswith("the model")
    assert set(written.split()) & set(WORDS)
    rows, curve = read_lines(tmp_path / "log.jsonl"), Curve()
    train(asked, report=curve)
    assert rows == [{"step": step, **values} for step, values in curve.rows]
    assert [row["step"] for row in read_lines(tmp_path / "speed.jsonl")] == list(range(30))
    assert set(read_lines(tmp_path / "speed.jsonl")[0]) == {"step", "tokens_per_s", "mfu"}
    scalars = read_scalars(tmp_path / "tensorboard")
    assert scalars["loss"] == pytest.approx({row["step"]: row["loss"] for row in rows if "loss" in row})
    assert set(scalars) == {name for row in rows for name in row if name != "step"} | {"tokens_per_s", "mfu"}
    assert tokenizer.get_vocab_size() == 300


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"total_batch_size": 100}, r"total_batch_size=100 tokens can't be made of rows: 2 rows of 16 tokens on 1 "),
        ({"data": "nowhere"}, r"no shards at nowhere: make them with 'python -m nanochat.dataset'"),
        ({"tokenizer": "nowhere"}, r"no tokenizer at nowhere.*: train one with"),
        ({"device": "cuda:7"}, r"device='cuda:7' can't be used here"),
        ({"dtype": "int8"}, r"dtype='int8': it is 'auto' or one of float32, bfloat16"),
        ({"n_embd": 33}, r"n_embd=33 numbers can't be shared out evenly among n_head=4 heads"),
        ({"packing": "tetris"}, r"packing='tetris': there are best_fit, greedy and flat"),
        ({"depth": 0}, r"depth=0: 1 is the least"),
    ],
)
def test_the_command_says_what_is_wrong(change: dict, message: str, small: Settings, tmp_path: Path) -> None:
    argv = as_arguments(small)
    for name, value in change.items():
        argv[argv.index(f"--{name.replace('_', '-')}") + 1] = str(value)
    with pytest.raises(SystemExit, match=f"^base_train: {message}"):
        base_train.main([*argv, "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_what_a_killed_process_left_is_cleared_away(small: Settings, copy: Path) -> None:
    before = contents(copy)
    for name in (".tmpa1B2c3", "model_000010.safetensors.77.tmp"):
        (copy / name).write_bytes(b"half")
    train(small, folder=copy, resume=True)
    assert contents(copy) == before


def test_the_command_needs_no_checkpoint_to_resume(small: Settings, tmp_path: Path, capsys) -> None:
    base_train.main([*as_arguments(replace(small, num_iterations=2)), "--out", str(tmp_path), "--resume"])
    assert "no checkpoint at" in capsys.readouterr().out
    assert find_steps(tmp_path) == [2]


def test_a_log_is_cut_where_training_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 0, "loss": 3.5}\n{"step": 1, "loss": 3.25}\n{"step": 2, "lo')
    log = JsonLines(path, first=1)
    log(1, loss=1 / 3)
    log.close()
    assert read_lines(path) == [{"step": 0, "loss": 3.5}, {"step": 1, "loss": 1 / 3}]


def test_devices_and_precisions() -> None:
    assert compute_init("cpu") == World(0, 1, "cpu")
    assert compute_dtype("auto", "cpu") == torch.float32
    assert compute_dtype("bfloat16", "cpu") == torch.bfloat16
