"""Messages that end a training are known: those that a processor can produce are produced here."""

import argparse
import errno
import io
import itertools
import os
import pickle
import re
import resource
import socket
from pathlib import Path

import pytest
import torch

from fieldguide import loss
from fieldguide.__main__ import main
from fieldguide.logs.messages import MESSAGES, known
from nanogpt.model import GPT, GPTConfig

ROOT = Path(__file__).parents[2]

QUOTED = {  # from PyTorch's source
    "shared memory": "RuntimeError: DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that "
    "dataloader's workers are out of shared memory. Please try to raise your shared memory limit.",
    "cuBLAS, memory": "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "cuBLAS": "RuntimeError: CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm( handle, opa)`",
    "compiler": "torch._inductor.exc.InvalidCxxCompiler: No working C++ compiler found in "
    "torch._inductor.config.cpp.cxx: (None, 'g++')",
    "recompiling": "W1124 torch/_dynamo/convert_frame.py] torch._dynamo hit config.recompile_limit (8)",
    "collective": "[rank1]:[E1124] [Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=7, "
    "OpType=ALLREDUCE)",
    "NCCL": "torch.distributed.DistBackendError: NCCL error in: NCCLUtils.hpp:67, unhandled system error",
    "rank": "error_file: <N/A>  traceback : To enable traceback see: "
    "https://pytorch.org/docs/stable/elastic/errors.html",
    "killed": "Killed",
    "driver": "RuntimeError: CUDA error: no kernel image is available for execution on the device",
    "disk": f"OSError: [Errno {errno.ENOSPC}] {os.strerror(errno.ENOSPC)}: 'out/ckpt.pt'",
    "CUDA memory": "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
}


def two_devices() -> None:
    torch.ones(2, 2) + torch.ones(2, 2, device="meta")


def module() -> None:
    import no_such_package_of_anybody  # type: ignore[import-not-found]  # noqa: F401


def ids() -> None:
    torch.nn.Embedding(4, 4)(torch.tensor([4]))


def open_files() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    kept = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, before[1]))
        while True:
            kept.append(Path("/dev/null").open())  # noqa: SIM115
    finally:
        for file in kept:
            file.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        socket.create_server(taken.getsockname())


def optimizer() -> None:
    {"model": 0}["optimizer"]


def archive() -> None:
    file = io.BytesIO()
    torch.save(torch.zeros(100), file)
    torch.load(io.BytesIO(file.getvalue()[:-60]), weights_only=True)


def names_of_weights() -> None:
    torch.nn.Linear(2, 2).load_state_dict({"_orig_mod.weight": torch.zeros(2, 2)})


def sizes_of_weights() -> None:
    torch.nn.Linear(2, 2).load_state_dict(torch.nn.Linear(2, 3).state_dict())


def shares() -> None:
    GPT(GPTConfig(n_embd=10, n_head=3))


def code_in_a_file() -> None:
    file = io.BytesIO()
    torch.save({"config": Path("x")}, file)
    file.seek(0)
    torch.load(file, weights_only=True)


CAUSES = {
    "two devices": two_devices, "module": module, "ids": ids, "open files": open_files, "address": address,
    "optimizer": optimizer, "archive": archive, "names of weights": names_of_weights,
    "sizes of weights": sizes_of_weights, "code in a file": code_in_a_file, "shares": shares,
}  # fmt: skip


FAILURES = (RuntimeError, ImportError, LookupError, OSError, AssertionError, pickle.UnpicklingError)


def lines() -> dict[str, str]:
    """One line for each message."""
    found = dict(QUOTED)
    for name, cause in CAUSES.items():
        with pytest.raises(FAILURES) as raised:
            cause()
        text = f"{type(raised.value).__name__}: {raised.value}"
        printed = re.sub(r"\x1b\[\d*m", "", text).splitlines()  # torch writes some of it bold
        found[name] = next((line.strip() for line in printed if known(line)), printed[0])
    return found


def test_each_message_is_known_by_its_own_name_and_has_a_cause_and_a_cure(tmp_path: Path) -> None:
    found = lines()
    assert found.keys() == {message.name for message in MESSAGES}
    for name, line in found.items():
        message = known(line)
        assert message is not None and message.name == name and message.cause and message.advice, line
        (tmp_path / "log").write_text(f"Traceback (most recent call last):\n  File 'train.py', line 3\n{line}\n")
        report = loss.run(argparse.Namespace(file=tmp_path / "log", stage="auto", vocab_size=0))
        assert report.findings[0].what == f"It printed: {line[:200]}" and len(report.findings) == 1
        assert report.exit_code == int(message.ends)


def test_a_second_form_of_a_message_has_the_same_name() -> None:
    for name, line in (
        ("two devices", "Expected all tensors to be on the same device, but got mat2 on cuda:0"),
        ("shared memory", "RuntimeError: unable to open shared memory object </torch_9> in read-write mode: Too many"),
        ("compiler", "TritonMissing: Cannot find a working triton installation."),
    ):
        message = known(line)
        assert message is not None and message.name == name


def test_each_message_of_the_guide_s_table_is_known() -> None:
    page = (ROOT / "docs/guide/symptoms.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in page.partition("(guide-tools)")[0].splitlines() if line.startswith("| ")]
    quoted = [words for row in rows for words in re.findall(r"[*`]((?<=\*)[^*]+|(?<=`)CUBLAS_\w+)[*`]", row)]
    assert len(quoted) > 30
    assert [words for words in quoted if known(words) is None] == ["loss is nan"]  # told by the numbers themselves


def test_each_command_of_an_advice_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    commands = [found for each in MESSAGES for found in re.findall(r"`fieldguide ([^`]+)`", each.advice)]
    assert len(commands) > 10
    for command in {*commands}:
        words = command.split()
        with pytest.raises(SystemExit) as ended:
            main([*itertools.takewhile(lambda word: re.fullmatch("[a-z]+", word), words), "--help"])
        said = capsys.readouterr().out
        assert ended.value.code == 0 and all(word in said for word in words if word.startswith("--")), command


def test_an_error_that_nobody_knows_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("Traceback (most recent call last):\n  File 'train.py', line 3\nOddError: so it is\n")
    report = loss.run(argparse.Namespace(file=tmp_path / "log", stage="auto", vocab_size=0))
    assert [each.what for each in report.findings] == ["The training printed an error"] and report.exit_code == 1


def test_lines_of_a_healthy_training_are_no_messages() -> None:
    for line in ("compiling the model... (takes a ~minute)", "number of parameters: 10.65M", "memory: 64 GB of cuda"):
        assert known(line) is None
