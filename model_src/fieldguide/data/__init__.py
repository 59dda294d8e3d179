"""What is wrong with data: shards cut short, wrong ids, another tokenizer, doubles, a leaked split, garbled text."""

import argparse
import json
from itertools import islice
from pathlib import Path
from typing import Any

from fieldguide.data import document_rules, token_rules
from fieldguide.data.documents import Documents
from fieldguide.lines import regular
from fieldguide.report import Finding, Report, Table, UsageProblem

HELP = "check data: shards cut short, wrong ids, another tokenizer, doubles, a leaked split, garbled text"
DOCUMENTS = tuple(document_rules.READERS)
KINDS = (".bin", *DOCUMENTS)
MOST = 100_000  # files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Files or folders, and what they do not say themselves."""
    parser.add_argument(
        "paths", type=Path, nargs="+", metavar="PATH", help="a folder, or files: .bin, .parquet, .jsonl, .txt"
    )
    parser.add_argument(
        "--vocab-size", type=int, default=0, metavar="V", help="tokens of the model (default 0: as meta.pkl says)"
    )
    parser.add_argument(
        "--tokenizer", type=Path, metavar="FOLDER", help="folder of a tokenizer.json, whose size is the vocabulary"
    )
    parser.add_argument(
        "--block-size", type=int, default=0, metavar="T", help="tokens of a row; a part must be longer (0: not checked)"
    )
    parser.add_argument(
        "--dtype", choices=("uint16", "uint32"), default="uint16", help="of .bin files (default: uint16, nanoGPT's)"
    )


def run(options: argparse.Namespace) -> Report:
    """Look at each file, then at what belongs together."""
    files = collect(options.paths)
    vocabulary = options.vocab_size or tokenizer_size(options.tokenizer)
    report = Report(f"Data in {', '.join(str(path) for path in options.paths[:3])}")
    rows: list[tuple[str, ...]] = []
    facts: list[dict[str, Any]] = []
    for folder in sorted({path.parent for path in files}):
        inside = [path for path in files if path.parent == folder]
        tokens = [path for path in inside if path.suffix.lower() == ".bin"]
        if tokens:
            report.findings += look_at_tokens(folder, tokens, vocabulary or None, options, rows, facts)
        if texts := [path for path in inside if path.suffix.lower() in DOCUMENTS]:
            report.findings += look_at_documents(folder, texts, rows, facts)
    order = ("error", "warning", "good", "note")
    report.findings.sort(key=lambda finding: order.index(finding.level))
    if not any(finding.level in ("error", "warning") for finding in report.findings):
        report.findings.insert(0, Finding("good", f"Nothing is wrong with {len(files)} files by any of the checks"))
    heads = ("file", "part", "bytes", "tokens", "documents", "ids up to", "empty", "twice")
    report.tables = [Table(heads, rows[:40], "" if len(rows) <= 40 else f"the first 40 of {len(rows)} files")]
    report.data = {"files": facts}
    return report


def collect(paths: list[Path]) -> list[Path]:
    """The files of known kinds: those that are named, and those that lie in a folder that is."""
    files: list[Path] = []
    for path in paths:
        try:
            inside = sorted(path.iterdir())[:MOST] if path.is_dir() else None
        except OSError as error:
            raise UsageProblem(f"{path} can't be read ({error}): name a folder that you may read") from error
        if inside is None:
            if path.suffix.lower() not in KINDS:
                raise UsageProblem(f"{path} is of no known kind: {', '.join(KINDS)} or a folder of these is needed")
            files.append(regular(path, "a file of data"))
        else:
            files += [each for each in inside if each.suffix.lower() in KINDS and each.is_file()]
            if not files:
                raise UsageProblem(f"{path} holds no data: files {', '.join(KINDS)} are read; {instead(path)}")
    return list(dict.fromkeys(files))


def instead(path: Path) -> str:
    """What to do about a folder without data: name one of those in it, if they have some."""
    folders = [each for each in sorted(path.iterdir())[:1000] if each.is_dir() and not each.is_symlink()]
    with_data = [each for each in folders if any(file.suffix.lower() in KINDS for file in islice(each.iterdir(), MOST))]
    return f"name {' or '.join(map(str, with_data[:3]))}" if with_data else "make them, or name them"


def tokenizer_size(folder: Path | None) -> int:
    """Tokens of a tokenizer.json, nanochat's or Hugging Face's, with the special ones; 0 where none is named."""
    if folder is None:
        return 0
    path = regular(folder / "tokenizer.json" if folder.is_dir() else folder, "a tokenizer.json")
    try:
        if path.stat().st_size > 1 << 28:
            raise ValueError("it is too large")
        fields = json.loads(path.read_text(encoding="utf-8"))
        if "model" in fields:
            return 1 + max([*fields["model"]["vocab"].values(), *(int(each["id"]) for each in fields["added_tokens"])])
        return len(fields["tokens"]) + len(fields["special_tokens"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = "no tokenizer of nanochat's or of Hugging Face's tokenizers"
        raise UsageProblem(f"{path} is {what} ({error}): name the folder that has one") from error


def look_at_tokens(
    folder: Path, paths: list[Path], vocabulary: int | None, options: argparse.Namespace,
    rows: list[tuple[str, ...]], facts: list[dict[str, Any]],
) -> list[Finding]:  # fmt: skip
    """All checks of a folder's .bin files."""
    part, found = token_rules.read_part(folder, vocabulary)
    width = int(options.dtype.removeprefix("uint")) // 8
    for path in paths:
        found += token_rules.inspect(part, path, width)
    found += token_rules.compare(part, options.block_size)
    for path in paths:
        tokens = next((tokens for tokens in part.tokens.values() if tokens.path == path), None)
        count, largest = (tokens.count, tokens.largest) if tokens else (0, -1)
        size, split = path.stat().st_size, token_rules.split_of(path)
        rows.append((path.name, split, f"{size:,}", f"{count:,}", "", f"{largest:,}" if count else "-", "", ""))
        facts.append(
            {
                "file": str(path), "part": split, "bytes": size, "tokens": count, "largest_id": largest,
                "vocabulary": part.vocabulary, **part.shares,
            }
        )  # fmt: skip
    return found


def look_at_documents(
    folder: Path, paths: list[Path], rows: list[tuple[str, ...]], facts: list[dict[str, Any]]
) -> list[Finding]:
    """All checks of a folder's files of documents."""
    found = [*document_rules.together(paths), *document_rules.manifest(folder, paths)]
    parts: dict[str, Documents] = {}
    within: dict[str, int] = {}
    last = max((path for path in paths if path.suffix.lower() == ".parquet"), default=None)
    several = sum(path.suffix.lower() == ".parquet" for path in paths) > 1
    for path in paths:
        documents, wrong = document_rules.inspect(path)
        found += wrong
        split = token_rules.split_of(path)
        if not split and path.suffix.lower() == ".parquet" and several:
            split = "val" if path == last else "train"
        size, doubles = path.stat().st_size, documents.digests.duplicates
        shown = (f"{size:,}", "", f"{documents.count:,}", "", f"{documents.empty:,}", f"{doubles:,}")
        rows.append((path.name, split, *shown))
        facts.append(
            {
                "file": str(path), "part": split, "bytes": size, "documents": documents.count,
                "characters": documents.characters, "empty": documents.empty, "twice": doubles,
                "garbled": documents.garbled, "longest": documents.longest,
            }
        )  # fmt: skip
        parts.setdefault(split, Documents()).join(documents)
        within[split] = within.get(split, 0) + doubles
    for split, part in parts.items():
        found += document_rules.repeated(split or "without a name", part, within[split])
    if {"train", "val"} <= parts.keys():
        found += document_rules.apart(parts["train"], parts["val"])
    return found
