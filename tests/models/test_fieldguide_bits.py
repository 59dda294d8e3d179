"""`fieldguide checkpoint` down to the bits: check sums of each part, the optimizer compared, advice to be copied."""

import json
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.__main__ import main
from fieldguide.checkpoint import checksums
from fieldguide.checkpoint.comparing import same_bits

Says = Callable[..., dict]


@pytest.fixture
def says(capsys: pytest.CaptureFixture[str]) -> Says:
    """What the tool reports, as a program reads it."""

    def ask(*arguments: object, code: int = 0) -> dict:
        capsys.readouterr()
        found = main(["checkpoint", *map(str, arguments), "--json"])
        said = capsys.readouterr()
        assert found == code, said
        return json.loads(said.out)

    return ask


def whole() -> dict[str, Any]:
    """A checkpoint with nanoGPT's keys; the table is there under two names."""
    table = torch.arange(12.0).reshape(4, 3)
    weights = {"transformer.wte.weight": table, "lm_head.weight": table}
    weights["transformer.ln_f.weight"] = torch.full((3,), 7.5)
    state = {i: {"step": torch.tensor(1.0), "exp_avg": torch.full(shape, 0.25 + i), "exp_avg_sq": torch.ones(shape)}
             for i, shape in enumerate([(4, 3), (3,)])}  # fmt: skip
    groups = [{"lr": 1e-3, "betas": (0.9, 0.95), "params": [0, 1]}]
    return {
        "model": weights, "optimizer": {"state": state, "param_groups": groups}, "iter_num": 5, "best_val_loss": 2.5,
        "model_args": {"n_layer": 0, "n_embd": 3, "vocab_size": 4}, "config": {},
    }  # fmt: skip


def saved(path: Path, change: Callable[[dict[str, Any]], object] = lambda values: None) -> Path:
    values = whole()
    change(values)
    torch.save(values, path)
    return path


def flip(path: Path, tensor: torch.Tensor) -> None:
    """The lowest bit of a tensor's first number, where the file has it."""
    data = bytearray(path.read_bytes())
    data[data.find(tensor.numpy().tobytes())] ^= 1
    path.write_bytes(data)


def sentences(report: dict) -> list[str]:
    return [each["what"] for each in report["findings"]]


def test_a_part_with_a_wrong_check_sum_is_found_and_its_tensors_are_named(says: Says, tmp_path: Path) -> None:
    path = saved(tmp_path / "ckpt.pt")
    (good,) = [what for what in sentences(says("verify", path)) if what.startswith("The check sums")]
    with zipfile.ZipFile(path) as archive:
        assert good == f"The check sums (CRC-32) of {len(archive.infolist())} parts are right"
    flip(path, whole()["model"]["lm_head.weight"])
    first = sentences(says("verify", path, code=1))[0]
    assert "check sum of model.transformer.wte.weight and model.lm_head.weight (ckpt/data/0) is wrong" in first
    flip(path, whole()["optimizer"]["state"][1]["exp_avg"])
    first = sentences(says("verify", path, code=1))[0]
    assert "model.lm_head.weight (ckpt/data/0), optimizer.state.1.exp_avg (ckpt/data/" in first
    assert not any("whole" in what or "are right" in what for what in sentences(says("verify", path, code=1)))


def test_the_check_sums_of_each_ranks_optimizer_are_compared(says: Says, tmp_path: Path) -> None:
    torch.save({"transformer.wte.weight": torch.ones(4, 3)}, tmp_path / "model_000001.pt")
    (tmp_path / "meta_000001.json").write_text("{}")
    for rank in (0, 1):
        torch.save({"state": {0: {"m": torch.full((3,), 1.5)}}}, tmp_path / f"optim_000001_rank{rank}.pt")
    assert any("in 3 files are right" in what for what in sentences(says("verify", tmp_path)))
    flip(tmp_path / "optim_000001_rank1.pt", torch.full((3,), 1.5))
    first = sentences(says("verify", tmp_path, code=1))[0]
    assert first.startswith("optim_000001_rank1.pt is damaged: the check sum of state.0.m (")


def test_a_changed_pickle_is_not_said_to_be_cut_short(says: Says, tmp_path: Path) -> None:
    path = saved(tmp_path / "ckpt.pt")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"ln_f", b"ln_g", 1))
    report = says("verify", path, code=1)
    assert "check sum (CRC-32) of its ckpt/data.pkl is wrong" in report["findings"][0]["evidence"]
    assert "cut short" not in json.dumps(report)


def test_a_file_that_was_written_without_check_sums_is_read_and_said_to_have_none(says: Says, tmp_path: Path) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        path = saved(tmp_path / "ckpt.pt")
    finally:
        torch.serialization.set_crc32_options(True)
    found = sentences(says("verify", path))
    assert "ckpt.pt keeps no check sums" in found and not any("are right" in what for what in found)


def test_check_sums_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ckpt.pt"
    torch.save({"a": torch.arange(1000.0)}, path)
    monkeypatch.setattr(checksums, "PIECE", 64)
    read: list[int] = []
    crc32 = zlib.crc32
    monkeypatch.setattr(checksums.zlib, "crc32", lambda data, so_far=0: read.append(len(data)) or crc32(data, so_far))
    assert checksums.read_sums(path)[0] == [] and max(read) == 64 and sum(read) >= 4000


def other_moment(values: dict[str, Any]) -> None:
    values["optimizer"]["state"][1]["exp_avg"][0] += 1e-7


def other_rate(values: dict[str, Any]) -> None:
    values["optimizer"]["param_groups"][0]["lr"] = 2e-3


def negative_zero(values: dict[str, Any]) -> None:
    values["model"]["transformer.wte.weight"][0, 0] = -0.0


SAME = "The weights are the same, bit for bit: all 3 tensors"
PAIRS: dict[str, tuple[Callable[[dict[str, Any]], object], str, str, str]] = {
    "same": (lambda values: None, SAME, "The optimizers are the same, bit for bit: 6 tensors", "same"),
    "a moment": (other_moment, SAME, "The optimizers differ: 1 of ", "differ"),
    "a rate": (other_rate, SAME, "The optimizers differ: 1 of ", "differ"),
    "none": (lambda values: values.pop("optimizer"), SAME, "The optimizer is missing in ", "missing"),
    "0 and -0": (negative_zero, "The weights differ: 1 of 3", "The optimizers are the same", "same"),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_weights_and_optimizers_are_compared_each_for_itself(says: Says, tmp_path: Path, pair: str) -> None:
    change, *told, word = PAIRS[pair]
    one, other = saved(tmp_path / "a.pt"), saved(tmp_path / "b.pt", change)
    for pair_of in ((one, other), (other, one)):
        report = says("compare", *pair_of)
        said = sentences(report)
        assert all(what.startswith(start) for what, start in zip(said, told, strict=True)), said
        assert report["optimizer"] == word


def test_the_optimizers_of_all_ranks_are_compared(says: Says, tmp_path: Path) -> None:
    for folder, last in (("a", 1.0), ("b", 1.0), ("c", 2.0)):
        (tmp_path / folder).mkdir()
        torch.save({"transformer.wte.weight": torch.ones(4, 3)}, tmp_path / folder / "model_000001.pt")
        for rank, value in ((0, 1.0), (1, last)):
            state = {"state": {0: {"m": torch.full((3,), value)}}}
            torch.save(state, tmp_path / folder / f"optim_000001_rank{rank}.pt")
    assert says("compare", tmp_path / "a", tmp_path / "b")["optimizer"] == "same"
    report = says("compare", tmp_path / "a", tmp_path / "c")
    assert report["optimizer"] == "differ" and "rank 1.state.0.m" in report["findings"][1]["evidence"]
    (tmp_path / "c/optim_000001_rank1.pt").write_bytes(b"PK")
    assert says("compare", tmp_path / "a", tmp_path / "c")["optimizer"] == "unreadable"


def test_a_missing_optimizer_is_told_with_what_it_means_and_a_command_to_copy(says: Says, tmp_path: Path) -> None:
    path = saved(tmp_path / "my run.pt", lambda values: values.pop("optimizer"))
    (found,) = [each for each in says("verify", path)["findings"] if each["level"] == "warning"]
    assert found["what"] == "It lacks optimizer: resuming will fail; sampling works"
    assert found["advice"] == f"fieldguide checkpoint repair '{path}' --out NEW"


def test_the_title_of_a_repair_says_plainly_what_was_written(says: Says, tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pt", lambda values: values.pop("optimizer"))
    assert says("repair", path, "--out", tmp_path / "b.pt")["title"] == (
        f"A mended copy of {path} was written to {tmp_path / 'b.pt'}"
    )


NUMBERS = st.lists(st.floats(width=32), min_size=1, max_size=5)


@given(NUMBERS, NUMBERS)
def test_tensors_are_the_same_if_and_only_if_their_bytes_are(one: list[float], other: list[float]) -> None:
    a, b = torch.tensor(one), torch.tensor(other)
    assert same_bits(a, a.clone())
    assert same_bits(a, b) == (a.numpy().tobytes() == b.numpy().tobytes())
    assert not same_bits(a, a.double())
