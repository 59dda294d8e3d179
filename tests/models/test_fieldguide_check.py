"""fieldguide check: what would stop a training is an error beforehand, and a healthy one has none."""

import argparse
import pickle
import socket
from pathlib import Path

import numpy as np
import pytest

from fieldguide import check
from fieldguide.check import inputs, surroundings
from fieldguide.models import Subject, add_model_arguments, subject_from
from fieldguide.report import Report, UsageProblem
from nanochat.dataset import write_shards
from nanochat.tokenizer import RustBPETokenizer
from nanogpt.data import prepare_char

SMALL = "--n-layer 1 --n-head 1 --n-embd 32 --block 16 --vocab 20 --batch 2 --device cpu"


def run(text: str, *more: str) -> Report:
    parser = argparse.ArgumentParser()
    check.add_arguments(parser)
    return check.run(parser.parse_args([*text.split(), *more]))


def subject(text: str) -> Subject:
    parser = argparse.ArgumentParser()
    add_model_arguments(parser)
    return subject_from(parser.parse_args(text.split()))


def errors(found: list) -> list[str]:
    return [finding.what for finding in found if finding.level == "error"]


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """Tokens of nanoGPT, 20 different ones."""
    folder = tmp_path / "letters"
    prepare_char("abcdefghijklmnopqrst" * 30, folder)
    return folder


def test_a_healthy_training_is_ready(letters: Path, tmp_path: Path) -> None:
    files = ["--data", str(letters), "--out", str(tmp_path / "out")]
    report = run(f"{SMALL} --step-seconds 0.5 --steps 7200", *files)
    assert errors(report.findings) == []
    assert not any(finding.level == "warning" for finding in report.findings)
    assert (report.exit_code, report.data["ready"]) == (0, True)
    assert "60.0 minutes" in report.findings[-1].what
    assert sorted(path.name for path in tmp_path.iterdir()) == ["letters"]  # nothing was written


def test_each_thing_that_is_wrong_is_found(letters: Path, tmp_path: Path) -> None:
    def wrong(*more: str) -> str:
        base = (*SMALL.split(), "--without-memory", "--data", str(letters), "--out", str(tmp_path))
        report = run(" ".join(base), *more)
        assert report.exit_code == 1
        return errors(report.findings)[0]

    assert "tokens that the model lacks" in errors(run(SMALL, "--vocab", "10", "--data", str(letters)).findings)[1]
    assert "can't be shared out" in wrong("--accumulation", "3", "--processes", "2")
    assert "too short" in wrong("--block", "100000")
    assert "too small" in wrong("--keep", str(10**13))
    assert "no data at" in wrong("--data", str(tmp_path / "nowhere"))
    (letters / "val.bin").unlink()
    assert "val.bin is missing" in wrong()
    (letters / "train.bin").write_bytes(b"abc")
    assert "cut off" in wrong()


def test_a_step_that_does_not_fit_is_an_error() -> None:
    text = "--n-layer 2 --n-head 2 --n-embd 64 --block 64 --vocab 99 --batch 64 --memory-gb 0.01 --reserve-gb 0"
    assert "does not fit" in errors(run(text).findings)[0]


def test_a_pickle_that_would_run_code_is_refused_and_not_run(letters: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "executed",)

    (letters / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": 20, "evil": Evil()}))
    found = inputs.check_data(letters, subject("--vocab 20 --block 16"))
    assert "refused" in errors(found)[0]
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(("content", "said"), [
    (b"", "refused"), (b"\x80\x04garbage", "refused"), (pickle.dumps([1]), "refused"),
    (pickle.dumps({"vocab_size": "many"}), "refused"), (pickle.dumps({"vocab_size": 21}), "more tokens"),
])  # fmt: skip
def test_damaged_vocabularies(letters: Path, content: bytes, said: str) -> None:
    (letters / "meta.pkl").write_bytes(content)
    assert said in errors(inputs.check_data(letters, subject("--vocab 20 --block 16")))[0]


def test_a_vocabulary_of_gigabytes_is_not_read(letters: Path) -> None:
    with (letters / "meta.pkl").open("r+b") as file:
        file.truncate(10 << 30)  # sparse: it takes no room
    assert "too many" in inputs.check_data(letters, subject("--vocab 20 --block 16"))[0].evidence


def test_large_files_are_looked_at_in_stretches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "STRETCH", 10)
    ids = np.zeros(1000, dtype="<u2")
    ids[-1] = 70
    ids.tofile(tmp_path / "train.bin")
    highest, seen = inputs.highest_id(tmp_path / "train.bin", 1000)
    assert (highest, seen) == (70, 320)  # the end is among them


def test_nanochats_shards_and_tokenizer(tmp_path: Path) -> None:
    model = subject("--model nanochat --depth 1 --vocab 280 --block 16")
    assert "holds 0 shards" in errors(inputs.check_data(make(tmp_path / "empty"), model))[0]
    folder = tmp_path / "shards"
    write_shards([f"document {i} of a few words" for i in range(40)], folder, "test", shard_count=3)
    assert errors(inputs.check_data(folder, model)) == []
    RustBPETokenizer.train_from_iterator(["some words, some more words, words"] * 5, 270).save(str(tmp_path / "tok"))
    assert inputs.check_tokenizer(tmp_path / "tok", model)[0].level == "warning"
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "tokenizer.pkl").write_bytes(b"\x80\x04.")
    assert "which is not opened" in inputs.check_tokenizer(tmp_path / "pickled", model)[0].what
    shard = folder / "shard_00001.parquet"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-3])
    assert "cut off" in errors(inputs.check_data(folder, model))[0]
    shard.write_bytes(whole + whole)
    assert "not of the size" in errors(inputs.check_data(folder, model))[0]


def make(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_port_in_use_is_found() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        assert errors(surroundings.check_port(holder.getsockname()[1]))


def test_number_formats_are_looked_up_in_the_processor(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("flags : fpu avx512f\n")
    assert surroundings.check_dtype("bfloat16", False, info)[0].level == "warning"
    info.write_text("flags : fpu avx512_bf16\n")
    assert surroundings.check_dtype("bfloat16", False, info)[0].level == "good"
    info.write_text("Features : asimd bf16\n")
    assert surroundings.check_dtype("bfloat16", False, info)[0].level == "good"
    assert surroundings.check_dtype("float16", False, info)[0].level == "error"
    assert surroundings.check_dtype("float32", False, tmp_path / "none")[0].level == "good"


def test_a_driver_without_a_pytorch_for_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    driver = tmp_path / "version"
    driver.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.1\nGCC\n")
    found = surroundings.check_torch(False, driver)[0]
    assert (found.level, found.evidence) == ("warning", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.1")
    assert surroundings.check_torch(True, driver)[0].level == "error"
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    assert "still no GPU" in surroundings.check_torch(False, driver)[0].what
    assert surroundings.check_torch(False, tmp_path / "none")[0].level == "good"
    assert surroundings.check_torch(True, tmp_path / "none")[0].level == "error"
    assert "want a GPU each" in surroundings.check_processes(2, True)[0].what


def test_rows_of_nanochat_make_a_step() -> None:
    text = "--model nanochat --depth 1 --n-embd 32 --n-head 1 --vocab 99 --block 16 --device cpu --without-memory"
    good = run(f"{text} --batch 2 --processes 2 --total-batch-size 128 --port 1024")
    assert "adds up 2 micro-batches" in " ".join(finding.what for finding in good.findings)
    assert "can't be made" in errors(run(f"{text} --batch 3 --total-batch-size 128").findings)[0]


def test_torchruns_variables_that_say_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert surroundings.check_environment(2)[0].level == "warning"
    assert surroundings.check_environment(4) == []


def test_a_folder_that_can_not_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "can't be written" in errors(surroundings.check_disk(tmp_path / "file" / "out", 1, 1))[0]
    assert surroundings.check_disk(tmp_path / "new" / "out", 1, 1)[0].level == "good"


@pytest.mark.parametrize(("text", "message"), [
    ("--port 0", "1 to 65535"), ("--steps 0", "above 0"), ("--step-seconds nan", "above 0"), ("--gpu list", "memory"),
])  # fmt: skip
def test_bad_input_is_told(text: str, message: str) -> None:
    with pytest.raises(UsageProblem, match=message):
        run(text)
