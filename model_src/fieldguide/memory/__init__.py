"""What a training or an inference needs in memory, counted on the model itself, and what fits."""

import argparse
import math
import sys
from dataclasses import dataclass, replace

from fieldguide import devices
from fieldguide.memory.fitting import Fit, largest_batch
from fieldguide.memory.machine import Target, target_from
from fieldguide.memory.peak import FORWARD
from fieldguide.memory.portions import gib, layers_table, peak_table
from fieldguide.memory.trial import DTYPES, OPTIMIZERS, Setup, Step, Trial, measure, played
from fieldguide.models import Subject, add_model_arguments, subject_from
from fieldguide.report import Finding, Report, Table, UsageProblem

HELP = "what a training or an inference needs in memory, layer by layer, the largest batch that fits, what to change"
COMPILED = (
    "counted without torch.compile, which mostly needs less: nanochat's d12 with 32 rows of 2048 tokens was seen at "
    "34 GB compiled (dev/LOG.md, 2026) and is counted at 60 GiB here"
)


@dataclass(frozen=True)
class Question:
    """What is asked about."""

    subject: Subject
    setup: Setup
    target: Target
    batch: int
    block: int
    accumulation: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_training_arguments(parser)
    parser.add_argument("--inference", action="store_true", help="no training: read a prompt of --batch times --block")
    parser.add_argument("--measure", action="store_true", help="run a step on this CPU, and compare")


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that say which model is trained how and where."""
    add_model_arguments(parser)
    devices.add_device_arguments(parser)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="whose memory, without --gpu")
    parser.add_argument("--reserve-gb", type=float, default=1.0, metavar="X",
                        help="memory that is no tensor's: a CUDA context, libraries (default: 1)")
    group = parser.add_argument_group("the training")
    group.add_argument("--batch", type=int, metavar="N", help="sequences of a device at once (default: the model's)")
    group.add_argument("--accumulation", type=int, metavar="N", help="micro-batches that a device adds up for a step")
    group.add_argument("--processes", type=int, default=1, metavar="N", help="devices that train together (default: 1)")
    group.add_argument("--dtype", choices=tuple(DTYPES), help="of products (default: bfloat16 on GPUs, else float32)")
    group.add_argument("--optimizer", choices=OPTIMIZERS, default="own", help="the model's own, or one by name")
    group.add_argument("--checkpointing", action="store_true", help="blocks are computed again in the backward pass")


def run(options: argparse.Namespace) -> Report:
    if options.gpu == "list":
        return devices.listed()
    question = ask(options)
    say(f"playing a step of {question.subject.name} through ...")
    with played(question.subject, question.setup, question.batch, question.block) as trial:
        if options.inference:
            return inference(question, trial)
        step = trial.step(question.batch, question.block, question.accumulation)
        needed = total(question, trial, step)
        say("looking for the largest batch ...")
        fit = largest_batch(lambda n: need(question, trial, n), question.target.room, question.batch, needed)
        fits = question.target.holds(needed)
        smaller = [] if fits else [(name, need(q, trial, q.batch), cost) for name, q, cost in smaller_steps(question)]
        report = training(question, trial, step, fit)
    if not fits:
        report.tables.append(changes(question, smaller))
    if options.measure:
        compare(question, step, report)
    return report


def ask(options: argparse.Namespace, subject: Subject | None = None) -> Question:
    """The question that the options make, about the given model or the one that they name; else UsageProblem."""
    for name in ("batch", "accumulation", "processes"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            raise UsageProblem(f"--{name} {getattr(options, name)}: at least 1 is needed")
    if not 0 <= options.reserve_gb < math.inf:
        raise UsageProblem(f"--reserve-gb {options.reserve_gb}: 0 or more is needed")
    subject = subject or subject_from(options)
    target = target_from(options)
    dtype = options.dtype or target.default_dtype
    if options.dtype is None and dtype == "float16" and not subject.autocast:
        dtype = "float32"  # as nanochat's own choice, where there is no bfloat16
    if dtype != "float32" and not target.cuda and subject.autocast:
        raise UsageProblem(f"--dtype {dtype}: {subject.name} computes in float32 on a CPU; name a GPU, or leave it out")
    if subject.name.startswith("nanochat") and dtype == "float16":
        raise UsageProblem("--dtype float16: nanochat has bfloat16 and float32")
    setup = Setup(dtype, target.cuda, options.processes, options.checkpointing, options.optimizer)
    accumulation = options.accumulation or max(1, subject.accumulation // options.processes)
    return Question(subject, setup, target, options.batch or subject.batch, subject.block, accumulation)


def buckets(question: Question, trial: Trial) -> int:
    """Bytes in which DistributedDataParallel sends gradients: as many as the gradients have (its documentation)."""
    alone = question.setup.processes == 1 or question.subject.shares_optimizer
    return 0 if alone else sum(p.nbytes for p in trial.model.parameters() if p.requires_grad)


def total(question: Question, trial: Trial, step: Step) -> int:
    """Bytes at the peak, with what is not seen in a trial."""
    return step.peak.bytes + buckets(question, trial)


def need(question: Question, trial: Trial, batch: int) -> int:
    """The same for another batch."""
    return total(question, trial, trial.step(batch, question.block, question.accumulation))


def training(question: Question, trial: Trial, step: Step, fit: Fit) -> Report:
    """Tables and findings about a training."""
    bytes_needed = total(question, trial, step)
    report = Report(headline(question, trial.parameters))
    report.tables += [peak_table(step, buckets(question, trial)), layers_table(step, question.batch * question.block)]
    report.findings += verdict(question, bytes_needed, trial.states, fit)
    report.findings += [Finding("note", note) for note in question.subject.notes]
    if question.target.cuda:
        report.findings.append(Finding("note", COMPILED))
    report.data = {
        "model": question.subject.name, "sizes": question.subject.sizes, "parameters": trial.parameters,
        "batch": question.batch, "block": question.block, "accumulation": question.accumulation,
        "dtype": question.setup.dtype, "device": question.target.name, "device_bytes": question.target.bytes,
        "room_bytes": question.target.room, "peak_bytes": bytes_needed, "forward_backward_bytes": step.passes.bytes,
        "optimizer_step_bytes": step.update.bytes, "largest_batch": fit.batch, "states_bytes": trial.states,
        "parts": {f"{kind}: {part}" if part else kind: n for (kind, part), n in step.peak.parts.items() if n},
        "kept": {part: n for (kind, part), n in step.kept.parts.items() if kind == FORWARD and n},
    }
    return report


def headline(question: Question, parameters: int) -> str:
    setup = question.setup
    extras = f", {setup.processes} processes" if setup.processes > 1 else ""
    extras += ", blocks checkpointed" if setup.checkpointing else ""
    return (
        f"memory: {question.subject.name}, {parameters:,} parameters, {setup.dtype}{extras}: "
        f"{question.batch} sequences of {question.block} tokens on {question.target.name}"
    )


def verdict(question: Question, bytes_needed: int, states: int, fit: Fit) -> list[Finding]:
    """Whether it fits, and the largest batch that does."""
    target = question.target
    room = f"{target.name} has {gib(target.bytes)}, of which {gib(target.room)} are counted on: {target.how}"
    if target.holds(bytes_needed):
        what = f"It fits: {gib(bytes_needed)} at the peak; the largest batch that fits is {fit.told}."
        return [Finding("good", what, room)]
    if target.bytes >= bytes_needed:
        advice = instead(question, fit.batch) if fit.batch else "nothing else may run there"
        return [Finding("warning", f"It may just fit: {gib(bytes_needed)} at the peak.", room, advice)]
    if states > target.room:
        return [Finding(
            "error", f"It does not fit: weights, gradients and optimizer alone are {gib(states)}.", room,
            "no batch helps: take a smaller model, more memory, or an optimizer that is shared out among devices",
        )]  # fmt: skip
    advice = instead(question, fit.batch) if fit.batch else "the table says what each change brings; or take several"
    what = "are needed at the peak" if fit.batch else f"at the peak, and one sequence alone takes {gib(fit.least)}"
    return [Finding("error", f"It does not fit: {gib(bytes_needed)} {what}.", room, advice)]


def instead(question: Question, most: int) -> str:
    """The batch to take, with accumulation that keeps the tokens of a step."""
    together = question.batch * question.accumulation
    batch = max(size for size in range(1, most + 1) if together % size == 0)
    return (
        f"take --batch {batch} and add up {together // batch} micro-batches for a step instead of "
        f"{question.accumulation}: the same gradients but for noise; at most {most} fit"
    )


Change = tuple[str, Question, str]  # what is changed, what comes of it, what it costs


def smaller_steps(question: Question) -> list[Change]:
    """Changes of the step alone."""
    half, short = question.batch // 2, question.block // 2
    halved = replace(question, batch=half, accumulation=question.accumulation * 2)
    shorter = replace(question, block=short)
    found = [(f"--batch {half}, twice the accumulation", halved, "nothing but speed: smaller products")] if half else []
    return found + ([(f"--block {short}", shorter, "a token sees half as many before it")] if short else [])


def other_setups(question: Question) -> list[Change]:
    """Changes of how the model is trained."""
    base, found = question.setup, []
    if base.dtype == "float32" and question.target.cuda:
        found.append(("--dtype bfloat16", replace(base, dtype="bfloat16"), "digits of products; it is faster"))
    if not base.checkpointing:
        found.append(("--checkpointing", replace(base, checkpointing=True), "about a third more computing"))
    return [(name, replace(question, setup=setup), cost) for name, setup, cost in found]


def changes(question: Question, counted: list[tuple[str, int, str]]) -> Table:
    """What to change first, and what it costs; each is counted."""
    for name, changed, cost in other_setups(question):
        say(f"trying {name} ...")
        with played(changed.subject, changed.setup, changed.batch, changed.block) as trial:
            counted.append((name, need(changed, trial, changed.batch), cost))
    rows = [(name, gib(size), "yes" if question.target.holds(size) else "no", cost) for name, size, cost in counted]
    return Table(("change", "needs", "fits", "costs"), rows, "one change alone, the cheapest first:")


def say(text: str) -> None:
    """Tell whoever waits at a terminal."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr)


def inference(question: Question, trial: Trial) -> Report:
    """What reading a prompt takes, and what is kept for the tokens that follow."""
    step = trial.prefill(question.batch, question.block)
    states = step.kept.of("optimizer")  # the trial has stepped once; who only reads has none
    peak, kept = step.passes.bytes - states, step.kept.of(FORWARD)
    rows = [("weights", gib(step.kept.of("weights"))), ("kept for the next token", gib(kept)), ("peak", gib(peak))]
    fits = question.target.holds(peak)
    found = f"Reading {question.batch} x {question.block} tokens takes {gib(peak)} at the peak."
    room = f"{question.target.name} has {gib(question.target.bytes)}: {question.target.how}"
    finding = Finding("good", found, room) if fits else Finding("error", found, room, "take fewer or shorter rows")
    return Report(
        headline(question, trial.parameters) + ", inference", [finding],
        [Table(("inference", "bytes"), rows)],
        {"peak_bytes": peak, "kept_bytes": kept, "weights_bytes": step.kept.of("weights"),
         "parameters": trial.parameters, "batch": question.batch, "block": question.block},
    )  # fmt: skip


def compare(question: Question, step: Step, report: Report) -> None:
    """Run the step here, and say how far off the count was."""
    if question.target.cuda or not question.target.holds(step.peak.bytes):
        raise UsageProblem("--measure runs on this machine's CPU: leave out --gpu, and ask for what fits")
    found = measure(question.subject, question.setup, question.batch, question.block, question.accumulation)
    off = step.peak.bytes / found - 1
    text = f"Counted {step.peak.bytes:,} bytes, measured {found:,} at PyTorch's allocator: {off:+.2%}."
    report.findings.append(Finding("good" if abs(off) < 0.1 else "warning", text))
    report.data["measured_bytes"] = found
