"""Processes as Linux tells of them in /proc: what each waits for, its rank, its files, the processor's time."""

import contextlib
import os
import platform
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
NAMES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # of an environment; no other is looked at
CALLS = {  # system calls by number, those in which trainings wait
    "x86_64": {0: "read", 1: "write", 7: "poll", 23: "select", 35: "nanosleep", 42: "connect", 43: "accept",
               45: "recvfrom", 46: "sendmsg", 47: "recvmsg", 61: "wait4", 74: "fsync", 202: "futex", 230: "nanosleep",
               232: "epoll_wait", 247: "waitid", 257: "openat", 270: "select", 271: "poll", 281: "epoll_wait"},
    "aarch64": {22: "epoll_wait", 56: "openat", 63: "read", 64: "write", 72: "select", 73: "poll", 82: "fsync",
                95: "waitid", 98: "futex", 101: "nanosleep", 115: "nanosleep", 202: "accept", 203: "connect",
                207: "recvfrom", 211: "sendmsg", 212: "recvmsg", 260: "wait4"},
}  # fmt: skip
WITH_FILE = ("read", "write", "connect", "accept", "recvfrom", "recvmsg", "sendmsg", "fsync")
STATES = {"R": "runs", "S": "sleeps", "D": "waits for a disk", "T": "is stopped", "t": "is being debugged",
          "Z": "has ended, its parent has not noticed", "I": "is idle"}  # fmt: skip


@dataclass
class Process:
    """One process at one moment."""

    pid: int
    words: list[str]
    parent: int = 0
    state: str = "?"
    ticks: int = 0  # of the processor
    started: int = 0  # ticks after the machine
    threads: int = 0
    resident: int = 0  # bytes
    caught: int = 0  # signals that it has handlers for, as bits
    environment: dict[str, str] = field(default_factory=dict)
    cpu: float = 0.0  # processors that it kept busy, once it was looked at twice

    @property
    def rank(self) -> int | None:
        """Its place among the processes of a training."""
        text = self.environment.get("RANK", "")
        return int(text) if text.isdecimal() and len(text) < 8 else None

    @property
    def name(self) -> str:
        """How it is called in a report."""
        return f"rank {self.rank} (process {self.pid})" if self.rank is not None else f"process {self.pid}"

    @property
    def command(self) -> str:
        """Its words in a line."""
        return " ".join(self.words)[:200]


def text_of(path: Path) -> str:
    """A small file; nothing where it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(1 << 20).decode("utf-8", "replace")
    except OSError:
        return ""


def look(pid: int) -> Process | None:
    """The process, or None where there is none (any more)."""
    folder = PROC / str(pid)
    fields = text_of(folder / "stat").rpartition(")")[2].split()
    if len(fields) < 20:
        return None
    words = [word for word in text_of(folder / "cmdline").split("\0") if word]
    lines = dict(line.split(":", 1) for line in text_of(folder / "status").splitlines() if ":" in line)
    variables = (pair.partition("=") for pair in text_of(folder / "environ").split("\0"))
    return Process(
        pid, words or [f"[{text_of(folder / 'comm').strip()}]"], int(fields[1]), fields[0],
        int(fields[11]) + int(fields[12]), int(fields[19]), int(fields[17]),
        int(lines.get("VmRSS", "0").split()[0]) * 1024, int(lines.get("SigCgt", "0").strip(), 16),
        {name: value for name, _, value in variables if name in NAMES},
    )  # fmt: skip


def everything() -> list[Process]:
    """All processes that can be seen."""
    pids = [int(path.name) for path in PROC.iterdir() if path.name.isdecimal()]
    return [found for pid in sorted(pids) if (found := look(pid)) is not None]


def own() -> set[int]:
    """This process and those that started it."""
    found, pid = set(), os.getpid()
    while pid and pid not in found:
        found.add(pid)
        process = look(pid)
        pid = process.parent if process else 0
    return found


def below(pids: Iterable[int], among: Iterable[Process]) -> list[Process]:
    """The processes of those numbers and all that they started."""
    wanted, there = set(pids), list(among)
    grown = True
    while grown:
        more = {each.pid for each in there if each.parent in wanted and each.pid not in wanted}
        grown = bool(more)
        wanted |= more
    return [each for each in there if each.pid in wanted]


def trainings(among: Iterable[Process], pattern: str | None) -> list[Process]:
    """Those whose command has the text; without one, Pythons that have a rank or run a program of ours by name."""
    mine = own()
    others = [each for each in among if each.pid not in mine]
    if pattern is not None:
        return [each for each in others if pattern in " ".join(each.words)]
    pythons = [each for each in others if "python" in Path(each.words[0]).name]
    marks = ("train", "nanogpt", "nanochat", "ngpt", "chat_sft", "chat_rl")
    ranked = [each for each in pythons if each.rank is not None]
    return ranked or [each for each in pythons if any(mark in word for word in each.words[1:4] for mark in marks)]


def measure(processes: Iterable[Process], seconds: float) -> None:
    """Note how many processors each keeps busy."""
    per_second, chosen = os.sysconf("SC_CLK_TCK"), list(processes)
    began = time.monotonic()
    time.sleep(seconds)
    for each in chosen:
        later = look(each.pid)
        if later is not None and later.started == each.started:
            each.cpu = (later.ticks - each.ticks) / per_second / (time.monotonic() - began)
            each.state = later.state


def waiting(pid: int) -> str:
    """What its first thread waits for in the kernel, in words; nothing where it computes or is not told."""
    fields = text_of(PROC / str(pid) / "syscall").split()
    channel = text_of(PROC / str(pid) / "wchan").strip()
    if channel in ("wait_for_partner", "fifo_open"):
        return "opening a named pipe that nobody has opened at its other end"
    if not fields or not fields[0].isdecimal():
        return "" if channel in ("", "0") else f"in the kernel's {channel}"
    call = CALLS.get(platform.machine(), {}).get(int(fields[0]), "")
    if call in WITH_FILE:
        return f"{call} of {target(pid, int(fields[1], 16))}"
    told = {"futex": "waiting for another thread (futex)", "nanosleep": "sleeping", "poll": "waiting for files (poll)",
            "select": "waiting for files (select)", "epoll_wait": "waiting for files (epoll)",
            "wait4": "waiting for a process that it started", "waitid": "waiting for a process that it started",
            "openat": "opening a file"}  # fmt: skip
    return told.get(call, f"in the kernel's {channel}" if channel not in ("", "0") else "")


def target(pid: int, number: int) -> str:
    """What an open file is."""
    link = PROC / str(pid) / "fd" / str(number)
    try:
        name, mode = os.readlink(link), os.stat(link).st_mode
    except OSError:
        return f"file {number}"
    kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"))
    kind = next((kind for test, kind in kinds if test(mode)), "a file")
    return kind if name.startswith(("pipe:", "socket:")) else f"{kind}, {name}"


def files(pid: int) -> list[str]:
    """Open files and named pipes, without libraries, devices and what is Python's own."""
    found = []
    with contextlib.suppress(OSError):
        for link in sorted((PROC / str(pid) / "fd").iterdir(), key=lambda path: int(path.name)):
            with contextlib.suppress(OSError):
                name, mode = os.readlink(link), os.stat(link).st_mode
                if name.startswith("/") and not name.startswith(("/dev/", "/proc/")):
                    found.append(f"{name} (a named pipe)" if stat.S_ISFIFO(mode) else name)
    return list(dict.fromkeys(found))
