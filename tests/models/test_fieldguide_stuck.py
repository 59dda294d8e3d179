"""`fieldguide stuck`: real processes that hang, and where; nobody is signalled who has not asked for it."""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fieldguide import stuck as tool
from fieldguide.report import Report, UsageProblem
from fieldguide.stuck import processes, stacks
from fieldguide.stuck.activity import Activity, activity_of
from fieldguide.stuck.processes import Process
from fieldguide.stuck.stacks import Frame, Stack
from fieldguide.stuck.verdict import Seen, judge

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc here")
SOURCE = Path(tool.__file__).parents[2]
Start = Callable[..., subprocess.Popen]


def run(*words: str) -> Report:
    parser = argparse.ArgumentParser()
    tool.add_arguments(parser)
    return tool.run(parser.parse_args(["--seconds", "0.2", *words]))


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts Python with a text, and ends it with the test. py-spy is not there."""
    monkeypatch.setattr(stacks.shutil, "which", lambda name: None)
    monkeypatch.setattr(stacks, "beside_python", lambda: None)
    started: list[subprocess.Popen] = []

    def begin(text: str, **env: str) -> subprocess.Popen:
        path = tmp_path / f"training{len(started)}.py"
        path.write_text(text)
        own = {"PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", **env}
        started.append(subprocess.Popen([sys.executable, str(path)], env={**os.environ, **own}))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def wait(holds: Callable[[], object], seconds: float = 60) -> None:
    """Until something holds."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it did not come to pass"
        time.sleep(0.02)


def test_a_reader_that_waits_at_a_named_pipe(start: Start, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "shard.pipe")
    code = "import os\nfile = os.open({!r}, os.{})\nos.read(file, 1)\n"
    opening = start(code.format(str(tmp_path / "shard.pipe"), "O_RDONLY"))
    wait(lambda: processes.waiting(opening.pid))
    found = run(str(opening.pid)).data["processes"][0]
    assert "named pipe" in found["kernel"] or found["kernel"] == "opening a file"
    opening.kill()
    reading = start(code.format(str(tmp_path / "shard.pipe"), "O_RDWR"))
    wait(lambda: "read of a pipe" in processes.waiting(reading.pid))
    report = run(str(reading.pid))
    assert f"read of a pipe, {tmp_path / 'shard.pipe'}" in report.findings[0].what
    assert f"{tmp_path / 'shard.pipe'} (a named pipe)" in report.data["processes"][0]["files"]
    assert "py-spy is not installed, and it has not called" in report.findings[-1].evidence


def test_who_has_registered_tells_the_line_and_goes_on(start: Start, tmp_path: Path) -> None:
    code = f"""from fieldguide.stuck import register
import threading, time
register()
threading.Thread(target=time.sleep, args=(99,), daemon=True).start()
def get_batch(split):
    open({str(tmp_path / "ready")!r}, "w").close()
    time.sleep(99)
get_batch("train")
"""
    process = start(code)
    wait((tmp_path / "ready").exists)
    found = run(str(process.pid)).data["processes"][0]
    assert (found["kind"], found["how"], found["moving"]) == ("data", "SIGUSR1", False)
    assert found["place"] == "training0.py:7 in get_batch"
    assert process.poll() is None
    assert not list(Path("/tmp").glob(f"fieldguide-stuck-{process.pid}-*"))


def test_who_has_not_is_not_signalled(start: Start) -> None:
    process = start("import time; time.sleep(99)")
    wait(lambda: processes.waiting(process.pid) == "sleeping")
    assert run(str(process.pid)).data["processes"][0]["kind"] == "sleep"
    handler = start("import signal, time; signal.signal(signal.SIGUSR1, lambda *a: exit(3)); time.sleep(99)")
    wait(lambda: processes.waiting(handler.pid) == "sleeping")
    run(str(handler.pid))
    assert process.poll() is handler.poll() is None


def test_a_process_that_computes_is_no_hang(start: Start) -> None:
    process = start("while True: pass")
    wait(lambda: (found := processes.look(process.pid)) and found.ticks > 5)
    report = run(str(process.pid))
    assert "is at work" in report.findings[0].what
    assert report.exit_code == 0


def test_ranks_by_pattern_stopped_missing_and_apart(start: Start, tmp_path: Path) -> None:
    env = {"WORLD_SIZE": "3", "SECRET": "hunter2"}
    ranks = [start("import time; time.sleep(99)", RANK=str(rank), **env) for rank in (1, 0)]
    for process in ranks:
        wait(lambda process=process: processes.waiting(process.pid) == "sleeping")
    ranks[1].send_signal(signal.SIGSTOP)
    wait(lambda: processes.look(ranks[1].pid).state == "T")  # type: ignore[union-attr]
    report = run("--pattern", str(tmp_path))
    assert [each["rank"] for each in report.data["processes"]] == [0, 1]
    said = [finding.what for finding in report.findings]
    assert said[0] == f"rank 0 (process {ranks[1].pid}) is stopped, by SIGSTOP or Ctrl-Z."
    assert said[1] == "Rank 2 of 3 is not running here."
    assert report.exit_code == 1
    assert "hunter2" not in report.as_json() + report.as_text()


def test_the_ranks_of_a_launcher_are_found(start: Start) -> None:
    code = """import os, subprocess, sys
for rank in "01":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3)"], env={**os.environ, "RANK": rank})
import time; time.sleep(99)"""
    launcher = start(code)
    wait(lambda: len(processes.below([launcher.pid], processes.everything())) == 3)
    wait(lambda: sum(each.rank is not None for each in processes.below([launcher.pid], processes.everything())) == 2)
    assert [each["rank"] for each in run(str(launcher.pid)).data["processes"]] == [0, 1]


HANG = """import os, sys, time
from fieldguide.stuck import register
register()
import torch, torch.distributed as dist
def wait_for_shard():
    open(os.environ["READY"], "w").close()
    time.sleep(99)
dist.init_process_group("gloo")
dist.all_reduce(torch.ones(1))
if dist.get_rank() == 1:
    wait_for_shard()
open(os.environ["READY"], "w").close()
dist.all_reduce(torch.ones(1))
"""


@pytest.mark.slow
def test_a_rank_that_never_joins_the_collective(start: Start, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    together = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    for rank in ("0", "1"):
        start(HANG, RANK=rank, READY=str(tmp_path / f"ready{rank}"), **together)
    wait(lambda: all((tmp_path / f"ready{rank}").exists() for rank in "01"), 170)
    wait(lambda: run("--pattern", str(tmp_path)).data["processes"][0]["kind"] == "collective", 60)
    report = run("--pattern", str(tmp_path))
    first = report.findings[0]
    assert first.level == "error"
    assert first.what.startswith("Rank 0 waits in all_reduce; rank 1 is not there: it sleeps at")
    assert "wait_for_shard" in first.what


def seen(rank: int, activity: Activity, **more: object) -> Seen:
    process = Process(4_000_000 + rank, ["python"], state="S", environment={"RANK": str(rank), "WORLD_SIZE": "2"})
    stack = Stack((Frame("/home/me/train.py", 3, "main"),), "py-spy")
    return Seen(process, stack, activity, **more)  # type: ignore[arg-type]


def test_what_differs_among_ranks() -> None:
    reduce, gather = (Activity("collective", what, f"train.py:{line} in step") for what, line in
                      (("all_reduce", 5), ("all_gather", 9)))  # fmt: skip
    [found] = judge([seen(0, reduce), seen(1, gather)])
    assert "different collectives" in found.what
    [found] = judge([seen(0, reduce), seen(1, reduce)])
    assert "All ranks wait in the same all_reduce" in found.what
    [found] = judge([seen(0, Activity("checkpoint", "", "train.py:7 in save")), seen(1, reduce)])
    assert found.what == ("Rank 1 waits in all_reduce; rank 0 is not there: it writes or reads a checkpoint at "
                          "train.py:7 in save.")  # fmt: skip
    assert "barrier" in found.advice
    [found] = judge([seen(0, Activity("data", "", "x"), moving=True), seen(1, reduce)])
    assert found.level == "warning"
    found = judge([seen(0, Activity("data", "", "x")), seen(1, Activity("sleep", "", "y"))])[0]
    assert "The ranks differ" in found.what


def test_what_a_stack_says() -> None:
    c10d = "/x/site-packages/torch/distributed/distributed_c10d.py"
    frames = (Frame(c10d, 1, "all_gather"), Frame(c10d, 2, "all_gather_object"), Frame("/me/a.py", 3, "main"))
    assert activity_of(Process(1, []), Stack(frames, ""), "").what == "all_gather_object"
    autograd = (Frame("/x/site-packages/torch/autograd/graph.py", 1, "_engine_run_backward"), Frame("/me/a.py", 3, "f"))
    two = Process(1, [], environment={"RANK": "0", "WORLD_SIZE": "2"})
    assert activity_of(two, Stack(autograd, ""), "").kind == "collective"
    assert activity_of(Process(1, []), Stack(autograd, ""), "").kind == "backward"
    importing = (Frame("/x/site-packages/torch/_dynamo/a.py", 1, "f"), Frame("<frozen importlib._bootstrap>", 2, "g"))
    assert activity_of(Process(1, []), Stack(importing, ""), "").kind == "import"


def test_py_spy_is_asked_where_it_is_installed(tmp_path: Path) -> None:
    frames = [{"filename": "/me/train.py", "line": 3, "name": "save_checkpoint"}]
    threads = [{"os_thread_id": 8, "frames": []}, {"os_thread_id": 7, "frames": frames}]
    spy = tmp_path / "py-spy"
    spy.write_text(f"#!{sys.executable}\nprint({json.dumps(threads)!r})\n")
    spy.chmod(0o755)
    found, _ = stacks.by_spy(str(spy), 7)
    assert found == Stack((Frame("/me/train.py", 3, "save_checkpoint"),), "py-spy")
    for text, said in (("print('[]')", "not understood"), ("raise SystemExit('Permission denied')", "Permission"),
                       ("print('{')", "failed")):  # fmt: skip
        spy.write_text(f"#!{sys.executable}\n{text}\n")
        found, why = stacks.by_spy(str(spy), 7)
        assert found is None
        assert said in why


def test_dumps_of_faulthandler() -> None:
    text = ('Thread 0x1 (most recent call first):\n  File "a.py", line 1 in f\n\n'
            'Current thread 0x2 [name] (most recent call first):\n  File "b.py", line 2 in g\n'
            '  File "c.py", line ??? in h\n')  # fmt: skip
    assert [frame.short for frame in stacks.parse(text)] == ["b.py:2 in g", "c.py:0 in h"]
    assert stacks.parse("\x1b[2J garbage") == ()


@pytest.mark.parametrize(("words", "said"), [
    (["999999999"], "is not there"), (["1", "--pattern", "x"], "leave out one"),
    (["--pattern", "no such words anywhere"], "no process with"), (["--seconds", "nan"], "--seconds nan"),
])  # fmt: skip
def test_what_can_not_be_meant(words: list[str], said: str) -> None:
    with pytest.raises(UsageProblem, match=said):
        run(*words)
