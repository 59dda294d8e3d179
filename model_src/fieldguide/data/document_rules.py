"""What is wrong with files of documents: damage, a manifest that differs, a shard that lacks, doubles, a leak."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fieldguide.data.documents import SHORT, Documents
from fieldguide.data.shards import read_json_lines, read_parquet, read_text
from fieldguide.lines import bar, sha256
from fieldguide.report import Finding

SHARD = re.compile(r"shard_(\d{1,9})\.parquet$")
READERS = {".parquet": read_parquet, ".jsonl": read_json_lines, ".txt": read_text}
MANIFEST, MANIFEST_SIZE = "manifest.json", 1 << 26
MADE = "delete it and make or fetch it again"


def inspect(path: Path) -> tuple[Documents, list[Finding]]:
    """Read one file: what it holds, and what is wrong with it alone."""
    into = Documents()
    size = path.stat().st_size
    if not size:
        return into, [Finding("error", f"{path.name} is empty", "0 bytes", MADE)]
    told, end = bar(size)
    found = READERS[path.suffix.lower()](path, into, told)
    end()
    if not into.count and all(finding.level == "note" for finding in found):
        found.append(Finding("error", f"{path.name} has no document", f"{size:,} bytes", MADE))
    return into, [*found, *content(path, into)]


def content(path: Path, found: Documents) -> Iterator[Finding]:
    """Empty documents, garbled ones, doubles within a file."""
    name, count = path.name, max(found.count, 1)
    if found.empty:
        yield Finding(
            "warning" if found.empty > 0.001 * count else "note", f"{name} has {found.empty:,} empty documents of "
            f"{found.count:,}", f"the first is document {found.first_empty:,}", "leave them out",
        )  # fmt: skip
    if found.garbled:
        yield Finding(
            "warning" if found.garbled > 0.01 * count else "note",
            f"{name} has {found.garbled:,} of {found.count:,} documents with text that was decoded wrongly",
            f"for instance {found.garbled_example!r}",
            "it was UTF-8 and was read as Latin-1 or Windows-1252: read the source as UTF-8 (ftfy mends such text)",
        )  # fmt: skip
    if found.nulls:
        yield Finding("warning", f"{name} has {found.nulls:,} documents with null characters", "", "is it binary data?")
    doubles = found.digests.duplicates
    if doubles > 0.02 * count and path.suffix.lower() != ".txt":
        yield Finding(
            "warning", f"{name} has {doubles:,} documents of {found.count:,} twice or more often",
            "alike but for case and blanks" + about(found), "remove all but one",
        )  # fmt: skip
    if (short := found.digests.short_duplicates) > 0.02 * count and path.suffix.lower() != ".txt":
        what = f"{name} has {short:,} short documents of {found.count:,} twice or more often"
        yield Finding("note", what, f"of fewer than {SHORT} characters" + about(found), "for short ones that is usual")


def repeated(name: str, part: Documents, within: int) -> Iterator[Finding]:
    """Documents of a part that are in several of its files; ``within`` of them are twice in one file."""
    doubles = part.digests.duplicates
    if doubles > 0.02 * max(part.count, 1) and doubles > 2 * within:
        yield Finding(
            "warning", f"The part {name} has {doubles:,} documents of {part.count:,} twice or more often, in several "
            "files", "alike but for case and blanks" + about(part), "was a shard copied under another name?",
        )  # fmt: skip


def about(found: Documents) -> str:
    """What an estimate was made from."""
    return f"; estimated from one document in {found.digests.every}" if found.digests.every > 1 else ""


def apart(train: Documents, val: Documents) -> Iterator[Finding]:
    """Whether documents of the validation part are in the training part, too."""
    shared, compared = train.digests.shared(val.digests)
    if shared > max(0.01 * compared, 2) or (compared and shared / compared > 0.2):
        yield Finding(
            "error" if shared > 0.2 * compared else "warning",
            f"{shared:,} of {compared:,} validation documents are in the training part",
            "alike but for case and blanks", "remove them from one part: the validation loss is too good",
        )  # fmt: skip
    elif compared:
        yield Finding("good", f"The parts are apart: {shared:,} of {compared:,} validation documents are in training")


def together(paths: list[Path]) -> Iterator[Finding]:
    """What the names of a folder's shards say: the last one is for validation."""
    shards = sorted(path for path in paths if path.suffix.lower() == ".parquet")
    if not shards:
        return
    if len(shards) == 1 and not (shards[0].parent / MANIFEST).exists():
        yield Finding(
            "warning", f"There is one shard only, {shards[0].name}", "nanochat takes the last one for validation",
            "get another one: nothing is left to train on",
        )  # fmt: skip
    numbers = [int(found[1]) for path in shards if (found := SHARD.search(path.name))]
    missing = sorted(set(range(numbers[0], numbers[-2] + 1)) - set(numbers)) if len(numbers) > 2 else []
    if missing and len(missing) < 100_000:
        yield Finding(
            "warning", f"{len(missing):,} shards are missing, the first is number {missing[0]}",
            f"there are {len(numbers)} between {numbers[0]} and {numbers[-1]}",
            "fetch them: what is missing is trained on by nobody, and if the last one is, another becomes validation",
        )  # fmt: skip
    for left in sorted(shards[0].parent.glob("*.tmp"))[:5]:
        yield Finding("note", f"{left.name} was left by a download that stopped", "nothing reads it", "delete it")


def manifest(folder: Path, paths: list[Path]) -> Iterator[Finding]:
    """Compare the files of a folder with its manifest: there, as long, of that digest."""
    path = folder / MANIFEST
    if not path.is_file():
        return
    try:
        if path.stat().st_size > MANIFEST_SIZE:
            raise ValueError(f"it has {path.stat().st_size:,} bytes")
        fields = json.loads(path.read_text(encoding="utf-8"))
        records: dict[str, Any] = dict(fields["shards"])
        count = int(fields.get("shard_count", len(records)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        yield Finding("error", f"{path.name} can't be read", str(error)[:200], "make the shards again")
        return
    missing = [name for name in records if not (folder / Path(name).name).is_file()]
    if missing or count > len(records):
        lacking = missing[0] if missing else f"number {len(records)}"
        yield Finding(
            "error", f"{len(missing) or count - len(records)} shards of the manifest are missing: {lacking}, ...",
            f"it has {count} shards", "run the command that made them again, it writes only what is missing",
        )  # fmt: skip
    wrong = [finding for each in paths if (finding := differs(each, records))]
    yield from wrong
    if not missing and not wrong and count <= len(records):
        yield Finding("good", f"All {len(records)} shards are as {MANIFEST} has them, to the last byte")


def differs(path: Path, records: dict[str, Any]) -> Finding | None:
    """What a shard has that its record has not."""
    if path.suffix.lower() != ".parquet":
        return None
    record = records.get(path.name)
    if not isinstance(record, dict):
        return Finding("warning", f"{path.name} is not in {MANIFEST}", "", "move it away: it is no part of this corpus")
    size = path.stat().st_size
    if size != record.get("bytes"):
        shown = f"{size:,} bytes, and {MANIFEST} has {record.get('bytes')}"
        return Finding("error", f"{path.name} is cut short or changed", shown, MADE)
    found = sha256(path)
    if found != record.get("sha256"):
        return Finding("error", f"{path.name} was changed", f"as long as it was, but its sha256 is {found}", MADE)
    return None
