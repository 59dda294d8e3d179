"""`fieldguide distributed`: two real processes; the first error is shown, and a hang is explained."""

import argparse
import copy
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fieldguide import distributed as tool
from fieldguide.distributed import conclusions, launching
from fieldguide.distributed.variables import VARIABLES
from fieldguide.report import Finding, Report, UsageProblem

SOURCE = Path(tool.__file__).parents[2]


def run(*words: str) -> Report:
    parser = argparse.ArgumentParser()
    tool.add_arguments(parser)
    return tool.run(parser.parse_args(words))


def script(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_recorded_program_keeps_its_error_and_its_exit_code(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "TORCHELASTIC_ERROR_FILE": str(tmp_path / "e")}
    command = [sys.executable, "-m", "fieldguide.distributed.recorded"]
    target = script(tmp_path / "train.py", "import sys; sys.exit('train: ' + sys.argv[1])")
    ran = subprocess.run([*command, target, "no data"], env=env, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (1, "train: no data\n")
    assert json.loads((tmp_path / "e").read_text())["message"]["message"] == "SystemExit: train: no data"
    (tmp_path / "e").unlink()
    ran = subprocess.run([*command, "platform"], env=env, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0
    assert not (tmp_path / "e").exists()


@pytest.mark.slow
def test_two_processes_meet_agree_and_average(tmp_path: Path) -> None:
    script(tmp_path / "a.py", "x = 1\n")
    report = run("--code", str(tmp_path), "--backend", "gloo", "--timeout", "170")
    said = [(finding.level, finding.what.split(":")[0]) for finding in report.findings]
    assert [level for level, _ in said] == ["good"] * 5 + ["note"], report.as_text()
    assert said[4][1] == "Gradients are averaged"
    assert report.exit_code == 0
    assert report.data["ranks"][1]["sum"] == [3.0] * 3


def test_the_first_failing_ranks_error_is_shown_with_its_line(tmp_path: Path) -> None:
    text = """import os, sys, time
def shard(path):
    open(path)
if os.environ["RANK"] == "1":
    shard("/no/such/shard\\x1b[2J")
time.sleep(0.7)
sys.exit("train: lost the other rank")
"""
    report = run("--script", script(tmp_path / "train.py", text))
    first, later = report.findings
    assert first.what.startswith("Rank 1 failed first: FileNotFoundError: [Errno 2] No such file or directory")
    assert 'train.py", line 3, in shard' in first.evidence
    assert "\x1b" not in report.as_text()
    assert later.what == "Rank 0 failed later: SystemExit: train: lost the other rank."
    assert report.exit_code == 1


def test_what_a_script_is_given(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("import os\nnames = ('RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'MASTER_ADDR')\n")
    text = "import os, sys, beside\nprint(sys.argv[1:], [os.environ[n] for n in beside.names], __name__)\nsys.exit(0)\n"
    report = run("--script", script(tmp_path / "train.py", text), "--processes", "3", "--", "--lr=1", "config.py")
    assert report.exit_code == 0
    assert report.data["ranks"][2]["output"] == "['--lr=1', 'config.py'] ['2', '2', '3', '127.0.0.1'] __main__\n"
    assert os.environ.get("RANK") is None


def test_a_module_of_the_folder_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script(tmp_path / "mine.py", "import sys; sys.exit(sys.argv[1])")
    report = run("--module", "mine", "--processes", "1", "--", "no data")
    assert report.findings[0].what == "Rank 0 failed first: SystemExit: no data."


def test_an_error_that_the_scripts_own_record_kept_is_not_written_over(tmp_path: Path) -> None:
    text = """import json, os, sys
message = {"message": "ValueError: kept", "extraInfo": {"py_callstack": "its calls", "timestamp": "1"}}
json.dump({"message": message}, open(os.environ["TORCHELASTIC_ERROR_FILE"], "w"))
sys.exit(1)"""
    report = run("--script", script(tmp_path / "train.py", text), "--processes", "1")
    first = report.findings[0]
    assert (first.what, first.evidence) == ("Rank 0 failed first: ValueError: kept.", "its calls")


@pytest.mark.slow
@pytest.mark.parametrize("averaged", [True, False])
def test_a_script_in_which_nobody_averages_is_found(tmp_path: Path, averaged: bool) -> None:
    text = f"""import os, torch, torch.distributed as dist
dist.init_process_group("gloo")
torch.manual_seed(7)
model = torch.nn.Linear(8, 8)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
torch.manual_seed(100 + dist.get_rank())
for _ in range(5):
    optimizer.zero_grad()
    model(torch.randn(4, 8)).pow(2).mean().backward()
    for p in model.parameters() if {averaged} else ():
        dist.all_reduce(p.grad)
    optimizer.step()
dist.destroy_process_group()
"""
    report = run("--script", script(tmp_path / "train.py", text))
    said = [(finding.level, finding.what) for finding in report.findings]
    told = "All ranks have the same weights" if averaged else "The ranks have different weights"
    assert said[0][0] == "good" and said[1][0] == ("good" if averaged else "error")
    assert said[1][1].startswith(f"{told} after step 4 of the optimizer")
    assert report.exit_code == (0 if averaged else 1)


@pytest.mark.slow
def test_a_script_that_hangs_is_looked_at_and_ended(tmp_path: Path) -> None:
    text = """import os, time
def get_batch():
    time.sleep(99)
if os.environ["RANK"] == "0":
    get_batch()
"""
    report = run("--script", script(tmp_path / "train.py", text), "--timeout", "2")
    assert report.findings[0].what == "Time was up after 2 s: rank 0 had not ended."
    assert "rank 0 is at data at train.py:3 in get_batch" in report.findings[0].evidence
    pid_gone = [each["code"] for each in report.data["ranks"]]
    assert pid_gone == [-15, 0]


def test_a_rank_that_is_killed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "GRACE", 0.3)
    text = "import os, time\nif os.environ['RANK'] == '1': os.kill(os.getpid(), 9)\ntime.sleep(99)\n"
    report = run("--script", script(tmp_path / "train.py", text))
    said = [finding.what for finding in report.findings]
    assert said == ["Rank 1 failed first: signal 9, mostly the kernel's when memory is short.",
                    "Rank 0 still ran, and was ended."]  # fmt: skip


HEALTHY: dict[str, Any] = {
    "rank": 0, "device": "cpu", "met_seconds": 0.1, "torch": "2.13", "python": "3.12", "seed": 1, "code": "a" * 64,
    "sum": [3.0] * 3, "seconds": {"1048576": 0.001}, "weights": "w", "gradients_apart": 1e-7, "differences": [],
    "after": [], "draw": 0.1,
}  # fmt: skip


def probed(**changed: Any) -> list[Finding]:
    """The findings where rank 1 differs from a healthy one."""
    other = {**copy.deepcopy(HEALTHY), "rank": 1, "draw": 0.2, **changed}
    ranks = [launching.Rank(each["rank"], None, Path(), code=0, result=each)  # type: ignore[arg-type]
             for each in (HEALTHY, other)]  # fmt: skip
    return conclusions.of_probe(launching.Outcome(ranks, 1.0, False))


def test_healthy_processes_raise_no_alarm() -> None:
    assert {finding.level for finding in probed()} == {"good"}


@pytest.mark.parametrize(("changed", "said"), [
    ({"torch": "2.9"}, "different versions of PyTorch"), ({"python": "3.11"}, "different versions of Python"),
    ({"code": "b" * 64}, "different code"), ({"sum": [1.0, 3.0, 3.0]}, "wrong sums on rank 1"),
    ({"weights": "v"}, "different first weights"), ({"draw": 0.1}, "the same batches"),
    ({"gradients_apart": 0.3}, "not averaged"), ({"gradients_apart": float("nan")}, "not averaged"),
    ({"differences": ["weight 0.bias: rank 1"]}, "not averaged"),
])  # fmt: skip
def test_each_thing_that_differs_is_an_error(changed: dict[str, Any], said: str) -> None:
    [found] = [finding for finding in probed(**changed) if finding.level != "good"]
    assert found.level == "error"
    assert said in found.what


def test_variables_are_data_with_what_they_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NCCL_DEBUG", "INFO")
    report = run("--variables")
    assert "NCCL_DEBUG=INFO" in report.findings[1].evidence
    assert len({each.name for each in VARIABLES}) == len(VARIABLES) == len(report.data["variables"])
    assert json.loads(report.as_json())["variables"][0]["name"] == "NCCL_DEBUG"


@pytest.mark.parametrize(("words", "said"), [
    (["--processes", "0"], "--processes 0"), (["--timeout", "nan"], "--timeout nan"), (["--port", "-1"], "--port -1"),
    (["--script", "a.py", "--module", "a"], "leave out one"), (["--", "x"], "none is named"),
    (["--script", "/no/such.py"], "it is not there"), (["--code", "/no/such"], "name a folder"),
    pytest.param(["--backend", "nccl", "--processes", "64"], "want a GPU each", marks=pytest.mark.slow),
])  # fmt: skip
def test_what_can_not_be_meant(words: list[str], said: str) -> None:
    with pytest.raises(UsageProblem, match=said):
        run(*words)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with pytest.raises(UsageProblem, match="can't be had"):
            run("--port", str(holder.getsockname()[1]), "--script", script(tmp_path / "a.py", ""))
