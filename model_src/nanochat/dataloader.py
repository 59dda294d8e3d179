"""Batches for training: an endless stream of documents, packed into rows of T + 1 tokens, B at a time.

    for inputs, targets in data_loader(tokenizer, B=4, T=128, split="train"):
        ...     # two tensors of int64, (B, T), on the CPU; targets are the inputs one token later

Every document begins with BOS. There is no padding, and attention may cross from a document into the next.
Each process reads row groups of its own. ``packing`` has the three ways to make rows.

A state says exactly where a stream is: started again with it, the loader goes on as if it had never stopped.
It is one process's own, so a training keeps the states of all its processes.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch

from nanochat.data.manifest import read_manifest
from nanochat.data.packing import Flat, Piece, make_packing
from nanochat.dataset import get_data_dir, list_row_groups, read_row_group, split_files
from nanochat.tokenizer import RustBPETokenizer

Batch = tuple[torch.Tensor, torch.Tensor]


class Documents:
    """The documents of one process as token ids, by number: epoch after epoch, without end."""

    def __init__(
        self,
        tokenizer: RustBPETokenizer,
        split: str,
        rank: int = 0,
        world_size: int = 1,
        folder: str | Path | None = None,
        num_threads: int = 4,
    ) -> None:
        if not 0 <= rank < world_size:
            raise ValueError(f"rank={rank}, world_size={world_size}: ranks are 0 to world_size - 1")
        self.tokenizer, self.num_threads = tokenizer, num_threads
        self.paths = split_files(split, folder)
        everything = list_row_groups(self.paths)
        self.row_groups = [group for group in everything if group.group % world_size == rank]
        if not self.row_groups:
            raise ValueError(
                f"rank {rank} of {world_size} has no row group of {split!r}: no shard has more than "
                f"{max(group.group for group in everything) + 1}; make shards with smaller row groups "
                "('python -m nanochat.dataset --row-group'), or start fewer processes"
            )
        self.ends = list(accumulate(group.documents for group in self.row_groups))
        self.loaded: tuple[int, list[list[int]]] = (-1, [])  # place of a row group, and its documents

    def __len__(self) -> int:
        """Documents of an epoch."""
        return self.ends[-1]

    def __getitem__(self, number: int) -> list[int]:
        """The ids of a document, BOS first; number ``len(self)`` is the first one again."""
        place, document = self.find(number)
        if self.loaded[0] != place:
            self.loaded = (place, self.tokenize(place))
        return self.loaded[1][document]

    def find(self, number: int) -> tuple[int, int]:
        """The place of its row group, and its place in that."""
        within = number % len(self)
        place = bisect_right(self.ends, within)
        return place, within - self.ends[place] + self.row_groups[place].documents

    def tokenize(self, place: int) -> list[list[int]]:
        """All documents of a row group."""
        row_group = self.row_groups[place]
        texts = read_row_group(self.paths[row_group.file], row_group.group)
        return self.tokenizer.encode(texts, prepend=self.tokenizer.get_bos_token_id(), num_threads=self.num_threads)

    def where(self, number: int) -> dict[str, int]:
        """File, row group and epoch (the first is 1) of a document."""
        row_group = self.row_groups[self.find(number)[0]]
        return {"pq_idx": row_group.file, "rg_idx": row_group.group, "epoch": number // len(self) + 1}


class DataLoader:
    """An endless iterator over batches."""

    def __init__(
        self,
        tokenizer: RustBPETokenizer,
        B: int,
        T: int,
        split: str,
        packing: str = "best_fit",
        buffer_size: int = 1000,
        rank: int = 0,
        world_size: int = 1,
        folder: str | Path | None = None,
    ) -> None:
        if B < 1 or T < 1:
            raise ValueError(f"B={B}, T={T}: a batch has at least one row of one token")
        self.documents = Documents(tokenizer, split, rank, world_size, folder)
        self.packing = make_packing(packing, buffer_size)
        self.B, self.T = B, T
        self.kept: dict[int, list[int]] = {}  # ids of the documents that are waiting or in use
        corpus = read_manifest(get_data_dir(folder)).size["digest"]
        self.stream = {"corpus": corpus, "split": split, "packing": packing, "rank": rank, "world_size": world_size}

    def __iter__(self) -> "DataLoader":
        return self

    def __next__(self) -> Batch:
        """The next batch: inputs and targets, (B, T) each."""
        if isinstance(self.packing, Flat):
            # One ribbon for the whole batch: a row's last target is the next row's first input.
            ribbon = torch.tensor(self.tokens(self.packing.row(self.B * self.T + 1, self.length_of)))
            return ribbon[:-1].view(self.B, self.T), ribbon[1:].view(self.B, self.T)
        rows = [self.tokens(self.packing.row(self.T + 1, self.length_of)) for _ in range(self.B)]
        batch = torch.tensor(rows)
        return batch[:, :-1].contiguous(), batch[:, 1:].contiguous()

    def length_of(self, number: int) -> int:
        """The tokens of a document, which is kept until it is used up."""
        if number not in self.kept:
            self.kept[number] = self.documents[number]
        return len(self.kept[number])

    def tokens(self, pieces: list[Piece]) -> list[int]:
        """The ids of a row. What has been used up is forgotten."""
        ids = []
        for piece in pieces:
            ids += self.kept[piece.document][piece.start : piece.stop]
        for piece in pieces:
            if not self.packing.keeps_rest or piece.stop == len(self.kept[piece.document]):
                del self.kept[piece.document]
        return ids

    def state_dict(self) -> dict[str, Any]:
        """Where the stream is after the last batch, as plain data for a checkpoint."""
        return {**self.stream, **self.documents.where(self.packing.next), **self.packing.state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on after the batch that the state came with; ValueError where it is another stream's."""
        for name, own in self.stream.items():
            if state.get(name) != own:
                raise ValueError(
                    f"can't go on with these batches: the state's {name} is {state.get(name)!r}, this loader's is "
                    f"{own!r}; resume with the same data and as many processes"
                )
        self.packing.load(state)
        self.kept.clear()


def data_loader_with_state(
    *args: Any, resume_state_dict: dict[str, Any] | None = None, **kwargs: Any
) -> Iterator[tuple[torch.Tensor, torch.Tensor, dict[str, Any]]]:
    """Batches of a DataLoader, each with the state that goes on after it."""
    loader = DataLoader(*args, **kwargs)
    if resume_state_dict is not None:
        loader.load_state_dict(resume_state_dict)
    for inputs, targets in loader:
        yield inputs, targets, loader.state_dict()


def data_loader(*args: Any, **kwargs: Any) -> Iterator[Batch]:
    """Batches of a DataLoader, without states."""
    for inputs, targets, _ in data_loader_with_state(*args, **kwargs):
        yield inputs, targets
