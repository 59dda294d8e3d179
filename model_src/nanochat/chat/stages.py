"""What the commands of the chat stages share: what they begin with, how they save as they go, and how they go on.

A stage's checkpoint says what it began with and what it learns from, so that another training is never taken for it.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from nanochat.chat.finetune import RATES
from nanochat.cli.base_train import is_due
from nanochat.common import print0
from nanochat.gpt import GPT
from nanochat.tokenizer import RustBPETokenizer
from nanochat.training.checkpoint import CheckpointError, find_steps, model_name, read_meta, tokenizer_digest
from nanochat.training.horizon import make_plan
from nanochat.training.settings import Settings, differences

Meta = dict[str, Any]  # what ``read_meta`` knows of a checkpoint


def add_saving(parser: argparse.ArgumentParser) -> None:
    """The options of a stage that saves as it goes, and goes on."""
    parser.add_argument("--save-every", type=int, default=-1, help="steps between checkpoints (default: at the end)")
    parser.add_argument("--resume", action="store_true", help="go on with the last checkpoint of --out, if it has one")


def base_of(meta: Meta, model: GPT) -> Settings:
    """The settings of the training before, with the learning rates of base training, whatever came in between.

    What base training derived from its size (the newest does: the tokens of a step, a factor of all rates) is a number
    here.
    """
    settings = Settings(**meta["user_config"])
    if "stage" in meta:
        return replace(settings, **meta.get("base_rates", {}))
    plan = make_plan(settings, model)
    rates = {name: getattr(settings, name) * plan.lr_scale for name in RATES}
    return replace(settings, total_batch_size=plan.total_batch_size, **rates)


def notes_of(name: str, before: Meta, base: Settings, learned_from: Meta, tokenizer: RustBPETokenizer) -> Meta:
    """What a stage's checkpoints say at every step: its name, what it began with, what it learns from."""
    return {
        "stage": name,
        "began_with": before["files"][model_name(before["step"])]["sha256"],
        "learned_from": learned_from,
        "base_rates": {rate: getattr(base, rate) for rate in RATES},
        "tokenizer": tokenizer_digest(tokenizer),
    }


def last_checkpoint(out: Path, resume: bool) -> Meta | None:
    """The checkpoint to go on with, None: begin. CheckpointError where a training is there that is not to go on."""
    steps = find_steps(out)
    if steps and not resume:
        raise CheckpointError(
            f"{out} holds a training that has done {steps[-1]} steps: go on with it by --resume, or name another "
            "folder with --out"
        )
    if resume and not steps:
        print0(f"note: no checkpoint at {out} yet, so the training starts at the beginning")
    return read_meta(out) if steps else None


def refuse_another(out: Path, found: Meta, notes: Meta, settings: Settings) -> None:
    """Raise CheckpointError where the last checkpoint is of another training than this one: in what they differ."""
    other = differences(settings, found["user_config"])
    if found.get("stage") != notes["stage"]:
        other.append(f"this is {notes['stage']}, the checkpoint is one of {found.get('stage', 'base_train')}")
    if found.get("began_with") != notes["began_with"]:
        other.append("it began with another model")
    if found["tokenizer"] != notes["tokenizer"]:
        other.append("the tokenizer is another one")
    learned = found.get("learned_from", {})
    other += [
        f"{name} is {learned.get(name)!r} there, and {value!r} here"
        for name, value in notes["learned_from"].items()
        if learned.get(name) != value
    ]
    if other:
        raise CheckpointError(
            f"can't go on with {out}: {'; '.join(other)}. Resume with the same command, or begin in another folder"
        )


class Saver:
    """A listener that saves after every so many steps (-1: never) and after the last one."""

    def __init__(self, save: Callable[[], None], every: int, last: int) -> None:
        self.save, self.every, self.last = save, every, last

    def __call__(self, step: int, **values: float) -> None:
        """``step`` steps were done before the one that is told; a measurement is no step."""
        if "loss" in values and (step + 1 == self.last or is_due(step + 1, self.every)):
            self.save()
