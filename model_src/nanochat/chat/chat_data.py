"""Batches for a model that learns to converse: conversations packed into rows, and which of their tokens teach.

    for inputs, targets in ChatLoader(tokenizer, task, B=4, T=128):
        ...     # two tensors of int64, (B, T); a target of -1 is not counted

Midtraining reads conversations as if they were text: one endless ribbon (``whole=False``), and every token teaches
(``masked=False``). Supervised fine-tuning keeps each conversation in one row, and lets the assistant's tokens teach.
"""

import copy

import torch

from nanochat.data.packing import BestFit, Flat, Piece, best_fit

BUFFER = 100  # conversations that wait for a row in which they fit


class WholeFit(BestFit):
    """The longest waiting conversation that fits. Where none does, the row is done: nothing is ever cut."""

    def row(self, room, length_of):
        """Pieces of at most ``room`` tokens in all, each a whole conversation."""
        pieces = []
        while not self.is_exhausted():
            self.refill()
            lengths = [length_of(number) for number in self.waiting]
            place = best_fit(lengths, room)
            if lengths[place] > room:
                break
            pieces.append(Piece(self.waiting.pop(place), 0, lengths[place]))
            room -= lengths[place]
        return pieces


def supervised(ids, mask):
    """What each token is to foretell: ids and masks (B, T + 1) -> targets (B, T), the next token or -1.

    The mask of a token says whether *it* teaches, so it belongs to the place before, where it is the target.
    """
    targets = ids[:, 1:].clone()
    targets[mask[:, 1:] == 0] = -1
    return targets


class ChatLoader:
    """An iterator over batches, for as many epochs as asked for; a process takes every ``world_size``-th conversation.

    ``conversations`` has a length and gives a conversation for a number, as a ``tasks.Task`` does.
    """

    def __init__(
        self, tokenizer, conversations, B, T,
        masked=True, whole=True, epochs=1, rank=0, world_size=1, buffer_size=BUFFER,
    ):  # fmt: skip
        if B < 1 or T < 1:
            raise ValueError(f"B={B}, T={T}: a batch has at least one row of one token")
        if not 0 <= rank < world_size:
            raise ValueError(f"rank={rank}, world_size={world_size}: ranks are 0 to world_size - 1")
        self.mine = len(range(rank, len(conversations), world_size))
        if self.mine == 0 or epochs < 1:
            raise ValueError(
                f"{len(conversations)} conversations for {world_size} processes, {epochs} epochs: nothing is left for "
                f"rank {rank}; give more conversations"
            )
        self.tokenizer, self.conversations = tokenizer, conversations
        self.B, self.T, self.masked = B, T, masked
        self.rank, self.world_size = rank, world_size
        self.packing = WholeFit(buffer_size) if whole else Flat()
        self.packing.end = epochs * self.mine
        self.kept = {}  # number of a conversation that waits or is in use -> its ids and their masks

    def __iter__(self):
        return self

    def __next__(self):
        """The next batch: inputs and targets, (B, T) each; StopIteration when all conversations are used up."""
        if self.packing.is_exhausted():
            raise StopIteration
        rows = [self.tokens(self.packing.row(self.T + 1, self.length_of)) for _ in range(self.B)]
        ids = torch.tensor([row for row, _ in rows])         # (B, T + 1)
        mask = torch.tensor([taught for _, taught in rows])  # (B, T + 1)
        return ids[:, :-1].contiguous(), supervised(ids, mask)

    def length_of(self, number):
        """The tokens of a conversation, which is kept until it is used up."""
        if number not in self.kept:
            self.kept[number] = self.render(number)
        return len(self.kept[number][0])

    def index(self, number):
        """Which conversation is this process's number so and so; after the last one the first comes again."""
        return self.rank + number % self.mine * self.world_size

    def render(self, number):
        """Ids and masks of a conversation; where everything teaches, all masks are 1.

        ValueError where it is to be in one row, and no row can hold it.
        """
        conversation = self.conversations[self.index(number)]
        ids, mask = self.tokenizer.render_conversation(conversation, max_tokens=10**9)
        if len(ids) > self.T + 1 and isinstance(self.packing, WholeFit):
            raise ValueError(
                f"conversation {self.index(number)} has {len(ids)} tokens, and a row takes {self.T + 1}: leave it out, "
                "or train with longer rows (max_seq_len)"
            )
        return ids, mask if self.masked else [1] * len(ids)

    def tokens(self, pieces):
        """Ids and masks of a row; what is left of it is filled up with BOS, which doesn't teach."""
        ids, mask = [], []
        for piece in pieces:
            its_ids, its_mask = self.kept[piece.document]
            ids += its_ids[piece.start : piece.stop]
            mask += its_mask[piece.start : piece.stop]
        for piece in pieces:
            if not self.packing.keeps_rest or piece.stop == len(self.kept[piece.document][0]):
                del self.kept[piece.document]
        left = self.T + 1 - len(ids)
        return ids + [self.tokenizer.get_bos_token_id()] * left, mask + [0] * left

    def count_batches(self):
        """How many batches are still to come, found out by packing once with the lengths alone."""
        packing, lengths = copy.deepcopy(self.packing), {}

        def length_of(number):
            index = self.index(number)
            if index not in lengths:
                lengths[index] = len(self.render(number)[0])
            return lengths[index]

        rows = 0
        while not packing.is_exhausted():
            packing.row(self.T + 1, length_of)
            rows += 1
        return -(-rows // self.B)  # rounded up

    def state_dict(self):
        """Where the stream is after the last batch, as plain data for a checkpoint."""
        return self.packing.state()

    def load_state_dict(self, state):
        """Go on after the batch that the state came with."""
        self.packing.load(state)
        self.kept.clear()
