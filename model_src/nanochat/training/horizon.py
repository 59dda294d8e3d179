"""How long a training is, and how large its steps are: counted from the model and a ratio of tokens to parameters."""

import math
from dataclasses import dataclass

import torch

from nanochat.config import GPTConfig, sizes_of_depth
from nanochat.gpt import GPT
from nanochat.training.settings import Settings

REFERENCE_DEPTH = 12       # its rates and its batch were found by trying; others are derived from them
REFERENCE_BATCH = 2**19    # tokens
BATCH_EXPONENT = 0.383     # larger trainings take larger batches (Bergsma et al., 2025)


@dataclass(frozen=True)
class Plan:
    """What follows from the settings and the size of the model."""

    total_batch_size: int   # tokens of a step
    num_iterations: int
    lr_scale: float         # what all learning rates are multiplied with
    weight_decay: float

    @property
    def tokens(self) -> int:
        """Tokens of the whole training."""
        return self.total_batch_size * self.num_iterations


def make_plan(settings: Settings, model: GPT) -> Plan:
    """Batch size, steps, and what depends on them; ValueError where nothing says how long."""
    tokens = settings.target_param_data_ratio * counted_parameters(model, settings.newest)
    reference = tokens
    if settings.newest:
        reference = settings.target_param_data_ratio * reference_parameters(model.config)
    batch = settings.total_batch_size
    if batch < 0:
        batch = batch_size(tokens / reference)
    iterations = count_iterations(settings, tokens, batch, model.estimate_flops())
    if not settings.newest:
        return Plan(batch, iterations, 1.0, settings.weight_decay)
    lr_scale = math.sqrt(batch / REFERENCE_BATCH)
    return Plan(batch, iterations, lr_scale, settings.weight_decay * lr_scale * reference / tokens)


def count_iterations(settings: Settings, tokens: float, batch: int, flops_per_token: int) -> int:
    """The steps that are asked for: their number, else operations, else tokens."""
    if settings.num_iterations >= 0:
        return settings.num_iterations
    if settings.target_flops > 0:
        return max(1, round(settings.target_flops / (flops_per_token * batch)))
    if settings.target_param_data_ratio > 0:
        return max(1, int(tokens // batch))
    raise ValueError("nothing says how long to train: give num_iterations, target_flops or target_param_data_ratio")


def counted_parameters(model: GPT, newest: bool) -> int:
    """The parameters that tokens are counted for: first all of them, now those of matrices that multiply."""
    counts = model.num_scaling_params()
    return counts["transformer_matrices"] + counts["lm_head"] if newest else counts["total"]


def reference_parameters(config: GPTConfig) -> int:
    """The same of a model of the reference depth, with this vocabulary."""
    sizes = sizes_of_depth(REFERENCE_DEPTH)
    with torch.device("meta"):  # counted without being made
        model = GPT(GPTConfig.newest(vocab_size=config.vocab_size, sequence_len=config.sequence_len, **sizes))
    return counted_parameters(model, newest=True)


def batch_size(times_reference: float) -> int:
    """Tokens of a step, a power of two, for a training so many times as long as the reference's."""
    best = REFERENCE_BATCH * times_reference**BATCH_EXPONENT
    return 2 ** round(math.log2(best))


def accumulation_steps(plan: Plan, settings: Settings, world_size: int) -> int:
    """Micro-batches that each process adds up for a step; ValueError where they don't make it exactly."""
    together = settings.device_batch_size * settings.max_seq_len * world_size
    if plan.total_batch_size < together or plan.total_batch_size % together:
        raise ValueError(
            f"total_batch_size={plan.total_batch_size:,} tokens can't be made of rows: {settings.device_batch_size} "
            f"rows of {settings.max_seq_len} tokens on {world_size} processes are {together:,} at once; ask for a "
            "multiple of that, or for another device_batch_size"
        )
    return plan.total_batch_size // together
