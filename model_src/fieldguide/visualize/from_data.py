"""What the scene of data shows: the first tokens of a shard and how often each id is there, or documents' lengths."""

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.data import KINDS, document_rules, tokens
from fieldguide.data.documents import Documents
from fieldguide.lines import bar, regular
from fieldguide.report import UsageProblem
from fieldguide.visualize.names import name_of, token_text

FIRST = 33  # tokens that flow into a batch of 4 by 8, and one more for the last target
SHOWN = 9  # documents that are drawn one by one
BINS = 24  # bars of a histogram


@dataclass
class Measured(Documents):
    """Documents, and their lengths in powers of two."""

    first: list[int] = field(default_factory=list)
    lengths: dict[int, int] = field(default_factory=dict)  # by the power of two below

    def add(self, text: str, compared: bool = True) -> None:
        """Take a document."""
        super().add(text, compared)
        if len(self.first) < SHOWN:
            self.first.append(len(text))
        power = len(text).bit_length()
        self.lengths[power] = self.lengths.get(power, 0) + 1


def contents(path: Path, width: int) -> dict[str, Any]:
    """The drawing of a file; of a folder, of its first training file. UsageProblem where it is none, or empty."""
    if path.is_dir():
        inside = sorted(each for each in path.iterdir() if each.suffix.lower() in KINDS and each.is_file())
        named = [each for each in inside if "train" in each.name]
        if not inside:
            raise UsageProblem(f"{path} holds no data: files {', '.join(KINDS)} are read; name one")
        path = (named or inside)[0]
    if path.suffix.lower() not in KINDS:
        raise UsageProblem(f"{path} is of no known kind: {', '.join(KINDS)} or a folder of these is needed")
    regular(path, "a file of data")
    return of_tokens(path, width) if path.suffix.lower() == ".bin" else of_documents(path)


def of_tokens(path: Path, width: int) -> dict[str, Any]:
    """A file of tokens."""
    told, end = bar(path.stat().st_size)
    found = tokens.examine(path, width, None, told)
    end()
    if found.count < 3:
        raise UsageProblem(f"{path} has {found.count} tokens, and at least 3 are needed: name another file")
    first = np.fromfile(path, dtype=f"<u{width}", count=FIRST)
    ids = [int(each) for each in first]
    last = min(found.largest, tokens.COUNTED - 1)
    edges = np.unique(np.linspace(0, last + 1, min(BINS, last + 1) + 1).astype(int))
    bins = [{"from": int(a), "to": int(b) - 1, "from_text": f"id {a:,}", "to_text": f"{b - 1:,}",
             "count": int(found.used[a:b].sum())} for a, b in pairwise(edges)]  # fmt: skip
    return {
        "kind": "tokens", "file": name_of(path), "count": found.count, "largest": found.largest,
        "distinct": found.distinct, "first": ids, "labels": labels(path, ids),
        "bins": bins, "title": f"{found.distinct:,} ids, and how often each is there",
    }  # fmt: skip


def labels(path: Path, ids: list[int]) -> list[str]:
    """The characters of nanoGPT's meta.pkl beside the file, whose values alone are read; else the ids."""
    from nanogpt.data import read_meta

    try:
        small = (path.parent / "meta.pkl").stat().st_size < 1 << 24
        itos = (read_meta(path.parent) or {}).get("itos") if small else None
        return [token_text(str(itos[each])) for each in ids] if itos else [str(each) for each in ids]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return [str(each) for each in ids]


def of_documents(path: Path) -> dict[str, Any]:
    """A file of documents."""
    into = Measured()
    told, end = bar(path.stat().st_size)
    wrong = document_rules.READERS[path.suffix.lower()](path, into, told)
    end()
    if not into.count:
        why = wrong[0].what if wrong else "it is empty"
        raise UsageProblem(f"{path} has no document ({why}): name another file; `fieldguide data` says more")
    powers = range(min(into.lengths), max(into.lengths) + 1)
    bins = [{"from": 1 << power - 1 if power else 0, "to": (1 << power) - 1,
             "from_text": f"{1 << power - 1 if power else 0:,}", "to_text": f"{(1 << power) - 1:,}",
             "count": into.lengths.get(power, 0)} for power in powers]  # fmt: skip
    return {
        "kind": "documents", "file": name_of(path), "count": into.count, "characters": into.characters,
        "first": into.first, "bins": bins, "title": "Lengths: each bar reaches twice as far",
    }  # fmt: skip
