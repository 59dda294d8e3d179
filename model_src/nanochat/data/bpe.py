"""Byte-pair encoding in plain Python: how a vocabulary is learned, and how a text is encoded with it.

Text is split into chunks, chunks are bytes, and bytes are the first 256 tokens. Then, again and again, the
pair of neighbouring tokens that is most frequent in the corpus becomes a token of its own::

    merges = train(["hello hello help"], vocab_size=260)
    [(merge.token, merge.count) for merge in merges]
    # [(b'el', 3), (b'hel', 3), (b' hel', 2), (b'lo', 2)]

Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units" (2016); on bytes:
Radford et al., "Language Models are Unsupervised Multitask Learners" (2019). ``tokenizer`` uses rustbpe
instead, which learns the same merges, one for one, much faster.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import regex

BYTES = 256  # tokens 0 to 255 are the bytes themselves
Pair = tuple[int, int]


def split_pattern(digits: int = 2) -> str:
    """How text is split: GPT-4's pattern, with at most ``digits`` digits in a chunk where GPT-4 has three.

    The first alternative that fits is taken. No token ever crosses from one chunk into the next.
    """
    return "|".join(alternatives(digits).values())


def alternatives(digits: int = 2) -> dict[str, str]:
    """The pattern's alternatives by name, in order. ``++`` and ``?+`` never give back what they took."""
    return {
        "contraction": r"'(?i:[sdmt]|ll|ve|re)",
        "word": r"[^\r\n\p{L}\p{N}]?+\p{L}+",  # with the blank before it, or another mark
        "number": rf"\p{{N}}{{1,{digits}}}",
        "marks": r" ?[^\s\p{L}\p{N}]++[\r\n]*",  # punctuation, with the line ends after it
        "line_end": r"\s*[\r\n]",
        "blanks": r"\s+(?!\S)",  # all but the last one, which goes with the word
        "blank": r"\s+",
    }


SPLIT_PATTERN = split_pattern()


@dataclass(frozen=True)
class Merge:
    """One step of the training: tokens ``left`` and ``right``, found ``count`` times, become token ``id``."""

    left: int
    right: int
    id: int
    count: int
    token: bytes


def split(text: str, pattern: str = SPLIT_PATTERN) -> list[str]:
    """The chunks of a text; joined, they are the text."""
    return [match[0] for match in regex.finditer(pattern, text)]


def split_named(text: str, digits: int = 2) -> list[tuple[str, str]]:
    """The chunks of a text, each with the name of the alternative that fitted: ``("word", " hello")``."""
    named = "|".join(f"(?P<{name}>{pattern})" for name, pattern in alternatives(digits).items())
    return [(str(match.lastgroup), match[0]) for match in regex.finditer(named, text)]


def count_chunks(documents: Iterable[str], pattern: str = SPLIT_PATTERN) -> Counter[bytes]:
    """How often each chunk occurs, as UTF-8. A corpus has few distinct ones: only these are trained on."""
    counts: Counter[str] = Counter()
    for document in documents:
        counts.update(split(document, pattern))
    return Counter({chunk.encode(): count for chunk, count in counts.items()})


def merge_pair(ids: list[int], pair: Pair, new: int) -> list[int]:
    """The tokens with ``new`` in place of each ``pair``, from left to right: 1 1 1 is 9 1 after 1 1 -> 9."""
    merged, i = [], 0
    while i < len(ids):
        if tuple(ids[i : i + 2]) == pair:
            merged.append(new)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


class Pairs:
    """The pairs of neighbours in all chunks: how often each occurs, and in which chunks."""

    def __init__(self, chunks: Counter[bytes]) -> None:
        self.words = [list(chunk) for chunk in chunks]
        self.repeats = list(chunks.values())
        self.counts: Counter[Pair] = Counter()
        self.places: dict[Pair, set[int]] = defaultdict(set)
        for word in range(len(self.words)):
            self.add(word, +1)

    def add(self, word: int, sign: int) -> None:
        """Count the pairs of a word, as often as the corpus repeats it; with ``sign`` -1, take them off again."""
        ids = self.words[word]
        for pair in pairwise(ids):
            self.counts[pair] += sign * self.repeats[word]
            if not self.counts[pair]:
                del self.counts[pair]
            if sign > 0:
                self.places[pair].add(word)

    def most_frequent(self) -> tuple[Pair, int]:
        """The pair with the highest count, and the count; among equals the one with the smallest ids."""
        count = max(self.counts.values())
        pair = min(pair for pair, times in self.counts.items() if times == count)
        return pair, count

    def merge(self, pair: Pair, new: int) -> None:
        """Make the pair one token, wherever it occurs. Only these words are counted anew."""
        for word in self.places.pop(pair):
            self.add(word, -1)
            self.words[word] = merge_pair(self.words[word], pair, new)
            self.add(word, +1)


def train(
    documents: Iterable[str],
    vocab_size: int,
    pattern: str = SPLIT_PATTERN,
    report: Callable[[Merge], object] = lambda merge: None,
) -> list[Merge]:
    """Learn merges until there are ``vocab_size`` tokens, or no pairs any more; ``report`` hears of each."""
    if vocab_size < BYTES:
        raise ValueError(f"vocab_size={vocab_size}: the {BYTES} bytes are tokens already; ask for {BYTES} or more")
    pairs = Pairs(count_chunks(documents, pattern))
    tokens = [bytes([i]) for i in range(BYTES)]
    merges: list[Merge] = []
    while len(tokens) < vocab_size and pairs.counts:
        (left, right), count = pairs.most_frequent()
        merge = Merge(left, right, len(tokens), count, tokens[left] + tokens[right])
        pairs.merge((left, right), merge.id)
        tokens.append(merge.token)
        merges.append(merge)
        report(merge)
    return merges


def encode(text: str, merges: list[Merge], pattern: str = SPLIT_PATTERN) -> list[int]:
    """The tokens of a text: each chunk's bytes, merged in the order in which the merges were learned."""
    ids = {(merge.left, merge.right): merge.id for merge in merges}
    return [token for chunk in split(text, pattern) for token in encode_steps(chunk, ids)[-1]]


def encode_steps(chunk: str, ids: dict[Pair, int]) -> list[list[int]]:
    """A chunk's tokens, at first its bytes, then after each merge; ``ids`` has the new token of each pair."""
    steps = [list(chunk.encode())]
    while True:
        current = steps[-1]
        known = [pair for pair in pairwise(current) if pair in ids]
        if not known:
            return steps
        earliest = min(known, key=ids.__getitem__)
        steps.append(merge_pair(current, earliest, ids[earliest]))


def decode(ids: Iterable[int], merges: list[Merge]) -> str:
    """The text of tokens; bytes that are no UTF-8 become U+FFFD."""
    tokens = [bytes([i]) for i in range(BYTES)] + [merge.token for merge in merges]
    return b"".join(tokens[i] for i in ids).decode("utf-8", errors="replace")
