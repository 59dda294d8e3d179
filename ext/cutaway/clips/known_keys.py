"""Memos of the clips' keys and look-ups between builds.

A source key follows from the syntax trees of a scene and of all that it imports, and which clip is the right one from
the values in the traces; that no byte of any of them changed is known much sooner.
"""

from __future__ import annotations

from pathlib import Path

from .. import made_with
from ..memo import Memo
from ..settings import Book
from ..source.find import python_files
from ..source.own import TOOL
from ..store import digest
from ..theme import dimensions
from ..trace.names import Names
from . import keys as clip_keys


class Seen:
    """``look_up(key, names)`` is :func:`.keys.look_up`, remembered while ``inputs`` stays.

    ``inputs`` is a digest of all that names may stand for.
    """

    def __init__(self, book: Book, inputs: str) -> None:
        self.store = book.store
        self._memo = Memo(book.store, f"seen clips {book.confdir}", inputs)
        self.keep = self._memo.keep

    def look_up(self, key: str, names: Names) -> str | None:
        """The artifact key of a finished clip, or None."""
        return self._memo.get(f"{key} {names.run}", lambda: clip_keys.look_up(self.store, key, names))


class SourceKeys:
    """``of(scene)`` is :func:`.keys.source_key`; the digests of code that it is made of are remembered."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._memo = Memo(book.store, f"source keys {book.confdir}", _inputs(book))
        self.keep = self._memo.keep

    def of(self, scene: str) -> str:
        """Raises SourceError where there is no such scene."""
        return clip_keys.with_setup(self.book, self._code(scene))

    def note_setup(self, scene: str) -> None:
        """Note what draws here, for builders that lack it."""
        made_with.note(self.book.store, self._code(scene), clip_keys.setup(drawing=False))

    def of_imports(self, scene: str) -> str:
        """:func:`.keys.import_key`, the same for all scenes of a file."""
        file = scene.rpartition(".")[0]
        return str(self._memo.get(f"file {file}", lambda: clip_keys.import_key(self.book, scene)))

    def _code(self, scene: str) -> str:
        return str(self._memo.get(f"scene {scene}", lambda: clip_keys.code_key(self.book, scene)))


def _inputs(book: Book) -> str:
    """Digest of all that can decide a source key: the files of scenes, source and tool, sizes, versions, fonts."""
    folders = [TOOL, book.scenes, *(folder for _, all in sorted(book.sources.items()) for folder in all)]
    files = [path for folder in map(Path, folders) for path in python_files(folder)]
    texts = [[str(path), path.read_bytes()] for path in files]
    return digest(texts, book.clip_size, book.clip_fps, dimensions.plain(), clip_keys.setup(drawing=False))
