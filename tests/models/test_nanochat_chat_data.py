"""Rows of conversations: nothing is lost, nothing is cut, and the right tokens teach."""

from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nanochat.chat.chat_data import ChatLoader, supervised
from nanochat.tokenizer import SPECIAL_TOKENS, RustBPETokenizer

TOKENIZER = RustBPETokenizer.train_from_iterator(["abc"], 256 + len(SPECIAL_TOKENS))  # every byte is a token
BOS, ASSISTANT, END = (TOKENIZER.encode_special(f"<|{name}|>") for name in ("bos", "assistant_start", "assistant_end"))
FRAME = 5  # special tokens of a conversation of two turns


def said(question: str, answer: str) -> dict:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def talks(lengths: list[int]) -> list[dict]:
    """Conversations with answers of these lengths, each of a letter of its own."""
    return [said("", chr(97 + i % 26) * length) for i, length in enumerate(lengths)]


def rows_of(loader: ChatLoader) -> list[list[int]]:
    """All rows of T + 1 tokens: inputs, and the last target, which is BOS where it doesn't count."""
    batches = [(row, ends) for idx, targets in loader for row, ends in zip(idx.tolist(), targets.tolist(), strict=True)]
    return [[*row, ends[-1] if ends[-1] >= 0 else BOS] for row, ends in batches]


def conversations_in(row: list[int]) -> list[tuple[int, ...]]:
    """The conversations of a row, as token ids; padding is none."""
    starts = [i for i, id in enumerate(row) if id == BOS]
    pieces = [tuple(row[start:end]) for start, end in zip(starts, [*starts[1:], len(row)], strict=True)]
    return [piece for piece in pieces if len(piece) > 1]


def test_a_mask_belongs_to_the_token_that_is_foretold() -> None:
    (idx, targets), = ChatLoader(TOKENIZER, [said("hi", "ok")], 1, 12)
    ids, mask = TOKENIZER.render_conversation(said("hi", "ok"))
    assert idx[0, : len(ids)].tolist() == ids
    # <|assistant_start|> foretells "o", "o" foretells "k", "k" the end; nothing else is asked for.
    start = ids.index(ASSISTANT)
    assert targets[0].tolist() == [-1] * start + [ord("o"), ord("k"), END] + [-1] * (12 - start - 3)
    assert mask[start + 1 :] == [1, 1, 1]


def test_the_targets_are_those_of_a_shift_in_numpy() -> None:
    ids, mask = torch.randint(9, (4, 7)), torch.randint(2, (4, 7))
    expected = [[ids[b, t + 1].item() if mask[b, t + 1] else -1 for t in range(6)] for b in range(4)]
    assert supervised(ids, mask).tolist() == expected


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 20), min_size=1, max_size=40),
    B=st.integers(1, 4), spare=st.integers(0, 30), epochs=st.integers(1, 2), buffer=st.integers(1, 9),
)  # fmt: skip
def test_every_conversation_is_in_one_row_whole_and_once_an_epoch(
    lengths: list[int], B: int, spare: int, epochs: int, buffer: int
) -> None:
    T = max(lengths) + FRAME + spare  # a row takes T + 1, of which the last is no input
    loader = ChatLoader(TOKENIZER, talks(lengths), B, T, epochs=epochs, buffer_size=buffer)
    batches = loader.count_batches()
    again = ChatLoader(TOKENIZER, talks(lengths), B, T, epochs=epochs, buffer_size=buffer)
    given_out, rows = list(loader), rows_of(again)
    assert len(given_out) == batches
    found = [piece for row in rows for piece in conversations_in(row)]
    whole = [tuple(TOKENIZER.render_conversation(each)[0]) for each in talks(lengths)] * epochs
    assert sorted(found) == sorted(whole)
    taught = torch.cat([targets.flatten() for _, targets in given_out])
    assert (taught >= 0).sum() == epochs * sum(length + 1 for length in lengths)


def test_as_text_every_token_teaches_and_rows_begin_anywhere() -> None:
    lengths = [3, 11, 0, 7, 5]
    loader = ChatLoader(TOKENIZER, talks(lengths), 2, 8, masked=False, whole=False)
    batches = loader.count_batches()
    rows = list(loader)
    assert len(rows) == batches
    ribbon = [id for each in talks(lengths) for id in TOKENIZER.render_conversation(each)[0]]
    read = [id for idx, _ in rows for row in idx.tolist() for id in row]
    targets = torch.cat([targets.flatten() for _, targets in rows]).tolist()
    cut = [ribbon[start : start + 9] for start in range(0, len(ribbon), 9)]
    assert [id for id in targets if id >= 0] == [id for row in cut for id in row[1:]]
    assert read[:8] == ribbon[:8]


def test_the_longest_that_fits_comes_first_and_a_row_is_filled_up_with_bos() -> None:
    loader = ChatLoader(TOKENIZER, talks([2, 9, 4]), 1, 20)  # 7, 14 and 9 tokens into rows of 21
    first, second = rows_of(loader)
    assert [len(piece) for piece in conversations_in(first)] == [14, 7]  # exactly full, though its last is no input
    assert [len(piece) for piece in conversations_in(second)] == [9]
    assert second[9:] == [BOS] * 12


def test_processes_share_the_conversations_out() -> None:
    lengths = list(range(7))
    found = [
        piece
        for rank in range(3)
        for row in rows_of(ChatLoader(TOKENIZER, talks(lengths), 1, 30, rank=rank, world_size=3))
        for piece in conversations_in(row)
    ]
    assert sorted(found) == sorted(tuple(TOKENIZER.render_conversation(each)[0]) for each in talks(lengths))


def test_a_stream_goes_on_where_its_state_was_taken() -> None:
    def make() -> ChatLoader:
        return ChatLoader(TOKENIZER, talks([5, 1, 8, 3, 9, 2, 7] * 4), 2, 24, epochs=2, buffer_size=5)

    loader = make()
    for _ in islice(loader, 3):
        pass
    state, rest = loader.state_dict(), list(loader)
    again = make()
    again.load_state_dict(state)
    for (idx, targets), (other, others) in zip(rest, again, strict=True):
        assert torch.equal(idx, other) and torch.equal(targets, others)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([], 1, 8), {}, "0 conversations for 1 processes, 1 epochs: nothing is left for rank 0; give more"),
        ((talks([1]), 1, 8), {"rank": 1, "world_size": 2}, "nothing is left for rank 1"),
        ((talks([1]), 0, 8), {}, "B=0, T=8: a batch has at least one row of one token"),
        ((talks([1]), 1, 8), {"rank": 2, "world_size": 2}, "rank=2, world_size=2: ranks are 0 to world_size - 1"),
    ],
)
def test_what_makes_no_batches_says_so(arguments: tuple, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ChatLoader(TOKENIZER, *arguments, **options)


def test_a_conversation_that_no_row_can_hold_is_named() -> None:
    loader = ChatLoader(TOKENIZER, talks([1, 30, 2]), 1, 16)
    with pytest.raises(ValueError, match=r"conversation 1 has 35 tokens, and a row takes 17: leave it out, or train"):
        list(loader)
    assert list(ChatLoader(TOKENIZER, talks([1, 30, 2]), 1, 16, whole=False))  # as text it may be cut
