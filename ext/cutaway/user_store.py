"""The user's store, behind the book's: a clone takes over what another on the same machine has made.

``~/.cache/cutaway`` (``XDG_CACHE_HOME``; ``CUTAWAY_CACHE`` names another folder, or is ``off``) holds the same files
under the same digests. What the book's store lacks is looked for there, and counts once its digests are found right;
what is made is offered to it. Files are links to the same bytes where the disk can do that, so a second clone costs
no room. It holds at most ``CUTAWAY_CACHE_GB`` (4): what was used longest ago goes first. Nothing depends on it: a
folder that can't be read or written is as good as none, and it is safe to delete.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from .store import Store, make_way, sweep, temporary_beside

FOLDER, ROOM = "CUTAWAY_CACHE", "CUTAWAY_CACHE_GB"
ROOM_GB = 4.0
DAY_S = 86_400.0
NOTES = ("reads/", "made-with", "imported", "told")  # kinds of plain entries that are shared, beside whole artifacts


def open_store(root: Path) -> Store:
    """The book's store, with the user's behind it unless that is switched off; ValueError for a bad variable."""
    folder = user_folder()
    if folder is None or folder.resolve() == root.resolve():
        return Store(root)
    return Shared(root, UserStore(folder, _room()))


def user_folder() -> Path | None:
    """Where the user's store is; None where it is off, or nobody is at home."""
    named = os.environ.get(FOLDER, "")
    if named.lower() == "off":
        return None
    if named:
        return Path(named).expanduser().absolute()
    caches = os.environ.get("XDG_CACHE_HOME", "")  # of which only absolute paths count
    try:
        return (Path(caches) if os.path.isabs(caches) else Path.home() / ".cache") / "cutaway"
    except RuntimeError:
        return None


def _room() -> int:
    given = os.environ.get(ROOM, "")
    try:
        gigabytes = float(given or ROOM_GB)
        if not 0 <= gigabytes < float("inf"):
            raise ValueError
    except ValueError:
        raise ValueError(f"{ROOM}={given!r}: write a number of gigabytes, as in {ROOM_GB:g}; {FOLDER}=off") from None
    return int(gigabytes * 1e9)


class Shared(Store):
    """A book's store that takes from the user's what it lacks, and offers it what is made."""

    def __init__(self, root: Path, user: UserStore) -> None:
        super().__init__(root)
        self.user = user

    def whole(self, kind: str, key: str) -> dict[str, Any] | None:
        data = super().whole(kind, key)
        if data is not None:
            self.user.touch(kind, key)
        elif self.user.give(kind, key, self):
            data = super().whole(kind, key)
            if data is None:
                self.user.drop(kind, key)  # damaged: it is made again, and then offered
        return data

    def is_whole(self, kind: str, key: str) -> bool:
        found = super().is_whole(kind, key)
        if found:
            self.user.touch(kind, key)
        return found

    def vouch(self, kind: str, key: str, suffixes: Iterable[str], **data: Any) -> Path:
        path = super().vouch(kind, key, suffixes, **data)
        self.offer(kind, key)
        return path

    def offer(self, kind: str, key: str) -> None:
        self.user.take(kind, key, self)

    def keys(self, kind: str) -> list[str]:
        own = super().keys(kind)
        return sorted({*own, *self.user.keys(kind)}) if kind.startswith(NOTES) else own

    def read_json(self, kind: str, key: str) -> dict[str, Any] | None:
        value = super().read_json(kind, key)
        if value is None and kind.startswith(NOTES) and self.user.give(kind, key, self):
            value = super().read_json(kind, key)
        return value

    def write_json(self, kind: str, key: str, value: Mapping[str, Any]) -> Path:
        path = super().write_json(kind, key, value)
        if kind.startswith(NOTES):
            self.offer(kind, key)
        return path


class UserStore(Store):
    """The store of all books of a user: of limited size, and never in anybody's way (no OSError leaves it)."""

    def __init__(self, root: Path, room: int) -> None:
        super().__init__(root)
        self.room = room
        self._size: int | None = None  # bytes, as far as this process knows

    def give(self, kind: str, key: str, store: Store) -> bool:
        """Put an entry into a book's store; whether it was there. What was given has yet to be found whole."""
        data = self.read_json(kind, key)
        if data is None:
            return False
        with suppress(OSError, AttributeError, TypeError):  # evicted since, or the book's disk is full; or a forgery
            for suffix in data.get("files", {}):
                _place(self.path(kind, key, suffix), store.path(kind, key, suffix))
            _place(self.path(kind, key, ".json"), store.path(kind, key, ".json"), link=False)
            self.touch(kind, key)
            return True
        return False

    def take(self, kind: str, key: str, store: Store) -> None:
        """Keep an entry of a book's store that was just made."""
        data = store.read_json(kind, key)
        if data is None:
            return
        with suppress(OSError):
            for suffix in data.get("files", {}):
                self._add(_place(store.path(kind, key, suffix), self.path(kind, key, suffix)))
            self._add(_place(store.path(kind, key, ".json"), self.path(kind, key, ".json"), link=False))

    def touch(self, kind: str, key: str) -> None:
        """Note that an entry was used just now."""
        with suppress(OSError):
            os.utime(self.path(kind, key, ".json"))

    def drop(self, kind: str, key: str) -> None:
        """Remove an entry: first what vouches for it."""
        with suppress(OSError):
            folder = self.path(kind, key, ".json").parent
            _remove([folder / f"{key}.json", *folder.glob(f"{key}.*")])

    def _add(self, size: int) -> None:
        """Count a file that was put here; where there is too much, what was used longest ago goes."""
        if self._size is None:
            self._size = sum(size for _, size, _ in self._entries())
        else:
            self._size += size
        if self._size > self.room:
            self._make_room()

    def _make_room(self) -> None:
        """Down to nine tenths, so that it isn't looked through for each file that comes; others may do so, too."""
        sweep(self.root, older_s=DAY_S)
        entries = sorted(self._entries(), key=lambda entry: entry[0])
        self._size = sum(size for _, size, _ in entries)
        for _, size, files in entries:
            if self._size <= self.room * 0.9:
                return
            _remove(files)
            self._size -= size

    def _entries(self) -> list[tuple[float, int, list[Path]]]:
        """Of each entry when it was last used, its bytes, its files; the one that vouches for the others is first."""
        found: dict[Path, tuple[float, int, list[Path]]] = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = Path(folder, name)
                with suppress(OSError):
                    stat = path.lstat()
                    entry = Path(folder, name.partition(".")[0] or name)  # a temporary file is an entry of its own
                    used, size, files = found.get(entry, (0.0, 0, []))
                    vouches = name.endswith(".json")
                    files = [path, *files] if vouches else [*files, path]
                    used = stat.st_mtime if vouches or not used else used
                    found[entry] = (used, size + stat.st_size, files)
        return list(found.values())


def _place(source: Path, target: Path, link: bool = True) -> int:
    """Put a file elsewhere, as a link to the same bytes if the disk can do that; its size. OSError where it can't."""
    target.parent.mkdir(parents=True, exist_ok=True)
    make_way(target)
    temporary = temporary_beside(target)
    try:
        try:
            if not link:
                raise OSError("a copy is asked for")
            os.link(source, temporary, follow_symlinks=False)
        except OSError:  # another disk, or one without links
            shutil.copyfile(source, temporary, follow_symlinks=False)
        os.replace(temporary, target)  # of two links to the same bytes it leaves both
        return target.lstat().st_size
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _remove(files: Iterable[Path]) -> None:
    for path in files:
        with suppress(OSError):  # somebody else was quicker, or may and we mayn't
            path.unlink(missing_ok=True)
