"""The end of a training: of a command that is started here, or of a process that runs already."""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from fieldguide.report import UsageProblem

PATIENCE = 30.0  # seconds that a command has to end after Ctrl-C


@dataclass(frozen=True)
class End:
    """What is known of it. ``code`` is None for a process of somebody else's: only its parent is told."""

    what: str
    code: int | None
    seconds: float

    @property
    def result(self) -> str:
        """In a word or two."""
        if self.code is None:
            return "has ended"
        if self.code < 0:
            return f"was ended by {signal_name(-self.code)}"
        return "ended well" if self.code == 0 else f"failed with exit code {self.code}"

    @property
    def advice(self) -> str:
        """What an exit code means that says nothing by itself."""
        if self.code in (-9, 137):
            return "signal 9 without a word is mostly the kernel, out of memory: look at dmesg, take a smaller batch"
        return ""


def signal_name(number: int) -> str:
    """'SIGKILL' for 9."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@contextlib.contextmanager
def passed_on(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Whoever ends this tool means the training."""
    def pass_on(number: int, frame: FrameType | None) -> None:
        process.send_signal(number)

    try:
        before = signal.signal(signal.SIGTERM, pass_on)
    except ValueError:  # not the main thread: signals are another's
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def command(words: Sequence[str]) -> End:
    """Run a command to its end, with our terminal as its own."""
    started = time.monotonic()
    try:
        process = subprocess.Popen(words)
    except OSError as error:
        what = f"{words[0]} can't be started ({error.strerror})"
        raise UsageProblem(f"{what}: give a program and its words after --") from error
    with passed_on(process):
        try:
            code = process.wait()
        except KeyboardInterrupt:  # the terminal has sent it to the command as well
            try:
                code = process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.terminate()
                code = process.wait()
    return End(" ".join(words)[:200], code, time.monotonic() - started)


def process(pid: int) -> End:
    """Wait until a process has gone."""
    try:
        descriptor = os.pidfd_open(pid)  # stays with this process, even if its number is given to another
    except ProcessLookupError as error:
        raise UsageProblem(f"--after {pid}: there is no such process; `fieldguide stuck` lists trainings") from error
    except (OSError, AttributeError) as error:
        raise UsageProblem(f"--after {pid}: it can't be waited for ({error}); start the training behind --") from error
    name, age = command_line(pid), seconds_of(pid)
    started = time.monotonic()
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll()
    finally:
        os.close(descriptor)
    return End(f"process {pid} ({name})", None, age + time.monotonic() - started)


def command_line(pid: int) -> str:
    """Its words, as far as they can be read."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()[:200]
    except OSError:
        return "unknown"


def seconds_of(pid: int) -> float:
    """How long it has run."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        uptime = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
        return max(0.0, uptime - int(fields[19]) / os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError):
        return 0.0
