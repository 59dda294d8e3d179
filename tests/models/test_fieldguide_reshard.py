"""`fieldguide checkpoint repair --processes N`: a training of several processes goes on with another number of them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from fieldguide.__main__ import main
from fieldguide.checkpoint import resharding, tensorfiles
from fieldguide.checkpoint.layouts import choose, read
from fieldguide.checkpoint.pickles import Refused
from nanochat.common import ALONE
from nanochat.gpt import GPT, GPTConfig
from nanochat.training.checkpoint import load_checkpoint, read_meta
from nanochat.training.groups import OptimConfig
from nanogpt import train

SOURCE = Path(train.__file__).parents[1]
NAMES = ("classic", "newest", "odd")
# Ranks are forked, as torch takes seconds to load. Each has the same gradients, so their mean is exact.
RANKS = """
import os, sys
from dataclasses import asdict
from pathlib import Path
import torch
import torch.distributed as dist
import torch._dynamo
from nanochat.common import World
from nanochat.gpt import GPT, GPTConfig
from nanochat.training.checkpoint import load_checkpoint, read_meta, save_checkpoint
from nanochat.training.groups import OptimConfig
from nanochat.training.settings import Settings

torch.set_num_threads(1)
world, folder = int(sys.argv[1]), Path(sys.argv[2])
CASES = {
    "classic": (GPTConfig(16, 70, 3, 4, 2, 32), OptimConfig(bfloat16=False), Settings()),
    "newest": (GPTConfig.newest(sequence_len=16, vocab_size=72, n_layer=3, n_head=4, n_kv_head=2, n_embd=32),
               OptimConfig.newest(), Settings.of_newest()),
    "odd": (GPTConfig(16, 71, 1, 4, 4, 32), OptimConfig(bfloat16=False), Settings()),
}

def steps(model, optimizer, first):
    for step in (first, first + 1):
        chance = torch.Generator().manual_seed(step)
        for p in model.parameters():
            p.grad = torch.randn(p.shape, generator=chance)
        optimizer.step()

def process(rank):
    if world > 1:
        dist.init_process_group("gloo", init_method=f"file://{folder}/meet{world}", world_size=world, rank=rank)
    own = World(rank, world)
    for name, (config, options, settings) in CASES.items():
        torch.manual_seed(0)
        model = GPT(config)
        optimizer = model.setup_optimizer(options=options, weight_decay=0.1)
        if world == 2:
            steps(model, optimizer, 0)
            meta = {"model_config": asdict(config), "user_config": asdict(settings)}
            meta["dataloader_state_dict"] = [{"corpus": "c", "rank": r, "next": 10 + r, "start": 3} for r in (0, 1)]
            save_checkpoint(folder / name / "2", 2, model, optimizer, meta, own)
        else:
            load_checkpoint(folder / name / str(world), read_meta(folder / name / str(world)), model, optimizer, own)
        steps(model, optimizer, 2)
        save_checkpoint(folder / name / f"{world}-after", 4, model, optimizer, meta if world == 2 else {
            "model_config": asdict(config), "user_config": asdict(settings)}, own)
    if world > 1:
        dist.destroy_process_group()

children = []
for rank in range(world):
    child = os.fork()
    if child == 0:
        process(rank)
        os._exit(0)
    children.append(child)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""


def ranks(world: int, folder: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", RANKS, str(world), str(folder)]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three trainings by two processes: their checkpoint after two steps, and after two more."""
    folder = tmp_path_factory.mktemp("reshard")
    ranks(2, folder)
    return folder


def repair(path: Path, *words: object) -> int:
    return main(["checkpoint", "repair", str(path), *map(str, words)])


def memories(folder: Path) -> resharding.Memories:
    """All that the optimizer of a checkpoint remembers, whoever kept it."""
    checkpoint = read(choose(folder, None))
    shares = [resharding.read_share(path)[0] for _, path in sorted(checkpoint.files.optim.items())]
    return resharding.gathered(shares, resharding.places(checkpoint))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return read(choose(folder, None)).weights


@pytest.mark.slow
def test_one_and_four_go_on_as_the_two_would_have(trained: Path) -> None:
    for world in (1, 4):
        for name in NAMES:
            assert repair(trained / name / "2", "--processes", world, "--out", trained / name / str(world)) == 0
            assert resharding.same(memories(trained / name / str(world)), memories(trained / name / "2"))
        ranks(world, trained)
        for name in NAMES:
            two, other = (weights(trained / name / f"{n}-after") for n in (2, world))
            for key, tensor in two.items():
                assert torch.equal(tensor, other[key]), (name, key, (tensor - other[key]).abs().max())
            assert resharding.same(memories(trained / name / f"{world}-after"), memories(trained / name / "2-after"))


def test_what_is_written_is_whole_and_leads_back(trained: Path, tmp_path: Path) -> None:
    for name in NAMES:
        assert repair(trained / name / "2", "--processes", 3, "--out", tmp_path / name) == 0
        assert main(["checkpoint", "verify", str(tmp_path / name)]) == 0
        assert repair(tmp_path / name, "--processes", 2, "--out", tmp_path / f"{name}-back") == 0
        for file in (trained / name / "2").glob("*.safetensors"):
            one, other = (
                tensorfiles.load_safetensors(each)[0] for each in (file, tmp_path / f"{name}-back" / file.name)
            )
            assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
    states = read_meta(tmp_path / "classic")["dataloader_state_dict"]
    assert [state["next"] for state in states] == [7, 7, 7] and [state["rank"] for state in states] == [0, 1, 2]


def test_a_process_s_file_that_is_not_there_is_missed(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in NAMES[:2]:  # the third's tables have an odd number of rows, which nobody shares out
        assert main(["checkpoint", "verify", str(trained / name / "2")]) == 0
        shutil.copytree(trained / name / "2", tmp_path / name)
        (last,) = (tmp_path / name).glob("optim_*_rank1*")
        last.unlink()
        capsys.readouterr()
        assert main(["checkpoint", "verify", str(tmp_path / name)]) == 1
        assert "shared by 2 processes, and 1 of their files" in " ".join(capsys.readouterr().out.split())


def test_one_process_loads_it(trained: Path, tmp_path: Path) -> None:
    assert repair(trained / "classic/2", "--processes", 1, "--out", tmp_path / "one") == 0
    model = GPT(GPTConfig(16, 70, 3, 4, 2, 32))
    optimizer = model.setup_optimizer(options=OptimConfig(bfloat16=False))
    load_checkpoint(tmp_path / "one", read_meta(tmp_path / "one"), model, optimizer, ALONE)
    first = optimizer.state_dict()["state"][0]
    assert (
        first["step"] == 2 and first["exp_avg"].shape == model.lm_head.weight.shape and first["exp_avg"].abs().sum() > 0
    )


def test_first_it_only_says_what_would_be_done(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(trained.rglob("*"))
    assert repair(trained / "newest/2", "--processes", 8) == 0
    said = capsys.readouterr().out
    assert "The optimizer of 2 processes is shared out among 8" in said and "Nothing is written yet" in said
    assert sorted(trained.rglob("*")) == before


def test_killed_by_a_full_disk_it_leaves_nothing(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[Path] = []

    def full(path: Path, *rest: object) -> None:
        calls.append(path)
        if len(calls) == 3:
            raise OSError("No space left on device")
        own(path, *rest)

    own = resharding.save_share
    monkeypatch.setattr(resharding, "save_share", full)
    assert repair(trained / "newest/2", "--processes", 4, "--out", tmp_path / "new") == 2
    assert "No space left" in capsys.readouterr().err and len(calls) == 3
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "new").mkdir()
    assert repair(trained / "newest/2", "--processes", 4, "--out", tmp_path / "new") == 2
    assert list(tmp_path.rglob("*")) == [tmp_path / "new"]


def upstream(trained: Path, folder: Path, ranks: int) -> Path:
    """The newest one as upstream's code writes it: pickles, another name for the variance, groups in each file."""
    assert repair(trained / "newest/2", "--processes", ranks, "--out", folder / "ours") == 0
    (folder / "theirs").mkdir()
    torch.save(weights(folder / "ours"), folder / "theirs/model_000002.pt")
    config = read_meta(folder / "ours")["model_config"]
    known = ("sequence_len", "vocab_size", "n_layer", "n_head", "n_kv_head", "n_embd", "window_pattern")
    meta = {"step": 2, "model_config": {key: config[key] for key in known}, "dataloader_state_dict": {"pq_idx": 0}}
    (folder / "theirs/meta_000002.json").write_text(json.dumps(meta))
    for rank in range(ranks):
        state, _ = resharding.read_share(folder / f"ours/optim_000002_rank{rank}.safetensors")
        for each in state.values():
            if "variance" in each:
                each["second_momentum_buffer"] = each.pop("variance")
        torch.save({"state": state, "param_groups": [{"params": [0]}]}, folder / f"theirs/optim_000002_rank{rank}.pt")
    return folder / "theirs"


def test_upstreams_files_are_dealt_anew_in_their_own_form(trained: Path, tmp_path: Path) -> None:
    theirs = upstream(trained, tmp_path, 2)
    assert repair(theirs, "--processes", 4, "--out", tmp_path / "four") == 0
    assert [path.name for path in sorted((tmp_path / "four").glob("optim*"))][-1] == "optim_000002_rank3.pt"
    found = torch.load(tmp_path / "four/optim_000002_rank3.pt", weights_only=True)
    assert found["param_groups"] == [{"params": [0]}]
    assert resharding.same(memories(tmp_path / "four"), memories(theirs))
    assert repair(theirs, "--processes", 5, "--out", tmp_path / "five") == 2  # its rows must divide


def test_files_that_do_not_belong_together_are_refused(trained: Path, tmp_path: Path) -> None:
    checkpoint = read(choose(trained / "classic/2", None))
    shares: list[Any] = [resharding.read_share(path)[0] for path in checkpoint.files.optim.values()]
    known = resharding.places(checkpoint)
    shares[1][0] = {**shares[1][0], "step": 3}
    with pytest.raises(Refused, match="not of one step"):
        resharding.gathered(shares, known)
    shares[1][0] = {**shares[1][0], "step": 2, "exp_avg": shares[1][0]["exp_avg"][1:]}
    with pytest.raises(Refused, match=r"lm_head.weight: exp_avg has \[35, 34\] rows"):
        resharding.gathered(shares, known)
    with pytest.raises(Refused, match="remembers parameter 99"):
        resharding.gathered([{99: {}}], known)
    assert repair(trained / "classic/2", "--processes", 0) == 2
    assert repair(trained / "classic/2") == 2  # neither a number nor a place
