"""Findings from the gap between validation and training: one that is there at once, one that grows, and none."""

import math

import numpy as np

from fieldguide.logs.curve import Curve
from fieldguide.loss.judging import Case, line_fall
from fieldguide.loss.leaks import end_of, overfitting, training_at
from fieldguide.loss.losses import Findings, told
from fieldguide.report import Finding

AT_ONCE = 0.15  # of the training loss: the gap of the first measurements after the start
BEGUN = 0.1  # of guessing that training must have fallen by, for a gap to be there at all
GROWN = 2.0  # times the first gap: overfitting grows from nothing, another text is another from the start


def pairs(case: Case, val: Curve) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps of validation, its losses, and the training loss there: measured at the same steps, or of the steps."""
    steps, values = val.course()
    train = case.log.curves.get("train_loss")
    if train is not None and train.count == val.count:
        return steps, values, train.course()[1]
    return steps, values, np.array([training_at(case, int(step)) for step in steps])


def other_text(case: Case) -> Findings:
    """A gap that is wide from the first measurements on, and does not grow much: validation is of another kind."""
    val = case.log.curves.get("val_loss")
    if val is None or val.count < 5 or case.name == "val_loss" or not len(case.values):
        return
    steps, held, train = pairs(case, val)
    begun = train < case.curve.first * (1 - BEGUN) if case.fresh else np.ones(len(train), dtype=bool)
    steps, held, train = steps[begun], held[begun], train[begun]
    if len(held) < 4:
        return
    apart = held - train
    first, last = float(np.median(apart[:3])), float(np.median(apart[-max(3, len(apart) // 3) :]))
    error = 1.25 * float(np.abs(np.diff(apart)).mean()) / math.sqrt(3)
    level = float(np.median(train[:3]))
    grown = last > GROWN * first
    if first > max(AT_ONCE * level, 4 * error) and not grown and last > 0.5 * first:
        yield Finding(
            "warning", f"val_loss is far above training from the first measurements on: by {told(first)} near step "
            f"{int(steps[0]):,}, by {told(last)} at the end",
            f"{first / level:.0%} of the training loss; overfitting begins without a gap, and widens: this one is "
            "there before any text can be known by heart",
            "validation is of another kind (source, language, tokenizer, mask, block size), or the training text is "
            "easier: cut a new validation part out of the training file and measure on it; if the gap goes, it was "
            "the text; if it stays, training has repeated a small text from the start: `fieldguide data` on both",
        )  # fmt: skip


def same_numbers(case: Case) -> Findings:
    """Validation that has the very numbers of training: the same batches are measured twice."""
    train, val = case.log.curves.get("train_loss"), case.log.curves.get("val_loss")
    if train is None or val is None or train.count != val.count or val.count < 3:
        return
    a, b = train.course()[1], val.course()[1]
    equal = int((a == b).sum())
    # Two means of text that agree to 4 digits by chance: once in some hundred pairs, so half of them never do
    if equal >= 3 and equal > 0.5 * len(a) and len(set(a.tolist())) >= 3:
        yield Finding(
            "warning", f"train_loss and val_loss are the same number in {equal} of {len(a)} measurements",
            "two parts of a text never agree to the last digit",
            "both are measured on one file, with one seed: look at the file that each split opens; `fieldguide data` "
            "on both",
        )  # fmt: skip


def overfits(case: Case) -> Findings:
    """Overfitting by its lowest point, or else by a line through noisy measurements."""
    found = list(overfitting(case)) or list(rises_in_noise(case))
    yield from found


def rises_in_noise(case: Case) -> Findings:
    """Validation that rises as a whole, whatever single measurements do: a line through its second half or two thirds.

    The slope must be so many standard errors above 0 that noise alone gives it once in a thousand logs.
    """
    val = case.log.curves.get("val_loss")
    if val is None or val.count < 12 or case.name == "val_loss" or not len(case.values):
        return
    steps, held, train = pairs(case, val)
    for first in (len(held) // 2, len(held) // 3):
        tail = held[first:]
        fall, error = line_fall(tail)
        needed = 3.1 + 16 / (len(tail) - 2)  # above the t-distribution's 0.1 % for 4 to 60 degrees of freedom
        part = train[first:]
        learned, doubt = line_fall(part)
        if -fall > max(needed * error, 0.015 * tail.min()) and learned > 2 * doubt and apart_now(tail, part, -fall):
            yield Finding(
                "warning", f"Overfitting: val_loss rises by {told(-fall)} from step {int(steps[first]):,} on, as a "
                "whole, while training falls",
                f"a line through {len(tail)} measurements; its rise is {-fall / error:.0f} standard errors, and "
                f"{needed:.1f} are asked for; training fell by {told(learned)}, to {told(end_of(case.curve))}",
                "measure validation on more batches to see its lowest point; then the checkpoint from there, more "
                "text, more dropout or weight decay, a smaller model, or fewer steps",
            )  # fmt: skip
            return


def apart_now(held: np.ndarray, train: np.ndarray, rise: float) -> bool:
    """Whether validation stands above training at the end by most of its rise."""
    last = max(2, len(held) // 4)
    return float(held[-last:].mean() - train[-last:].mean()) > 0.7 * rise
