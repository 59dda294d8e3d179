"""What is made once for all processes of the tests, and kept as long as nothing that decides it changes.

Workers of pytest-xdist and sessions of nox take turns by a lock; the first makes it, the others find it.
"""

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock

from cutaway.store import digest, replacing
from cutaway.theme.fonts import fonts_digest

OLD_S = 7 * 24 * 3600.0  # what nobody asked for so long is removed
DECIDING = ("CUTAWAY_", "READTHEDOCS", "SPHINX", "LC_", "LANG", "TZ", "SOURCE_DATE")  # beginnings of variables


def kept(folder: Path, key: str, make: Callable[[Path], Any]) -> tuple[Path, Any]:
    """A folder below ``folder`` that ``make`` filled, and the plain data that it returned.

    It is made where there is none of this key, or where one of its files is not as it was left.
    """
    place, record = folder / key, folder / f"{key}.json"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{key}.lock"):
        noted = _noted(record)
        if noted and noted["files"] == digest_of_files([place]):
            os.utime(record)
            return place, noted["data"]
        _forget(folder)
        shutil.rmtree(place, ignore_errors=True)
        data = make(place)
        with replacing(record) as temporary:
            temporary.write_text(json.dumps({"files": digest_of_files([place]), "data": data}), "utf-8")
    return place, data


def digest_of_files(roots: Iterable[Path]) -> str:
    """Digest of the names and bytes of all files at and below the roots; what Python compiled of them is none."""
    files = [path for root in roots for path in ([root] if root.is_file() else root.rglob("*")) if path.is_file()]
    found = {str(path): _bytes(path) for path in files if "__pycache__" not in path.parts}
    return digest(found)


def digest_of_tools() -> str:
    """Digest of Python, the installed packages, the typefaces, and the variables that a build heeds."""
    packages = sorted(f"{found.name} {found.version}" for found in metadata.distributions())
    variables = {name: value for name, value in os.environ.items() if name.startswith(DECIDING)}
    return digest(sys.version, packages, fonts_digest(), variables)


def _bytes(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _noted(record: Path) -> Any:
    try:
        return json.loads(record.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _forget(folder: Path) -> None:
    for record in folder.glob("*.json"):
        if time.time() - record.stat().st_mtime > OLD_S:
            shutil.rmtree(record.with_suffix(""), ignore_errors=True)
            record.unlink()
