"""nGPT in nanochat's loop: exact resume, on the sphere, two processes do what one does, the command."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from nanochat.cli import base_train
from nanochat.dataset import documents, write_shards
from nanochat.tokenizer import RustBPETokenizer
from nanochat.training.checkpoint import find_steps, read_meta, read_model
from nanochat.training.settings import Settings
from ngpt import shards
from ngpt.sphere import NormLinear

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).parents[2] / "model_src"
WORDS = ["a", "row", "of", "tokens", "goes", "in", "and", "the", "next", "one", "comes", "out", "of", "it"]
TEXTS = [" ".join(WORDS[(i * k + k * k) % len(WORDS)] for k in range(1, 30)) + "." for i in range(80)]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Eight steps of four micro-batches, on shards and with a tokenizer of their own."""
    folder = tmp_path_factory.mktemp("ngpt")
    write_shards(TEXTS, folder / "data", "words", shard_count=4)
    RustBPETokenizer.train_from_iterator(documents("train", folder / "data"), 300).save(folder / "tokenizer")
    return Settings(
        data=str(folder / "data"), tokenizer=str(folder / "tokenizer"), depth=2, n_embd=32, head_dim=8, max_seq_len=16,
        device_batch_size=2, total_batch_size=128, num_iterations=8, eval_every=4, save_every=4, device="cpu",
        peak_flops=1e9, matrix_lr=0.02,
    )  # fmt: skip


def trained(settings: Settings, kind: str, folder: Path | None, steps: int | None = None) -> tuple[Any, list[float]]:
    """A training, to its end or stopped after some steps, and its losses; it goes on with what is in the folder."""
    training, losses = shards.begin(settings, kind=kind), []
    if folder is not None:
        base_train.enter(folder, training, resume=True)

    def report(step: int, **values: float) -> None:
        if "loss" in values:
            losses.append(values["loss"])
            if len(losses) == steps:
                raise KeyboardInterrupt

    try:
        base_train.run(training, folder, report, lambda step, **values: None)
    except KeyboardInterrupt:
        assert steps is not None
    return training, losses


@pytest.mark.parametrize("kind", shards.MODELS)
def test_a_resumed_training_is_bit_equal(kind: str, small: Settings, tmp_path: Path) -> None:
    whole, losses = trained(small, kind, None)
    assert losses[-1] < losses[0]
    _, before = trained(small, kind, tmp_path, steps=6)
    assert find_steps(tmp_path) == [4]
    resumed, after = trained(small, kind, tmp_path)
    assert before[:4] + after == losses
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name
    meta = read_meta(tmp_path)
    model = shards.MODELS[kind](**meta["model_config"])
    read_model(tmp_path, meta, model)
    assert torch.equal(model.token_embed.weight, resumed.model.token_embed.weight)


def test_it_stays_on_the_sphere(small: Settings) -> None:
    training, _ = trained(small, "ngpt", None)
    for module in training.model.modules():
        if isinstance(module, NormLinear):
            lengths = module.weight.norm(dim=module.l2norm.dim)
            assert torch.allclose(lengths, torch.ones_like(lengths), atol=1e-6)


def test_counts_are_of_all_parameters(small: Settings) -> None:
    for kind in shards.MODELS:
        model = shards.begin(small, kind=kind).model
        counts = model.num_scaling_params()
        assert counts["total"] == sum(p.numel() for p in model.parameters())
        assert sum(count for name, count in counts.items() if name != "total") == counts["total"]
        assert model.estimate_flops() > 6 * counts["transformer_matrices"]


def test_generated_tokens_are_those_without_a_cache(small: Settings) -> None:
    training, _ = trained(small, "ngpt", None)
    tokens = [5, 9, 1]
    written = list(training.model.generate(tokens, 6, temperature=0))
    for token in written:
        with torch.no_grad():
            assert training.model(torch.tensor([tokens]))[0, -1].argmax() == token
        tokens.append(token)


@pytest.mark.parametrize(
    ("given", "message"),
    [({"newest": True}, "--newest is nanochat's model"), ({"n_kv_head": 2}, "n_kv_head=2: nGPT has keys for each of")],
)
def test_what_it_does_not_have_is_refused(given: dict[str, Any], message: str, small: Settings) -> None:
    with pytest.raises(ValueError, match=message):
        shards.begin(replace(small, **given))


def test_the_command(small: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = {
        "data": small.data, "tokenizer": small.tokenizer, "depth": 2, "n-embd": 32, "head-dim": 8, "max-seq-len": 16,
        "device-batch-size": 2, "total-batch-size": 128, "num-iterations": 4, "eval-every": 4, "device": "cpu",
        "peak-flops": 1e9, "matrix-lr": 0.02, "out": tmp_path, "prompt": "a row",
    }  # fmt: skip
    shards.main([text for name, value in given.items() for text in (f"--{name}", str(value))])
    said = capsys.readouterr().out
    assert "parameters on 1 x cpu" in said
    assert "a row" in said
    assert find_steps(tmp_path) == [4]


PROCESS = """
import json, sys
from itertools import cycle
import torch
from nanochat.common import compute_cleanup, compute_init
from nanochat.training.settings import Settings
from nanochat.training.step import take_step
from ngpt import shards

torch.set_num_threads(1)
state = shards.begin(Settings(**json.loads(sys.argv[1])), compute_init("cpu"))
ids = torch.randint(200, (8, 17), generator=torch.Generator().manual_seed(3))
mine = ids.split(2)[state.world.rank :: state.world.size]
state.loader, state.accumulation = cycle([(rows[:, :-1], rows[:, 1:]) for rows in mine]), len(mine)
print(json.dumps([state.world.rank, [take_step(state)["loss"] for _ in range(4)]]))
compute_cleanup()
"""


def test_two_processes_do_what_one_does(small: Settings, tmp_path: Path) -> None:
    (tmp_path / "step.py").write_text(PROCESS)
    asked = json.dumps(asdict(small))
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    found: list[list[float]] = []
    for how in ([], torchrun):
        done = subprocess.run(
            [sys.executable, *how, tmp_path / "step.py", asked], capture_output=True, text=True, timeout=240,
            env={**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found += [json.loads(line)[1] for line in done.stdout.splitlines() if line.startswith("[")]
    assert len(found) == 3
    assert found[1] == found[2]
    assert found[1] == pytest.approx(found[0], rel=1e-4)
