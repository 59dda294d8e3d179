"""The commands, one after the other. What nanoGPT's training prints is kept in a file as well, for other tools."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from fieldguide.notify.waiting import passed_on
from fieldguide.report import UsageProblem

SOURCE = Path(__file__).parents[2]


def run_all(commands: Sequence[Sequence[str]], log: Path | None, aside: bool) -> int:
    """Run them until one fails; the exit code of that one, or 0. The log is the last
    one's. ``aside``: what they print goes to stderr."""
    for i, words in enumerate(commands, 1):
        code = run(words, log if i == len(commands) else None, aside)
        if code:
            return code
    return 0


def run(words: Sequence[str], log: Path | None, aside: bool = False) -> int:
    """One command, with its output shown, and kept if there is a file for it."""
    env = {**os.environ, "PYTHONUNBUFFERED": "1",
           "PYTHONPATH": os.pathsep.join([str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")])])}  # fmt: skip
    out = sys.stderr if aside else sys.stdout
    out.flush()
    if log is None:
        process = subprocess.Popen(words, env=env, stdout=out.fileno())
        return finish(process, None, None)
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = log.open("xb")
    except OSError as error:
        raise UsageProblem(f"{log} can't be written ({error.strerror}): name another folder with --out") from error
    with file:
        process = subprocess.Popen(words, env=env, stdout=subprocess.PIPE)
        return finish(process, file, out.fileno())


def finish(process: "subprocess.Popen[bytes]", file: BinaryIO | None, shown: int | None) -> int:
    """Pass the output on until the end; Ctrl-C reaches the training by itself, and it may save."""
    with process, passed_on(process):
        while True:
            try:
                if process.stdout is not None and file is not None and shown is not None:
                    for line in process.stdout:
                        file.write(line)
                        file.flush()
                        os.write(shown, line)
                return process.wait()
            except KeyboardInterrupt:
                continue
