"""Batches: rows by the book, nobody's twice, exactly the same after a stop, and how much is lost."""

import json
from itertools import islice
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nanochat.data import bpe, corpus, packing, vocabulary
from nanochat.data.packing import BestFit, Flat, Greedy, make_packing, measure_waste, unavoidable_waste
from nanochat.dataloader import DataLoader, Documents, data_loader, data_loader_with_state
from nanochat.dataset import documents, write_shards
from nanochat.tokenizer import SPECIAL_TOKENS, RustBPETokenizer

BOS = 256
PACKINGS = ["best_fit", "greedy", "flat"]
LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=25)


@pytest.fixture(scope="module")
def tok() -> RustBPETokenizer:
    """Bytes and the special tokens: what a row holds can be read."""
    return RustBPETokenizer(
        vocabulary.build([bytes([i]) for i in range(256)], bpe.SPLIT_PATTERN, SPECIAL_TOKENS), "<|bos|>"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 documents, each known by its beginning, in three training shards of five row groups of three."""
    folder = tmp_path_factory.mktemp("data")
    texts = [f"{i:02d}" + "." * (7 * i % 23) for i in range(60)]
    write_shards(texts, folder, "dots", shard_count=4, row_group_size=3)
    return folder


def take(loader, count: int) -> list[tuple[torch.Tensor, ...]]:
    return list(islice(loader, count))


def rows_of(batches) -> list[list[int]]:
    """Rows of T + 1 tokens."""
    return [[*x.tolist(), y[-1].item()] for inputs, targets in batches for x, y in zip(inputs, targets, strict=True)]


# ---- rows


@pytest.mark.parametrize("name", ["best_fit", "greedy"])
@given(B=st.integers(1, 4), T=st.integers(1, 60), buffer=st.integers(1, 40))
def test_rows_are_documents_from_their_beginning(tok, folder, name, B, T, buffer) -> None:
    known = set(documents("train", folder))
    batches = take(data_loader(tok, B, T, "train", packing=name, buffer_size=buffer, folder=folder), 6)
    for inputs, targets in batches:
        assert inputs.shape == targets.shape == (B, T)
        assert inputs.dtype == targets.dtype == torch.int64
        assert torch.equal(inputs[:, 1:], targets[:, :-1])
    for row in rows_of(batches):
        assert len(row) == T + 1
        assert row[0] == BOS
        assert max(row) == BOS  # nothing else is special: no padding
        *whole, last = tok.decode(row).split("<|bos|>")[1:]
        assert all(text in known for text in whole)
        assert any(text.startswith(last) for text in known)


@pytest.mark.parametrize("T", [5, 17, 40])
def test_best_fit_is_what_it_says(tok, folder, T: int) -> None:
    """Against the rule in its plainest form: sort the documents that wait."""
    stream = Documents(tok, "train", folder=folder)
    waiting = [(number, stream[number]) for number in range(20)]
    coming, expected = 20, []
    for _ in range(40):
        row: list[int] = []
        while len(row) < T + 1:
            room = T + 1 - len(row)
            by_length = sorted(waiting, key=lambda entry: (len(entry[1]), -entry[0]))
            fitting = [entry for entry in by_length if len(entry[1]) <= room]
            shortest = min(waiting, key=lambda entry: (len(entry[1]), entry[0]))
            chosen = fitting[-1] if fitting else shortest
            waiting.remove(chosen)
            row += chosen[1][:room]
            waiting.append((coming, stream[coming]))
            coming += 1
        expected.append(row)
    loader = data_loader(tok, 4, T, "train", buffer_size=20, folder=folder)
    assert rows_of(take(loader, 10)) == expected


@given(B=st.integers(1, 4), T=st.integers(1, 60))
def test_flat_rows_lose_nothing(tok, folder, B, T) -> None:
    batches = take(data_loader(tok, B, T, "train", packing="flat", folder=folder), 5)
    ribbon: list[int] = []
    for inputs, targets in batches:
        assert inputs.shape == targets.shape == (B, T)
        assert torch.equal(inputs.flatten()[1:], targets.flatten()[:-1])
        ribbon += [*inputs.flatten().tolist(), targets[-1, -1].item()]
    stream, number = Documents(tok, "train", folder=folder), 0
    whole: list[int] = []
    while len(whole) < len(ribbon):
        whole += stream[number]
        number += 1
    assert ribbon == whole[: len(ribbon)]


# ---- processes and epochs


@pytest.mark.parametrize("world_size", [1, 2, 3, 5])
@pytest.mark.parametrize("split", ["train", "val"])
def test_every_document_is_one_process_s(tok, folder, world_size: int, split: str) -> None:
    seen = []
    for rank in range(world_size):
        stream = Documents(tok, split, rank, world_size, folder)
        own = [tok.decode(stream[number][1:]) for number in range(len(stream))]
        assert [tok.decode(stream[number + len(stream)][1:]) for number in range(len(stream))] == own
        assert stream.where(0) == {"pq_idx": 0, "rg_idx": rank, "epoch": 1}
        assert stream.where(3 * len(stream))["epoch"] == 4
        seen += own
    assert sorted(seen) == sorted(documents(split, folder))


@given(world_size=st.integers(1, 5), T=st.integers(4, 40), name=st.sampled_from(["best_fit", "greedy"]))
def test_processes_never_share_a_document(tok, folder, world_size, T, name) -> None:
    shares = []
    for rank in range(world_size):
        loader = data_loader(
            tok, 3, T, "train", packing=name, buffer_size=5, rank=rank, world_size=world_size, folder=folder
        )
        texts = [text for row in rows_of(take(loader, 5)) for text in tok.decode(row).split("<|bos|>")[1:]]
        shares.append({text[:2] for text in texts if len(text) >= 2})
    assert sum(map(len, shares)) == len(set().union(*shares))


def test_more_processes_than_row_groups(tok, folder) -> None:
    with pytest.raises(ValueError, match=r"rank 5 of 6 has no row group of 'train': no shard has more than 5; make"):
        DataLoader(tok, 1, 8, "train", rank=5, world_size=6, folder=folder)
    with pytest.raises(ValueError, match="rank=2, world_size=2"):
        DataLoader(tok, 1, 8, "train", rank=2, world_size=2, folder=folder)


# ---- stop and go on


@given(
    name=st.sampled_from(PACKINGS), stop=st.integers(1, 30), B=st.integers(1, 3), T=st.integers(1, 50),
    buffer=st.integers(1, 70), rank=st.integers(0, 1),
)  # fmt: skip
def test_resumed_at_any_point_it_is_the_same(tok, folder, name, stop, B, T, buffer, rank) -> None:
    def loader(state=None):
        return data_loader_with_state(
            tok, B, T, "train", packing=name, buffer_size=buffer, rank=rank, world_size=2, folder=folder,
            resume_state_dict=state,
        )  # fmt: skip

    whole = take(loader(), stop + 4)
    state = json.loads(json.dumps(whole[stop - 1][2]))
    for (x, y, after), (x2, y2, after2) in zip(whole[stop:], loader(state), strict=False):
        assert torch.equal(x, x2)
        assert torch.equal(y, y2)
        assert after == after2


def test_a_state_of_another_stream_is_refused(tok, folder, tmp_path) -> None:
    def loader(**changes):
        return DataLoader(tok, 2, 8, **{"split": "train", "folder": folder} | changes)

    state = loader().state_dict()
    loader().load_state_dict(state)
    write_shards([f"{i}" for i in range(60)], tmp_path, "other", shard_count=4)
    for name, change in {
        "split": {"split": "val"},
        "packing": {"packing": "flat"},
        "rank": {"rank": 1, "world_size": 2},
        "world_size": {"world_size": 2},
        "corpus": {"folder": tmp_path},
    }.items():
        with pytest.raises(ValueError, match=f"the state's {name} is .*, this loader's is .*; resume with the same"):
            loader(**change).load_state_dict(state)


def test_what_is_used_up_is_forgotten(tok, folder) -> None:
    for name in PACKINGS:
        loader = DataLoader(tok, 2, 30, "train", packing=name, buffer_size=10, folder=folder)
        state, first = loader.state_dict(), take(loader, 100)
        assert len(loader.kept) <= 10
        loader.load_state_dict(state)  # back to the beginning
        again = take(loader, 100)
        assert rows_of(again) == rows_of(first)
        assert len(loader.kept) <= 10


# ---- waste


@given(LENGTHS, st.integers(1, 40), st.integers(1, 30))
def test_waste_is_never_below_what_no_packing_avoids(lengths, room, buffer) -> None:
    floor = unavoidable_waste(lengths, room)
    assert floor == pytest.approx(sum(length - min(length, room) for length in lengths) / sum(lengths))
    for plan in (BestFit(buffer), Greedy()):
        assert floor - 1e-9 <= measure_waste(lengths, room, plan) < 1
    assert measure_waste(lengths, room, Flat()) == 0


@given(LENGTHS, st.integers(1, 40), st.sampled_from(PACKINGS))
def test_rows_are_full_and_documents_come_once(lengths, room, name) -> None:
    plan = make_packing(name, buffer_size=6)
    used = [0] * len(lengths)
    plan.end = len(lengths)
    while not plan.is_exhausted():
        row = plan.row(room, lengths.__getitem__)
        filled = sum(piece.stop - piece.start for piece in row)
        assert filled == room or (plan.is_exhausted() and 0 < filled < room)
        for piece in row:
            assert piece.start == (used[piece.document] if name == "flat" else 0)
            used[piece.document] = piece.stop
    assert all(0 < stop <= length for stop, length in zip(used, lengths, strict=True))
    assert name != "flat" or used == lengths


def test_best_fit_wastes_less_than_greedy(tok) -> None:
    _, sections = corpus.python_docs()
    lengths = [len(tok.encode(section)) + 1 for section in sections]
    for room in (513, 2049):
        greedy = measure_waste(lengths, room, Greedy())
        best_fit = measure_waste(lengths, room, BestFit(100))
        assert unavoidable_waste(lengths, room) < best_fit < greedy


def test_waste_by_hand() -> None:
    # Room 4. In order 2 and 2 of the 3, then 2 and 1; the best fit is 3 and 1, then 2 and 2.
    assert measure_waste([2, 3, 2, 1], 4, Greedy(), epochs=1) == 1 / 8
    assert measure_waste([2, 3, 2, 1], 4, BestFit(4), epochs=1) == 0
    # Where only two wait, 3 goes first, and the 1 has not come yet: a 2 is cut.
    assert measure_waste([2, 3, 2, 1], 4, BestFit(2), epochs=1) == 1 / 8
    assert unavoidable_waste([3, 5], 4) == 1 / 8


def test_wrong_arguments(tok, folder) -> None:
    with pytest.raises(ValueError, match="packing='best': there are best_fit, greedy and flat"):
        make_packing("best")
    with pytest.raises(ValueError, match="buffer_size=0: at least one"):
        make_packing("best_fit", 0)
    with pytest.raises(ValueError, match="B=0, T=8"):
        DataLoader(tok, 0, 8, "train", folder=folder)
    for lengths in ([], [3, 0]):
        with pytest.raises(ValueError, match="documents are needed"):
            packing.measure_waste(lengths, 4, Greedy())
