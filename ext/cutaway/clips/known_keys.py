"""What the last build found out, for as long as nothing changes that could decide it.

A source key follows from the syntax trees of a scene and of all that it imports, and which clip is the right one from
the values in the traces; that no byte of any of them changed is known much sooner.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from .. import made_with
from ..settings import Book
from ..source.find import python_files
from ..source.own import TOOL
from ..store import Unkept, digest
from ..theme import dimensions
from ..trace.names import Names
from . import keys as clip_keys


class Seen:
    """``look_up(key, names)`` is :func:`.keys.look_up`, remembered in the store by ``keep`` while ``inputs`` stays.

    ``inputs`` is a digest of all that names may stand for.
    """

    def __init__(self, book: Book, inputs: str) -> None:
        self.store, self._inputs = book.store, inputs
        self._key = digest("seen clips", str(book.confdir))
        kept = book.store.read_json("book", self._key) or {}
        self._clips: dict[str, str] = dict(kept["clips"]) if kept.get("of") == inputs else {}
        self._before = dict(self._clips)

    def look_up(self, key: str, names: Names) -> str | None:
        """The artifact key of a finished clip, or None."""
        own = f"{key} {names.run}"
        if own not in self._clips and (found := clip_keys.look_up(self.store, key, names)):
            self._clips[own] = found
        return self._clips.get(own)

    def keep(self) -> None:
        if self._clips != self._before:
            with suppress(Unkept):  # the next build looks once more
                self.store.write_json("book", self._key, {"of": self._inputs, "clips": self._clips})


class SourceKeys:
    """``of(scene)`` is :func:`.keys.source_key`, and what it is made of is remembered in the store by ``keep``."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._key = digest("source keys", str(book.confdir))
        self._inputs = _inputs(book)
        kept = book.store.read_json("book", self._key) or {}
        self._keys: dict[str, str] = dict(kept["keys"]) if kept.get("of") == self._inputs else {}
        self._before = dict(self._keys)

    def of(self, scene: str) -> str:
        """Raises SourceError where there is no such scene."""
        if scene not in self._keys:
            self._keys[scene] = clip_keys.code_key(self.book, scene)
        return clip_keys.with_setup(self.book, self._keys[scene])

    def note_setup(self, scene: str) -> None:
        """Note what draws here, for builders that lack it."""
        self.of(scene)
        made_with.note(self.book.store, self._keys[scene], clip_keys.setup(drawing=False))

    def of_imports(self, scene: str) -> str:
        """:func:`.keys.import_key`, the same for all scenes of a file."""
        name = f"file of {scene.rpartition('.')[0]}"
        if name not in self._keys:
            self._keys[name] = clip_keys.import_key(self.book, scene)
        return self._keys[name]

    def keep(self) -> None:
        if self._keys != self._before:
            with suppress(Unkept):  # the next build computes them once more
                self.book.store.write_json("book", self._key, {"of": self._inputs, "keys": self._keys})


def _inputs(book: Book) -> str:
    """Digest of all that can decide a source key: the files of scenes, source and tool, sizes, versions, fonts."""
    folders = [TOOL, book.scenes, *(folder for _, all in sorted(book.sources.items()) for folder in all)]
    files = [path for folder in map(Path, folders) for path in python_files(folder)]
    texts = [[str(path), path.read_bytes()] for path in files]
    return digest(texts, book.clip_size, book.clip_fps, dimensions.plain(), clip_keys.setup(drawing=False))
