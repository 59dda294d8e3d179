"""One record of each training, a file of JSON in a folder: settings, code, seeds, machine, versions, result.

``record`` is for training scripts as well: it reads nothing but what it is given and the machine, and needs no torch.
"""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fieldguide.report import UsageProblem, plain
from fieldguide.runs import setting

FORM = 1  # of the files
LARGEST = 16 << 20  # bytes of a file
Curves = Mapping[str, tuple[Sequence[float], Sequence[float]]]  # by name: steps and values


@dataclass
class Record:
    """What is known of one training."""

    id: str = ""
    when: str = ""  # it was recorded, in UTC
    name: str = ""
    command: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    code: dict[str, Any] = field(default_factory=dict)  # digest, files, folder
    seeds: list[int] = field(default_factory=list)
    machine: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, dict[str, list[float]]] = field(default_factory=dict)  # thinned out, for plots
    notes: list[dict[str, str]] = field(default_factory=list)
    log: str = ""
    form: int = FORM

    @property
    def label(self) -> str:
        """The name, else the id."""
        return self.name or self.id


def record(
    settings: Mapping[str, Any], result: Mapping[str, Any], folder: Path | str = "runs", *, name: str = "",
    code: Path | None = None, seeds: Sequence[int] = (), curves: Curves | None = None, log: Path | str = "",
    command: Sequence[str] = (),
) -> Path:  # fmt: skip
    """Write the record of a training; the path of its file. ``code`` is a folder whose Python files are digested."""
    now = datetime.now(UTC)
    given = plain(dict(settings))
    found = Record(
        when=now.isoformat(timespec="milliseconds"), name=name, command=[str(word) for word in command], settings=given,
        code=setting.digest(code) if code is not None else {}, seeds=list(seeds) or seeds_in(given),
        machine=setting.machine(), versions=setting.versions(), result=plain(dict(result)),
        curves={key: {"steps": list(s), "values": plain(list(v))} for key, (s, v) in (curves or {}).items()},
        log=str(log),
    )  # fmt: skip
    text = json.dumps(asdict(found), sort_keys=True)
    for attempt in range(1000):
        letters = hashlib.sha256(f"{text} {attempt}".encode()).hexdigest()[:4]
        found.id = f"{now:%Y%m%d-%H%M%S}-{letters}"
        with contextlib.suppress(FileExistsError):
            return write(found, Path(folder), new=True)
    raise UsageProblem(f"{folder} holds a thousand records of this second: name another folder")


def seeds_in(settings: Mapping[str, Any]) -> list[int]:
    """The settings that are seeds by their names."""
    return [value for key, value in settings.items() if re.search(r"seed$", key) and type(value) is int]


def write(found: Record, folder: Path, new: bool = False) -> Path:
    """Write a record whole or not at all; FileExistsError where a new one's name is taken."""
    path = folder / f"{found.id}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with whole(path) as draft:
            draft.write_text(json.dumps(asdict(found), indent=1, allow_nan=False) + "\n", encoding="utf-8")
            if new:
                os.link(draft, path)  # fails where there is one, unlike a rename
            else:
                os.replace(draft, path)
    except FileExistsError:
        if not folder.is_dir():
            raise UsageProblem(f"{folder} is a file, and a folder of records was asked for: name another") from None
        raise
    except OSError as error:
        raise UsageProblem(f"{path} can't be written ({error.strerror}): name another folder with --folder") from error
    return path


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A draft beside the path, gone afterwards."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def load(folder: Path) -> tuple[list[Record], list[str]]:
    """The records of a folder, oldest first, and the files that are none; UsageProblem where there is no folder."""
    if not folder.is_dir():
        raise UsageProblem(f"{folder} is no folder of records: `fieldguide runs record LOG` makes one, or --folder")
    found, others = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(read(path))
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            others.append(f"{path.name} ({error})")
    return sorted(found, key=lambda each: (each.when, each.id)), others


def read(path: Path) -> Record:
    """One record; ValueError or TypeError where the file is something else."""
    if not path.is_file() or path.stat().st_size > LARGEST:
        raise ValueError("no file, or too large to be a record")
    values = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(values, dict) or values.get("form") != FORM:
        raise ValueError("not written by fieldguide runs")
    empty, kept = Record(), {}
    for each in fields(Record):
        value = values.get(each.name, getattr(empty, each.name))
        if not isinstance(value, type(getattr(empty, each.name))):
            raise ValueError(f"{each.name} is a {type(value).__name__}")
        kept[each.name] = value
    if path.stem != kept["id"]:
        raise ValueError("its name is not its id")
    check(kept)
    return Record(**kept)


def check(values: dict[str, Any]) -> None:
    """ValueError where what stands inside is not as ``record`` writes it."""
    for name, curve in values["curves"].items():
        if not isinstance(curve, dict) or not all(isinstance(curve.get(key), list) for key in ("steps", "values")):
            raise ValueError(f"curve {name} has no steps or no values")
        for value in (*curve["steps"], *curve["values"]):
            if value is not None and not isinstance(value, (int, float)):
                raise ValueError(f"curve {name} has a {type(value).__name__}")
    if not all(isinstance(note, dict) and note.keys() == {"when", "text"} for note in values["notes"]):
        raise ValueError("a note has no time or no text")


def pick(records: Sequence[Record], wanted: str) -> Record:
    """The record of that id, name, or beginning or end of an id; UsageProblem where it is not one."""
    exact = [each for each in records if wanted in (each.id, each.name)]
    near = exact or [each for each in records if each.id.startswith(wanted) or each.id.endswith(wanted)]
    if len(near) == 1:
        return near[0]
    if wanted == "last" and records and not near:
        return records[-1]
    found = ", ".join(each.id for each in near[:5]) if near else "none"
    raise UsageProblem(f"{wanted}: one run was asked for, found {found}; `fieldguide runs list` shows all ids")
