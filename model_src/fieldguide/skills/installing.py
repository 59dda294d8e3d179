"""Files are written whole or not at all, and none that somebody else has written or changed."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fieldguide.report import UsageProblem

MANIFEST = "fieldguide-installed.json"
FORM = 1
UMASK = os.umask(0)
os.umask(UMASK)


@dataclass
class Plan:
    """What an installation would do with each file, by its path in the folder."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)  # ours, as we left it
    same: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)  # another's, or changed since


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def plan(folder: Path, files: Mapping[str, str]) -> Plan:
    """Compare with what is there. UsageProblem where a path leads out of the folder."""
    ours, found = written_by_us(folder), Plan()
    for name, text in files.items():
        path = inside(folder, name)
        if not os.path.lexists(path):
            found.new.append(name)
        elif path.is_symlink() or not path.is_file():
            found.foreign.append(name)
        elif (there := digest(path.read_bytes())) == digest(text.encode()):
            found.same.append(name)
        else:
            (found.changed if there == ours.get(name) else found.foreign).append(name)
    if not ours and os.path.lexists(folder / MANIFEST):
        found.foreign.append(MANIFEST)  # a list that is not ours, or can't be read
    return found


def inside(folder: Path, name: str) -> Path:
    """The file's path; UsageProblem where a folder on the way is a link that leads elsewhere."""
    path = folder / name
    root = folder.resolve()
    if not path.parent.resolve().is_relative_to(root):
        raise UsageProblem(f"{path.parent} leads out of {folder}, to {path.parent.resolve()}: name the folder meant")
    return path


def written_by_us(folder: Path) -> dict[str, str]:
    """Digests of what was written before; empty where no list can be read."""
    try:
        kept = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in kept["files"].items()} if kept["form"] == FORM else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write all drafts, then put each in its place: a full disk leaves everything as it was."""
    listed = {**written_by_us(folder), **{name: digest(text.encode()) for name, text in files.items()}}
    whole = {**files, MANIFEST: json.dumps({"form": FORM, "files": listed}, indent=1, sort_keys=True) + "\n"}
    drafts: list[tuple[str, Path]] = []
    try:
        for name, text in whole.items():
            path = inside(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            drafts.append((draft(path, text), path))
        for name, path in drafts:
            os.replace(name, path)
    except OSError as error:
        raise UsageProblem(f"{folder}: {error.strerror or error}; nothing more was written") from error
    finally:
        for name, _ in drafts:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)


def draft(path: Path, text: str) -> str:
    """A file beside the one meant, with the text."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, 0o666 & ~UMASK)
    except OSError:
        os.unlink(name)
        raise
    return name
