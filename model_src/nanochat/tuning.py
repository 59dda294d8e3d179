"""The commands of midtraining and fine-tuning: from a folder of checkpoints to another one.

Both mix the generated tasks of ``tasks.mixture`` with the reader's own conversations, once through all of them.
"""

import argparse
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nanochat.checkpoint import (
    CheckpointError,
    find_steps,
    optim_name,
    read_meta,
    read_optimizer,
    save_checkpoint,
    tokenizer_digest,
)
from nanochat.common import compute_cleanup, compute_init, print0
from nanochat.files import get_base_dir
from nanochat.finetune import Stage, begin_stage, run_stage
from nanochat.loading import load
from nanochat.logs import Bar, JsonLines, Listener, silent, tell
from nanochat.settings import Settings
from nanochat.tasks.mixture import mixture
from nanochat.training import Training


def main(stage: Stage, explanation: str | None, argv: list[str]) -> None:
    """The whole command of a stage."""
    given = parse(stage, explanation, argv)
    try:
        command(stage, given)
    except (ValueError, AssertionError, OSError) as error:
        raise SystemExit(f"{stage.name}: {error}") from error
    finally:
        compute_cleanup()


def parse(stage: Stage, explanation: str | None, argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m nanochat.{stage.name}", description=explanation,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folder", type=Path, metavar="CHECKPOINTS", help="of the model to begin with")
    parser.add_argument("--step", type=int, help="of which checkpoint (default: the last one)")
    parser.add_argument("--tokenizer", help="its folder (default: where it was in training)")
    parser.add_argument("--out", type=Path, help=f"where it goes (default: {stage.name}_checkpoints)")
    parser.add_argument("--examples", type=int, default=1000, help="made of each kind of task; 0: none (default: 1000)")
    parser.add_argument(
        "--conversations", type=Path, action="append", default=[], metavar="FILE",
        help="your own, one JSON list of messages a line; may be given several times",
    )  # fmt: skip
    parser.add_argument("--held-out", type=int, default=50, help="of each kind, to measure with (default: 50)")
    parser.add_argument("--num-iterations", type=int, default=-1, help="steps (default: once through everything)")
    parser.add_argument("--device-batch-size", type=int, help="rows at once (default: as in base training)")
    parser.add_argument("--total-batch-size", type=int, help="tokens of a step (default: as in base training)")
    parser.add_argument("--max-seq-len", type=int, help="tokens of a row (default: as in base training)")
    parser.add_argument("--eval-every", type=int, default=50, help="steps between measurements (default: 50)")
    parser.add_argument("--fresh-optimizer", action="store_true", help="forget the memories of base training")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps, or auto: the fastest that is here (default)")
    options = parser.parse_args(argv)
    if options.examples < 1 and not options.conversations:
        parser.error("nothing to learn from: give --examples or --conversations")
    if options.held_out < 1:
        parser.error("--held-out is 1 or more")
    return options


def command(stage: Stage, given: argparse.Namespace) -> None:
    """Load, train, save."""
    world = compute_init(given.device)
    out = given.out or get_base_dir() / f"{stage.name}_checkpoints"
    if find_steps(out):
        raise CheckpointError(f"{out} holds checkpoints already: name another folder with --out, or delete them")
    model, tokenizer = load(given.folder, given.step, given.tokenizer, world.device)
    meta = read_meta(given.folder, given.step)
    settings = settings_of(stage, given, meta["user_config"])
    conversations = mixture(max(0, given.examples), given.conversations)
    training = begin_stage(stage, settings, model, tokenizer, conversations, world)
    if not given.fresh_optimizer:
        take_memories(training, given.folder, meta)
    print0(
        f"{len(conversations):,} conversations, {training.plan.num_iterations:,} steps of "
        f"{training.plan.total_batch_size:,} tokens on {world.size} x {world.device}; into {out}"
    )
    with ExitStack() as stack:
        run_stage(training, mixture(given.held_out, split="test"), listen(stack, out, training))
    save(training, out, stage)


def settings_of(stage: Stage, given: argparse.Namespace, base: dict[str, Any]) -> Settings:
    """The settings of the base training, changed by the stage and by the command."""
    names = ("device_batch_size", "total_batch_size", "max_seq_len", "tokenizer")
    changes = {name: value for name in names if (value := getattr(given, name)) is not None}
    changes |= {"num_iterations": given.num_iterations, "eval_every": given.eval_every, "device": given.device}
    return stage.settings(Settings(**base), **changes)


def take_memories(training: Training, folder: Path, meta: dict[str, Any]) -> None:
    """Give the optimizer what it remembers of the training before, if as many processes took part."""
    name = optim_name(meta["step"], training.world.rank)
    if len(meta["files"]) - 1 != training.world.size:
        print0("note: the training before had another number of processes, so the optimizer begins without memories")
    else:
        read_optimizer(folder / name, training.optimizer)


def listen(stack: ExitStack, out: Path, training: Training) -> Listener:
    """A file and a bar, for the first process."""
    if training.world.rank > 0:
        return silent
    log = stack.enter_context(closing(JsonLines(out / "log.jsonl", 0)))
    return tell(log, stack.enter_context(closing(Bar(training.plan.num_iterations, 0))))


def save(training: Training, out: Path, stage: Stage) -> None:
    """Write a checkpoint that the next stage, a chat or ``nanochat.eval`` can begin with."""
    meta = {
        "stage": stage.name,
        "model_config": asdict(training.model.config),
        "user_config": asdict(training.settings),
        "tokenizer": tokenizer_digest(training.tokenizer),
    }
    save_checkpoint(out, training.step, training.model, training.optimizer, meta, training.world)
