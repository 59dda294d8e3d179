"""What is wrong with files of tokens: cut short, wrong ids, another tokenizer, a hole, parts that share text."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.data import leaks
from fieldguide.data.tokens import HEADER, RUN, SEARCHED, Tokens, examine
from fieldguide.lines import bar, stands_for
from fieldguide.report import Finding
from nanogpt.data import read_meta

GPT2 = 50304  # nanoGPT's vocabulary where there is no meta.pkl
SURE = (
    "To be sure, decode a line of train.bin and read it, or compare the sha256 of meta.pkl with that of the meta.pkl "
    "which was made with train.bin; if it is another's, make both by one command"
)
META = 1 << 26  # bytes of a meta.pkl at most


@dataclass
class Part:
    """The token files of one folder, with its vocabulary."""

    folder: Path
    vocabulary: int | None = None
    itos: dict[int, str] = field(default_factory=dict)
    meta: bool = False
    refused: bool = False  # meta.pkl is there, and is not used
    tokens: dict[str, Tokens] = field(default_factory=dict)  # by split, or name
    shares: dict[str, float] = field(default_factory=dict)


def split_of(path: Path) -> str:
    """train or val, as the name says, else nothing."""
    name = path.stem.lower()
    return "train" if "train" in name else "val" if "val" in name or "test" in name else ""


def read_part(folder: Path, vocabulary: int | None) -> tuple[Part, list[Finding]]:
    """The vocabulary of a folder: as the reader says, else by meta.pkl, of which no code is run."""
    part, path = Part(folder, vocabulary), folder / "meta.pkl"
    if not path.is_file():
        return part, []
    try:
        if path.stat().st_size > META:
            raise ValueError(f"{path} has {path.stat().st_size:,} bytes: no table of a tokenizer is so large")
        meta: dict[str, Any] = read_meta(folder) or {}
        size = meta["vocab_size"]
        if not isinstance(size, int) or not 0 < size < 1 << 32:
            raise ValueError(f"{path} has the vocab_size {str(size)[:40]!r}: no number of tokens")
    except (ValueError, RecursionError) as error:
        part.refused = True
        advice = "make the data again; don't open the file by pickle.load, which runs what it asks for"
        return part, [Finding("error", f"{path} is not used", str(error)[:300], advice)]
    part.meta, part.vocabulary = True, vocabulary or size
    itos = meta.get("itos")
    if isinstance(itos, dict):
        part.itos = {k: v for k, v in itos.items() if isinstance(k, int) and isinstance(v, str)}
    return part, [*table_fits(part, size, meta)]


def table_fits(part: Part, size: int, meta: dict[str, Any]) -> Iterator[Finding]:
    """Whether meta.pkl agrees with itself and with what was asked."""
    if part.vocabulary != size:
        yield Finding("error", f"meta.pkl has {size:,} tokens, and {part.vocabulary:,} were asked for", "", "which?")
    itos, stoi = meta.get("itos"), meta.get("stoi")
    if isinstance(itos, dict) and isinstance(stoi, dict):
        wrong = [i for i, s in itos.items() if not isinstance(s, str) or stoi.get(s) != i]
        if len(itos) != size or wrong:
            yield Finding(
                "error", "meta.pkl contradicts itself",
                f"vocab_size {size:,}, {len(itos):,} entries in itos, {len(wrong):,} that stoi has otherwise",
                "make it again together with the .bin files",
            )  # fmt: skip


def inspect(part: Part, path: Path, width: int) -> Iterator[Finding]:
    """Read one file and say what is wrong with it alone."""
    size = path.stat().st_size
    name = path.name
    if size == 0:
        yield Finding("error", f"{name} is empty", "0 bytes", "make it again; an interrupted copy leaves such a file")
        return
    with path.open("rb") as file:
        instead = stands_for(file.read(64))
    if instead:
        yield Finding("error", f"{name} has no tokens", f"it is no data, {instead}", "get the file itself")
        return
    if size % width:
        yield Finding(
            "error", f"{name} is cut short: {size:,} bytes are no whole number of tokens of {width}",
            f"{size % width} of the last token's bytes are there", "copy or make it again",
        )  # fmt: skip
    told, end = bar(min(size, SEARCHED * width))
    found = examine(path, width, part.vocabulary, told)
    end()
    part.tokens[split_of(path) or name] = found
    if found.count and int(np.memmap(path, f"<u{width}", "r", shape=(1,))[0]) == HEADER % (1 << 8 * width):
        yield Finding("error", f"{name} has llm.c's header", "its first number is 20240520", "cut off 1,024 bytes")
    if found.read < found.count:
        yield Finding(
            "note", f"{found.read:,} of {found.count:,} tokens of {name} were read, in stretches from all over it",
            "a wrong id or a hole between them is not seen", "split the file to have all of it read",
        )  # fmt: skip
    if found.run:
        yield hole(found)
    yield from ids_fit(part, found)


def hole(found: Tokens) -> Finding:
    """One token very often in a row: a part that was never written."""
    to_end = found.run_at + found.run >= found.count - 1
    return Finding(
        "error", f"{found.path.name} has token {found.run_id} {found.run:,} times in a row, from token "
        f"{found.run_at:,}{' to its end' if to_end else ''}",
        f"no text has one token {RUN:,} times; a file that is made as a memory map is full of 0 until all is written",
        "the preparation did not finish there: make it again",
    )  # fmt: skip


def ids_fit(part: Part, found: Tokens) -> Iterator[Finding]:
    """Ids against the vocabulary."""
    name, size = found.path.name, part.vocabulary
    if found.stride:
        words = {2: "two", 4: "four", 8: "eight"}
        advice = "nanoGPT reads uint16: write it again, ids.astype(np.uint16).tofile(...)"
        if found.stride == 4:
            advice = "read it as uint32: --dtype uint32 here, np.uint32 in get_batch"
        what = f"{name} has {words[found.stride]} bytes a token, and was read as {words[found.width]}"
        yield Finding("error", what, f"of every {found.stride // found.width} numbers all but the first are 0", advice)
    elif size is not None and found.above:
        yield Finding(
            "error", f"{name} has {found.above:,} ids that are not below the vocabulary of {size:,}",
            f"the first at token {found.above_at:,}, the largest {found.largest:,} at token {found.largest_at:,}, of "
            f"{found.count:,} tokens",
            "meta.pkl, or the vocabulary, is another tokenizer's: make .bin and meta.pkl by one command. On a GPU this "
            "is a device-side assert, on a processor an IndexError",
        )  # fmt: skip
    elif size is None and part.refused:
        return  # what meta.pkl said of its vocabulary is not known
    elif size is None and found.largest >= GPT2:
        yield Finding(
            "error", f"{name} has ids up to {found.largest:,}, above GPT-2's {GPT2:,}",
            "there is no meta.pkl, so nanoGPT makes a model of that size", "say --vocab-size, or write a meta.pkl",
        )  # fmt: skip
    elif size is None and found.count > 10_000 and found.largest < 1000:
        yield Finding(
            "warning", f"{name} has ids up to {found.largest:,} only, and there is no meta.pkl",
            f"{found.distinct} ids in {found.count:,} tokens: characters or bytes, not GPT-2's pairs",
            "without meta.pkl nanoGPT makes a model of 50,304 tokens: put meta.pkl beside it",
        )  # fmt: skip


def compare(part: Part, block: int) -> Iterator[Finding]:
    """What the parts of one folder say of each other."""
    yield from vocabulary_used(part)
    yield from alone(part)
    train, val = part.tokens.get("train"), part.tokens.get("val")
    for name, tokens in part.tokens.items():
        if block and tokens.count <= block:
            yield Finding(
                "error", f"{name} has {tokens.count:,} tokens: not one window of {block:,} and its targets",
                "nanoGPT draws places below length - block_size, and there are none", "a shorter block, or more text",
            )  # fmt: skip
    if train is None or val is None or not train.count or not val.count:
        return
    share = val.count / (train.count + val.count)
    if share > 0.5 or (share < 1e-4 and val.count < 100_000):
        yield Finding(
            "warning", f"The split is odd: {train.count:,} tokens for training, {val.count:,} for validation",
            f"{100 * share:.3g} % are for validation",
            "the parts may have changed places, or one is cut short; nanoGPT's are 10 % (characters) and 0.05 %",
        )  # fmt: skip
    found, part.shares = leaks.look(train, val)
    yield from found


def alone(part: Part) -> Iterator[Finding]:
    """nanoGPT wants both parts."""
    here = [name for name in ("train", "val") if (part.folder / f"{name}.bin").is_file()]
    if len(here) == 1:
        what = f"There is {here[0]}.bin, and no {'val' if here == ['train'] else 'train'}.bin"
        yield Finding("warning", what, f"in {part.folder}", "nanoGPT reads both at its first estimate, and stops")


def vocabulary_used(part: Part) -> Iterator[Finding]:
    """Whether the ids that are there are those of this tokenizer."""
    if not part.tokens or not part.meta or not part.vocabulary or part.vocabulary >= 1000:
        return
    used = np.sum([tokens.used for tokens in part.tokens.values()], axis=0)
    total, distinct = int(used.sum()), int((used > 0).sum())
    if total < 20_000:
        return
    text = sample_text(part)
    if part.itos and distinct < 0.8 * part.vocabulary:  # without a table they may be bytes, of which a text has some
        yield Finding(
            "warning", f"Only {distinct} of the {part.vocabulary} ids of meta.pkl are ever used",
            f"in {total:,} tokens; nanoGPT makes meta.pkl from the very text; it begins {text!r}",
            f"is meta.pkl that of another text? {SURE}",
        )  # fmt: skip
    blank = [i for i, c in part.itos.items() if c in (" ", "\n") and 0 <= i < len(used)]
    letters = [i for i, c in part.itos.items() if c.isalpha() and 0 <= i < len(used)]
    if blank and len(letters) >= 20 and (used[blank].sum() < 0.05 * total or used[letters].sum() < 0.3 * total):
        yield Finding(
            "warning", "By meta.pkl this is no text: blanks or letters are rare",
            f"{100 * used[blank].sum() / total:.1f} % blanks, {100 * used[letters].sum() / total:.1f} % letters; it "
            f"begins {text!r}",
            f"meta.pkl may be that of another text, whose characters have other numbers. {SURE}",
        )  # fmt: skip


def sample_text(part: Part) -> str:
    """The first characters of a part, by meta.pkl."""
    tokens = next((tokens for tokens in part.tokens.values() if tokens.count), None)
    if tokens is None:
        return ""
    ids = np.memmap(tokens.path, f"<u{tokens.width}", "r", shape=(min(tokens.count, 60),))
    return "".join(part.itos.get(int(i), "?")[:4] for i in ids)
