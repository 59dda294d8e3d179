"""Teaching a trained model to converse: midtraining and supervised fine-tuning, which differ in a few settings alone.

A stage takes a model and conversations and makes a ``Training`` of them; ``training.take_step`` steps it, as it
steps the training of a base model.
"""

import itertools
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

import torch

from nanochat.chat.chat_data import ChatLoader
from nanochat.common import ALONE, World, compute_dtype, gather
from nanochat.dataloader import DataLoader
from nanochat.gpt import GPT
from nanochat.tokenizer import RustBPETokenizer, token_bytes
from nanochat.training.horizon import Plan, accumulation_steps
from nanochat.training.logs import Listener, silent
from nanochat.training.loss_eval import evaluate_bpb
from nanochat.training.settings import Settings
from nanochat.training.step import Training, take_step

RATES = ("embedding_lr", "unembedding_lr", "matrix_lr", "scalar_lr")


class Conversations(Protocol):
    """What there is to learn from: conversations by number, as ``conversation`` describes them."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Stage:
    """What makes a stage what it is."""

    name: str              # of its command and its checkpoints
    masked: bool           # whether the assistant's tokens alone teach
    whole: bool            # whether a conversation is kept in one row
    init_lr_frac: float    # the first learning rates, as a part of those of base training
    warmdown_ratio: float  # share of the steps in which they fall, to nothing

    def settings(self, base: Settings, **changes: Any) -> Settings:
        """Those of the base training, as far as they aren't the stage's own or changed."""
        rates = {name: getattr(base, name) * self.init_lr_frac for name in RATES}
        own = {"num_iterations": -1, "warmup_steps": 0, "warmdown_ratio": self.warmdown_ratio, "final_lr_frac": 0.0}
        return replace(base, **{**rates, **own, **changes})


# Both as in nanochat: midtraining from October 2025 to January 2026, fine-tuning as it is since.
MIDTRAINING = Stage("mid_train", masked=False, whole=False, init_lr_frac=1.0, warmdown_ratio=0.2)
FINE_TUNING = Stage("chat_sft", masked=True, whole=True, init_lr_frac=0.8, warmdown_ratio=0.5)


def begin_stage(
    stage: Stage,
    settings: Settings,
    model: GPT,
    tokenizer: RustBPETokenizer,
    conversations: Conversations,
    world: World = ALONE,
) -> Training:
    """A training of this model, which it changes: once through the conversations, or ``num_iterations`` steps."""
    loader = ChatLoader(
        tokenizer, conversations, settings.device_batch_size, settings.max_seq_len, stage.masked, stage.whole,
        rank=world.rank, world_size=world.size,
    )  # fmt: skip
    plan = Plan(settings.total_batch_size, settings.num_iterations, 1.0, settings.weight_decay)
    accumulation = accumulation_steps(plan, settings, world.size)
    if plan.num_iterations < 0:
        batches = min(gather(loader.count_batches(), world))  # every process must take part in every step
        refuse_too_few(len(conversations), batches, accumulation, settings, world)
        plan = replace(plan, num_iterations=batches // accumulation)
    else:
        loader.packing.end = None  # as many epochs as that takes
    dtype = compute_dtype(settings.dtype, world.device)
    rates = {name: getattr(settings, name) for name in RATES}
    optimizer = model.setup_optimizer(
        **rates, weight_decay=plan.weight_decay, options=settings.optim_config(half=dtype == torch.bfloat16)
    )
    return Training(
        settings, world, tokenizer, plan, accumulation, model.train(), model, optimizer,
        settings.schedule(plan.num_iterations), cast(DataLoader, loader),  # all that a step asks of it is next()
    )  # fmt: skip


def refuse_too_few(conversations: int, batches: int, accumulation: int, settings: Settings, world: World) -> None:
    """Raise ValueError where all conversations together don't make one step."""
    if batches < accumulation:
        rows, length = settings.device_batch_size, settings.max_seq_len
        raise ValueError(
            f"{conversations:,} conversations are too few: a step takes {accumulation} batches of {rows} rows of "
            f"{length} tokens from each process, and they make {batches}; give more conversations, or smaller steps "
            f"(total_batch_size={batches * rows * length * world.size} instead of {settings.total_batch_size})"
        )


def run_stage(training: Training, held_out: Conversations | None = None, report: Listener = silent) -> None:
    """Take all steps; ``report`` hears each, and bits per byte of ``held_out`` before, every so often, and after."""
    every = training.settings.eval_every
    for step in itertools.count(training.step):
        last = step == training.plan.num_iterations
        if held_out is not None and (last or (every > 0 and step % every == 0)):
            report(step, val_bpb=evaluate_conversations(training, held_out))
        if last:
            return
        report(step, **take_step(training))


def evaluate_conversations(training: Training, conversations: Conversations) -> float:
    """Bits for each byte that the assistant says in these conversations, which training doesn't see."""
    settings, world = training.settings, training.world
    loader = ChatLoader(
        training.tokenizer, conversations, settings.device_batch_size, settings.max_seq_len,
        rank=world.rank, world_size=world.size,
    )  # fmt: skip
    lengths = torch.tensor(token_bytes(training.tokenizer), device=world.device)
    return evaluate_bpb(training.model, loader, len(conversations), lengths, world)
