"""Training with nanoGPT's loop: it learns, resumes to the last bit, and is the same with two processes."""

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import nanogpt.train
from nanogpt.configurator import OptionError, configure
from nanogpt.sample import RULE
from nanogpt.world import World
from ngpt import sample, train
from ngpt.model import nGPT
from ngpt.sphere import NormLinear
from ngpt.train import PRESETS, Options, preset

pytestmark = pytest.mark.slow

SOURCE = Path(train.__file__).parents[1]
SMALL = Options(
    dataset="turns", device="cpu", dtype="float32", compile=False, block_size=16, batch_size=4, n_layer=2,
    n_head=2, n_embd=32, gradient_accumulation_steps=2, learning_rate=1e-2, max_iters=20, lr_decay_iters=20,
    eval_interval=10, eval_iters=3,
)  # fmt: skip

PLAIN = {"out_dir": "plain", "dataset": "turns", "device": "cpu", "compile": False, "block_size": 8, "batch_size": 2,
         "n_layer": 1, "n_head": 2, "n_embd": 8, "gradient_accumulation_steps": 1, "max_iters": 1, "eval_interval": 1,
         "eval_iters": 1}  # fmt: skip


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with 4000 tokens, most of which can be foretold."""
    chance = np.random.default_rng(0)
    tokens = np.where(chance.random(4000) < 0.7, np.arange(4000) % 5, chance.integers(17, size=4000))
    folder = tmp_path / "data" / "turns"
    folder.mkdir(parents=True)
    tokens[:3600].astype("<u2").tofile(folder / "train.bin")
    tokens[3600:].astype("<u2").tofile(folder / "val.bin")
    itos = dict(enumerate("abcdefghijklmnopq"))
    meta = {"vocab_size": 17, "itos": itos, "stoi": {c: i for i, c in itos.items()}}
    (folder / "meta.pkl").write_bytes(pickle.dumps(meta))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.parametrize("model", train.MODELS)
def test_it_learns(model: str, data: Path) -> None:
    told: list[dict[str, float]] = []
    state = train.train(replace(SMALL, model=model), World(), lambda step, **values: told.append(values))
    losses = [values["loss"] for values in told if "loss" in values]
    assert len(losses) == 21
    assert sum(losses[-3:]) < sum(losses[:3]) - 1
    assert ("s_qk" in told[-1]) == model.startswith("ngpt")
    for module in state.model.modules():
        if isinstance(module, NormLinear):
            lengths = module.weight.norm(dim=module.l2norm.dim)
            torch.testing.assert_close(lengths, torch.ones_like(lengths))


def test_the_sign_of_s_qk_is_not_told() -> None:
    model = nGPT(num_tokens=17, dim=16, depth=1, heads=2, dim_head=8)
    before = train.scales(model)
    with torch.no_grad():
        model.layers[0][0].fn.qk_scale.scale[::2].neg_()
    assert train.scales(model) == before


@pytest.mark.parametrize("model", train.MODELS)
def test_a_resumed_training_is_bit_equal(model: str, data: Path) -> None:
    whole = train.train(replace(SMALL, model=model, out_dir="whole"), World())
    train.train(replace(SMALL, model=model, out_dir="part", max_iters=12), World())
    resumed = train.train(replace(SMALL, model=model, out_dir="part", init_from="resume"), World())
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name


PROCESS = """
import sys
from dataclasses import replace
import torch
from nanogpt.world import join
from ngpt import train
from test_ngpt_train import SMALL
options, world = join(replace(SMALL, max_iters=0, eval_interval=1000, device="cpu"))
state = train.begin(options, world, None)
torch.manual_seed(1)
rows = torch.randint(17, (4, 2, 17))
count = len(rows) // world.size
for x in rows[world.rank * count:(world.rank + 1) * count]:
    (state.network(x[:, :-1], x[:, 1:])[1] / count).backward()
state.optimizer.step()
if world.rank == 0:
    torch.save(state.model.state_dict(), sys.argv[1])
if world.size > 1:
    torch.distributed.destroy_process_group()
"""


def test_two_processes_do_what_one_does(data: Path, tmp_path: Path) -> None:
    script = tmp_path / "step.py"
    script.write_text(PROCESS.replace("from ngpt import train\n", "from ngpt import train\ntorch.manual_seed(3)\n", 1))
    here = str(Path(__file__).parent)
    env = {**os.environ, "PYTHONPATH": f"{SOURCE}:{here}", "OMP_NUM_THREADS": "1"}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    found = []
    for start in ([sys.executable], torchrun):
        target = tmp_path / f"{len(start)}.pt"
        run = subprocess.run([*start, script, target], env=env, capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, run.stderr
        found.append(torch.load(target, weights_only=True))
    torch.testing.assert_close(found[0], found[1])


def test_the_command(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ["--dataset=turns", "--max_iters=2", "--eval_interval=2", "--eval_iters=1", "--always_save_checkpoint=True"]
    sizes = ["--n_layer=1", "--n_head=2", "--n_embd=16", "--block_size=8", "--batch_size=2", "--tensorboard=True"]
    train.main(["config/char_cpu.py", *few, *sizes])
    assert (Path("out-ngpt-char") / "ckpt.pt").is_file() and list(Path("out-ngpt-char/tensorboard").iterdir())
    assert "step 2: train loss" in capsys.readouterr().out
    train.main(["config/char_cpu.py", *few, *sizes, "--init_from=resume", "--max_iters=3"])
    assert "iter 3: loss" in capsys.readouterr().out
    sample.main(["--out_dir=out-ngpt-char", "--start=ab", "--num_samples=2", "--max_new_tokens=12"])
    texts = [text.splitlines()[-1] for text in capsys.readouterr().out.split(RULE)[:2]]
    assert all(text.startswith("ab") and len(text) == 14 for text in texts)


def test_what_cannot_be_sampled(data: Path) -> None:
    with pytest.raises(SystemExit, match="sample: no checkpoint at out-none"):
        sample.main(["--out_dir=out-none"])
    nanogpt.train.train(nanogpt.train.TrainOptions(**PLAIN), World())
    with pytest.raises(SystemExit, match="was not written by ngpt"):
        sample.main(["--out_dir=plain"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--model=bert"], "model='bert' is not known: one of ngpt, ngpt-lucidrains, gpt"),
        (["--n_head=5"], "n_embd=32 can't be shared out evenly among n_head=5 heads"),
        (["--init_from=gpt2"], "init_from='gpt2' is not known: 'scratch' or 'resume'"),
        (["--residual=arc"], "residual='arc' is not known"),
    ],
)
def test_what_cannot_be_trained(given: list[str], message: str, data: Path) -> None:
    with pytest.raises(ValueError, match=message):
        train.build(configure(SMALL, given, ""), None)


def test_another_model_is_not_resumed(data: Path) -> None:
    train.train(replace(SMALL, max_iters=10), World())
    with pytest.raises(OptionError, match="model=gpt: the checkpoint was trained with model=ngpt"):
        train.train(replace(SMALL, model="gpt", init_from="resume"), World())


@pytest.mark.parametrize("path", sorted(PRESETS.glob("*.py")), ids=lambda path: path.name)
def test_presets_can_be_read(path: Path) -> None:
    options = configure(Options(), [preset(path.name)], "")
    assert options.n_embd % options.n_head == 0 and options.weight_decay == 0 and options.warmup_iters == 0
