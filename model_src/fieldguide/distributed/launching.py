"""Processes of one training on this machine, as torchrun starts them; which one failed first, and with what."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.report import UsageProblem

GRACE = 3.0  # seconds that the others have to end by themselves when one has failed
TAIL = 3000  # characters of an output that are kept
LONGEST = 1 << 20  # bytes that are read of a file
SOURCE = Path(__file__).parents[2]


@dataclass
class Rank:
    """One process, when it has ended."""

    rank: int
    process: "subprocess.Popen[bytes]"
    folder: Path
    ended: float = 0.0  # when
    stopped: bool = False  # by us
    activity: str = ""  # what it was at when time was up
    code: int | None = None
    output: str = ""  # its end
    result: dict[str, Any] = field(default_factory=dict)  # what it found, if it came so far
    error: str = ""  # what @record kept
    calls: str = ""  # that led to it

    @property
    def failed(self) -> bool:
        """Whether it ended badly by itself."""
        return not self.stopped and bool(self.code)

    def collect(self) -> None:
        """Read the files of its own, now that it has ended."""
        self.output, self.result = self.text("output"), as_object(self.text("result"))
        message = as_object(self.text("error")).get("message")
        if isinstance(message, dict):
            extra = message.get("extraInfo")
            self.error = str(message.get("message", ""))
            self.calls = str(extra.get("py_callstack", ""))[-TAIL:] if isinstance(extra, dict) else ""

    def text(self, name: str) -> str:
        """A file of its own: a long output's end."""
        try:
            with (self.folder / f"{name}{self.rank}").open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - LONGEST))
                found = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return found[-TAIL:] if name == "output" else found


@dataclass
class Outcome:
    """All of them."""

    ranks: list[Rank]
    seconds: float
    late: bool  # time was up
    hints: list[Any] = field(default_factory=list)  # findings of ``fieldguide stuck``

    @property
    def first(self) -> Rank | None:
        """Who failed first: the others fail because of it."""
        failed = [each for each in self.ranks if each.failed]
        return min(failed, key=lambda each: each.ended, default=None)


def as_object(text: str) -> dict[str, Any]:
    """An object of JSON, or an empty one."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def free_port(wanted: int) -> int:
    """The port, or any free one for 0; UsageProblem where it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            what = f"--port {wanted} can't be had ({error.strerror})"
            raise UsageProblem(f"{what}: another training may hold it; 0 takes a free one") from error
        return int(probe.getsockname()[1])


def launch(kind: str, options: dict[str, Any], processes: int, port: int, seconds: float) -> Outcome:
    """Start the processes, wait for their end or the time's, and leave none behind."""
    port = free_port(port)
    with tempfile.TemporaryDirectory(prefix="fieldguide-distributed-") as name:
        folder, started, ranks = Path(name), time.monotonic(), []
        try:
            for rank in range(processes):
                ranks.append(start(kind, options, rank, processes, port, folder))
            outcome = wait(ranks, started, seconds)
        finally:
            for each in ranks:
                stop(each)
        for each in outcome.ranks:
            each.collect()
        return outcome


def start(kind: str, options: dict[str, Any], rank: int, size: int, port: int, folder: Path) -> Rank:
    """One process, with the variables that torchrun sets."""
    numbers = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size, "GROUP_RANK": 0}
    env = {
        **os.environ, **{name: str(value) for name, value in numbers.items()}, "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port), "TORCHELASTIC_ERROR_FILE": str(folder / f"error{rank}"),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"), "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join([str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }  # fmt: skip
    words = [sys.executable, "-m", "fieldguide.distributed.worker", kind, str(folder / f"result{rank}")]
    with (folder / f"output{rank}").open("wb") as output:
        process = subprocess.Popen([*words, json.dumps(options)], env=env, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT)  # fmt: skip
    return Rank(rank, process, folder)


def wait(ranks: Sequence[Rank], started: float, seconds: float) -> Outcome:
    """Until all have ended, or one has failed and the others had their grace, or time is up."""
    failed_at = None
    while True:
        now = time.monotonic()
        for each in ranks:
            if each.code is None and (code := each.process.poll()) is not None:
                each.code, each.ended = code, now
                failed_at = failed_at or (now if code else None)
        if all(each.code is not None for each in ranks):
            return Outcome(list(ranks), now - started, False)
        if failed_at is not None and now - failed_at > GRACE:
            return Outcome(list(ranks), now - started, False)
        if now - started > seconds:
            outcome = Outcome(list(ranks), now - started, True)
            outcome.hints = look_at(ranks)
            return outcome
        time.sleep(0.02)


def look_at(ranks: Sequence[Rank]) -> list[Any]:
    """What ``fieldguide stuck`` says of those that still run."""
    from fieldguide.stuck import examine, processes, verdict

    if not processes.PROC.joinpath("self/stat").exists():
        return []
    there = [processes.look(each.process.pid) for each in ranks if each.code is None]
    seen = examine([each for each in there if each is not None], 0.5)
    by_pid = {each.process.pid: each.activity.words for each in seen}
    for each in ranks:
        each.activity = by_pid.get(each.process.pid, "")
    return verdict.judge(seen)


def stop(each: Rank) -> None:
    """End a process that still runs, and wait for it."""
    if each.process.poll() is None:
        each.stopped = True
        each.process.terminate()
        try:
            each.process.wait(5)
        except subprocess.TimeoutExpired:
            each.process.kill()
    each.code = each.process.wait()
