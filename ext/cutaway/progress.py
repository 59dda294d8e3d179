"""The progress of runs: one moving line in a terminal, about ten lines a run in a log.

Several runs are made side by side, each reporting once a second or so, from a thread of its own. A terminal shows all
of them in one line that is rewritten; a log, which keeps every line for ever, gets one each time the run's age has
doubled: a training of a quarter of an hour leaves eleven, and the first comes after a second.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from threading import Lock
from typing import TextIO

Report = Callable[[str], None]
ERASE = "\x1b[2K"  # the whole line, as Sphinx's own progress does
FIRST_S = 1.0  # of a run's age, when a log has its first line
SILENT_S = 60.0  # after so long without a word a run leaves the moving line: it failed, or is busy with one long step


class Moving(str):
    """A line ``WHO: how far it has come``, which the next of the same WHO makes void."""


class Progress:
    """Call it with each line; a :class:`Moving` one is thinned, any other stays and ends what WHO was moving.

    ``say`` prints a line that stays. ``rewrite`` shows a text in place of the one it showed before; None: a log.
    """

    def __init__(
        self, say: Report, rewrite: Report | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say, self._rewrite, self._clock, self._lock = say, rewrite, clock, Lock()
        self._began: dict[str, float] = {}
        self._due: dict[str, float] = {}  # WHO's age in seconds at the next line of a log
        self._moving: dict[str, tuple[float, str]] = {}  # when it was said, and what

    def __call__(self, line: str) -> None:
        who = line.partition(": ")[0]
        with self._lock:
            if not isinstance(line, Moving):
                self._stay(who, line)
            elif self._rewrite:
                self._moving[who] = (self._clock(), line)
                self._show()
            elif self._is_due(who):
                self._say(line)

    def end(self) -> None:
        """Leave an empty line to whoever prints next."""
        with self._lock:
            self._moving.clear()
            self._show()

    def _stay(self, who: str, line: str) -> None:
        self._began[who], self._due[who] = self._clock(), FIRST_S
        self._moving.pop(who, None)
        if self._rewrite:
            self._rewrite("")
        self._say(line)
        self._show()

    def _is_due(self, who: str) -> bool:
        age, due = self._clock() - self._began.setdefault(who, self._clock()), self._due.setdefault(who, FIRST_S)
        while self._due[who] <= age:
            self._due[who] *= 2
        return age >= due

    def _show(self) -> None:
        if self._rewrite:
            now = self._clock()
            self._rewrite(" · ".join(line for at, line in self._moving.values() if now - at <= SILENT_S))


def in_one_line(text: str) -> str:
    """What rewrites a terminal's line with a text, cut to its width; the cursor is left at its beginning."""
    width = shutil.get_terminal_size().columns - 1
    return f"{ERASE}{text if len(text) <= width else text[: width - 1] + '…'}\r"


def printed(stream: TextIO | None = None) -> Progress:
    """Progress for a command: on standard output, or another stream, which is a terminal or a log."""
    out = stream or sys.stdout

    def write(text: str) -> None:
        out.write(text)
        out.flush()

    return Progress(lambda line: write(line + "\n"), (lambda text: write(in_one_line(text))) if out.isatty() else None)
