"""For training scripts: let ``fieldguide stuck`` ask where this process is, by the signal SIGUSR1.

    from fieldguide.stuck import register
    register()

Python then writes the stack of each thread to a file of this process, also while it waits in C code.
"""

import faulthandler
import os
import signal
import tempfile
from typing import IO, Any

PREFIX = "fieldguide-stuck-"
opened: list[IO[Any]] = []  # a file that is closed could not be written to


def register() -> None:
    """Write stacks at SIGUSR1, to a file without a name, which ends with the process. A second call changes nothing."""
    if not opened:
        file = tempfile.NamedTemporaryFile("w", prefix=f"{PREFIX}{os.getpid()}-", delete=False)  # noqa: SIM115
        os.unlink(file.name)  # it stays open: /proc shows it to this user alone, and nothing is left behind
        opened.append(file)
        faulthandler.register(signal.SIGUSR1, file=file, all_threads=True)
