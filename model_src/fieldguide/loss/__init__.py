"""What a log of losses says: NaN, spikes, plateaus, leaks, a wrong rate, overfitting, noise."""

import argparse
import math
from pathlib import Path

from fieldguide.logs.log import Log
from fieldguide.logs.reading import read_log
from fieldguide.loss.failures import few_and_flat, not_finite, nothing_to_learn, troubles_of_log
from fieldguide.loss.gaps import other_text, overfits, same_numbers
from fieldguide.loss.judging import FEWEST, Case, prepare
from fieldguide.loss.leaks import below_training, steeper_than_text, too_good
from fieldguide.loss.losses import (
    floor_of_noise,
    frozen,
    learning,
    plateau,
    spiked,
    start,
    told,
)
from fieldguide.loss.rates import rising_rate, too_fast
from fieldguide.loss.resumes import jump_at_resume, starts_anew
from fieldguide.loss.scaler import infinite_gradients, scale_collapses
from fieldguide.report import Finding, Report, Table

HELP = "read a training's log: NaN, spikes, plateaus, leaks, a wrong rate, overfitting, noise"
SHOWN = ("loss", "smooth_loss", "train_loss", "val_loss", "val_bpb", "lr", "lr_multiplier", "grad_norm", "reward",
         "loss_scale")  # fmt: skip
RULES = (
    troubles_of_log, not_finite, scale_collapses, infinite_gradients, nothing_to_learn, start, frozen, learning,
    few_and_flat, rising_rate, jump_at_resume, starts_anew, spiked, too_fast, plateau, too_good, steeper_than_text,
    below_training, overfits, other_text, same_numbers, floor_of_noise,
)  # fmt: skip
WITHOUT_LOSSES = (troubles_of_log, not_finite, scale_collapses, infinite_gradients, rising_rate)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The log, and what it does not say itself."""
    parser.add_argument(
        "file", type=Path, metavar="FILE",
        help="log.jsonl or its folder, what nanoGPT or nanochat printed, CSV with a head, or TensorBoard's file",
    )  # fmt: skip
    parser.add_argument(
        "--vocab-size", type=int, default=0, metavar="V", help="tokens of the vocabulary (default 0: as the log says)"
    )
    parser.add_argument(
        "--stage", choices=("auto", "pretrain", "finetune"), default="auto",
        help="finetune: the first weights were not random, or the text is generated (default: as the log says)",
    )  # fmt: skip


def run(options: argparse.Namespace) -> Report:
    """Read the log and ask every rule."""
    log = read_log(options.file, messages=True)
    if options.stage == "pretrain":
        log.conversations, log.resumed = False, ""
    case = prepare(log, options.vocab_size or None, options.stage == "finetune")
    report = Report(f"Loss in {log.path}", tables=[table(log)], data=data(case))
    report.findings = judge(case)
    return report


def judge(case: Case) -> list[Finding]:
    """All findings, the worst first; where there is nothing wrong, it is said."""
    if not case.name:
        known = ", ".join(case.log.curves)
        if not known:
            return list(troubles_of_log(case))  # what a training printed when it ended, without its losses
        return [Finding("note", f"There is no loss in this log, only {known}", "", "name the log that has the losses")]
    rules = RULES if case.curve.count else WITHOUT_LOSSES
    found = [finding for rule in rules for finding in rule(case)]
    if case.curve.count < FEWEST:
        few = f"{case.curve.count} losses are too few to judge the course"
        found.append(Finding("note", few, f"{FEWEST} are needed", "let it train on, or log more often"))
    worst = sorted(found, key=lambda finding: ("error", "warning", "good", "note").index(finding.level))
    if not any(finding.level in ("error", "warning") for finding in found) and case.curve.count >= FEWEST:
        worst.insert(0, Finding("good", "Nothing is wrong with this course by any of the rules"))
    return worst


def table(log: Log) -> Table:
    """One line for each curve."""
    rows = []
    for name in SHOWN:
        if (curve := log.curves.get(name)) is not None:
            steps = f"{curve.first_step:,} to {curve.last_step:,}" if curve.count else "-"
            numbers = [curve.first, curve.least, curve.last]
            shown = [told(value) if math.isfinite(value) else "-" for value in numbers]
            rows.append((name, f"{curve.count:,}", steps, *shown, f"{curve.bad_count:,}"))
    kinds = ", ".join(f"{count:,} of {kind}" for kind, count in log.kinds.items())
    passed = f"; {log.unread:,} others" if log.unread else ""
    passed += f", {log.too_long:,} too long to be a log's" if log.too_long else ""
    heads = ("curve", "values", "steps", "first", "least", "last", "not finite")
    return Table(heads, rows, f"Lines: {kinds}{passed}")


def data(case: Case) -> dict[str, object]:
    """What --json prints of the curves."""
    curves = {
        name: {
            "values": curve.count, "first_step": curve.first_step, "last_step": curve.last_step, "first": curve.first,
            "least": curve.least, "last": curve.last, "not_finite": curve.bad_count, "not_finite_steps": curve.bad,
        }
        for name, curve in case.log.curves.items()
    }  # fmt: skip
    return {"file": str(case.log.path), "curves": curves, "judged": case.name, "vocabulary": case.vocabulary}
