"""The book's two typefaces, as files: Inter for words, JetBrains Mono for code, diagrams and values.

Debian has them (``fonts-inter``, ``fonts-jetbrains-mono``); elsewhere they are looked for in the usual
folders and asked of fontconfig. Where one is missing, DejaVu stands in, matplotlib's or the system's, or else
whatever typeface the reader's system takes; :attr:`Face.notice` says so.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
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
)


@dataclass(frozen=True)
class Face:
    """A family and its files by weight; ``missing`` is the family that this one stands in for, if any.

    Without files it is a generic family: whoever draws takes what there is.
    """

    family: str
    files: tuple[tuple[str, Path], ...]
    missing: str | None = None

    @property
    def notice(self) -> str | None:
        if self.missing is None:
            return None
        package = "fonts-" + self.missing.lower().replace(" ", "-")
        other = self.family if self.files else "a typeface of the system"
        return f"the font {self.missing} is not installed, {other} stands in; on Debian: apt install {package}"


@cache
def sans() -> Face:
    """The face of words."""
    return _find("Inter", "DejaVu Sans", "sans-serif")


@cache
def mono() -> Face:
    """The face of code and numbers."""
    return _find("JetBrains Mono", "DejaVu Sans Mono", "monospace")


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


def _find(family: str, fallback: str, generic: str) -> Face:
    files = tuple(_weights(family))
    if any(weight == "Regular" for weight, _ in files):
        return Face(family, files)
    stand_in = tuple(_fallback_weights(fallback))
    return Face(fallback if stand_in else generic, stand_in, missing=family)


def _weights(family: str) -> Iterator[tuple[str, Path]]:
    stem = family.replace(" ", "")
    names = [f"{stem}-{weight}{suffix}" for weight in WEIGHTS for suffix in (".otf", ".ttf")]
    found: dict[str, Path] = {}
    for path in (*_in_folders(stem), *_by_fontconfig(family)):
        if path.name in names:
            found.setdefault(path.stem.removeprefix(stem + "-"), path)
    return ((weight, found[weight]) for weight in WEIGHTS if weight in found)


def _in_folders(stem: str) -> Iterator[Path]:
    for folder in FOLDERS:
        if folder.is_dir():
            yield from sorted(folder.rglob(f"{stem}-*"))


def _by_fontconfig(family: str) -> Iterator[Path]:
    try:
        command = ["fc-list", "--format", "%{file}\n", f":family={family}"]
        listed = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return
    yield from (Path(line) for line in sorted(listed.splitlines()))


def _fallback_weights(family: str) -> Iterator[tuple[str, Path]]:
    """DejaVu's regular and bold files, of matplotlib or of the system; nothing without the regular one."""
    spec = find_spec("matplotlib")  # without importing it, which would cost half a second
    brought = [Path(spec.origin).parent / "mpl-data/fonts/ttf"] if spec and spec.origin else []
    stem = family.replace(" ", "")
    for weight, name in (("Regular", f"{stem}.ttf"), ("Bold", f"{stem}-Bold.ttf")):
        found = (path for folder in (*brought, *FOLDERS) if folder.is_dir() for path in sorted(folder.rglob(name)))
        path = next(found, None)
        if path is None:
            return
        yield weight, path
