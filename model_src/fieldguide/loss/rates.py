"""Findings about the learning rate: from the rates of the log, and from what a rate does to the course."""

import numpy as np

from fieldguide.loss.early import falls_at_once, high_rate, slow_at_high_rate
from fieldguide.loss.judging import FEWEST, Case
from fieldguide.loss.losses import Findings, rate, told
from fieldguide.report import Finding

FEW = 3  # values of a rate that is 0 all the time: less may be the start of a warm-up
# The same course has several causes; each has an experiment that the others pass.
APART = (
    "rate: a tenth of it for 200 steps falls further; zero_grad missing: backward() twice on one batch with zero_grad "
    "between gives the same gradient's norm, in your loop it grows; targets: decode one row, is y[i] == x[i + 1]? "
    "context: shuffle x's earlier tokens, does the loss change?"
)


def rising_rate(case: Case) -> Findings:
    """A rate of zero, or one that rises when it should fall."""
    for name in ("lr", "lr_multiplier"):
        curve = case.log.curves.get(name)
        if curve is None or not curve.count:
            continue
        _, values = curve.course()
        half = values[len(values) // 2 :]
        if curve.count >= FEW and values.max() <= 0:
            yield Finding(
                "error", f"The learning rate is 0: {name} is 0 at all {curve.count:,} steps, and no weight moves",
                "what changes in the loss is the batches' noise",
                "print optimizer.param_groups[0]['lr'] just before step(): 0 there is the schedule (a warm-up that "
                "starts at 0 and never goes on, 0 as its largest value); not 0 there: the log has another group's",
            )  # fmt: skip
        elif curve.count >= FEWEST and still_rises(half) and curve.last_step > 200:
            yield Finding(
                "warning", f"{name} still rises at the end: {half.min():.3g} halfway or later, {half[-1]:.3g} at last",
                "", "the warm-up is longer than half of the training, or the schedule runs the wrong way",
            )  # fmt: skip


def still_rises(half: np.ndarray) -> bool:
    """Whether a rate goes up to its end; one that was set up again at the very last has not risen before."""
    before = half[-max(3, len(half) // 10)]
    return bool(half[-1] > 1.05 * half.min() and half[-1] > 0.999 * half.max() and before > 0.5 * half[-1])


def above_guessing(case: Case) -> float:
    """The share of the losses of the first third, but for its first steps, that are clearly above guessing.

    Only where the first loss is that of guessing, and where there are five such losses at least: weights that are too
    large begin above it, and a batch of wrong ids is one.
    """
    if not case.scratch or len(case.values) < 60 or case.curve.first > case.guess + 0.7:
        return 0.0
    third = case.values[3 : len(case.values) // 3]
    high = int((third > case.guess + max(0.4, 0.06 * case.guess)).sum())
    return high / len(third) if high >= 5 else 0.0


def too_fast(case: Case) -> Findings:
    """A rate that is too high without an explosion: all is learned at once, and nothing more."""
    if (found := falls_at_once(case)) is not None:
        yield Finding(
            "warning", f"Too high a learning rate, gradients that add up, or targets of other rows: {found.share:.0%} "
            f"of the whole fall is made in the first {found.steps} steps, and the loss stays at {told(found.end)}",
            f"from {told(case.curve.first)}; with a usable rate the first steps make less than a third; {rate(case)}",
            APART,
        )  # fmt: skip
    elif (share := above_guessing(case)) > 0.05:
        yield Finding(
            "warning", f"The learning rate is too high: {share:.0%} of the losses of the first third are worse than "
            "guessing",
            f"guessing costs {told(case.guess)}, and the highest is {told(float(case.values.max()))}; {rate(case)}",
            APART,
        )  # fmt: skip
    elif (slow := slow_at_high_rate(case)) is not None:
        yield Finding(
            "warning", f"The learning rate is too high: the loss stays at {told(slow.level)} from step {slow.step:,} "
            f"on, with a rate of {high_rate(case):.2g}",
            f"noise could hide a fall of {told(slow.hidden)} at most; AdamW is used with 0.006 or less",
            "divide the rate by 10; if the optimizer is Muon or SGD, whose rates are higher, by 3",
        )  # fmt: skip
