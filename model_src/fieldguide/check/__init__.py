"""Before a training starts: whether it can, on this machine, with these files, in this memory and on this disk."""

import argparse
import math
import os
from pathlib import Path

import torch

from fieldguide import memory
from fieldguide.check import inputs, surroundings
from fieldguide.memory.portions import gib
from fieldguide.memory.trial import played
from fieldguide.report import Finding, Report, UsageProblem
from fieldguide.scale.plans import built, checkpoint_bytes

HELP = "before a training: device, dtype, memory, disk, data, tokenizer, port, what must divide, time to the end"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    memory.add_training_arguments(parser)
    group = parser.add_argument_group("files")
    group.add_argument("--data", type=Path, metavar="DIR", help="train.bin and val.bin, or nanochat's shards "
                       "(default: data/DATASET of --config)")
    group.add_argument("--tokenizer", type=Path, metavar="DIR", help="nanochat's tokenizer")
    group.add_argument("--out", type=Path, metavar="DIR", default=Path("out"), help="where checkpoints go")
    group.add_argument("--keep", type=int, default=1, metavar="N", help="checkpoints that are kept (default: 1)")
    group = parser.add_argument_group("the run")
    group.add_argument("--total-batch-size", type=int, metavar="N", help="tokens of a step of nanochat")
    group.add_argument("--port", type=int, default=29500, metavar="N", help="of several processes (default: 29500)")
    group.add_argument("--step-seconds", type=float, metavar="X", help="a measured step, for the time to the end")
    group.add_argument("--steps", type=int, metavar="N", help="steps of the training, or those that are left")
    group.add_argument("--without-memory", action="store_true", help="leave out the count of memory")


def run(options: argparse.Namespace) -> Report:
    validate(options)
    wants_gpu = options.device == "cuda"
    if wants_gpu and not torch.cuda.is_available():
        options.device = "auto"  # what is missing is said below, and the rest is looked at all the same
    question = memory.ask(options)
    size = checkpoint_bytes(question.subject, built(question.subject))
    return look(question, options, size, wants_gpu)


def look(question: memory.Question, options: argparse.Namespace, size: int, wants_gpu: bool) -> Report:
    """All that is looked at, for a training whose checkpoints have so many bytes."""
    subject, here = question.subject, not (options.gpu or options.memory_gb or options.tflops)
    started = "WORLD_SIZE" in os.environ  # by torchrun, whose port is taken by now, and whose machines are several
    report = Report(f"check: {subject.name} with {question.batch} sequences of {question.block} tokens, "
                    f"{question.setup.dtype}, {options.processes} process{'es' * (options.processes > 1)}")  # fmt: skip
    found = report.findings
    if here:
        found += surroundings.check_torch(wants_gpu)
        local = int(os.environ.get("LOCAL_WORLD_SIZE", options.processes))
        found += surroundings.check_processes(local, question.target.cuda)
        found += surroundings.check_dtype(question.setup.dtype, question.target.cuda)
        found += surroundings.check_environment(options.processes)
    found += check_shares(question, options)
    if not options.without_memory:
        found += check_memory(question)
    found += surroundings.check_disk(options.out, size, options.keep)
    found += check_files(question, options)
    if options.processes > 1 and here and not started:
        found += surroundings.check_port(options.port)
    found += check_time(options)
    report.data = {"ready": report.exit_code == 0, "model": subject.name, "sizes": subject.sizes}
    return report


def validate(options: argparse.Namespace) -> None:
    """UsageProblem where a number can't be meant."""
    if options.gpu == "list":
        raise UsageProblem("--gpu list is of fieldguide memory: fieldguide memory --gpu list")
    if not 0 < options.port < 65536:
        raise UsageProblem(f"--port {options.port}: ports go from 1 to 65535")
    for name in ("keep", "total_batch_size", "steps", "step_seconds"):
        value = getattr(options, name)
        if value is not None and not 0 < value < math.inf:
            raise UsageProblem(f"--{name.replace('_', '-')} {value}: a number above 0 is needed")


def check_shares(question: memory.Question, options: argparse.Namespace) -> list[Finding]:
    """What must divide: micro-batches among processes, rows among steps."""
    subject, n = question.subject, options.processes
    if subject.shares_optimizer:
        together = question.batch * question.block * n
        total = options.total_batch_size or 2**19
        if total % together or total < together:
            return [Finding("error", f"A step of {total:,} tokens can't be made of {question.batch} rows of "
                            f"{question.block} tokens on {n} processes.", f"{together:,} tokens at once",
                            "--total-batch-size: a multiple of that; or another --batch")]  # fmt: skip
        return [Finding("good", f"Each process adds up {total // together} micro-batches for {total:,} tokens.")]
    all_of_them = subject.accumulation if options.accumulation is None else options.accumulation
    if all_of_them % n:
        return [Finding("error", f"{all_of_them} micro-batches can't be shared out evenly among {n} processes.",
                        advice="--gradient_accumulation_steps: a multiple of the processes")]  # fmt: skip
    return [Finding("good", f"Each process adds up {all_of_them // n} of {all_of_them} micro-batches.")]


def check_memory(question: memory.Question) -> list[Finding]:
    """Whether the step fits; ``fieldguide memory`` says more."""
    memory.say("counting memory ...")
    with played(question.subject, question.setup, question.batch, question.block) as trial:
        needed = memory.need(question, trial, question.batch)
    target, text = question.target, gib(needed)
    room = f"{target.name}: {gib(target.bytes)}, {target.how}"
    if target.holds(needed):
        return [Finding("good", f"A step fits into memory: {text} at the peak.", room)]
    level = "warning" if needed <= target.bytes else "error"
    return [Finding(level, f"A step {'barely fits' if level == 'warning' else 'does not fit'} into memory: {text}.",
                    room, "fieldguide memory with the same options says what to change")]  # fmt: skip


def check_files(question: memory.Question, options: argparse.Namespace) -> list[Finding]:
    """Data and tokenizer, where they are named."""
    subject, found = question.subject, []
    folder = options.data or (Path("data") / subject.dataset if subject.dataset else None)
    if folder is None:
        found.append(Finding("note", "No data was looked at.", advice="name its folder with --data"))
    else:
        found += inputs.check_data(folder, subject)
    if options.tokenizer is not None:
        found += inputs.check_tokenizer(options.tokenizer, subject)
    if subject.vocab % 64 and torch.cuda.is_available():
        found.append(Finding("note", f"vocab={subject.vocab} is no multiple of 64, which a GPU multiplies faster."))
    return found


def check_time(options: argparse.Namespace) -> list[Finding]:
    """The time to the end, from a measured step."""
    if options.step_seconds is None or options.steps is None:
        return []
    seconds = options.step_seconds * options.steps
    told = f"{seconds / 3600:.1f} hours" if seconds >= 7200 else f"{seconds / 60:.1f} minutes"
    return [Finding("note", f"{options.steps:,} steps take {told}, evaluation not counted.",
                    f"{options.step_seconds:g} s each, as measured")]  # fmt: skip
