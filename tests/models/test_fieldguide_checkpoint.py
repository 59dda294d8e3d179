"""`fieldguide checkpoint`: what is broken is found and mended in a copy, hostile files do nothing, nothing is lost."""

import json
import math
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from fieldguide.__main__ import main
from fieldguide.checkpoint import pickles, tensorfiles
from fieldguide.checkpoint.pickles import Refused
from nanogpt.model import GPT, GPTConfig

SIZES = {"n_layer": 2, "n_head": 2, "n_embd": 16, "block_size": 8, "bias": False, "vocab_size": 40, "dropout": 0.0}
Says = Callable[..., dict]


@pytest.fixture
def says(capsys: pytest.CaptureFixture[str]) -> Says:
    """What the tool reports, as a program reads it."""

    def ask(*arguments: object, code: int | None = 0) -> dict:
        capsys.readouterr()
        found = main(["checkpoint", *map(str, arguments), "--json"])
        said = capsys.readouterr()
        assert code is None or found == code, said
        return json.loads(said.out) if found != 2 else {"problem": said.err, "exit_code": 2}

    return ask


def told_of(report: dict, *levels: str) -> list[str]:
    return [each["what"] for each in report["findings"] if each["level"] in (levels or ("warning", "error"))]


def stepped(steps: int = 1) -> tuple[GPT, torch.optim.Optimizer]:
    """A small model, and its optimizer after some steps."""
    torch.manual_seed(0)
    model = GPT(GPTConfig(**SIZES))
    optimizer = model.configure_optimizers(0.1, 1e-3, (0.9, 0.95), "cpu")
    for _ in range(steps):
        ids = torch.randint(40, (2, 8))
        model(ids, ids)[1].backward()
        optimizer.step()
    return model, optimizer


def nanogpt(path: Path, change: Callable[[dict[str, Any]], object] = lambda whole: None) -> Path:
    """What nanoGPT's train.py saves."""
    model, optimizer = stepped()
    whole = {
        "model": model.state_dict(), "optimizer": optimizer.state_dict(), "model_args": dict(SIZES), "iter_num": 100,
        "best_val_loss": torch.tensor(2.5), "config": {"learning_rate": 1e-3, "device": "cpu"},
    }  # fmt: skip
    change(whole)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(whole, path)
    return path


def chat_weights(old: bool = False) -> dict[str, torch.Tensor]:
    """Weights with the names of upstream's nanochat: newest, or of October 2025."""
    torch.manual_seed(1)
    names = {"transformer.wte.weight": (64, 16), "lm_head.weight": (64, 16)}
    for i in range(2):
        names.update({f"transformer.h.{i}.attn.{c}.weight": (16, 16) for c in ("c_q", "c_k", "c_v", "c_proj")})
        names.update({f"transformer.h.{i}.mlp.c_fc.weight": (64, 16), f"transformer.h.{i}.mlp.c_proj.weight": (16, 64)})
    if not old:
        names.update({"resid_lambdas": (2,), "x0_lambdas": (2,), "smear_gate.weight": (1, 24), "smear_lambda": (1,)})
        names.update({"backout_lambda": (1,), "value_embeds.1.weight": (64, 16)})
        names["transformer.h.1.attn.ve_gate.weight"] = (2, 12)
    return {name: torch.randn(shape) for name, shape in names.items()}


def chat(folder: Path, step: int, val: float = 1.0, old: bool = False, ranks: int = 2) -> Path:
    """The files of a step, as upstream's nanochat writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(chat_weights(old), folder / f"model_{step:06d}.pt")
    config = {"sequence_len": 32, "vocab_size": 60, "n_layer": 2, "n_head": 2, "n_kv_head": 2, "n_embd": 16}
    meta = {"step": step, "val_bpb": val, "model_config": config if old else {**config, "window_pattern": "L"}}
    (folder / f"meta_{step:06d}.json").write_text(json.dumps(meta))
    for rank in range(ranks):
        torch.save({"state": {0: {"m": torch.ones(3)}}}, folder / f"optim_{step:06d}_rank{rank}.pt")
    return folder


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    for step, val in ((100, 3.0), (200, 1.0), (300, 1.2), (400, 1.3), (500, 1.4)):
        chat(tmp_path / "d2", step, val)
    return tmp_path / "d2"


def test_whole_checkpoints_of_all_kinds_are_whole(says: Says, tmp_path: Path, steps: Path) -> None:
    nanogpt(tmp_path / "out/ckpt.pt")
    for path in (tmp_path / "out", tmp_path / "out/ckpt.pt", steps, steps / "model_000300.pt"):
        report = says("verify", path)
        assert not told_of(report) and "all finite" in report["findings"][0]["what"]
    count = sum(p.numel() for p in GPT(GPTConfig(**SIZES)).parameters())
    report = says("inspect", tmp_path / "out")
    assert report["parameters"] == count and report["settings"] == SIZES
    (tmp_path / "evil.pt").write_bytes(pickle.dumps(Evil()))
    listed = {each["step"]: each["problem"] for each in says("list", tmp_path)["checkpoints"]}
    assert listed.keys() == {100, 200, 300, 400, 500, None}
    assert "bare pickle" in listed.pop(None) and not any(listed.values())


def test_this_books_nanochat_checkpoints_are_checked_by_their_digests(says: Says, tmp_path: Path) -> None:
    from nanochat.data.vocabulary import digest
    from nanochat.files import sha256

    folder = chat(tmp_path / "ours", 7)
    for path in folder.glob("*.pt"):
        save_file(tensorfiles.read_tensors(path), path.with_suffix(".safetensors"))
        path.unlink()
    files = {p.name: {"bytes": p.stat().st_size, "sha256": sha256(p)} for p in folder.glob("*.safetensors")}
    meta = json.loads((folder / "meta_000007.json").read_text())
    fields = {"format": "nanochat checkpoint 1", "files": files, **meta}
    (folder / "meta_000007.json").write_text(json.dumps({**fields, "sha256": digest(fields)}))
    assert "All 3 files are as they were written, by their sha256" in told_of(says("verify", folder), "good")
    says("repair", folder, "--out", tmp_path / "copy")
    assert not told_of(says("verify", tmp_path / "copy"))
    damaged = folder / "optim_000007_rank1.safetensors"
    data = bytearray(damaged.read_bytes())
    data[-1] ^= 1
    damaged.write_bytes(data)
    assert any("optim_000007_rank1.safetensors was changed" in what for what in told_of(says("verify", folder, code=1)))


def wrapped(whole: dict[str, Any]) -> None:
    whole["model"] = {f"module._orig_mod.{name}": tensor for name, tensor in whole["model"].items()}


def poisoned(whole: dict[str, Any]) -> None:
    whole["model"]["transformer.h.1.mlp.c_fc.weight"][3, 3] = torch.nan


def bad_moment(whole: dict[str, Any]) -> None:
    whole["optimizer"]["state"][0]["exp_avg"][0] = torch.inf


def other_optimizer(whole: dict[str, Any]) -> None:
    whole["optimizer"]["state"][0]["exp_avg"] = torch.zeros(3, 3)


def lost_layer(whole: dict[str, Any]) -> None:
    whole["model"] = {name: t for name, t in whole["model"].items() if ".h.0." not in name}


def lost_matrix(whole: dict[str, Any]) -> None:
    del whole["model"]["transformer.h.1.mlp.c_fc.weight"]


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "prefixes": (wrapped, "names begin with _orig_mod."),
    "nan": (poisoned, "1 of 16 tensors hold NaN"),
    "bad moment": (bad_moment, "optimizer's memories hold NaN"),
    "other optimizer": (other_optimizer, "The optimizer remembers"),
    "no optimizer": (lambda whole: whole.pop("optimizer"), "It lacks optimizer"),
    "zeros": (lambda whole: whole["model"]["transformer.h.0.mlp.c_fc.weight"].zero_(), "1 matrices are all zeros"),
    "heads": (lambda whole: whole["model_args"].update(n_head=7), "n_head=7, which does not divide"),
    "other settings": (lambda whole: whole["model_args"].update(n_layer=3), "The settings say n_layer=3"),
    "other vocabulary": (lambda whole: whole["model_args"].update(vocab_size=65), "vocab_size=65"),
    "lost layer": (lost_layer, "Layer 0 is missing"),
    "lost head": (lambda whole: whole["model"].pop("lm_head.weight"), "1 weights are missing"),
    "lost table": (lambda whole: whole["model"].pop("transformer.wte.weight"), "1 weights are missing"),
    "a bias asked for": (lambda whole: whole["model_args"].update(bias=not SIZES["bias"]), "weights are"),
    "no model": (lambda whole: whole.pop("model"), "There are no weights in it"),
    "too large": (lambda whole: whole["model"]["transformer.h.0.mlp.c_fc.weight"].mul_(1e8), "numbers above 10,000"),
    "one number": (lambda whole: whole["model"]["transformer.h.0.mlp.c_fc.weight"].fill_(0.5), "hold one number only"),
    "best loss of NaN": (lambda whole: whole.update(best_val_loss=math.nan), "best_val_loss is nan"),
    "lost matrix": (lost_matrix, "Layer 1 has no mlp.c_fc.weight"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(says: Says, tmp_path: Path, fault: str) -> None:
    change, told = FAULTS[fault]
    nanogpt(tmp_path / "ckpt.pt", change)
    found = told_of(says("verify", tmp_path, code=None))
    assert any(told in what for what in found), found


def resumed(path: Path) -> GPT:
    """Load a checkpoint as nanoGPT's train.py does when it resumes."""
    whole = torch.load(path, map_location="cpu", weights_only=True)
    model = GPT(GPTConfig(**whole["model_args"]))
    model.load_state_dict(whole["model"])
    optimizer = model.configure_optimizers(0.1, 1e-3, (0.9, 0.95), "cpu")
    optimizer.load_state_dict(whole["optimizer"])
    ids = torch.randint(40, (2, 8))
    model(ids, ids)[1].backward()
    optimizer.step()
    assert isinstance(whole["iter_num"], int) and "config" in whole
    return model


def masked(whole: dict[str, Any]) -> None:
    whole["model"]["transformer.h.0.attn.bias"] = torch.ones(1, 1, 8, 8)


def no_optimizer(whole: dict[str, Any]) -> None:
    del whole["optimizer"]


def no_counters(whole: dict[str, Any]) -> None:
    del whole["config"], whole["iter_num"]


@pytest.mark.parametrize("change", [wrapped, bad_moment, masked, no_optimizer, no_counters])
def test_what_is_mended_goes_on_in_nanogpt_and_the_original_stays(
    says: Says, tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    path = nanogpt(tmp_path / "ckpt.pt", change)
    before = path.read_bytes()
    says("repair", path, "--out", tmp_path / "mended.pt")
    torch.testing.assert_close(
        torch.load(tmp_path / "mended.pt", weights_only=True)["model"], dict(stepped()[0].state_dict())
    )
    resumed(tmp_path / "mended.pt")
    assert path.read_bytes() == before
    assert "is there already" in says("repair", path, "--out", tmp_path / "mended.pt", code=2)["problem"]
    assert "is there already" in says("repair", path, "--out", path, code=2)["problem"]


def test_weights_alone_become_a_checkpoint_to_go_on_with(says: Says, tmp_path: Path) -> None:
    torch.save(stepped()[0].state_dict(), tmp_path / "weights.pt")
    asked = says("repair", tmp_path / "weights.pt", "--out", tmp_path / "a.pt", code=2)
    assert "name it with --n-head" in asked["problem"]
    says("repair", tmp_path / "weights.pt", "--out", tmp_path / "a.pt", "--n-head", 2)
    resumed(tmp_path / "a.pt")
    assert torch.load(tmp_path / "a.pt", weights_only=True)["model_args"] == SIZES


def test_an_old_nanochat_checkpoint_gets_what_newer_code_asks_for(says: Says, tmp_path: Path) -> None:
    chat(tmp_path / "old", 5, old=True)
    report = says("repair", tmp_path / "old", "--out", tmp_path / "new")
    assert "parts that this version lacked" in told_of(report)[0]
    new, want = torch.load(tmp_path / "new/model_000005.pt", weights_only=True), chat_weights()
    before = told_of(says("verify", tmp_path / "old"), "note")
    assert any("older version of nanochat: 7 parts" in what for what in before)
    assert {name: t.shape for name, t in new.items()} == {name: t.shape for name, t in want.items()}
    meta = json.loads((tmp_path / "new/meta_000005.json").read_text())
    assert meta["model_config"]["window_pattern"] == "L" and len(list((tmp_path / "new").glob("optim*"))) == 2


@pytest.mark.parametrize(("name", "value"), [("dim", 4), ("depth", 2), ("num_tokens", 9)])
def test_ngpts_settings_are_compared_with_its_weights(says: Says, tmp_path: Path, name: str, value: int) -> None:
    weights = {"token_embed.linear.weight": torch.ones(7, 8), "rotary_embed.freqs": torch.ones(4)}
    weights |= {"layers.0.0.branch_scale.scale": torch.ones(8), "layers.0.1.fn.to_out.linear.weight": torch.ones(8, 8)}
    state = {i: {"exp_avg": torch.zeros(shape)} for i, shape in enumerate([(7, 8), (8,), (8, 8)])}
    whole = {
        "model": weights, "optimizer": {"state": state, "param_groups": []}, "iter_num": 1, "best_val_loss": 1.0,
        "model_args": {"num_tokens": 7, "dim": 8, "depth": 1}, "config": {},
    }  # fmt: skip
    torch.save(whole, tmp_path / "ckpt.pt")
    assert not told_of(says("verify", tmp_path))
    whole["model_args"][name] = value
    torch.save(whole, tmp_path / "ckpt.pt")
    assert any(f"The settings say {name}={value}" in what for what in told_of(says("verify", tmp_path, code=1)))


def test_two_checkpoints_are_compared(says: Says, tmp_path: Path) -> None:
    one = nanogpt(tmp_path / "a/ckpt.pt")
    other = nanogpt(tmp_path / "b/ckpt.pt", wrapped)
    found = says("compare", one, other)["findings"]
    assert found[0]["what"] == "The weights are the same, bit for bit: all 16 tensors"

    def change(whole: dict[str, Any]) -> None:
        whole["model"]["transformer.wpe.weight"][2, 2] += 1
        whole["model_args"]["dropout"] = 0.5
        lost_matrix(whole)

    report = says("compare", one, nanogpt(tmp_path / "c/ckpt.pt", change))
    assert "dropout differs: 0.0 and 0.5" in told_of(report)
    assert any("1 tensors are only in" in what for what in told_of(report))
    assert report["differences"]["transformer.wpe.weight"][0] == pytest.approx(1)
    assert report["tables"][0]["rows"][0][0] == "transformer.wpe.weight"


def test_steps_are_thinned_out_only_when_it_is_asked(says: Says, steps: Path) -> None:
    (steps / "optim_000500_rank1.pt").unlink()
    (steps / "optim_000500_rank0.pt").rename(steps / "optim_000500_rank1.pt")  # rank 0 lacks: not whole
    (steps / "notes.txt").write_text("mine")
    before = sorted(os.listdir(steps))
    report = says("thin", steps, "--keep-last", 1)
    assert report["steps"] == [100, 300] and sorted(os.listdir(steps)) == before
    report = says("thin", steps, "--keep-last", 1, "--keep-every", 300, "--delete")
    assert report["steps"] == [100]
    assert sorted(os.listdir(steps)) == [name for name in before if "_000100" not in name]
    assert "1 or more" in says("thin", steps, "--keep-last", 0, code=2)["problem"]


def test_links_are_not_followed_when_steps_are_deleted(says: Says, steps: Path, tmp_path: Path) -> None:
    treasure = tmp_path / "treasure"
    treasure.write_text("mine")
    (steps / "model_000100.pt").unlink()
    (steps / "model_000100.pt").symlink_to(treasure)
    (steps / "loop").symlink_to(steps)
    (tmp_path / "link").symlink_to(steps)
    says("thin", steps, "--keep-last", 1, "--delete")
    assert treasure.read_text() == "mine" and (steps / "model_000100.pt").is_symlink()
    assert "is a link" in says("thin", tmp_path / "link", code=2)["problem"]
    assert len(says("list", steps)["checkpoints"]) == 3  # 100, the best, the newest


def same(a: Any, b: Any) -> bool:
    """Whether two nested values are the same, types and all."""
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def test_nanogpts_checkpoint_goes_to_safetensors_and_back_bit_for_bit(says: Says, tmp_path: Path) -> None:
    path = nanogpt(tmp_path / "ckpt.pt", lambda whole: whole.update(rng={"ranks": [(torch.arange(3), None)]}))
    says("convert", path, "--to", "safetensors", "--out", tmp_path / "a.safetensors")
    tensors = load_file(tmp_path / "a.safetensors")
    assert "model.transformer.wte.weight" in tensors and "model.lm_head.weight" not in tensors  # tied: kept once
    says("convert", tmp_path / "a.safetensors", "--to", "pt", "--out", tmp_path / "b.pt")
    one, other = (torch.load(p, weights_only=True) for p in (path, tmp_path / "b.pt"))
    assert same({**one, "model": dict(one["model"])}, other)
    assert (tmp_path / "b.pt").stat().st_size < 1.1 * path.stat().st_size
    resumed(tmp_path / "b.pt")
    assert not told_of(says("verify", tmp_path / "a.safetensors"))
    assert "does not end with .pt" in says("convert", path, "--to", "pt", "--out", tmp_path / "x", code=2)["problem"]


def test_nanochats_model_goes_to_safetensors_and_back(says: Says, steps: Path, tmp_path: Path) -> None:
    says("convert", steps, "--step", 200, "--to", "safetensors", "--out", tmp_path / "a")
    says("convert", tmp_path / "a", "--to", "pt", "--out", tmp_path / "b")
    back, want = torch.load(tmp_path / "b/model_000200.pt", weights_only=True), chat_weights()
    assert same(dict(sorted(back.items())), dict(sorted(want.items())))
    assert json.loads((tmp_path / "b/meta_000200.json").read_text())["val_bpb"] == 1.0


@pytest.mark.parametrize(
    ("name", "told"),
    [("model_000500.pt", "it lacks its model"), ("meta_000500.json", "it lacks its meta"),
     ("optim_000500_rank0.pt", "it lacks the optimizer of rank 0")],
)  # fmt: skip
def test_a_step_that_is_not_whole_is_told(says: Says, steps: Path, name: str, told: str) -> None:
    (steps / name).unlink()
    assert any(told in what for what in told_of(says("verify", steps, code=1)))
    assert [each["problem"] for each in says("list", steps)["checkpoints"]][-1].startswith(told)


class Evil:
    """A pickle that would leave a trace if it were executed."""

    def __reduce__(self) -> tuple:
        return os.system, ("touch /tmp/fieldguide-was-here",)


def bare(path: Path) -> None:
    path.write_bytes(pickle.dumps({"model": Evil()}))


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        archive.writestr("archive/data/0", b"\x00" * 20_000_000)


def zipped(pickled: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("archive/data.pkl", pickled)
            archive.writestr("archive/version", b"3\n")
            archive.writestr("archive/data/0", b"\x00" * 64)

    return write


def huge(path: Path) -> None:
    """A tensor that says it has a million million numbers, all in the same four bytes."""
    torch.save({"a": torch.zeros(1).expand(1_000_000, 1_000_000)}, path)


def deep(path: Path) -> None:
    value: Any = []
    for _ in range(60):
        value = [value, value]
    torch.save({"a": value}, path)


def cut(path: Path) -> None:
    nanogpt(path)
    path.write_bytes(path.read_bytes()[:-900])


def allocate(name: str) -> bytes:
    return b"\x80\x02c" + name.replace(".", "\n", 1).encode() + b"\n\x8a\x05\x00\x00\x00\x00\x10\x85R."


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "code": (lambda path: torch.save({"model": Evil()}, path), "asks for posix.system"),
    "bare pickle": (bare, "bare pickle"),
    "zip bomb": (bomb, "compressed"),
    "billions of lists": (deep, "values, or deeper"),
    "huge tensor": (huge, "for which the file has no bytes"),
    "bytearray": (zipped(allocate("builtins.bytearray")), "asks for builtins.bytearray"),
    "empty": (lambda path: path.write_bytes(b""), "it is empty"),
    "cut": (cut, "cut short"),
    "pointer": (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"), "Git LFS"),
    "html": (lambda path: path.write_bytes(b"<html>"), "no file of torch.save"),
    "numpy": (lambda path: torch.save({"x": np.float64(1)}, path), "save them as float"),
    "no dict": (lambda path: torch.save([1, 2], path), "holds a list"),
    "damaged pickle": (zipped(b"\x80\x02}q\x00X\xff\xff\xff\x7f"), "damaged"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_and_damaged_files_are_refused_and_do_nothing(says: Says, tmp_path: Path, kind: str) -> None:
    make, told = HOSTILE[kind]
    make(tmp_path / "ckpt.pt")
    assert told in says("inspect", tmp_path / "ckpt.pt", code=2)["problem"]
    report = says("verify", tmp_path / "ckpt.pt", code=1)
    assert told in report["findings"][0]["evidence"]
    assert not Path("/tmp/fieldguide-was-here").exists()


def test_links_devices_and_escapes_do_no_harm(says: Says, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "loop.pt").symlink_to(tmp_path / "loop.pt")
    for path in (tmp_path / "loop.pt", Path("/dev/zero"), tmp_path / "missing"):
        assert says("inspect", path, code=2)["problem"]
    nanogpt(tmp_path / "x/ckpt.pt", lambda whole: whole["model_args"].update({"\x1b[2J\x07": "\x1b]0;owned\x07"}))
    assert main(["checkpoint", "inspect", str(tmp_path / "x")]) == 0
    assert "\x1b" not in capsys.readouterr().out
    (tmp_path / "s.safetensors").write_bytes((1 << 60).to_bytes(8, "little") + b"{}")
    assert "its head would have" in says("inspect", tmp_path / "s.safetensors", code=2)["problem"]
    (tmp_path / "d").mkdir()
    torch.save(OrderedDict(a=torch.ones(2)), tmp_path / "d/model_000001.pt")
    (tmp_path / "d/meta_000001.json").write_text("[" * 100_000)
    assert "can't be read" in says("inspect", tmp_path / "d", code=2)["problem"]


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=8))
def test_a_checkpoint_with_other_bytes_anywhere_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: int, other: bytes
) -> None:
    folder = tmp_path_factory.mktemp("any")
    torch.save({"a": torch.arange(6.0), "b": {"c": [1, (2.5, "x")]}}, folder / "ckpt.pt")
    data = bytearray((folder / "ckpt.pt").read_bytes())
    place %= len(data)
    data[place : place + len(other)] = other
    (folder / "ckpt.pt").write_bytes(data)
    try:
        pickles.load(folder / "ckpt.pt")
    except Refused as refused:
        assert "ckpt.pt" in str(refused)


def test_a_nanochat_checkpoint_that_lacks_some_of_the_newer_parts_is_no_old_one(says: Says, tmp_path: Path) -> None:
    folder = chat(tmp_path / "d2", 5)
    weights = torch.load(folder / "model_000005.pt", weights_only=True)
    torch.save({name: t for name, t in weights.items() if "smear" not in name}, folder / "model_000005.pt")
    found = told_of(says("verify", folder, code=None), "warning")
    assert len(found) == 1 and "2 of 7 parts are missing" in found[0]
