"""The manifest of a folder of shards: what it should hold, file by file, so that damage is noticed."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nanochat.files import replacing, sha256

MANIFEST = "manifest.json"
FORMAT = "nanochat shards 1"


class ShardError(ValueError):
    """Shards that can't be used: which one, what was found, what to do."""


@dataclass(frozen=True)
class Shard:
    """What the manifest knows of one file."""

    bytes: int
    sha256: str
    documents: int


@dataclass
class Manifest:
    """What the folder holds when it is complete, and the shards that are written so far, by name."""

    source: str
    seed: int  # of the shuffle
    size: dict[str, Any]  # corpus.Size, of the documents in the order of the shards
    shard_count: int
    row_group_size: int
    format: str = FORMAT
    shards: dict[str, Shard] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The files of the complete folder, in order."""
        return [index_to_filename(i) for i in range(self.shard_count)]


def index_to_filename(index: int) -> str:
    """0 -> shard_00000.parquet"""
    return f"shard_{index:05d}.parquet"


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write it whole, in place of the one before."""
    with replacing(folder / MANIFEST) as file:
        file.write_text(json.dumps(asdict(manifest), indent=1) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder, as it was written."""
    path = folder / MANIFEST
    if not path.is_file():
        raise ShardError(f"no shards at {folder}: make them with 'python -m nanochat.dataset', see its --help")
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        shards = {name: Shard(**shard) for name, shard in fields.pop("shards").items()}
        manifest = Manifest(**fields, shards=shards)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ShardError(f"{path} can't be read ({error}): delete {folder} and make its shards again") from error
    if manifest.format != FORMAT:
        raise ShardError(f"{path} has the format {manifest.format!r}; this reads {FORMAT!r}")
    return manifest


def check_shards(manifest: Manifest, folder: Path) -> None:
    """Compare the shards that are there with their records: size, then digest. A missing one is no damage."""
    for path in sorted(folder.glob("*.parquet")):
        record = manifest.shards.get(path.name)
        if record is None:
            raise ShardError(f"{path} is not in {MANIFEST}: move it away, it is not part of this corpus")
        size = path.stat().st_size
        if size != record.bytes:
            raise ShardError(
                f"{path} has {size:,} bytes and should have {record.bytes:,}: cut off or changed; "
                "delete it and run 'python -m nanochat.dataset' again, which writes only what is missing"
            )
        if sha256(path) != record.sha256:
            raise ShardError(
                f"{path} is not what was written: its digest differs from the one in {MANIFEST}; delete it "
                "and run 'python -m nanochat.dataset' again, which writes only what is missing"
            )
