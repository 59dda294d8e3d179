"""The process that imports Manim once and forks for each scene: ``python -m cutaway.clips.scene.worker``.

Each line of standard input is a job, each line of standard output what came of one, as JSON: ``{"number": 3, "cost":
2.1, "peak_mb": 180, ...}``, with ``"error"`` where there is no clip. When standard input closes, the parent is gone and
everything ends. Each scene runs in a fork of its own, in a folder of its own, with limits, so none can harm another.
How many run at a time is the parent's affair.
"""

from __future__ import annotations

import errno
import faulthandler
import gc
import json
import os
import re
import resource
import select
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

TICK_S = 0.02
BUFFER = 1 << 16
PEAK_UNITS = 1 << (20 if sys.platform == "darwin" else 10)  # of ru_maxrss in a megabyte: bytes there, kilobytes here
RESULT = "result.json"
STUCK = "stuck.txt"
FULL = (errno.ENOSPC, errno.EDQUOT)
Job = Mapping[str, Any]


@dataclass
class Child:
    """A running fork."""

    job: Job
    started: float


def main() -> int:
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what scenes print is no message
    lacking = ""
    try:
        _warm_up()
    except ImportError as error:
        lacking = f"{error}; clips need Manim: pip install 'cutaway[clips]', and apt.txt's packages"
    _draw_all(channel, lacking)
    return 0


def _warm_up() -> None:
    """Import once what every scene needs, and make the book's fonts known to Pango."""
    import manimpango

    from ...theme import fonts
    from . import run as draw  # noqa: F401 - imported for the forks

    gc.collect()
    gc.freeze()  # what all forks share is not looked through again and again
    for face in (fonts.sans(), fonts.mono()):
        for _, path in face.files:
            manimpango.register_font(str(path))


def _draw_all(channel: TextIO, lacking: str) -> None:
    running: dict[int, Child] = {}
    for job in _asked(running):
        if lacking and job:
            _send(channel, {"number": job["number"], "cost": 0.0, "error": lacking})
        elif job:
            running[_fork(job, channel)] = Child(job, time.monotonic())
        _stop_late(running)
        pid, status, usage = os.wait4(-1, os.WNOHANG) if running else (0, 0, None)
        if pid in running:
            _send(channel, _report(running.pop(pid), status, usage))


def _asked(running: Mapping[int, Child]) -> Iterator[Job | None]:
    """The jobs as they are asked for, and None from time to time while some are running; where the parent's pipe has
    closed, this process and its forks end."""
    rest = b""
    while True:
        readable, _, _ = select.select([0], [], [], TICK_S if running else None)
        data = os.read(0, BUFFER) if readable else b""
        if readable and not data:
            os.killpg(0, signal.SIGKILL)
        *lines, rest = (rest + data).split(b"\n")
        yield from map(json.loads, lines)
        yield None


def _stop_late(running: Mapping[int, Child]) -> None:
    for pid, child in running.items():
        if time.monotonic() - child.started > child.job["limit_s"]:
            os.kill(pid, signal.SIGKILL)


def _fork(job: Job, channel: TextIO) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # threads at a fork: idle ones of a library, if any
        pid = os.fork()
    if pid:
        return pid
    try:
        os.close(channel.fileno())  # it ends with us, whatever a scene still does
        _perform(job)
    finally:
        os._exit(0)  # never back into the loop, no exit handlers


def _perform(job: Job) -> None:
    """In the fork: run the scene in each theme, leave the files and the result in the job's folder."""
    from ...theme.dimensions import adopt
    from .bounds import keep_inside, limit_memory
    from .run import draw

    folder = Path(job["folder"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # the next jobs are not the scene's to read
    sys.path.insert(0, str(Path(job["scenes"]).parent))
    adopt(job["dimensions"])
    gc.disable()  # a scene makes objects by the million and ends soon
    limit_memory(job["limit_mb"])
    keep_inside(folder)
    try:
        with open(folder / STUCK, "w") as stuck:
            faulthandler.dump_traceback_later(job["limit_s"] * 0.95, file=stuck)
            result = draw(job, folder)
            faulthandler.cancel_dump_traceback_later()
    except MemoryError as error:
        limit = f"cutaway_clip_limit_mb = {job['limit_mb']}"
        result = {"error": f"it took more memory than {limit}\n{own_frames(error, Path(job['scenes']))}"}
    except BaseException as error:  # SystemExit of a scene included
        result = {"error": _no_room(folder) if _is_full(error) else own_frames(error, Path(job["scenes"]))}
    try:
        (folder / RESULT).write_text(json.dumps(result), "utf-8")
    except OSError as error:  # half a result is none
        (folder / RESULT).unlink(missing_ok=True)
        os._exit(error.errno or 1)


def _report(child: Child, status: int, usage: resource.struct_rusage | None) -> dict[str, Any]:
    folder = Path(child.job["folder"])
    cost = time.monotonic() - child.started
    if (folder / RESULT).is_file():
        result = json.loads((folder / RESULT).read_text("utf-8"))
    else:
        result = {"error": _ending(child.job, folder, status, cost)}
    peak_mb = usage.ru_maxrss // PEAK_UNITS if usage else 0
    return {"number": child.job["number"], "cost": cost, "peak_mb": peak_mb, **result}


def _ending(job: Mapping[str, Any], folder: Path, status: int, cost: float) -> str:
    if cost > job["limit_s"]:
        limit = f"cutaway_clip_limit_s = {job['limit_s']:g} s"
        return f"it took longer than {limit} and was stopped{_stuck(job, folder)}"
    code = os.waitstatus_to_exitcode(status)
    if code in FULL:
        return _no_room(folder)
    if code < 0:
        return f"its process was ended by {signal.Signals(-code).name} (memory full, or a crash in a library)"
    return f"its process ended with exit code {code} and no result"


def _is_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in FULL


def _no_room(folder: Path) -> str:
    return f"no space left on the disk of {folder.parent}; make room there, or set TMPDIR to another folder"


def _stuck(job: Mapping[str, Any], folder: Path) -> str:
    """Where the scene was, shortly before its time was up."""
    frames = re.findall(r'File "(.*)", line (\d+) in (\S+)', (folder / STUCK).read_text("utf-8"))
    own = [f"{file}:{line} in {name}" for file, line, name in frames if file.startswith(job["scenes"])]
    return f"; it was at {own[0]}" if own else ""


def own_frames(error: BaseException, scenes: Path) -> str:
    """The traceback as the scene's author knows it: the frames of the scenes' files, or all if none is."""
    summary = traceback.TracebackException.from_exception(error)
    own = [frame for frame in summary.stack if frame.filename.startswith(str(scenes))]
    if own:
        summary.stack = traceback.StackSummary.from_list(own)
    return "".join(summary.format(chain=False)).rstrip()


def _send(channel: TextIO, message: Mapping[str, Any]) -> None:
    channel.write(json.dumps(message) + "\n")
    channel.flush()


if __name__ == "__main__":
    sys.exit(main())
