"""Byte pairs in plain Python against rustbpe, tokenizers, tiktoken and nanochat's own figures."""

from collections import Counter
from itertools import pairwise

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from nanochat.data import bpe, compression, corpus, vocabulary

# The corpus of nanochat's figures; its line of numbers is not recorded, and the first merges don't depend on it.
GOLDEN = [
    "The quick brown fox jumps over the lazy dog.",
    "hello world, hello tokenizer, hello hello hello",
    "1234567890 café 日本語",
    "def f(x):\n    return x",
] * 8

# Characters that were given a meaning after this Python's Unicode may be letters to one library and not to another.
KNOWN = st.characters(exclude_categories=("Cs", "Cn"))
TEXT = st.text(KNOWN, max_size=60)
FEW = st.text("aab '\n1", max_size=30)


def test_golden_merges() -> None:
    merges = bpe.train(GOLDEN, 291)
    assert [merge.token for merge in merges[:5]] == [b"he", b"ll", b"hell", b"hello", b" hello"]
    assert [merge.count for merge in merges[:5]] == [56, 40, 40, 40, 32]
    assert [merge.id for merge in merges] == list(range(256, 291))


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_learns_what_rustbpe_learns(digits: int) -> None:
    _, sections = corpus.python_docs()
    pattern = bpe.split_pattern(digits)
    plain = bpe.train(sections[::4], 1500, pattern)
    assert [merge.token for merge in plain] == vocabulary.learn(sections[::4], 1500, pattern)[256:]
    assert len(plain) == 1500 - 256


@given(st.lists(st.one_of(TEXT, FEW), max_size=6), st.integers(256, 300))
def test_learns_what_rustbpe_learns_from_any_text(texts: list[str], size: int) -> None:
    merges = bpe.train(texts, size)
    assert [merge.token for merge in merges] == vocabulary.learn(texts, size, bpe.SPLIT_PATTERN)[256:]


def train_with_tokenizers(chunks: Counter[bytes], size: int) -> list[tuple[bytes, bytes]]:
    """Merges by Hugging Face's trainer. It breaks ties by id, so each byte is a letter that sorts like the byte."""
    letters = [chr(0x4E00 + byte) for byte in range(256)]
    words = [" ".join(["".join(letters[byte] for byte in chunk)] * times) for chunk, times in chunks.items()]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=letters, show_progress=False)
    tokenizer.train_from_iterator(words, trainer)
    ids = tokenizer.get_vocab()
    assert [ids[letter] for letter in letters] == list(range(256))
    merged = sorted((token for token in ids if len(token) > 1), key=ids.__getitem__)
    return [bytes(ord(letter) - 0x4E00 for letter in token) for token in merged]


def test_learns_what_tokenizers_learns() -> None:
    _, sections = corpus.python_docs()
    chunks = bpe.count_chunks(sections[::4])
    assert [merge.token for merge in bpe.train(sections[::4], 1000)] == train_with_tokenizers(chunks, 1000)


@given(st.lists(FEW, min_size=1, max_size=5))
def test_each_merge_is_the_most_frequent_pair(texts: list[str]) -> None:
    """Counted anew at each step, without anything remembered from the step before."""
    words = [(list(chunk), times) for chunk, times in bpe.count_chunks(texts).items()]
    for merge in bpe.train(texts, 270):
        counts: Counter[bpe.Pair] = Counter()
        for ids, times in words:
            for i in range(len(ids) - 1):
                counts[ids[i], ids[i + 1]] += times
        assert merge.count == max(counts.values()) == counts[merge.left, merge.right]
        assert (merge.left, merge.right) == min(pair for pair in counts if counts[pair] == merge.count)
        words = [(bpe.merge_pair(ids, (merge.left, merge.right), merge.id), times) for ids, times in words]


@given(TEXT)
def test_chunks_are_the_text_and_tiktoken_cuts_alike(text: str) -> None:
    chunks = bpe.split(text)
    assert "".join(chunks) == text
    assert [chunk for _, chunk in bpe.split_named(text)] == chunks
    # A vocabulary in which every whole chunk is a token, by way of its beginnings: tokens are chunks.
    ranks = {bytes([i]): i for i in range(256)}
    for data in (chunk.encode() for chunk in chunks):
        for stop in range(2, len(data) + 1):
            ranks.setdefault(data[:stop], len(ranks))
    enc = tiktoken.Encoding("chunks", pat_str=bpe.SPLIT_PATTERN, mergeable_ranks=ranks, special_tokens={})
    ours = [token for chunk in chunks for token in enc.encode_ordinary(chunk)]
    assert enc.encode_ordinary(text) == ours


def test_each_alternative_of_the_pattern() -> None:
    named = bpe.split_named("I'LL pay 1234.50 for  it!\n\n  ok\t\n x-y ")
    assert named == [
        ("word", "I"), ("contraction", "'LL"), ("word", " pay"), ("blank", " "), ("number", "12"), ("number", "34"),
        ("marks", "."), ("number", "50"), ("word", " for"), ("blanks", " "), ("word", " it"), ("marks", "!\n\n"),
        ("blanks", " "), ("word", " ok"), ("line_end", "\t\n"), ("word", " x"), ("word", "-y"), ("blanks", " "),
    ]  # fmt: skip
    assert [chunk for _, chunk in bpe.split_named("1234", digits=1)] == list("1234")
    assert [chunk for _, chunk in bpe.split_named("1234", digits=3)] == ["123", "4"]


@pytest.fixture(scope="module")
def merges() -> list[bpe.Merge]:
    return bpe.train(corpus.python_docs()[1][::8], 800)


@settings(max_examples=50)
@given(text=st.one_of(TEXT, st.text("the selfrn.\n", max_size=80)))
def test_encodes_as_tiktoken_does(merges: list[bpe.Merge], text: str) -> None:
    tokens = [bytes([i]) for i in range(256)] + [merge.token for merge in merges]
    enc = vocabulary.build(tokens, bpe.SPLIT_PATTERN, [])
    ids = bpe.encode(text, merges)
    assert ids == enc.encode_ordinary(text)
    assert bpe.decode(ids, merges) == text


def test_a_chunk_merges_step_by_step(merges: list[bpe.Merge]) -> None:
    ids = {(merge.left, merge.right): merge.id for merge in merges}
    steps = bpe.encode_steps(" statement", ids)
    assert steps[0] == list(b" statement")
    for before, after in pairwise(steps):
        assert len(after) < len(before)
        assert bpe.decode(after, merges) == " statement"
    assert not any(pair in ids for pair in pairwise(steps[-1]))


def test_overlapping_pairs_merge_from_the_left() -> None:
    assert bpe.merge_pair([1, 1, 1], (1, 1), 9) == [9, 1]
    assert [(m.token, m.count) for m in bpe.train(["aaa aaa"], 258)] == [(b"aa", 4), (b"aaa", 2)]


def test_training_ends_where_there_are_no_pairs() -> None:
    heard: list[bpe.Merge] = []
    assert bpe.train(["ab ab"], 1000, report=heard.append) == heard
    assert [merge.token for merge in heard] == [b"ab", b" ab"]
    assert bpe.train([], 1000) == []
    with pytest.raises(ValueError, match="vocab_size=255: the 256 bytes"):
        bpe.train(["ab"], 255)


def test_a_smaller_vocabulary_is_the_beginning_of_a_larger_one() -> None:
    _, sections = corpus.python_docs()
    larger = vocabulary.learn(sections, 1024, bpe.SPLIT_PATTERN)
    assert vocabulary.learn(sections, 400, bpe.SPLIT_PATTERN) == larger[:400]
    measured = compression.by_vocabulary(sections[1:], sections[:1], [256, 400, 1024, 10**6])
    assert measured[256] == 1
    assert list(measured) == [256, 400, 1024]
    assert measured[256] < measured[400] < measured[1024]
    tokens = vocabulary.learn(sections[1:], 400, bpe.SPLIT_PATTERN)
    ids = vocabulary.build(tokens, bpe.SPLIT_PATTERN, []).encode_ordinary(sections[0])
    assert measured[400] == len(sections[0].encode()) / len(ids)


def test_rustbpe_is_faster() -> None:
    times = compression.training_times(corpus.python_docs()[1][::4], 600, repeats=1)
    assert times["ratio"] == times["plain_s"] / times["rustbpe_s"] > 1
