"""What the hooks' scripts share: the event that an agent tells on standard input, and the answer it reads."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from fieldguide.children import run_module
from fieldguide.skills.commands import check_options, destroys, log_of, training

__all__ = ["Event", "answer", "check_options", "destroys", "fieldguide", "is_on", "log_of", "read_event",
           "surroundings", "training"]  # fmt: skip
LONGEST = 1 << 20  # bytes of an event
CODES = ("exit_code", "exitCode", "code", "returncode")


@dataclass(frozen=True)
class Event:
    """What the agent is about to do, or has done."""

    command: str = ""  # of a shell; empty: another tool
    folder: Path = Path()
    code: int = 0  # of a command that has ended; 0 where the agent does not say


def is_on() -> bool:
    """Whether the user has not switched the hooks off."""
    return os.environ.get("FIELDGUIDE_HOOKS", "on").lower() not in ("off", "0", "no")


def read_event() -> Event:
    """The event from standard input; an empty one where it is not JSON."""
    try:
        told = json.loads(sys.stdin.buffer.read(LONGEST))
    except ValueError:
        told = {}
    return event_from(told if isinstance(told, dict) else {})


def event_from(told: dict[str, Any]) -> Event:
    """The command, where it runs, and with what it ended."""
    given, result = told.get("tool_input"), told.get("tool_response")
    command = given.get("command") if isinstance(given, dict) else None
    codes = [result[name] for name in CODES if isinstance(result.get(name), int)] if isinstance(result, dict) else []
    folder = told.get("cwd")
    here = isinstance(folder, str) and os.path.isdir(folder)
    return Event(command if isinstance(command, str) else "", Path(folder if here else "."), codes[0] if codes else 0)


def answer(event: str, **what: str) -> None:
    """Tell the agent."""
    print(json.dumps({"hookSpecificOutput": {"hookEventName": event, **what}}))


def fieldguide(words: Sequence[str], folder: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a tool; one that takes too long has the exit code 2."""
    try:
        return run_module("fieldguide", words, folder, seconds)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(list(words), 2, "", f"fieldguide {words[0]}: not done after {seconds:g} s")


def surroundings(folder: Path) -> str:
    """A few lines on Python, torch, GPUs and the last trainings."""
    inside = "a virtual environment" if sys.prefix != sys.base_prefix else "no virtual environment"
    lines = [f"Python {sys.version.split()[0]}, {inside}: {sys.prefix}", f"torch {version('torch')}; {gpus()}"]
    if (folder / "runs").is_dir():
        done = fieldguide(["runs", "list"], folder, seconds=20)
        lines += done.stdout.splitlines()[:12]
    lines.append("fieldguide --help lists the tools; before a training: fieldguide check; a log: fieldguide loss LOG")
    return "\n".join(lines)


def version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "is not installed"


def gpus() -> str:
    """What nvidia-smi lists."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return "no nvidia-smi here"
    try:
        done = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return "nvidia-smi does not answer"
    return done.stdout.strip() or "nvidia-smi lists no GPU"
