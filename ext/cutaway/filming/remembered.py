"""The source keys of the last build, for as long as no file changes that could decide one.

A key follows from the syntax trees of a scene and of all that it imports; that no byte of any of them changed is known
much sooner.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ..book import Book
from ..source import python_files
from ..store import Unkept, digest
from . import recipe


class SourceKeys:
    """``of(scene)`` is :func:`recipe.source_key`, remembered in the store by ``keep``."""

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
            self._keys[scene] = recipe.source_key(self.book, scene)
        return self._keys[scene]

    def keep(self) -> None:
        if self._keys != self._before:
            with suppress(Unkept):  # the next build computes them once more
                self.book.store.write_json("book", self._key, {"of": self._inputs, "keys": self._keys})


def _inputs(book: Book) -> str:
    """Digest of all that can decide a source key: the files of scenes, source and drawing, sizes, versions, fonts."""
    folders = [book.scenes, *(folder for _, all in sorted(book.sources.items()) for folder in all)]
    files = [path for folder in map(Path, folders) for path in python_files(folder)] + recipe.drawing_files()
    texts = [[str(path), path.read_bytes()] for path in files]
    return digest(texts, book.clip_size, book.clip_fps, recipe.setup(drawing=False))
