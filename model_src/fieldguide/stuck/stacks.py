"""Where a Python process is: by py-spy where it is installed, else by the signal that it has registered for that."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from fieldguide.stuck.on_signal import PREFIX
from fieldguide.stuck.processes import PROC, Process

FRAME = re.compile(r'^  File "(.{1,4000})", line (\d{1,9}|\?\?\?) in (.{1,500})$')
HEAD = re.compile(r"^(?:Current thread|Thread) 0x[0-9a-f]+ .*\(most recent call first\):$")
LARGEST = 1 << 20  # bytes of a dump


@dataclass(frozen=True)
class Frame:
    """A line that is being executed."""

    file: str
    line: int
    function: str

    @property
    def short(self) -> str:
        """'train.py:120 in main'."""
        return f"{Path(self.file).name}:{self.line} in {self.function}"

    @property
    def own(self) -> bool:
        """Whether it is of the training, not of Python or an installed package."""
        parts = Path(self.file).parts
        installed = "site-packages" in parts or "dist-packages" in parts
        library = any(re.fullmatch(r"python3\.\d+", part) for part in parts[:-1])
        return not installed and not library and not self.file.startswith("<")


@dataclass(frozen=True)
class Stack:
    """The first thread's frames, the innermost first, and how they were had."""

    frames: tuple[Frame, ...]
    how: str

    @property
    def place(self) -> str:
        """The innermost line of the training's own, or the innermost of all."""
        frame = next((frame for frame in self.frames if frame.own), self.frames[0] if self.frames else None)
        return frame.short if frame else ""


def stack_of(process: Process) -> tuple[Stack | None, str]:
    """The stack, or why there is none."""
    tool = shutil.which("py-spy") or beside_python()
    why = "py-spy is not installed"
    if tool:
        found, why = by_spy(tool, process.pid)
        if found:
            return found, ""
    found = by_signal(process)
    return found, "" if found else f"{why}, and it has not called fieldguide.stuck.register()"


def beside_python() -> str | None:
    """py-spy in the environment of this Python."""
    path = Path(sys.executable).with_name("py-spy")
    return str(path) if path.is_file() else None


def by_spy(tool: str, pid: int) -> tuple[Stack | None, str]:
    """What py-spy says of the first thread."""
    try:
        ran = subprocess.run([tool, "dump", "--pid", str(pid), "--json"], capture_output=True, text=True, timeout=30)
        threads = json.loads(ran.stdout) if ran.returncode == 0 else None
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return None, f"py-spy failed ({error})"
    if threads is None:
        return None, f"py-spy failed ({ran.stderr.strip().splitlines()[-1][:200] if ran.stderr.strip() else 'no word'})"
    try:
        first = next((each for each in threads if each.get("os_thread_id") == pid), threads[0])
        frames = tuple(Frame(each["filename"], int(each["line"]), each["name"]) for each in first["frames"])
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
        return None, f"py-spy's answer is not understood ({error!r})"
    return Stack(frames, "py-spy"), ""


def registered(process: Process) -> Path | None:
    """The file that a process writes its stacks to, if it has really registered the signal."""
    if not process.caught >> (signal.SIGUSR1 - 1) & 1:
        return None  # it would end the process
    try:
        for link in (PROC / str(process.pid) / "fd").iterdir():
            if Path(os.readlink(link)).name.startswith(f"{PREFIX}{process.pid}-"):
                return link
    except OSError:
        pass
    return None


def by_signal(process: Process, patience: float = 3.0) -> Stack | None:
    """Ask by SIGUSR1, and read what is written."""
    path = registered(process)
    if path is None:
        return None
    try:
        before = path.stat().st_size
        os.kill(process.pid, signal.SIGUSR1)
        size, ends = before, time.monotonic() + patience
        while time.monotonic() < ends:
            time.sleep(0.05)
            last, size = size, path.stat().st_size
            if size > before and size == last:
                break
        with path.open("rb") as file:
            file.seek(before)
            text = file.read(LARGEST).decode("utf-8", "replace")
    except OSError:
        return None
    frames = parse(text)
    return Stack(frames, "SIGUSR1") if frames else None


def parse(text: str) -> tuple[Frame, ...]:
    """The frames of the first thread, which Python writes last."""
    threads: list[list[Frame]] = []
    for line in text.splitlines():
        if HEAD.match(line):
            threads.append([])
        elif threads and (found := FRAME.match(line)):
            number = int(found[2]) if found[2].isdecimal() else 0
            threads[-1].append(Frame(found[1], number, found[3]))
    return tuple(threads[-1]) if threads else ()
