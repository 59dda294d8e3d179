"""The explained model beside transformers' GPT-2 of the same size: seconds to train on, and to draw, a token."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, NamedTuple

from .measure import Case, Options, seconds
from .programs import ROOT

BATCH, STEPS, TOKENS, ROUNDS = 8, 5, 64, 50
COMPILED = "128 channels; the same model, compiled by torch, its first step left out"
HALF = "Muon's polynomial on 4 matrices of 128 by 128, in bfloat16 beside float32"
BETAS, RATE, DECAY = (0.9, 0.95), 1e-3, 0.1


class Size(NamedTuple):
    layers: int
    heads: int
    channels: int
    context: int
    letters: int


SIZES = (Size(3, 3, 48, 64, 65), Size(4, 4, 128, 128, 65), Size(6, 6, 384, 256, 65))


def cases(options: Options) -> Iterator[Case]:
    for size in SIZES:
        told = "{} blocks, {} heads, {} channels, context of {}".format(*size)
        name, note = str(size.channels), lambda told=told: told
        yield Case(f"training-{name}", 1.0, partial(_train, _ours, size), partial(_train, _theirs, size), note=note)
        for way, remembers in (("cache", True), ("no-cache", False)):
            theirs = partial(_draw_theirs, size, remembers)
            yield Case(f"sampling-{way}-{name}", 1.0, partial(_draw_ours, size), theirs, note=note)
    compiled = partial(_train, _compiled, SIZES[1])
    yield Case("training-compiled", None, partial(_train, _ours, SIZES[1]), compiled, note=lambda: COMPILED)
    halves = (partial(_orthogonalize, name) for name in ("bfloat16", "float32"))
    yield Case("half-precision", 1.5, *halves, note=lambda: HALF)


@cache
def _ours(size: Size) -> tuple[Any, Any]:
    """Model and optimizer."""
    sys.path[:0] = [str(ROOT / "model_src")]
    import torch

    from nanogpt.model import GPT, GPTConfig

    torch.set_num_threads(1)
    config = GPTConfig(size.context, size.letters, size.layers, size.heads, size.channels, 0.0, True)
    with contextlib.redirect_stdout(io.StringIO()):  # it announces its size
        model = GPT(config)
        return model, model.configure_optimizers(DECAY, RATE, BETAS, "cpu")


@cache
def _compiled(size: Size) -> tuple[Any, Any]:
    """Another of ours, compiled: the compiler's time is that of the first step, which nobody counts."""
    import torch

    model, optimizer = _ours.__wrapped__(size)
    return torch.compile(model), optimizer


@cache
def _theirs(size: Size) -> tuple[Any, Any]:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, logging

    logging.set_verbosity_error()
    torch.set_num_threads(1)
    shape = {"n_layer": size.layers, "n_head": size.heads, "n_embd": size.channels, "n_positions": size.context}
    still = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0)
    tokens = {"vocab_size": size.letters, "bos_token_id": 0, "eos_token_id": None, "pad_token_id": 0}
    model = GPT2LMHeadModel(GPT2Config(**shape, **still, **tokens))
    return model, torch.optim.AdamW(model.parameters(), lr=RATE, betas=BETAS, weight_decay=DECAY)


def _train(made: Callable[[Size], tuple[Any, Any]], size: Size) -> float:
    """Seconds of some steps, after one to warm up."""
    import torch

    model, optimizer = made(size)
    idx = torch.randint(size.letters, (BATCH, size.context + 1), generator=torch.Generator().manual_seed(0))

    def step() -> None:
        if made is not _theirs:
            loss = model(idx[:, :-1], idx[:, 1:].contiguous())[1]
        else:
            loss = model(input_ids=idx[:, :-1], labels=idx[:, :-1]).loss  # it shifts them itself
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def steps() -> None:
        for _ in range(STEPS):
            step()

    model.train()
    step()
    return seconds(steps)


def _orthogonalize(dtype: str) -> float:
    """Seconds of many rounds, after one to warm up."""
    sys.path[:0] = [str(ROOT / "model_src")]
    import torch

    from nanochat.training.muon import polar_express

    torch.set_num_threads(1)
    given = torch.randn(4, 128, 128, generator=torch.Generator().manual_seed(0)).to(getattr(torch, dtype))
    polar_express(given)
    return seconds(lambda: [polar_express(given) for _ in range(ROUNDS)])


def _begin() -> Any:
    import torch

    return torch.zeros(1, 1, dtype=torch.long)


def _tokens(size: Size) -> int:
    """As many as fit into the context: past it, ours drops what is oldest, and theirs ends."""
    return min(TOKENS, size.context - 1)


def _draw_ours(size: Size) -> float:
    model, _ = _ours(size)
    model.eval()
    draw = partial(model.generate, _begin(), _tokens(size), top_k=10)
    draw()
    return seconds(draw)


def _draw_theirs(size: Size, remembers: bool) -> float:
    model, _ = _theirs(size)
    model.eval()
    count = _tokens(size)
    lengths = {"max_new_tokens": count, "min_new_tokens": count}
    draw = partial(model.generate, _begin(), do_sample=True, top_k=10, use_cache=remembers, **lengths)
    draw()
    return seconds(draw)
