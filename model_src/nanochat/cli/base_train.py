"""Train a base model on the shards: on one device, or on many with torchrun.

    python -m nanochat base_train --depth 4 --n-embd 128 --head-dim 32 --max-seq-len 128 --device-batch-size 8 \\
        --total-batch-size 1024 --num-iterations 700 --warmdown-ratio 0.4 --eval-every 50
    python -m nanochat base_train --preset laptop
    torchrun --standalone --nproc_per_node=8 -m nanochat base_train --depth 20

The first takes minutes on a processor and suits a small text; the second chooses such settings itself, by the text.
The third takes hours on eight GPUs. Each step adds up the
gradients of as many rows as make ``--total-batch-size`` tokens. Checkpoints and logs go to ``--out``; with
``--resume`` a training that was stopped goes on as if nothing had happened, bit for bit.
"""

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nanochat.cli.entry import add_check, look, recorded
from nanochat.cli.sample import write
from nanochat.common import ALONE, World, compute_cleanup, compute_dtype, compute_init, gather, print0
from nanochat.files import get_base_dir
from nanochat.training.checkpoint import (
    CheckpointError,
    clear_leftovers,
    find_steps,
    keep_tokenizer,
    load_checkpoint,
    read_meta,
    save_checkpoint,
    tokenizer_digest,
)
from nanochat.training.logs import Bar, JsonLines, Listener, TensorBoard, silent, tell
from nanochat.training.loss_eval import evaluate_split, tokens_of_epoch
from nanochat.training.mfu import measure_peak, mfu
from nanochat.training.presets import PRESETS, as_options, warn_of_repetition, with_preset
from nanochat.training.settings import Settings, add_options, differences, settings_from
from nanochat.training.step import Training, begin, take_step


def train(
    settings: Settings,
    world: World = ALONE,
    folder: Path | None = None,
    resume: bool = False,
    report: Listener = silent,
    clock: Listener = silent,
) -> Training:
    """The whole training; what has come of it.

    ``report(step, val_bpb=...)`` hears each measurement and ``report(step, loss=..., lr=..., grad_norm=..., ...)``
    each step, ``clock(step, tokens_per_s=..., mfu=...)`` how fast that was. Checkpoints go to ``folder``, if there is
    one; CheckpointError where it holds another training.
    """
    training = begin(settings, world)
    if folder is not None:
        enter(folder, training, resume)
    run(training, folder, report, clock)
    return training


def run(training: Training, folder: Path | None, report: Listener, clock: Listener) -> None:
    """The loop: measure and save where that is due, step. It ends with both."""
    settings, first = training.settings, training.step
    peak = peak_of(training)
    while True:
        step, last = training.step, training.step == training.plan.num_iterations
        if last or is_due(step, settings.eval_every):
            report(step, val_bpb=evaluate(training))
        if folder is not None and step > first and (last or is_due(step, settings.save_every)):
            save(training, folder)
        if last:
            return
        started = time.perf_counter()
        report(step, **take_step(training))
        speed = training.plan.total_batch_size / (time.perf_counter() - started)
        clock(step, tokens_per_s=speed, mfu=mfu(training.model.estimate_flops(), speed, peak))


def is_due(step: int, every: int) -> bool:
    """Whether something is to be done that is done every so many steps; -1: never."""
    return every > 0 and step % every == 0


def peak_of(training: Training) -> float:
    """Operations a second that all devices could do: as the settings say, else measured."""
    settings, world = training.settings, training.world
    each = settings.peak_flops or measure_peak(world.device, compute_dtype(settings.dtype, world.device))
    return each * world.size


def evaluate(training: Training) -> float:
    """Bits per byte on the validation shard."""
    bpb = evaluate_split("val", training.model, training.tokenizer, training.settings, training.world)
    training.val_bpb = bpb
    training.min_val_bpb = bpb if training.min_val_bpb is None else min(bpb, training.min_val_bpb)
    return bpb


def save(training: Training, folder: Path) -> None:
    """Write a checkpoint of this moment, and the tokenizer beside it."""
    changing = ("val_bpb", "min_val_bpb", "running_loss")
    meta = {
        "model_config": asdict(training.model.config),
        "user_config": asdict(training.settings),
        "tokenizer": tokenizer_digest(training.tokenizer),
        "dataloader_state_dict": gather(training.loader.state_dict(), training.world),
        "loop_state": {name: getattr(training, name) for name in changing},
    }
    keep_tokenizer(folder, training.tokenizer, training.world)
    save_checkpoint(folder, training.step, training.model, training.optimizer, meta, training.world)


def enter(folder: Path, training: Training, resume: bool) -> None:
    """Begin in a folder that holds no training, or go on with the last checkpoint of this one."""
    steps = find_steps(folder)
    if resume and not steps:
        print0(f"note: no checkpoint at {folder} yet, so training starts at the beginning")
    elif resume:
        restore(folder, training)
    elif steps:
        raise CheckpointError(
            f"{folder} holds a training that has done {steps[-1]} steps: go on with it by --resume, or name another "
            "folder with --out"
        )
    clear_leftovers(folder, training.world)


def restore(folder: Path, training: Training) -> None:
    """Go on where the last checkpoint was written."""
    meta = read_meta(folder)
    other = differences(training.settings, meta["user_config"])
    if tokenizer_digest(training.tokenizer) != meta["tokenizer"]:
        other.append("the tokenizer is another one")
    if other:
        raise CheckpointError(
            f"can't go on with {folder}: {'; '.join(other)}. Resume with the same settings, or start another "
            "training in another folder"
        )
    load_checkpoint(folder, meta, training.model, training.optimizer, training.world)
    training.loader.load_state_dict(meta["dataloader_state_dict"][training.world.rank])
    training.step = meta["step"]
    for name, value in meta["loop_state"].items():
        setattr(training, name, value)


def sample(training: Training, prompt: str, tokens: int, temperature: float = 0.8) -> str:
    """What the model writes after a prompt, at most so many tokens."""
    return write(training.model, training.tokenizer, prompt, tokens, temperature)


def parse(argv: list[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m nanochat base_train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    return vars(parser.parse_args(argv))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The settings, and where a training goes."""
    add_options(parser)
    kinds = "; ".join(f"{name}: {preset.explanation}" for name, preset in PRESETS.items())
    parser.add_argument("--preset", choices=PRESETS, help=f"settings that fit a machine and the text. {kinds}")
    parser.add_argument("--out", type=Path, help="where checkpoints and logs go (default: base_checkpoints/d<depth>)")
    parser.add_argument("--resume", action="store_true", help="go on with the last checkpoint, if there is one")
    parser.add_argument("--tensorboard", action="store_true", help="also write a log for TensorBoard")
    parser.add_argument("--prompt", default="The", help="what the model is to continue at the end (default: The)")
    add_check(parser)


def listen(stack: ExitStack, given: dict[str, Any], folder: Path, training: Training) -> tuple[Listener, Listener]:
    """Files, TensorBoard and bar for the first process; the two listeners of ``run``."""
    if training.world.rank > 0:
        return silent, silent
    first = training.step
    log = stack.enter_context(closing(JsonLines(folder / "log.jsonl", first)))
    speed = stack.enter_context(closing(JsonLines(folder / "speed.jsonl", first)))
    both: list[Bar | TensorBoard] = [stack.enter_context(closing(Bar(training.plan.num_iterations, first)))]
    if given["tensorboard"]:
        both.append(stack.enter_context(closing(TensorBoard(folder / "tensorboard", first))))
    return tell(log, *both), tell(speed, *both)


def refuse_too_short(training: Training) -> None:
    """Raise ValueError where all documents of a process are shorter than a row: it would be the same row for ever."""
    row = training.settings.max_seq_len + 1
    there = tokens_of_epoch(training.loader, row)
    if there < row:
        raise ValueError(
            f"the training shards have {there:,} tokens, and a row takes {row:,}: train on more text, or with a "
            "smaller --max-seq-len"
        )


def fitted(given: dict[str, Any], world: World) -> Settings:
    """The settings that a command line asks for, by a preset or without one."""
    typed = {name: given[name] for name in given.keys() & Settings.__dataclass_fields__.keys()}
    if given["preset"] is None:
        return settings_from(typed)
    options = with_preset(given["preset"], typed, world.size)
    added = {name: value for name, value in options.items() if name not in typed}
    print0(f"preset {given['preset']}: {as_options(added) or 'the defaults'}")
    return settings_from(options)


def command(given: dict[str, Any], begin: Callable[[Settings, World], Training] = begin) -> None:
    """The training that a command line asks for; ``begin`` makes the model and what it needs."""
    world = compute_init(given.get("device", Settings.device))
    settings = fitted(given, world)
    folder = given["out"] or get_base_dir() / "base_checkpoints" / f"d{settings.depth}"
    if given["check"]:
        look(given.get("model", "base_train"), settings, folder, world)
    training = begin(settings, world)
    refuse_too_short(training)
    enter(folder, training, given["resume"])
    counts, plan = training.model.num_scaling_params(), training.plan
    if warning := warn_of_repetition(training):
        print0(warning)
    print0(
        f"{counts['total']:,} parameters on {world.size} x {world.device}; {plan.num_iterations:,} steps of "
        f"{plan.total_batch_size:,} tokens, {training.accumulation} micro-batches each; into {folder}"
    )
    with ExitStack() as stack:
        run(training, folder, *listen(stack, given, folder, training))
    if world.rank == 0:
        print(sample(training, given["prompt"], 100))


def main(argv: list[str]) -> None:
    given = parse(argv)
    try:
        recorded(command)(given)
    except (ValueError, AssertionError, OSError) as error:
        raise SystemExit(f"base_train: {error}") from error
    finally:
        compute_cleanup()


if __name__ == "__main__":
    main(sys.argv[1:])
