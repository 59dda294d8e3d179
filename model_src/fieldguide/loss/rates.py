"""Findings about the learning rate: from the rates of the log, and from what a rate does to the course."""

import numpy as np

from fieldguide.loss.early import falls_at_once, high_rate, slow_at_high_rate
from fieldguide.loss.judging import FEWEST, Case
from fieldguide.loss.losses import Findings, rate, told
from fieldguide.report import Finding


def rising_rate(case: Case) -> Findings:
    """A rate of zero, or one that rises when it should fall."""
    for name in ("lr", "lr_multiplier"):
        curve = case.log.curves.get(name)
        if curve is None or curve.count < FEWEST:
            continue
        _, values = curve.course()
        half = values[len(values) // 2 :]
        if values.max() <= 0:
            yield Finding("error", f"{name} is 0 at all {curve.count:,} steps", "", "set a learning rate")
        elif still_rises(half) and curve.last_step > 200:
            yield Finding(
                "warning", f"{name} still rises at the end: {half.min():.3g} halfway or later, {half[-1]:.3g} at last",
                "", "the warm-up is longer than half of the training, or the schedule runs the wrong way",
            )  # fmt: skip


def still_rises(half: np.ndarray) -> bool:
    """Whether a rate goes up to its end; one that was set up again at the very last has not risen before."""
    before = half[-max(3, len(half) // 10)]
    return bool(half[-1] > 1.05 * half.min() and half[-1] > 0.999 * half.max() and before > 0.5 * half[-1])


def too_fast(case: Case) -> Findings:
    """A rate that is too high without an explosion: all is learned at once, and nothing more."""
    if (found := falls_at_once(case)) is not None:
        yield Finding(
            "warning", f"The learning rate is too high: {found.share:.0%} of the whole fall is made in the first "
            f"{found.steps} steps, and the loss stays at {told(found.end)}",
            f"from {told(case.curve.first)}; with a usable rate the first steps make less than a third; {rate(case)}",
            "divide the rate by 10 and warm up for 100 steps; steps as large as the weights themselves keep the model "
            "at what each token's frequency gives",
        )  # fmt: skip
    elif (slow := slow_at_high_rate(case)) is not None:
        yield Finding(
            "warning", f"The learning rate is too high: the loss stays at {told(slow.level)} from step {slow.step:,} "
            f"on, with a rate of {high_rate(case):.2g}",
            f"noise could hide a fall of {told(slow.hidden)} at most; AdamW is used with 0.006 or less",
            "divide the rate by 10; if the optimizer is Muon or SGD, whose rates are higher, by 3",
        )  # fmt: skip
