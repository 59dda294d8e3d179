"""One clip as a job that any executor can run: ``shoot(job, parcel)`` gives the bytes of its files and what is known
of it. Both arguments and the result can be pickled.

A job says where the builder's scenes and traces are. For a process that may not see these folders they travel along in
a :class:`Parcel`: a few megabytes, which need no shared folder, no address of a store and no right to write to one.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ...store import digest
from .. import keys as clip_keys
from .studio import studio_here

Job = dict[str, Any]
NO_FILES = ("result.json", "stuck.txt")  # what the worker leaves for itself

_unpacking = threading.Lock()
_unpacked: dict[str, tempfile.TemporaryDirectory[str]] = {}  # by digest, as long as this process lives


@dataclass(frozen=True)
class Take:
    """What came of a job: what is known of the clip (or ``error``), and its files by name."""

    facts: Mapping[str, Any]
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Parcel:
    """What the jobs of a build read: files by their place in the parcel, and with what the builder would draw."""

    key: str
    scenes: str  # the folder of the scenes, where the builder has it
    files: Mapping[str, bytes]
    setup: Mapping[str, str | None]

    @classmethod
    def pack(cls, scenes: Path, traces: Mapping[str, str]) -> Parcel:
        found = {f"{scenes.name}/{path.relative_to(scenes).as_posix()}": path for path in _files(scenes)}
        for run, trace in traces.items():
            found |= {f"traces/{run}{suffix}": Path(trace).with_suffix(suffix) for suffix in (".json", ".npz")}
        files = {name: path.read_bytes() for name, path in found.items()}
        return cls(digest(files), str(scenes), files, clip_keys.setup())

    def unpacked(self) -> Path:
        """The folder in which this process has it."""
        with _unpacking:
            if self.key not in _unpacked:
                folder = tempfile.TemporaryDirectory(prefix="cutaway-parcel-")
                for name, data in self.files.items():
                    path = Path(folder.name, name)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(data)
                _unpacked[self.key] = folder
        return Path(_unpacked[self.key].name).resolve()


def shoot(job: Job, parcel: Parcel | None = None) -> Take:
    """Draw a clip in a fork of its own, under the job's limits. What goes wrong in the scene is an ``error`` among the
    facts; only what is no fault of the scene raises."""
    if parcel is None:
        return _drawn(job)
    if differing := _differing(parcel.setup):
        return Take({"error": f"not drawn on {socket.gethostname()}: {differing}; install there what is here"}, {})
    folder = parcel.unpacked()
    scenes = str(folder / Path(parcel.scenes).name)
    traces = {run: str(folder / f"traces/{run}.json") for run in job["traces"]}
    take = _drawn({**job, "scenes": scenes, "traces": traces})
    return Take(_said_there(take.facts, scenes, parcel.scenes), take.files)


def _drawn(job: Job) -> Take:
    with tempfile.TemporaryDirectory(prefix="cutaway-clips-") as folder:
        facts = studio_here().draw({**job, "folder": os.path.realpath(folder)})
        paths = [path for path in Path(folder).iterdir() if path.is_file() and path.name not in NO_FILES]
        return Take(facts, {path.name: path.read_bytes() for path in paths} if "error" not in facts else {})


def _said_there(facts: Mapping[str, Any], here: str, there: str) -> dict[str, Any]:
    """The same with the builder's paths: notices and errors name files of its author's."""
    old, new = (json.dumps(path, ensure_ascii=False)[1:-1] for path in (here, there))
    found: dict[str, Any] = json.loads(json.dumps(facts, ensure_ascii=False).replace(old, new))
    return found


def _differing(setup: Mapping[str, str | None]) -> str:
    """In what this process would draw otherwise than the builder; the bytes of a clip must not depend on its maker."""
    here = _setup()
    lines = [f"{name} is {here.get(name)} and not {was}" for name, was in setup.items() if here.get(name) != was]
    return ", ".join(lines)


@cache
def _setup() -> dict[str, str | None]:
    return clip_keys.setup()


def _files(folder: Path) -> Sequence[Path]:
    hidden = ("__pycache__",)
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not set(hidden) & set(path.parts)]
