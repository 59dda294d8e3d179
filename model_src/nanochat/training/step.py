"""One step of training: gradients of many rows added up, then a step of the optimizer."""

import math
from dataclasses import dataclass
from typing import Any

import torch

from nanochat.common import ALONE, World, compute_dtype, total
from nanochat.dataloader import DataLoader
from nanochat.gpt import GPT
from nanochat.tokenizer import RustBPETokenizer, get_tokenizer
from nanochat.training.horizon import Plan, accumulation_steps, make_plan
from nanochat.training.optim import MuonAdamW
from nanochat.training.schedule import Schedule
from nanochat.training.settings import Settings, make_loader

SMOOTHING = 0.9  # of the loss that is shown: so much of it is kept from step to step


@dataclass
class Training:
    """Everything that a training needs; the fields with a default are those that change from step to step."""

    settings: Settings
    world: World
    tokenizer: RustBPETokenizer
    plan: Plan
    accumulation: int             # micro-batches of each process for a step
    model: GPT
    network: Any                  # the model as it is called in training: compiled, where that is asked for
    optimizer: MuonAdamW
    schedule: Schedule
    loader: DataLoader
    step: int = 0                 # steps done
    running_loss: float = 0.0     # its exponential mean, which begins at zero
    val_bpb: float | None = None      # bits per byte when they were last measured
    min_val_bpb: float | None = None  # the fewest so far


def begin(settings: Settings, world: World = ALONE) -> Training:
    """Tokenizer, model with fresh weights, optimizer and batches."""
    tokenizer = get_tokenizer(settings.tokenizer or None)
    dtype = compute_dtype(settings.dtype, world.device)
    torch.manual_seed(settings.seed)  # the same weights in every process
    with torch.device(world.device):
        model = GPT(settings.model_config(tokenizer.get_vocab_size()), dtype)
    plan = make_plan(settings, model)
    optimizer = model.setup_optimizer(
        unembedding_lr=settings.unembedding_lr * plan.lr_scale,
        embedding_lr=settings.embedding_lr * plan.lr_scale,
        matrix_lr=settings.matrix_lr * plan.lr_scale,
        scalar_lr=settings.scalar_lr * plan.lr_scale,
        weight_decay=plan.weight_decay,
        options=settings.optim_config(half=dtype == torch.bfloat16),
    )
    return Training(
        settings, world, tokenizer, plan, accumulation_steps(plan, settings, world.size), model,
        torch.compile(model, dynamic=False) if settings.compile else model, optimizer,
        settings.schedule(plan.num_iterations), make_loader(settings, world, tokenizer, "train"),
    )  # fmt: skip


def accumulate(training: Training) -> float:
    """Add up the gradients of all micro-batches of a step; their mean loss, over all processes."""
    device = training.world.device
    losses = torch.zeros((), device=device)
    for _ in range(training.accumulation):
        idx, targets = next(training.loader)
        loss = training.network(idx.to(device), targets.to(device))
        loss = loss / training.accumulation  # gradients of a mean are means of gradients
        loss.backward()
        losses += loss.detach()
    return total(losses, training.world).item() / training.world.size


def average_gradients(training: Training) -> None:
    """Let each process have the mean of all gradients, so that their norm is that of the whole batch.

    The optimizer takes the mean once more, which changes nothing.
    """
    if training.world.size > 1:
        for p in training.model.parameters():
            p.grad = total(p.grad, training.world) / training.world.size


def gradient_norms(model: GPT) -> dict[str, float]:
    """The norm of all gradients together, and of those of the embedding, the blocks' matrices and the head."""
    parts = {"": model, "_wte": model.transformer.wte, "_matrices": model.transformer.h, "_lm_head": model.lm_head}
    norms = {}
    for name, part in parts.items():
        grads = [p.grad.float() for p in part.parameters()]
        norms[f"grad_norm{name}"] = torch.nn.utils.get_total_norm(grads).item()
    return norms


def take_step(training: Training) -> dict[str, float]:
    """One step, from batches to new weights. What there is to say about it, by name.

    ValueError where the loss is no number any more: nothing can be learned from it.
    """
    loss = accumulate(training)
    if not math.isfinite(loss):
        raise ValueError(f"the loss of step {training.step} is {loss}: train again with lower learning rates")
    average_gradients(training)
    norms = gradient_norms(training.model)
    if training.settings.grad_clip > 0:
        torch.nn.utils.clip_grad_norm_(training.model.parameters(), training.settings.grad_clip)
    training.schedule.apply(training.optimizer, training.step)
    training.optimizer.step()
    training.model.zero_grad(set_to_none=True)
    values = {"loss": loss, "smooth_loss": smooth(training, loss), **norms, **rates(training)}
    training.step += 1
    return values


def smooth(training: Training, loss: float) -> float:
    """The loss as a mean over about the last ten steps; the zero that it began with is divided out."""
    training.running_loss = SMOOTHING * training.running_loss + (1 - SMOOTHING) * loss
    return training.running_loss / (1 - SMOOTHING ** (training.step + 1))


def rates(training: Training) -> dict[str, float]:
    """Learning rate and momentum of Muon, and what all learning rates are multiplied with, in this step."""
    multiplier = training.schedule.lr_multiplier(training.step)
    lr = training.settings.matrix_lr * training.plan.lr_scale * multiplier
    return {"lr": lr, "lr_multiplier": multiplier, "momentum": training.schedule.momentum(training.step)}
