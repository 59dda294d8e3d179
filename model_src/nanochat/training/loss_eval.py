"""Bits per byte: how well text is foreseen, whatever the tokenizer.

A loss in nats per token is smaller for small tokens. Divided by the bytes that the tokens stand for, models with
different vocabularies can be compared.
"""

import math
from collections.abc import Iterable
from itertools import islice

import torch

from nanochat.common import ALONE, World, gather
from nanochat.dataloader import DataLoader
from nanochat.tokenizer import RustBPETokenizer, token_bytes
from nanochat.training.settings import Settings, make_loader

Batches = Iterable[tuple[torch.Tensor, torch.Tensor]]


@torch.no_grad()
def evaluate_bpb(
    model: torch.nn.Module, batches: Batches, steps: int, token_bytes: torch.Tensor, world: World = ALONE
) -> float:
    """Bits that the model needs for a byte of text, over ``steps`` batches of each process.

    ``token_bytes`` (V,) has the length of each token in bytes. Special tokens have none: as targets they are not
    counted, nor are negative ones. Without any byte it is infinite.
    """
    nats, size = 0.0, 0
    for idx, targets in islice(batches, steps):
        idx, targets = idx.to(token_bytes.device), targets.to(token_bytes.device)
        losses = model(idx, targets, loss_reduction="none")             # (B * T,)
        lengths = byte_lengths(targets.flatten(), token_bytes)
        nats += losses[lengths > 0].sum().item()
        size += int(lengths.sum())
    nats, size = sum(gather(nats, world)), sum(gather(size, world))
    return bits_per_byte(nats, size)


def evaluate_split(
    split: str, model: torch.nn.Module, tokenizer: RustBPETokenizer, settings: Settings, world: World = ALONE
) -> float:
    """Bits per byte on a split from its beginning: on ``eval_tokens``, or once on all there is."""
    loader = make_loader(settings, world, tokenizer, split)
    tokens = min(settings.eval_tokens // world.size, tokens_of_epoch(loader, settings.eval_tokens))
    steps = max(1, tokens // (loader.B * loader.T))
    lengths = torch.tensor(token_bytes(tokenizer), device=world.device)
    return evaluate_bpb(model, loader, steps, lengths, world)


def tokens_of_epoch(loader: DataLoader, enough: int) -> int:
    """The tokens of all documents of this process; where they are more than ``enough``, it stops counting."""
    tokens = 0
    for number in range(len(loader.documents)):
        tokens += len(loader.documents[number])
        if tokens > enough:
            break
    return tokens


def byte_lengths(targets: torch.Tensor, token_bytes: torch.Tensor) -> torch.Tensor:
    """For each target (N,) its bytes, 0 where it is negative: "don't count this one"."""
    known = token_bytes[targets.clamp_min(0)]
    return torch.where(targets >= 0, known, torch.zeros_like(known))


def bits_per_byte(nats: float, size: float) -> float:
    """Nats for so many bytes -> bits for one."""
    if size == 0:
        return math.inf
    return nats / (math.log(2) * size)
