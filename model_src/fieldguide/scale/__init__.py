"""From a model, or from a budget, to parameters, tokens, operations, steps, hours, money and checkpoints."""

import argparse
import copy
import math

from fieldguide import devices
from fieldguide.memory.portions import gib
from fieldguide.models import Subject, add_model_arguments, subject_from
from fieldguide.report import Finding, Report, Table, UsageProblem
from fieldguide.scale.laws import LAWS, Law, Tokens, size_for
from fieldguide.scale.plans import Plan, law_of, plan_of

HELP = "from a model or a budget to parameters, tokens, operations, steps, hours, money and the size of checkpoints"
MFU = (0.3, 0.4, 0.5)  # what is usual on GPUs: shared facts of the book, from published trainings of 2023 to 2026
POSITIVE = ("ratio", "tokens", "flops", "hours", "dollars", "dollars_per_gpu_hour", "mfu", "tokens_per_step", "gpus")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model_arguments(parser)
    devices.add_device_arguments(parser)
    group = parser.add_argument_group("how long", "by a law, or as you say")
    group.add_argument("--law", choices=tuple(LAWS), help="whose (default: nanochat's for its models, else Chinchilla)")
    group.add_argument("--ratio", type=float, metavar="X", help="so many tokens for each parameter as the law counts")
    group.add_argument("--tokens", type=float, metavar="X", help="so many tokens")
    group.add_argument("--tokens-per-step", type=int, metavar="N", help="of all devices (default: the model's)")
    group = parser.add_argument_group("a budget", "one of these asks for the best size instead")
    group.add_argument("--flops", type=float, metavar="X", help="operations of the whole training")
    group.add_argument("--hours", type=float, metavar="X", help="of all devices together; needs --gpu or --tflops")
    group.add_argument("--dollars", type=float, metavar="X", help="needs --dollars-per-gpu-hour as well")
    group = parser.add_argument_group("time and money")
    group.add_argument("--gpus", type=int, default=1, metavar="N", help="devices that train together (default: 1)")
    group.add_argument("--mfu", type=float, metavar="X", help="share of the device's operations that is used, 0 to 1 "
                       f"(default: {MFU[0]:g} to {MFU[2]:g})")
    group.add_argument("--dollars-per-gpu-hour", type=float, metavar="X", help="your price; none is assumed")


def run(options: argparse.Namespace) -> Report:
    check(options)
    device = devices.asked(options)
    budget = budget_of(options, device)
    if budget is not None:
        return for_budget(options, budget, device)
    subject = subject_from(options)
    plan = plan_of(subject, options, law_of(subject, options))
    return for_model(subject, plan, options, device)


def check(options: argparse.Namespace) -> None:
    """UsageProblem where options are no numbers to reckon with, or contradict each other."""
    for name in POSITIVE:
        value = getattr(options, name)
        if value is not None and not 0 < value < math.inf:
            raise UsageProblem(f"--{name.replace('_', '-')} {value}: a number above 0 is needed")
    if options.mfu is not None and options.mfu > 1:
        raise UsageProblem(f"--mfu {options.mfu}: a share is at most 1; 40 % is 0.4")
    for pair in (("flops", "hours", "dollars"), ("ratio", "tokens")):
        given = [f"--{name}" for name in pair if getattr(options, name) is not None]
        if len(given) > 1:
            raise UsageProblem(f"{' and '.join(given)} say the same twice: leave out all but one")
    if options.gpu == "list":
        raise UsageProblem("--gpu list is of fieldguide memory: fieldguide memory --gpu list")


def budget_of(options: argparse.Namespace, device: devices.Device | None) -> float | None:
    """Operations that the reader would spend; None where no budget is named."""
    if options.flops is not None:
        return float(options.flops)
    hours = options.hours
    if options.dollars is not None:
        if options.dollars_per_gpu_hour is None:
            raise UsageProblem("--dollars needs your price: --dollars-per-gpu-hour")
        hours = options.dollars / options.dollars_per_gpu_hour / options.gpus
    if hours is None:
        return None
    if device is None or device.tflops is None:
        raise UsageProblem("hours become operations by a device: name it with --gpu, or say its --tflops")
    return hours * 3600 * device.tflops * 1e12 * options.gpus * (options.mfu or MFU[1])


def for_model(subject: Subject, plan: Plan, options: argparse.Namespace, device: devices.Device | None) -> Report:
    """What training this model takes, by the law asked for, and beside it what other laws would have it read."""
    law = law_of(subject, options)
    rows = [
        ("parameters", f"{plan.parameters:,}", f"in blocks {plan.size.blocks:,}, with the head "
         f"{plan.size.matrices_and_head:,}"),
        ("tokens", number(plan.tokens.value), between(plan.tokens)),
        ("operations", f"{plan.flops:.3g}", f"{plan.flops_per_token:.3g} for a token"),
        ("steps", f"{plan.steps:,}", f"of {plan.tokens_per_step:,} tokens"),
        *time_rows(plan.flops, options, device),
        ("checkpoint", gib(plan.checkpoint), "weights and optimizer, in float32"),
    ]  # fmt: skip
    others = [(each.name, number(each.of(plan.size).value), between(each.of(plan.size)), each.source)
              for each in LAWS.values()]
    how = "as asked" if asked(options) else f"by {law.name} ({law.source})"
    report = Report(f"scale: {subject.name}, {plan.parameters:,} parameters; tokens {how}")
    report.tables = [Table(("", "value", ""), rows), Table(("law", "tokens", "interval", "source"), others)]
    report.findings = hints(options, device) + [Finding("note", note) for note in subject.notes]
    report.data = {
        "model": subject.name, "sizes": subject.sizes, "parameters": plan.parameters, "tokens": plan.tokens.value,
        "tokens_between": [plan.tokens.low, plan.tokens.high], "flops": plan.flops, "steps": plan.steps,
        "flops_per_token": plan.flops_per_token, "tokens_per_step": plan.tokens_per_step,
        "checkpoint_bytes": plan.checkpoint, "hours_between": hours(plan.flops, options, device),
        "dollars_between": dollars(plan.flops, options, device),
    }
    return report


def asked(options: argparse.Namespace) -> bool:
    """Whether the reader says how many tokens."""
    return options.ratio is not None or options.tokens is not None


def hours(flops: float, options: argparse.Namespace, device: devices.Device | None) -> list[float] | None:
    """The least and the most, over the usual shares of a device's operations; equal where the reader says which."""
    if device is None or device.tflops is None:
        return None
    shares = (options.mfu, options.mfu) if options.mfu else (MFU[2], MFU[0])
    return [flops / (device.tflops * 1e12 * options.gpus * share) / 3600 for share in shares]


def dollars(flops: float, options: argparse.Namespace, device: devices.Device | None) -> list[float] | None:
    """What the hours cost at the reader's price."""
    took = hours(flops, options, device)
    price = options.dollars_per_gpu_hour
    return None if took is None or price is None else [each * options.gpus * price for each in took]


def time_rows(flops: float, options: argparse.Namespace, device: devices.Device | None) -> list[tuple[str, str, str]]:
    """Rows about time and money, as far as the reader's figures reach."""
    took, cost = hours(flops, options, device), dollars(flops, options, device)
    rows = []
    if took and device:
        share = f"{options.mfu:.0%}" if options.mfu else f"{MFU[2]:.0%} to {MFU[0]:.0%}"
        rows.append(("hours", span(took), f"on {options.gpus} x {device.name} at {share} of {device.tflops:g} TFLOPS"))
    if cost:
        rows.append(("money", span(cost), f"at your {options.dollars_per_gpu_hour:g} for a GPU and an hour"))
    return rows


def span(pair: list[float]) -> str:
    """One number, or two."""
    low, high = (number(each) for each in pair)
    return low if low == high else f"{low} to {high}"


def number(value: float) -> str:
    """Three digits and a word: 2.28 billion."""
    for size, word in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if value >= size:
            return f"{value / size:.3g}{word}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def between(tokens: Tokens) -> str:
    """The interval, where there is one."""
    return "" if tokens.low == tokens.high else f"{number(tokens.low)} to {number(tokens.high)}"


def hints(options: argparse.Namespace, device: devices.Device | None) -> list[Finding]:
    """What is missing, and what was assumed."""
    if device is None or device.tflops is None:
        why = "" if device is None else f" ({device.name} has no figure for bfloat16)"
        return [Finding("note", f"No device, so no hours{why}.", advice="say --gpu NAME, or --tflops X")]
    found = [Finding("note", f"Hours suppose that the device is kept busy; TFLOPS are of {devices.DATE}, dense.")]
    if options.dollars_per_gpu_hour is None:
        found.append(Finding("note", "No price, so no money.", advice="say --dollars-per-gpu-hour with today's price"))
    return found


def for_budget(options: argparse.Namespace, budget: float, device: devices.Device | None) -> Report:
    """The best size by each law, and the depth of the model family that spends the budget."""
    rows = []
    for law in LAWS.values():
        n = size_for(law, budget)
        rows.append((law.name, number(n), {"total": "all", "blocks": "in blocks"}.get(law.counts, "with the head"),
                     number(law.tokens(n).value), law.source))
    report = Report(f"scale: a budget of {budget:.3g} operations")
    report.tables.append(Table(("law", "parameters", "counted", "tokens", "source"), rows))
    plans = depths(options, budget)
    subject, plan = plans[-1] if plans else (None, None)
    if subject and plan:
        depth = subject.sizes.get("n_layer", subject.sizes.get("depth"))
        time = "; ".join(f"{name} {value}" for name, value, _ in time_rows(plan.flops, options, device))
        what = f"The deepest {subject.name} that it pays for has {depth} layers, {plan.parameters:,} parameters."
        evidence = f"{number(plan.tokens.value)} tokens, {plan.flops:.3g} operations, {plan.steps:,} steps"
        report.findings.append(Finding("good", what, f"{evidence}; {time}" if time else evidence))
    else:
        report.findings.append(Finding("warning", "The budget pays for no model of one layer or more.",
                                       advice="spend more, or size a model by hand: --n-layer, --n-embd"))
    if options.hours or options.dollars:
        share = options.mfu or MFU[1]
        report.findings.append(Finding("note", f"Hours became operations at {share:.0%} of what the device can do."))
    report.data = {"flops": budget, "depth": depth if subject else None,
                   "laws": {law: size_for(LAWS[law], budget) for law in LAWS}}
    return report


def depths(options: argparse.Namespace, budget: float) -> list[tuple[Subject, Plan]]:
    """The depths that the budget pays for, width 64 times the depth as in nanochat."""
    found: list[tuple[Subject, Plan]] = []
    for depth in range(1, 101):
        sized = copy.copy(options)
        sized.n_layer = depth
        if not (options.model or "").startswith("nanochat"):
            sized.n_head, sized.n_embd = depth, 64 * depth
        subject = subject_from(sized)
        law: Law = law_of(subject, options)
        plan = plan_of(subject, options, law)
        if plan.flops > budget:
            break
        found.append((subject, plan))
    return found
