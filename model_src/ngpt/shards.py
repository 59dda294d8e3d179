"""Train an nGPT, or the GPT beside it, with nanochat's loop and on nanochat's shards.

    python -m ngpt.shards --depth 4 --n-embd 128 --head-dim 32 --max-seq-len 128 --device-batch-size 8 \\
        --total-batch-size 1024 --num-iterations 700 --warmdown-ratio 0.4 --out ngpt_checkpoints
    python -m ngpt.shards --model gpt ...

Shards, tokenizer, options, logs, checkpoints and ``--resume`` are those of ``nanochat base_train``. Two options have
another meaning: there is one optimizer, Adam, whose highest learning rate is ``--matrix-lr``, and ``--weight-decay``
is that of all weights, none unless it is asked for.
"""

import argparse
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn as nn
from torch.nn import functional as F

from nanochat.cli import base_train
from nanochat.cli.entry import recorded
from nanochat.common import ALONE, World, compute_cleanup, compute_dtype
from nanochat.files import get_base_dir
from nanochat.tokenizer import get_tokenizer
from nanochat.training.horizon import accumulation_steps, make_plan
from nanochat.training.settings import Settings, make_loader
from nanochat.training.step import Training
from ngpt.baseline import GPT
from ngpt.decoder import Decoder, LayerCache
from ngpt.model import nGPT

BETAS = (0.9, 0.95)
LEARNING_RATE = 15e-4  # of NVIDIA's repository, for 1,024 numbers a token


class Shared(Decoder):
    """What nanochat's loop asks a model for, by nanochat's names."""

    config: Any
    layers: Any
    token_embed: Any
    to_logits: Any
    dtype = torch.float32  # what it computes in where autocast allows that

    @property
    def transformer(self) -> SimpleNamespace:
        return SimpleNamespace(wte=self.token_embed, h=self.layers)

    @property
    def lm_head(self) -> nn.Module:
        return self.token_embed if self.to_logits is None else self.to_logits

    def get_device(self) -> torch.device:
        """Where the weights are, and so where tokens must be."""
        return self.token_embed.weight.device

    def forward(self, idx, targets=None, kv_cache=None, loss_reduction="mean"):
        """Logits (B, T, V) in float32 of token ids (B, T), or with ``targets`` the loss in nats; -1 is not counted."""
        with torch.autocast(idx.device.type, self.dtype, enabled=self.dtype != torch.float32):
            logits = self.logits(idx, kv_cache).float()
        if targets is None:
            return logits
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1, reduction=loss_reduction)

    def num_scaling_params(self) -> dict[str, int]:
        """How many numbers training can change, by kind."""
        matrices = {name: p.numel() for name, p in self.named_parameters() if p.dim() == 2}
        counts = {"wte": 0, "lm_head": 0, "transformer_matrices": 0}
        of = {"token_embed": "wte", "to_logits": "lm_head", "layers": "transformer_matrices"}
        for name, count in matrices.items():
            counts[of[name.partition(".")[0]]] += count
        total = self.num_params()
        return {**counts, "value_embeds": 0, "scalars": total - sum(counts.values()), "total": total}

    def estimate_flops(self) -> int:
        """Operations of training on one token (PaLM paper, appendix B); norms and scales are not counted."""
        c = self.config
        multiplied = self.num_scaling_params()["transformer_matrices"] + c.num_tokens * c.dim
        return 6 * multiplied + 12 * c.depth * c.dim_head * c.heads * (c.block_size or 0)

    @torch.inference_mode()
    def generate(self, tokens, max_tokens, temperature=1.0, top_k=None, seed=42) -> Iterator[int]:
        """Yield tokens that follow the list ``tokens``, as nanochat's ``GPT.generate`` does, with a cache."""
        chance = torch.Generator(device=self.get_device()).manual_seed(seed)
        cache, idx = [LayerCache() for _ in self.layers], torch.tensor([tokens], device=self.get_device())
        for _ in range(max_tokens):
            logits = self(idx, kv_cache=cache)[:, -1]
            if top_k:
                best, _ = torch.topk(logits, min(top_k, logits.size(-1)))
                logits = logits.masked_fill(logits < best[:, [-1]], float("-inf"))
            if temperature > 0:
                idx = torch.multinomial(F.softmax(logits / temperature, -1), 1, generator=chance)
            else:
                idx = logits.argmax(-1, keepdim=True)
            yield idx.item()


class ShardedNGPT(Shared, nGPT):
    """nGPT with nanochat's interface."""


class ShardedGPT(Shared, GPT):
    """The GPT beside it, with nanochat's interface."""


MODELS: dict[str, type[Shared]] = {"ngpt": ShardedNGPT, "gpt": ShardedGPT}


def begin(settings: Settings, world: World = ALONE, kind: str = "ngpt") -> Training:
    """Tokenizer, model with fresh weights, Adam and batches, for nanochat's loop.

    ValueError for what only nanochat's own model has.
    """
    if settings.newest:
        raise ValueError("--newest is nanochat's model of July 2026; leave it out")
    tokenizer = get_tokenizer(settings.tokenizer or None)
    sizes = settings.model_config(tokenizer.get_vocab_size())
    if sizes.n_kv_head != sizes.n_head:
        raise ValueError(f"n_kv_head={sizes.n_kv_head}: nGPT has keys for each of its n_head={sizes.n_head} heads")
    torch.manual_seed(settings.seed)  # the same weights in every process
    with torch.device(world.device):
        model: Any = MODELS[kind](
            num_tokens=sizes.vocab_size, dim=sizes.n_embd, depth=sizes.n_layer, heads=sizes.n_head,
            dim_head=sizes.n_embd // sizes.n_head, block_size=settings.max_seq_len,
        )  # fmt: skip
    model.dtype = compute_dtype(settings.dtype, world.device)
    plan = make_plan(settings, model)
    optimizer = model.configure_optimizers(
        settings.weight_decay, settings.matrix_lr, BETAS, torch.device(world.device).type
    )
    for group in optimizer.param_groups:
        group["initial_lr"], group["kind"] = settings.matrix_lr, "adamw"
    return Training(
        settings, world, tokenizer, plan, accumulation_steps(plan, settings, world.size), model,
        torch.compile(model, dynamic=False) if settings.compile else model, optimizer,
        settings.schedule(plan.num_iterations), make_loader(settings, world, tokenizer, "train"),
    )  # fmt: skip


def parse(argv: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m ngpt.shards", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    base_train.add_arguments(parser)
    parser.set_defaults(matrix_lr=LEARNING_RATE)
    parser.add_argument("--model", choices=MODELS, default="ngpt", help="(default: ngpt)")
    return vars(parser.parse_args(argv))


def main(argv: list[str]) -> None:
    given = parse(argv)
    if given["out"] is None:
        given["out"] = get_base_dir() / "ngpt_checkpoints" / f"{given['model']}-d{given.get('depth', Settings.depth)}"
    try:
        recorded(base_train.command)(given, lambda settings, world: begin(settings, world, given["model"]))
    except (ValueError, AssertionError, OSError) as error:
        raise SystemExit(f"shards: {error}") from error
    finally:
        compute_cleanup()


if __name__ == "__main__":
    main(sys.argv[1:])
