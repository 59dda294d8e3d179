"""The store: one folder of files whose names are the digest of everything that decides their bytes.

A file is written under a temporary name beside its final one, flushed to disk and then renamed, so that a reader
(another build, a killed build's successor, a restored CI cache) sees the whole file or none. There is no database and
no lock: two builds that make the same artifact write the same bytes to the same name. The folder is safe to delete.

What lies in it may have been damaged, or copied to another name: each JSON file holds a digest of itself and of its
name, and those of the files that belong to it. What does not fit counts as missing, and is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .digests import DIGEST_LENGTH
from .digests import digest as digest
from .digests import version as version

_TEMPORARY = re.compile(r"\..+-(?P<pid>\d{1,9})-[0-9a-f]{8}(\.\w+)?")  # as `replacing` names them
SEAL = "seal"  # key of a JSON file's digest of itself
SETTLED_NS = 2 * 10**9  # what was written just now may be written again within the same tick of a clock


class Unkept(OSError):
    """Something could not be written to the store: which file, why, and what to do."""


class Store:
    """The files below ``root``, by kind and key: ``root/runs/3f2a….json``."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def path(self, kind: str, key: str, suffix: str) -> Path:
        """Where a file is; OSError for what a forged entry may name, a place outside."""
        name = key + suffix
        if not name.isprintable() or "/" in name or "\\" in name or name in ("", ".", ".."):
            raise OSError(f"'{name}' is no name of a file in {self.root}")
        return self.root / kind / name

    def keys(self, kind: str) -> list[str]:
        """The keys of the JSON files of a kind, sorted; those that are being written are none of them."""
        try:
            names = sorted(os.listdir(self.root / kind))
        except OSError:
            return []
        return [name.removesuffix(".json") for name in names if name.endswith(".json") and not name.startswith(".")]

    def write(self, kind: str, key: str, suffix: str, data: bytes | Callable[[Path], object]) -> Path:
        """Put a whole file there; ``data`` is its bytes, or a function that writes the file it is given."""
        path = self.path(kind, key, suffix)
        make_way(path)
        with replacing(path) as temporary:
            if isinstance(data, bytes):
                temporary.write_bytes(data)
            else:
                data(temporary)
        return path

    def write_json(self, kind: str, key: str, value: Mapping[str, Any]) -> Path:
        seal = digest(kind, key, _dump(json.loads(_dump(value))))
        return self.write(kind, key, ".json", _dump({**value, SEAL: seal}).encode())

    def read_json(self, kind: str, key: str) -> dict[str, Any] | None:
        """The value, or None where there is no such file or it is not what was written: it is then made again."""
        try:
            value = json.loads(self.path(kind, key, ".json").read_text("utf-8"))
            return value if value.pop(SEAL, "") == digest(kind, key, _dump(value)) else None
        except (OSError, ValueError, AttributeError):
            return None

    def vouch(self, kind: str, key: str, suffixes: Iterable[str], **data: Any) -> Path:
        """Write down that these files, which are there, are whole, and what is to be known of them."""
        files = {suffix: _digest_of(self.path(kind, key, suffix)) for suffix in suffixes}
        return self.write_json(kind, key, {**data, "files": files})

    def offer(self, kind: str, key: str) -> None:
        """Tell others of an entry that a child of ours has made: nobody here, see ``shared.py``."""

    def whole(self, kind: str, key: str) -> dict[str, Any] | None:
        """What :meth:`vouch` wrote, if every file is still as it was then."""
        data = self.read_json(kind, key)
        try:
            files = data["files"].items() if data else ()
            return data if all(_digest_of(self.path(kind, key, suffix)) == was for suffix, was in files) else None
        except (OSError, KeyError, AttributeError, TypeError):
            return None

    def is_whole(self, kind: str, key: str) -> bool:
        """Whether :meth:`whole` would return something, for files that take long to read.

        What was whole is so, as for git, while size, inode and times of its files are the same: the time at which an
        inode last changed is set by no one who damages a file or puts another in its place.
        """
        entry, now = digest("whole", kind, key), time.time_ns()
        known = (self.read_json("book", entry) or {}).get("states")
        if known and known == self._states(kind, key, known):
            return True
        data = self.whole(kind, key)
        states = self._states(kind, key, [".json", *data["files"]]) if data else None
        if states and all(now - changed > SETTLED_NS for *_, changed in states.values()):
            with suppress(Unkept):  # the next build reads them once more
                self.write_json("book", entry, {"states": states})
        return data is not None

    def _states(self, kind: str, key: str, suffixes: Iterable[str]) -> dict[str, list[int]] | None:
        found = {}
        for suffix in suffixes:
            try:
                stat = self.path(kind, key, suffix).stat(follow_symlinks=False)
            except OSError:
                return None
            found[suffix] = [stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns]
        return found


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def _digest_of(path: Path) -> str:
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:  # what a link leads to is not ours
        return hashlib.file_digest(file, "sha256").hexdigest()[:DIGEST_LENGTH]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that replaces it at the end of the block, or is removed on an error."""
    make_folder(path)
    temporary = temporary_beside(path)
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise _unkept(path, error) from error
    finally:
        with suppress(OSError):  # what can't be written can't be removed either
            temporary.unlink(missing_ok=True)


def temporary_beside(path: Path) -> Path:
    """A new name beside a file's; the suffix is kept, for encoders and numpy choose the format by it."""
    return path.with_name(f".{path.stem}-{os.getpid()}-{secrets.token_hex(4)}{path.suffix}")


def make_way(path: Path) -> None:
    """Remove a folder that somebody put where a file of a store is to stand: nothing could replace it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)


def noted(path: Path) -> dict[str, Any]:
    """What an earlier build noted beside its pages; nothing, where it did not or the file is damaged."""
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def sweep(folder: Path, older_s: float = 0.0) -> None:
    """Remove the temporary files that killed processes left below a folder, if they are older than ``older_s``.

    A folder that several machines share needs an age: what runs elsewhere does not run here.
    """
    for place, _, names in os.walk(folder):
        for found in filter(None, map(_TEMPORARY.fullmatch, names)):
            path = Path(place, found[0])
            with suppress(OSError):
                if not _runs(int(found["pid"])) and time.time() - path.stat().st_mtime >= older_s:
                    path.unlink()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


def make_folder(path: Path) -> None:
    """Make the folder that a file is to stand in; OSError says what can't be written and what to do."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unkept(path, error) from error


def _unkept(path: Path, error: OSError) -> Unkept:
    what = f"{path} can't be written: {error.strerror or error}; free some space or set CUTAWAY_STORE"
    return Unkept(error.errno, what)
