"""The book's two typefaces, as files: Inter for words, JetBrains Mono for code, diagrams and values.

The system's are taken where it has them (Debian: ``fonts-inter``, ``fonts-jetbrains-mono``), else those that lie in
``typefaces``, which have fewer characters. Where these were left out, too, whoever draws takes what there is, and
:attr:`Face.notice` says so.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

WEIGHTS = ("Regular", "Medium", "SemiBold", "Bold")
FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
    Path.home() / ".fonts",
    Path("/Library/Fonts"),
    Path.home() / "Library/Fonts",
    Path("C:/Windows/Fonts"),
    Path(__file__).with_name("typefaces"),
)


@dataclass(frozen=True)
class Face:
    """A family and its files by weight; without files a generic family, and ``missing`` is the one sought."""

    family: str
    files: tuple[tuple[str, Path], ...]
    missing: str | None = None

    @property
    def notice(self) -> str | None:
        if self.missing is None:
            return None
        package = "fonts-" + self.missing.lower().replace(" ", "-")
        what = f"the font {self.missing} is not installed, a typeface of the system stands in"
        return f"{what}; on Debian: apt install {package}"


@cache
def sans() -> Face:
    """The face of words."""
    return _find("Inter", "sans-serif")


@cache
def mono() -> Face:
    """The face of code and numbers."""
    return _find("JetBrains Mono", "monospace")


@cache
def fonts_digest() -> str:
    """Digest of the files of both faces: part of the key of everything that is drawn with them."""
    sha = hashlib.sha256()
    for face in (sans(), mono()):
        if not face.files:
            sha.update(face.family.encode())
        for weight, path in face.files:
            sha.update(f"{face.family} {weight} ".encode() + hashlib.sha256(path.read_bytes()).digest())
    return sha.hexdigest()[:32]


def _find(family: str, generic: str) -> Face:
    files = tuple(_weights(family))
    has_regular = any(weight == "Regular" for weight, _ in files)
    return Face(family, files) if has_regular else Face(generic, (), missing=family)


def _weights(family: str) -> Iterator[tuple[str, Path]]:
    stem = family.replace(" ", "")
    names = [f"{stem}-{weight}{suffix}" for weight in WEIGHTS for suffix in (".otf", ".ttf")]
    found: dict[str, Path] = {}
    for path in (*_in_folders(stem, FOLDERS[:-1]), *_by_fontconfig(family), *_in_folders(stem, FOLDERS[-1:])):
        if path.name in names:
            found.setdefault(path.stem.removeprefix(stem + "-"), path)
    return ((weight, found[weight]) for weight in WEIGHTS if weight in found)


def _in_folders(stem: str, folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        if folder.is_dir():
            yield from sorted(folder.rglob(f"{stem}-*"))


def _by_fontconfig(family: str) -> Iterator[Path]:
    try:
        command = ["fc-list", "--format", "%{file}\n", f":family={family}"]
        listed = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return
    yield from (Path(line) for line in sorted(listed.splitlines()))

