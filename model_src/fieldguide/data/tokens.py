"""Files of tokens, nanoGPT's ``.bin``: what is in them, read in pieces, and what two of them share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from fieldguide.lines import Progress

CHUNK = 1 << 21  # tokens that are read at once
COUNTED = 1 << 18  # ids that are counted one by one; larger ones are only compared
SAMPLED = 20_000  # windows that are looked for elsewhere
SEARCHED = 1 << 28  # tokens of a part in which they are looked for; of a larger part stretches are
HEADER = 20240520  # the number that llm.c's files of tokens begin with
RUN = 4096  # one token so often in a row was not written by a tokenizer


@dataclass
class Tokens:
    """What one file of tokens holds."""

    path: Path
    width: int  # bytes of a token
    count: int = 0
    read: int = 0  # of a very large file stretches are read
    largest: int = -1
    largest_at: int = -1
    used: np.ndarray = field(default_factory=lambda: np.zeros(COUNTED, dtype=np.int64))  # how often each id is there
    above: int = 0  # tokens whose id is not below the vocabulary
    above_at: int = -1  # the first of these
    run: int = 0  # longest run of one token, where it is RUN or more
    run_at: int = -1
    run_id: int = -1
    stride: int = 0  # bytes of a token by the zeros between them, where that is more than ``width``

    @property
    def distinct(self) -> int:
        """How many ids there are."""
        return int((self.used > 0).sum())


def pieces(path: Path, width: int, overlap: int = 0) -> Iterator[tuple[int, np.ndarray]]:
    """The file's tokens in pieces, each with its place; one begins with the last ``overlap`` of the one before."""
    kept = np.array([], dtype=np.uint32)
    at = 0
    with path.open("rb") as file:
        while data := file.read(CHUNK * width):
            data = data[: len(data) // width * width]
            new = np.frombuffer(data, dtype=f"<u{width}").astype(np.uint32)
            whole = np.concatenate([kept, new]) if overlap else new
            yield at - len(kept), whole
            at += len(new)
            kept = whole[len(whole) - min(overlap, len(whole)) :] if overlap else kept


def examine(path: Path, width: int, vocabulary: int | None, told: Progress) -> Tokens:
    """Read a file, or stretches of one with more than ``SEARCHED`` tokens, and count."""
    found = Tokens(path, width)
    zeros = np.zeros(4, dtype=np.int64)  # among the first, second, third and fourth of every four numbers
    total = path.stat().st_size // width
    for at, ids in parts(path, width, stretches(total)):
        if not len(ids):
            continue
        if (top := int(ids.max())) > found.largest:
            found.largest, found.largest_at = top, at + int(ids.argmax())
        found.used += np.bincount(np.minimum(ids, COUNTED - 1), minlength=COUNTED)
        if vocabulary is not None and top >= vocabulary:
            wrong = np.flatnonzero(ids >= vocabulary)
            found.above += len(wrong)
            found.above_at = at + int(wrong[0]) if found.above_at < 0 else found.above_at
        zeros += [int((ids[i::4] == 0).sum()) for i in range(4)]
        look_for_run(found, at, ids)
        found.read += len(ids)
        told(found.read * width)
    found.count = total
    found.stride = wider(width, found.read // 4, *zeros.tolist())
    return found


def wider(width: int, fours: int, first: int, second: int, third: int, fourth: int) -> int:
    """Bytes of a token that was written with more than ``width``, by where the zeros are; else 0."""
    if fours <= 25 or first > 0.5 * fours or min(second, fourth) <= 0.99 * fours:
        return 0
    if third > 0.99 * fours:
        return 8 if width == 2 else 0
    return 2 * width if third < 0.5 * fours else 0


def look_for_run(found: Tokens, at: int, ids: np.ndarray) -> None:
    """Note the longest run of one token within a piece, if it is a long one."""
    changes = np.flatnonzero(np.diff(ids)) + 1
    bounds = np.concatenate([[0], changes, [len(ids)]])
    lengths = np.diff(bounds)
    longest = int(lengths.argmax())
    if lengths[longest] >= RUN and lengths[longest] > found.run:
        start = int(bounds[longest])
        found.run, found.run_at, found.run_id = int(lengths[longest]), at + start, int(ids[start])


def mixed(ids: np.ndarray) -> np.ndarray:
    """Each id as 64 bits that look random (the finalizer of splitmix64)."""
    x = ids.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


BASE = 0x9E3779B97F4A7C15 | 1  # odd, so it has an inverse among the numbers of 64 bits
INVERSE = pow(BASE, -1, 1 << 64)


@lru_cache(maxsize=8)
def powers(base: int, count: int) -> np.ndarray:
    """1, base, base^2, ... in 64 bits."""
    factors = np.full(count, base, dtype=np.uint64)
    factors[:1] = 1
    return np.cumprod(factors, dtype=np.uint64)


def hashes(ids: np.ndarray, window: int) -> np.ndarray:
    """A number of 64 bits for each window of so many tokens: sum of x_j BASE^j, made free of its place."""
    if len(ids) < window:
        return np.array([], dtype=np.uint64)
    sums = np.concatenate([[np.uint64(0)], np.cumsum(mixed(ids) * powers(BASE, len(ids)), dtype=np.uint64)])
    return (sums[window:] - sums[:-window]) * powers(INVERSE, len(ids) - window + 1)


NOWHERE = np.array([], dtype=np.int64)


def stretches(count: int) -> np.ndarray:
    """Where the stretches of a large file begin, ``CHUNK`` tokens each; none: the file is read through."""
    if count <= SEARCHED:
        return NOWHERE
    return np.linspace(0, count - CHUNK, max(1, SEARCHED // CHUNK)).astype(np.int64)


def sample(path: Path, width: int, count: int, window: int, without: np.ndarray = NOWHERE) -> np.ndarray:
    """Hashes of windows from all over a file, none of one token alone, each once; none that touch given stretches."""
    data = np.memmap(path, dtype=f"<u{width}", mode="r", shape=(count,))
    if count < window:
        return np.array([], dtype=np.uint64)
    starts = np.unique(np.linspace(0, count - window, SAMPLED).astype(np.int64))
    if len(without):
        nearest = np.searchsorted(without, starts + window, side="left") - 1  # the last that begins before its end
        starts = starts[(nearest < 0) | (starts >= without[np.maximum(nearest, 0)] + CHUNK)]
    ids = data[starts[:, None] + np.arange(window)]  # (n, window)
    varied = (np.diff(np.sort(ids, axis=1), axis=1) != 0).sum(axis=1) >= 4
    return np.unique((mixed(ids[varied]) * powers(BASE, window)).sum(axis=1, dtype=np.uint64))


def parts(path: Path, width: int, starts: np.ndarray, overlap: int = 0) -> Iterator[tuple[int, np.ndarray]]:
    """The whole file in pieces, or its stretches, each with its place."""
    if not len(starts):
        yield from pieces(path, width, overlap)
    for start in starts.tolist():  # read, since the pages of a memory map stay in memory
        yield start, np.fromfile(path, f"<u{width}", CHUNK, offset=start * width).astype(np.uint32)


def occurrences(
    wanted: np.ndarray, tokens: Tokens, window: int, told: Callable[[int], None], starts: np.ndarray = NOWHERE
) -> np.ndarray:
    """How often each of these windows, by their sorted hashes, is in a file, or in stretches of it."""
    counts = np.zeros(len(wanted), dtype=np.int64)
    if not len(wanted):
        return counts
    read = 0
    for _, ids in parts(tokens.path, tokens.width, starts, window - 1):
        there = hashes(ids, window)
        places = np.searchsorted(wanted, there)
        hits = places[(places < len(wanted)) & (wanted[np.minimum(places, len(wanted) - 1)] == there)]
        counts += np.bincount(hits, minlength=len(wanted))
        read += len(ids)
        told(read * tokens.width)
    return counts
