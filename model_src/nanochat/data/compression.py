"""How well a tokenizer compresses, and how fast one is learned: what the choice of a vocabulary rests on."""

import time
from collections.abc import Callable, Iterable, Sequence

from nanochat.data import bpe, vocabulary
from nanochat.tokenizer import SPECIAL_TOKENS, SPLIT_PATTERN, RustBPETokenizer, bytes_per_token


def by_vocabulary(
    training: Iterable[str], texts: Sequence[str], sizes: Sequence[int], pattern: str = SPLIT_PATTERN
) -> dict[int, float]:
    """Bytes per token on ``texts`` for vocabularies of these sizes, special tokens not counted; 256: bytes alone.

    One training serves all: each merge is the best one whatever comes later, so a smaller vocabulary is the
    beginning of a larger one. A size is left out where the corpus has no pairs left for it.
    """
    tokens = vocabulary.learn(training, max(sizes), pattern)
    measured = {}
    for size in sizes:
        if size <= len(tokens):
            enc = vocabulary.build(tokens[:size], pattern, SPECIAL_TOKENS)
            measured[size] = bytes_per_token(RustBPETokenizer(enc, "<|bos|>"), texts)
    return measured


def seconds(work: Callable[[], object], repeats: int = 1) -> float:
    """The shortest time that the work took."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def training_times(texts: Sequence[str], size: int, repeats: int = 3) -> dict[str, float]:
    """Seconds that rustbpe and plain Python take for the same vocabulary, and how many times faster rustbpe is."""
    fast = seconds(lambda: vocabulary.learn(texts, size, SPLIT_PATTERN), repeats)
    plain = seconds(lambda: bpe.train(texts, size), repeats)
    return {"rustbpe_s": fast, "plain_s": plain, "ratio": plain / fast}
