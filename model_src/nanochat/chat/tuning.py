"""The commands of midtraining and fine-tuning: from a folder of checkpoints to another one.

Both mix the generated tasks of ``tasks.mixture`` with the reader's own conversations, once through all of them.
With ``--resume`` a training that was stopped goes on as if nothing had happened, bit for bit.
"""

import argparse
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nanochat.chat.finetune import Stage, begin_stage, run_stage
from nanochat.chat.fitting import refuse_too_long
from nanochat.chat.stages import Meta, Saver, add_saving, base_of, last_checkpoint, notes_of, refuse_another
from nanochat.cli.entry import add_check, look, recorded
from nanochat.common import compute_cleanup, compute_init, gather, print0
from nanochat.files import get_base_dir, sha256
from nanochat.tasks.mixture import mixture
from nanochat.training.checkpoint import (
    clear_leftovers,
    keep_tokenizer,
    load_checkpoint,
    optim_name,
    read_meta,
    read_optimizer,
    save_checkpoint,
)
from nanochat.training.loading import lengthened, load
from nanochat.training.logs import Bar, JsonLines, Listener, tell
from nanochat.training.settings import Settings
from nanochat.training.step import Training


def main(stage: Stage, explanation: str | None, argv: list[str]) -> None:
    """The whole command of a stage."""
    given = parse(stage, explanation, argv)
    try:
        recorded(command)(stage, given)
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
    parser.add_argument("--tokenizer", help="its folder (default: the one beside the checkpoint)")
    parser.add_argument("--out", type=Path, help=f"where it goes (default: {stage.name}_checkpoints)")
    parser.add_argument("--examples", type=int, default=1000, help="made of each kind of task; 0: none (default: 1000)")
    parser.add_argument(
        "--conversations", type=Path, action="append", default=[], metavar="FILE",
        help="your own, one JSON list of messages a line; may be given several times",
    )  # fmt: skip
    parser.add_argument("--held-out", type=int, default=50, help="of each kind, to measure with (default: 50)")
    parser.add_argument("--num-iterations", type=int, default=-1, help="steps (default: once through everything)")
    parser.add_argument("--device-batch-size", type=int, help="rows at once (default: as in the training before)")
    parser.add_argument("--total-batch-size", type=int, help="tokens of a step (default: as many rows as before)")
    parser.add_argument(
        "--max-seq-len", type=int, help="tokens of a row, and then of a chat (default: as in the training before)"
    )
    parser.add_argument("--eval-every", type=int, default=50, help="steps between measurements (default: 50)")
    add_saving(parser)
    parser.add_argument("--fresh-optimizer", action="store_true", help="forget the memories of the training before")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps, or auto: the fastest that is here (default)")
    add_check(parser)
    options = parser.parse_args(argv)
    if options.examples < 1 and not options.conversations:
        parser.error("nothing to learn from: give --examples or --conversations")
    options.examples = max(0, options.examples)
    if options.held_out < 1:
        parser.error("--held-out is 1 or more")
    return options


def command(stage: Stage, given: argparse.Namespace) -> None:
    """Load, look whether all fits, train, and save as it goes."""
    world = compute_init(given.device)
    out = given.out or get_base_dir() / f"{stage.name}_checkpoints"
    found = last_checkpoint(out, given.resume)
    if given.check:
        look(stage.name, given, out, world)
    model, tokenizer = load(given.folder, given.step, given.tokenizer, world.device)
    before = read_meta(given.folder, given.step)
    base = base_of(before, model)
    settings = settings_of(stage, given, base)
    refuse_too_long(tokenizer, [], given.held_out, "test", settings.max_seq_len)
    if stage.whole:
        refuse_too_long(tokenizer, given.conversations, given.examples, "train", settings.max_seq_len)
    conversations = mixture(given.examples, given.conversations)
    longer = lengthened(model, settings.max_seq_len)
    training = begin_stage(stage, settings, longer, tokenizer, conversations, world)
    notes = notes_of(stage.name, before, base, learned_from(given), tokenizer)
    if found is not None:
        refuse_another(out, found, notes, settings)
        restore(training, out, found)
    elif not given.fresh_optimizer:
        take_memories(training, given.folder, before)
    clear_leftovers(out, world)
    print0(
        f"{len(conversations):,} conversations, {training.plan.num_iterations:,} steps of "
        f"{training.plan.total_batch_size:,} tokens on {world.size} x {world.device}; into {out}"
    )
    with ExitStack() as stack:
        run_stage(training, mixture(given.held_out, split="test"), listen(stack, out, training, notes))


def settings_of(stage: Stage, given: argparse.Namespace, base: Settings) -> Settings:
    """The settings of the training before, changed by the stage and by the command.

    Rows of another length are as many a step as before, unless the command says how many tokens a step takes.
    """
    names = ("device_batch_size", "total_batch_size", "max_seq_len", "tokenizer")
    changes = {name: value for name in names if (value := getattr(given, name)) is not None}
    if "max_seq_len" in changes and "total_batch_size" not in changes:
        changes["total_batch_size"] = base.total_batch_size // base.max_seq_len * given.max_seq_len
    changes |= {name: getattr(given, name) for name in ("num_iterations", "eval_every", "save_every", "device")}
    return stage.settings(base, **changes)


def learned_from(given: argparse.Namespace) -> dict[str, Any]:
    """What decides the conversations, as plain data: a training goes on with the same alone."""
    return {"examples": given.examples, "conversations": [sha256(path)[:12] for path in given.conversations]}


def restore(training: Training, out: Path, found: Meta) -> None:
    """Go on where the last checkpoint was written."""
    load_checkpoint(out, found, training.model, training.optimizer, training.world)
    training.loader.load_state_dict(found["dataloader_state_dict"][training.world.rank])
    training.step, training.running_loss = found["step"], found["running_loss"]


def take_memories(training: Training, folder: Path, meta: Meta) -> None:
    """Give the optimizer what it remembers of the training before, if as many processes took part."""
    name = optim_name(meta["step"], training.world.rank)
    if len(meta["files"]) - 1 != training.world.size:
        print0("note: the training before had another number of processes, so the optimizer begins without memories")
    else:
        read_optimizer(folder / name, training.optimizer)


def listen(stack: ExitStack, out: Path, training: Training, notes: Meta) -> Listener:
    """What saves; and of the first process a file and a bar."""
    first, last = training.step, training.plan.num_iterations
    saver = Saver(lambda: save(training, out, notes), training.settings.save_every, last)
    if training.world.rank > 0:
        return saver
    log = stack.enter_context(closing(JsonLines(out / "log.jsonl", first)))
    return tell(log, stack.enter_context(closing(Bar(last, first))), saver)


def save(training: Training, out: Path, notes: Meta) -> None:
    """Write a checkpoint that the next stage, a chat or ``nanochat.cli.eval`` can begin with, and this one go on."""
    meta = {
        **notes,
        "model_config": asdict(training.model.config),
        "user_config": asdict(training.settings),
        "dataloader_state_dict": gather(training.loader.state_dict(), training.world),
        "running_loss": training.running_loss,
    }
    keep_tokenizer(out, training.tokenizer, training.world)
    save_checkpoint(out, training.step, training.model, training.optimizer, meta, training.world)
