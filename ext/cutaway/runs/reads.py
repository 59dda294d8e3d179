"""Which files a run reads beside its source: they decide what comes of it, so it is made again when one changes.

Python tells a process of every file that it opens. What the child has read is noted in the store beside what it made,
whose key then holds the files' digests. What libraries open without Python (Arrow, safetensors) a run declares, as
``inputs = ("../data/*.bin",)``, paths from its file's folder; so it does variables of the environment, ``"$CORPUS"``.
"""

from __future__ import annotations

import hashlib
import os
import site
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..digests import DIGEST_LENGTH, digest
from ..store import Store
from .declared import Declared, RunError

KIND = "told"  # entries of the store: what a child told beside its result
CODE = (".py", ".pyc", ".pyi", ".so", ".pyd", ".dll", ".dylib", ".pth")
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc", "/proc", "/sys", "/dev", "/opt")
OTHERS_S = 3.0  # for another build to put in its place what both have made
Digests = dict[str, str]  # of files, by their paths from the folder of the run's file


@dataclass
class Told:
    """What a child told beside its result: paths of the files that it read, and what is wrong with the run."""

    read: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def listen(apart: Sequence[Path]) -> Callable[[], list[Path]]:
    """Note the files that this process opens from now on; what is returned tells those that were only read.

    ``apart``: folders whose files don't count, beside Python's, the system's and hidden ones of the user's.
    """
    opened: dict[str, bool] = {}  # path -> whether it was ever written
    folders = [Path(folder).resolve() for folder in (*map(str, apart), *_of_python(), *SYSTEM)]

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str | bytes):
            path, mode, flags = arguments
            writes = any(sign in mode for sign in "wax+") if isinstance(mode, str) else bool(flags & 3)
            name = os.path.abspath(os.fsdecode(path))
            opened[name] = opened.get(name, False) or writes

    sys.addaudithook(hear)
    return lambda: sorted(path for path in (Path(name) for name, wrote in opened.items() if not wrote)
                          if _counts(path.resolve(), folders))  # fmt: skip


def _of_python() -> list[str]:
    return [sys.prefix, sys.base_prefix, sys.exec_prefix, site.getusersitepackages(), *site.getsitepackages()]


def _counts(path: Path, folders: Iterable[Path]) -> bool:
    home = Path.home()
    hidden = path.is_relative_to(home) and path.relative_to(home).parts[0].startswith(".")
    return path.suffix not in CODE and not hidden and not any(map(path.is_relative_to, folders)) and path.is_file()


def digests(folder: Path, paths: Iterable[str]) -> Digests:
    """Of files, by their paths from ``folder``; of one that is not there, none."""
    found = {}
    for path in sorted(set(paths)):
        try:
            with open(folder / path, "rb") as file:
                found[path] = hashlib.file_digest(file, "sha256").hexdigest()[:DIGEST_LENGTH]
        except OSError:
            found[path] = ""
    return found


def key_with_reads(store: Store, run: Declared, key: str) -> str:
    """The key of what a run makes: where it has read files before, or declares some, with what they hold now."""
    read = {*(store.read_json(KIND, key) or {}).get("read", []), *_declared(run)}
    found: dict[str, str | None] = {**digests(run.file.parent, read), **_environment(run)}
    return digest(key, found) if found else key


def _environment(run: Declared) -> dict[str, str | None]:
    return {name: os.environ.get(name[1:]) for name in run.inputs if name.startswith("$")}


def _declared(run: Declared) -> Iterator[str]:
    for pattern in (one for one in run.inputs if not one.startswith("$")):
        folder, name = os.path.split(pattern)
        found = sorted(path for path in (run.file.parent / folder).glob(name) if path.is_file())
        if not found:
            raise RunError(f"{run.file}:{run.line}: inputs: there is no file {pattern!r} in {run.file.parent}")
        yield from (_relative(path, run) for path in found)


def _relative(path: Path | str, run: Declared) -> str:
    return os.path.relpath(path, run.file.parent).replace(os.sep, "/")


def note(store: Store, run: Declared, stage: str, key: str, told: Told) -> str:
    """Keep what the child told, and its result under the key that holds what it has read; that key."""
    if told.read or told.warnings or store.read_json(KIND, key):
        read = sorted(_relative(path, run) for path in told.read)
        store.write_json(KIND, key, {"read": read, "warnings": told.warnings})
    final = key_with_reads(store, run, key)
    if final != key:
        with suppress(FileNotFoundError):  # another build that made the same was faster
            _move(store, stage, key, final)
        deadline = time.monotonic() + OTHERS_S
        while not store.is_whole(stage, final) and time.monotonic() < deadline:
            time.sleep(0.05)
    return final


def _move(store: Store, stage: str, key: str, final: str) -> None:
    content = store.whole(stage, key)
    if content is None:
        return
    files = content.pop("files")
    for suffix in files:
        os.replace(store.path(stage, key, suffix), store.path(stage, final, suffix))
    store.vouch(stage, final, files, **content)
    store.path(stage, key, ".json").unlink(missing_ok=True)


def warnings_of(store: Store, key: str) -> list[str]:
    """What the child said is wrong with a run, as kept under the key without reads."""
    return list((store.read_json(KIND, key) or {}).get("warnings", []))
