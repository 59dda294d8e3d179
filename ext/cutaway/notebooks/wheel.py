"""The tool that built a book as a wheel, so that the book's readers get the very same, however it was installed."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from ..source.find import is_inside

NAME = "cutaway"
PACKAGE = Path(__file__).parents[1]
TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can name
WHEEL = "Wheel-Version: 1.0\nGenerator: cutaway\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
Files = list[tuple[str, bytes]]


def wheel() -> tuple[str, Files]:
    """The wheel's name and files; LookupError where the tool was never installed, so that nobody knows its needs.

    Its version has the digest of its files: pip then takes it in place of any other of the same release.
    """
    try:
        found = distribution(NAME)
    except PackageNotFoundError as error:
        raise LookupError(f"{NAME} is imported from {PACKAGE}, but not installed: install it with pip") from error
    files = [(f"{NAME}/{path}", data) for path, data in files_in(PACKAGE)]
    metadata = found.read_text("METADATA") or ""
    version = f"{found.version.partition('+')[0]}+book.{digest_of([('', metadata.encode()), *files])}"
    info = f"{NAME}-{version}.dist-info"
    files += [
        (f"{info}/METADATA", re.sub(r"(?m)^Version: .*$", f"Version: {version}", metadata, count=1).encode()),
        (f"{info}/WHEEL", WHEEL.encode()),
        *((f"{info}/{path}", data) for path, data in _more(found)),
    ]
    files.append((f"{info}/RECORD", _record(files, f"{info}/RECORD")))
    return f"{NAME}-{version}-py3-none-any.whl", files


def _more(found: Distribution) -> Files:
    """The licence, and the entry points if there are any."""
    named = sorted(file for file in found.files or () if ".dist-info" in file.parts[0])
    kept = [file for file in named if "licenses" in file.parts or file.name == "entry_points.txt"]
    return [("/".join(file.parts[1:]), Path(str(file.locate())).read_bytes()) for file in kept]


def _record(files: Files, own: str) -> bytes:
    lines = []
    for path, data in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(data)}\n")
    return "".join([*lines, f"{own},,\n"]).encode()


def files_in(folder: Path) -> Files:
    """The files of a folder but for compiled and hidden ones, and those behind links that lead out of it; sorted."""
    found = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in inside.parts)
        if path.is_file() and not hidden and path.suffix != ".pyc" and is_inside(path, folder):
            found.append((inside.as_posix(), path.read_bytes()))
    return found


def digest_of(files: Files) -> str:
    """Eight digits that stand for these files."""
    digest = hashlib.sha256()
    for path, data in files:
        digest.update(f"{path}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()[:8]


def zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip file of these files, the same bytes whenever and wherever it is made."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, data in files:
            info = zipfile.ZipInfo(path, TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system, info.external_attr = 3, 0o644 << 16  # as on any system
            archive.writestr(info, data)
    return buffer.getvalue()
