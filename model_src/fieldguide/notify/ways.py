"""Ways to tell: the desktop, a command of the reader's, a line in a file. Each says whether it could."""

import html
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fieldguide.report import Finding, escaped

SECONDS = 60  # that a way may take


@dataclass(frozen=True)
class Notice:
    """What is told."""

    title: str
    text: str
    code: int | None
    seconds: float
    loss: float | None


def desktop(notice: Notice) -> Finding:
    """``notify-send``, where it is installed and a desktop answers."""
    tool = shutil.which("notify-send")
    if tool is None:
        return Finding("note", "No desktop was told: notify-send is not installed here.")
    urgency = "critical" if notice.code else "normal"
    words = [tool, "--app-name=fieldguide", f"--urgency={urgency}", "--", escaped(notice.title)]
    return ran("The desktop", [*words, html.escape(escaped(notice.text))], notice)


def command(notice: Notice, line: str) -> Finding:
    """The reader's command: the notice is on its input and in FIELDGUIDE_* variables, no shell reads it."""
    return ran(f"{line.split()[0]}", shlex.split(line), notice)


def ran(who: str, words: list[str], notice: Notice) -> Finding:
    """Run a program with the notice at hand."""
    given = {
        "FIELDGUIDE_TITLE": notice.title, "FIELDGUIDE_TEXT": notice.text, "FIELDGUIDE_SECONDS": f"{notice.seconds:.0f}",
        "FIELDGUIDE_CODE": "" if notice.code is None else str(notice.code),
        "FIELDGUIDE_LOSS": "" if notice.loss is None else f"{notice.loss:.6g}",
    }  # fmt: skip
    try:
        done = subprocess.run(
            words, input=f"{notice.title}\n{notice.text}\n", env={**os.environ, **given}, timeout=SECONDS, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, errors="replace",
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("warning", f"{who} was not told.", str(error))
    if done.returncode:
        return Finding("warning", f"{who} was not told: exit code {done.returncode}.", done.stderr.strip()[-300:])
    return Finding("good", f"{who} was told.")


def line(notice: Notice, path: Path) -> Finding:
    """A line at the end of a file, written at once, so that two trainings don't mix theirs."""
    when = datetime.now().astimezone().isoformat(timespec="seconds")
    text = f"{when} {escaped(notice.text)}\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        return Finding("warning", f"{path} could not be written.", str(error.strerror))
    return Finding("good", f"{path} has a line more.")
