"""Sparse files of 10 GB: each reading tool ends soon, in little memory, and says what it did not read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS, MEGABYTES, SIZE = 30, 500, 10 << 30
MODELS = str(Path(__file__).parents[2] / "model_src")
RUN = """
import sys
from fieldguide.__main__ import main
code = main(sys.argv[1:])
try:  # getrusage has the peak of whoever started this one, too
    print("VmHWM:", next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
except OSError:  # no Linux
    print("VmHWM: 0")
sys.exit(code)
"""


def sparse(path: Path, beginning: bytes = b"", end: bytes = b"") -> Path:
    """10 GB, of which next to nothing is on the disk."""
    with path.open("wb") as file:
        file.write(beginning)
        file.truncate(SIZE)
        file.seek(SIZE - len(end))
        file.write(end)
    return path


def ask(*words: str) -> str:
    """What a tool prints, with its peak of memory checked."""
    done = subprocess.run([sys.executable, "-c", RUN, *words], capture_output=True, text=True, timeout=SECONDS,
                          env={**os.environ, "PYTHONPATH": MODELS})  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    kilobytes = int(done.stdout.rpartition("VmHWM: ")[2])
    assert kilobytes < 1024 * MEGABYTES
    return " ".join((done.stdout + done.stderr).split())


def test_a_log_is_read_at_its_ends(tmp_path: Path) -> None:
    def lines(first: int) -> bytes:
        return "".join(f"iter {i}: loss {4 - 0.001 * i:.4f}, time 1ms\n" for i in range(first, first + 200)).encode()

    said = ask("loss", str(sparse(tmp_path / "log", lines(0), b"\n" + lines(1000))))
    assert "bytes in the middle of log were not read" in said and "0 to 1,199" in said


@pytest.mark.parametrize(("name", "said"), [
    ("train.bin", "tokens of train.bin were read, in stretches"),
    ("text.txt", "text.txt was read up to byte"),
    ("lines.jsonl", "lines.jsonl was read up to byte"),
])  # fmt: skip
def test_data_are_read_in_part(name: str, said: str, tmp_path: Path) -> None:
    assert said in ask("data", str(sparse(tmp_path / name)))


def test_a_checkpoint_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "can't be read" in ask("checkpoint", "verify", str(sparse(tmp_path / "ckpt.pt")))
