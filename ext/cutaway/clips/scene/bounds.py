"""Limit a scene's process: its memory, and the folder in which it may write.

This is against mistakes and no wall against malice: a scene is code of the book's own, with its author's rights.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

MEGABYTE = 1 << 20
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MOVES = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "shutil.rmtree"}


class OutsideFolder(PermissionError):
    """A scene would write where others read."""


def limit_memory(megabytes: int) -> None:
    """From here on the process may take so much more memory; beyond it Python raises MemoryError."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    limit = pages * os.sysconf("SC_PAGE_SIZE") + megabytes * MEGABYTE
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))


def keep_inside(folder: Path) -> None:
    """From here on Python code of this process can write in its folder alone; temporary files come to stand there."""
    allowed = tuple(os.path.realpath(path) + os.sep for path in (folder, "/dev", "/proc"))
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)

    def look(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = args
            if isinstance(path, str | bytes | os.PathLike) and _is_written(mode, flags):
                refuse_outside(path)
        elif event in _MOVES:
            for path in args[:2]:
                if isinstance(path, str | bytes | os.PathLike):
                    refuse_outside(path)

    def refuse_outside(path: str | bytes | os.PathLike[Any]) -> None:
        where = os.path.realpath(os.fsdecode(path))
        if not (where + os.sep).startswith(allowed):
            raise OutsideFolder(f"{where}: a scene can't write outside its folder {folder}; return what it makes")

    sys.addaudithook(look)


def _is_written(mode: str | None, flags: int | None) -> bool:
    return bool(set(mode or "") & set("wax+")) if mode else bool((flags or 0) & _WRITES)
