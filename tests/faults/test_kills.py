"""Builds that are killed at random moments: what is made stays, and the next build ends with the right bytes."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from pathlib import Path

import pytest

from .site import Site

pytestmark = pytest.mark.faults

MOMENTS = int(os.environ.get("CUTAWAY_FAULTS_MOMENTS", "20"))


def processes_of(group: int) -> list[int]:
    """The processes of a build, the workers and kernels that it started in groups of their own included."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, pending = [], [group]
    while pending:
        pid = pending.pop()
        found.append(pid)
        pending += children.get(pid, [])
    return found


def kill(pid: int, sign: int = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, sign)


def kill_builder(pid: int) -> None:
    kill(pid)


def kill_worker(pid: int) -> None:
    workers = processes_of(pid)[1:]
    if workers:
        kill(random.choice(workers))


def kill_all(pid: int) -> None:
    for one in processes_of(pid):
        kill(one)


def interrupt(pid: int) -> None:
    kill(pid, signal.SIGINT)


WAYS = {
    "kill -9 of the builder": kill_builder,
    "kill -9 of a worker": kill_worker,
    "kill -9 of all processes": kill_all,
    "Ctrl-C": interrupt,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_killed_build_loses_nothing(plain: Site, plain_s: float, tmp_path: Path, attempt, way: str) -> None:
    random.seed(way)
    for number in range(MOMENTS):
        with attempt(way):
            site = Site.write(tmp_path / f"book{number}", cells=False)
            process = site.start()
            time.sleep(random.uniform(0, plain_s))
            family = {pid: _began(pid) for pid in processes_of(process.pid)}
            WAYS[way](process.pid)
            process.communicate(timeout=180)
            _all_end(family)
            made = {name: data for name, data in site.stored().items() if not name.startswith("card/")}
            assert made.items() <= plain.stored().items()  # what has its final name is whole; cards show what there was
            again = site.build()
            assert again.returncode == 0, again.said
            assert site.pages() == plain.pages()
            assert plain.stored().items() <= site.stored().items()


def _all_end(family: dict[int, str]) -> None:
    """Nothing that a build started outlives it, but for the time that a worker takes to import Manim.

    ``family`` has for each process its time of birth: another may get its number.
    """
    deadline = time.monotonic() + 180
    while alive := [pid for pid, began in family.items() if began and _began(pid) == began]:
        assert time.monotonic() < deadline, f"still alive: {[_command(pid) for pid in alive]}"
        time.sleep(0.05)


def _command(pid: int) -> str:
    try:
        said = Path(f"/proc/{pid}/cmdline").read_text().replace(chr(0), " ")
        return f"{pid} ({said}) {Path(f'/proc/{pid}/stat').read_text()[:80]}"
    except OSError:
        return str(pid)


def _began(pid: int) -> str:
    """When a process that lives was started, in ticks of the clock since the machine was; "" where none lives."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
