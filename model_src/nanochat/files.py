"""Where nanochat keeps its files, and how one is written: whole or not at all."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

CHUNK = 1 << 20  # bytes that are read at once


def get_base_dir(folder: str | Path | None = None) -> Path:
    """The given folder, else ``$NANOCHAT_BASE_DIR``, else ``~/.cache/nanochat``. Nothing is made."""
    if folder is not None:
        return Path(folder)
    named = os.environ.get("NANOCHAT_BASE_DIR")
    return Path(named) if named else Path.home() / ".cache" / "nanochat"


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to; it takes the place of ``path`` when all is written and on the disk.

    Killed at any moment, ``path`` is what it was before. A ``.tmp`` file may stay behind; nothing reads it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        yield new
        with new.open("rb") as file:
            os.fsync(file.fileno())  # the bytes first, then the name
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """The digest of a file's bytes, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
