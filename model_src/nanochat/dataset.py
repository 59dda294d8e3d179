"""The corpus on disk: shards of documents, and a manifest by which damage is noticed.

    python -m nanochat.dataset --python-docs              the handbook that every Python carries
    python -m nanochat.dataset --text FILE                a text of your own
    python -m nanochat.dataset --check                    compare the shards with their manifest

A shard is a parquet file with one column, ``text``, compressed by zstd, in row groups of some documents: the
unit that processes share out among themselves. The last shard is for validation, all others for training.
``manifest.json`` holds the size and the digest of each. A command that was killed goes on where it stopped.
"""

import argparse
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from nanochat.data import corpus
from nanochat.data.manifest import MANIFEST, Manifest, Shard, ShardError, check_shards, read_manifest, write_manifest
from nanochat.files import get_base_dir, replacing, sha256

ROW_GROUP = 1024  # documents, at most
GROUPS = 4  # row groups of a shard, at least, where there are documents enough


@dataclass(frozen=True)
class RowGroup:
    """A row group of a shard: which, and how many documents it has."""

    file: int  # place of the shard among those of its split
    group: int
    documents: int


def get_data_dir(folder: str | Path | None = None) -> Path:
    """The folder of the shards: the given one, else ``base_data`` in the base folder."""
    return Path(folder) if folder is not None else get_base_dir() / "base_data"


def write_shards(
    documents: list[str],
    folder: Path,
    source: str,
    shard_count: int = 10,
    row_group_size: int | None = None,
    seed: int = 42,
    report: Callable[[str], object] = lambda name: None,
) -> Manifest:
    """Shuffle the documents and write them. Whole shards of an earlier call stay; ``report`` hears each name.

    Raises ShardError, before anything is written, where the folder holds another corpus or a damaged shard.
    """
    if not 2 <= shard_count <= len(documents):
        raise ValueError(
            f"{len(documents)} documents can't make {shard_count} shards: at least two are needed, the last one "
            "for validation, and a document for each; ask for fewer shards, or for shorter documents"
        )
    documents = list(documents)
    random.Random(seed).shuffle(documents)
    bounds = [i * len(documents) // shard_count for i in range(shard_count + 1)]
    if row_group_size is None:
        row_group_size = max(1, min(ROW_GROUP, bounds[1] // GROUPS))
    manifest = Manifest(source, seed, asdict(corpus.measure(documents)), shard_count, row_group_size)
    resume(manifest, folder)
    for name, start, stop in zip(manifest.names, bounds, bounds[1:], strict=False):
        if not (folder / name).exists():
            write_shard(documents[start:stop], folder / name, manifest)
        report(name)
    return manifest


def resume(manifest: Manifest, folder: Path) -> None:
    """Take over the records of shards that are there and whole; refuse a folder that holds anything else."""
    for left_behind in folder.glob("*.tmp"):
        left_behind.unlink()
    if (folder / MANIFEST).exists():
        earlier = read_manifest(folder)
        for name in ("source", "seed", "shard_count", "row_group_size", "size"):
            asked, found = getattr(manifest, name), getattr(earlier, name)
            if asked != found:
                raise ShardError(
                    f"{folder} holds another corpus: its {name} is {found}, this one's is {asked}; "
                    "name another folder, or delete that one"
                )
        manifest.shards = earlier.shards
    check_shards(manifest, folder)


def write_shard(documents: list[str], path: Path, manifest: Manifest) -> None:
    """Write one shard. Its record goes first, so that a shard without a record is never ours."""
    with replacing(path) as new:
        pq.write_table(
            pa.table({"text": pa.array(documents, pa.string())}),
            new,
            row_group_size=manifest.row_group_size,
            compression="zstd",
            compression_level=3,
            use_dictionary=False,  # no two documents are the same
            write_statistics=False,
        )
        manifest.shards[path.name] = Shard(new.stat().st_size, sha256(new), len(documents))
        write_manifest(manifest, path.parent)


def list_parquet_files(folder: str | Path | None = None) -> list[Path]:
    """All shards in order, each compared with the manifest. The last one is for validation."""
    place = get_data_dir(folder)
    manifest = read_manifest(place)
    check_shards(manifest, place)
    missing = [name for name in manifest.names if not (place / name).exists()]
    if missing:
        raise ShardError(
            f"{place} lacks {', '.join(missing[:4])} ({len(missing)} of {manifest.shard_count} shards): "
            "run 'python -m nanochat.dataset' again, it goes on where it stopped"
        )
    return [place / name for name in manifest.names]


def split_files(split: str, folder: str | Path | None = None) -> list[Path]:
    """The shards of a split: 'train' has all but the last, 'val' has the last."""
    if split not in ("train", "val"):
        raise ValueError(f"split={split!r}: it is 'train' or 'val'")
    paths = list_parquet_files(folder)
    return paths[:-1] if split == "train" else paths[-1:]


def list_row_groups(paths: list[Path]) -> list[RowGroup]:
    """All row groups of these files, in order; only the files' ends are read."""
    groups = []
    for file, path in enumerate(paths):
        metadata = pq.read_metadata(path)
        for group in range(metadata.num_row_groups):
            groups.append(RowGroup(file, group, metadata.row_group(group).num_rows))
    return groups


def read_row_group(path: Path, group: int) -> list[str]:
    """The documents of one row group."""
    with pq.ParquetFile(path) as file:
        return file.read_row_group(group).column("text").to_pylist()


def parquets_iter_batched(
    split: str, start: int = 0, step: int = 1, folder: str | Path | None = None
) -> Iterator[list[str]]:
    """One epoch, a row group at a time: groups ``start``, ``start + step``, ... of every file."""
    paths = split_files(split, folder)
    for row_group in list_row_groups(paths):
        if row_group.group % step == start:
            yield read_row_group(paths[row_group.file], row_group.group)


def documents(split: str, folder: str | Path | None = None) -> Iterator[str]:
    """The documents of a split, one by one, in order."""
    for batch in parquets_iter_batched(split, folder=folder):
        yield from batch


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m nanochat.dataset", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--text", type=Path, metavar="FILE", help="a text file, UTF-8")
    what.add_argument("--python-docs", action="store_true", help="the sections of pydoc_data.topics")
    what.add_argument("--check", action="store_true", help="write nothing, compare all shards with the manifest")
    parser.add_argument("--folder", type=Path, help="where the shards are (default: base_data in $NANOCHAT_BASE_DIR)")
    parser.add_argument("--shards", type=int, default=10, help="how many, with that for validation (default: 10)")
    parser.add_argument("--row-group", type=int, help="documents in a row group (default: a quarter of a shard)")
    parser.add_argument(
        "--document-chars", type=int, metavar="N",
        help="cut documents after the first blank line behind N characters (default: 2000; sections stay whole)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=42, help="of the shuffle (default: 42)")
    options = parser.parse_args(argv)
    for name in ("row_group", "document_chars"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be 1 or more")
    return options


def read_corpus(options: argparse.Namespace) -> tuple[str, list[str]]:
    """The documents that the command line asks for, and their source."""
    if options.text:
        return corpus.text_file(options.text, options.document_chars or 2000)
    source, sections = corpus.python_docs()
    if options.document_chars:
        sections = [piece for section in sections for piece in corpus.cut(section, options.document_chars)]
    return source, [section for section in sections if section.strip()]


def run(options: argparse.Namespace) -> None:
    folder = get_data_dir(options.folder)
    if not options.check:
        source, found = read_corpus(options)
        with tqdm(total=options.shards, unit="shard", disable=None) as bar:
            write_shards(
                found, folder, source, options.shards, options.row_group, options.seed, lambda name: bar.update()
            )
    paths, manifest = list_parquet_files(folder), read_manifest(folder)
    print(f"{folder}: {len(paths)} shards, whole, of {manifest.source}")
    size = corpus.Size(**manifest.size)
    print(f"{size.documents:,} documents, {size.characters:,} characters, {size.bytes:,} bytes; sha256 {size.digest}")


def main(argv: list[str]) -> None:
    try:
        run(parse(argv))
    except (ValueError, OSError) as error:
        raise SystemExit(f"dataset: {error}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
