"""What training a model means: its parameters as laws count them, tokens, operations, steps, its checkpoint."""

import argparse
from dataclasses import dataclass
from typing import Any

import torch

from fieldguide.memory.peak import find_blocks
from fieldguide.memory.trial import Setup, make_optimizer, quiet
from fieldguide.models import Subject
from fieldguide.scale.laws import LAWS, Law, Size, Tokens


@dataclass(frozen=True)
class Plan:
    """A training of a model on so many tokens."""

    parameters: int
    size: Size
    tokens: Tokens
    flops_per_token: float
    tokens_per_step: int
    checkpoint: int  # bytes of weights and optimizer

    @property
    def flops(self) -> float:
        return self.flops_per_token * self.tokens.value

    @property
    def steps(self) -> int:
        return max(1, int(self.tokens.value // self.tokens_per_step))


def law_of(subject: Subject, options: argparse.Namespace) -> Law:
    """The law that is asked for, else the one that goes with the model."""
    if options.law:
        return LAWS[options.law]
    return LAWS[{"nanochat": "twenty", "nanochat-newest": "nanochat"}.get(subject.name, "chinchilla")]


def built(subject: Subject, dtype: torch.dtype = torch.float32) -> Any:
    """The model without its numbers."""
    with quiet(), torch.device("meta"):
        return subject.built(dtype)


def size_of(subject: Subject, model: Any) -> Size:
    """Its parameters, counted in three ways."""
    if hasattr(model, "num_scaling_params"):
        counts = model.num_scaling_params()
        blocks = counts["transformer_matrices"]
        return Size(counts["total"], blocks + counts["lm_head"], blocks)
    total = sum(p.numel() for p in model.parameters())
    blocks = sum(p.numel() for block in find_blocks(model) for module in block for p in module.parameters())
    width = subject.sizes.get("n_embd", subject.sizes.get("dim", 0))
    return Size(total, blocks + subject.vocab * width if blocks else total, blocks or total)


def flops_per_token(subject: Subject, model: Any, size: Size) -> float:
    """6 for each weight that multiplies, 12 L C T for attention (PaLM, arXiv 2204.02311, appendix B)."""
    if hasattr(model, "estimate_flops"):
        return float(model.estimate_flops())
    layers = subject.sizes.get("n_layer", subject.sizes.get("depth", 0))
    width = subject.sizes.get("n_embd", subject.sizes.get("dim", 0))
    return 6 * size.matrices_and_head + 12 * layers * width * subject.block


def checkpoint_bytes(subject: Subject, model: Any) -> int:
    """Weights and the optimizer's memories: Muon keeps one for each weight, AdamW two."""
    with quiet():
        groups = make_optimizer(subject, model, Setup()).param_groups
    return sum(p.nbytes * (2 if group.get("kind") == "muon" else 3) for group in groups for p in group["params"])


def step_tokens(subject: Subject, size: Size, options: argparse.Namespace) -> int:
    """Tokens of a step: as asked, as nanochat derives them, or as the options of the training make them."""
    if options.tokens_per_step:
        return int(options.tokens_per_step)
    if subject.name == "nanochat-newest":
        from nanochat.config import GPTConfig
        from nanochat.training.horizon import batch_size, reference_parameters

        config = GPTConfig.newest(vocab_size=subject.vocab, sequence_len=subject.block)
        return batch_size(size.matrices_and_head / reference_parameters(config))
    return 2**19 if subject.name == "nanochat" else subject.batch * subject.accumulation * subject.block


def plan_of(subject: Subject, options: argparse.Namespace, law: Law) -> Plan:
    """What training this model means."""
    model = built(subject)
    size = size_of(subject, model)
    tokens = law.of(size)
    if options.ratio:
        tokens = Tokens(*[options.ratio * getattr(size, law.counts)] * 3)
    if options.tokens:
        tokens = Tokens(*[options.tokens] * 3)
    return Plan(
        size.total, size, tokens, flops_per_token(subject, model, size),
        step_tokens(subject, size, options), checkpoint_bytes(subject, model),
    )
