"""Findings about a training that was taken up again: what a checkpoint should have brought and did not."""

import math

import numpy as np

from fieldguide.loss.judging import LEAST, Case
from fieldguide.loss.losses import Findings, told
from fieldguide.report import Finding

WINDOW = 10  # values whose medians are compared before and after
FAR = 5.0  # standard errors between these medians
RISE = 0.05  # of the loss before: less is no alarm, for batches of another part may be somewhat harder
EXPERIMENT = (
    "keep one batch beside the checkpoint, with its loss: load, ask for that loss again. Equal: the weights and ids "
    "came back, and the optimizer's moments, the rate or the data's order did not; higher: `fieldguide checkpoint "
    "compare` the file with the weights just after loading, and the tokenizer's file with that of before"
)


def jump_at_resume(case: Case) -> Findings:
    """The loss just before and just after each place where the training was taken up."""
    values, steps = case.values, case.steps
    for step in resumed_at(case):
        at = int(np.searchsorted(steps, step, side="left"))
        before, after = values[max(0, at - WINDOW) : at], values[at : at + WINDOW]
        if len(before) < 5 or len(after) < 3:
            continue
        first = after[:3] if len(after) < WINDOW else after[:5]
        low, high = float(np.median(before)), float(np.median(first))
        # 1.25: the median's standard error against that of the mean, in normal noise
        error = 1.25 * spread(case) * math.sqrt(1 / len(before) + 1 / len(first))
        if high - low > max(LEAST, RISE * low, FAR * error):
            yield lost(case, int(steps[at]), low, high, error)
    if case.log.resumed and case.curve.first_step >= 50 and case.vocabulary and len(values) >= 3:
        high = float(np.median(values[:3]))
        if high > 0.9 * case.guess:
            yield lost(case, case.curve.first_step, math.nan, high, math.nan)


def resumed_at(case: Case) -> list[int]:
    """The first step of each later part: where steps went back, or the log says that it resumes."""
    back = [new for _, new in case.curve.restarts]
    return sorted({*back, *(step + 1 for step in case.log.resumes if step >= 0)})


def spread(case: Case) -> float:
    """Spread of one value around its course, over the whole log."""
    apart = np.diff(case.values)
    if len(apart) < 5:
        return math.inf
    return float(1.4826 * np.median(np.abs(apart - np.median(apart))) / math.sqrt(2))


def lost(case: Case, step: int, before: float, after: float, error: float) -> Finding:
    """All is lost, or a part."""
    top = case.guess if case.vocabulary or case.scratch else math.inf
    known = f"{told(before)} before, " if before == before else ""
    doubt = f"; {(after - before) / error:.0f} standard errors of these medians" if error == error and error else ""
    if after > 0.85 * top:
        what = f"The loss is back at guessing at step {step:,}, where the training was taken up"
        causes = "the weights were not loaded (strict=False, another prefix), or the token ids are another tokenizer's"
    else:
        what = f"The loss jumps up at step {step:,}, where the training was taken up"
        causes = (
            "a part of the state is lost: some weights, the optimizer's moments, the schedule's step, or other data"
        )
    guess = f", guessing costs {told(top)}" if math.isfinite(top) else ""
    return Finding("error" if after > 0.85 * top else "warning", what,
                   f"{known}{told(after)} after{guess}{doubt}; {causes}", EXPERIMENT)  # fmt: skip


def starts_anew(case: Case) -> Findings:
    """A loss that is at guessing again after it was far below, and falls from there: no resume is in the log.

    Three values in a row within 12 % of guessing. A training that was thrown off may stand there, too, so this is a
    note beside the alarm of the spike.
    """
    values, n = case.values, len(case.values)
    if not case.scratch or n < 60 or case.curve.width > 1 or case.log.resumes or case.curve.restarts:
        return
    near = np.abs(values / case.guess - 1) < 0.12
    for at in np.flatnonzero(near[30 : n - 10]) + 30:
        before = values[at - 10 : at]
        if near[at : at + 3].all() and (before < 0.75 * case.guess).all() and values[-5:].mean() < values[at]:
            yield Finding(
                "note", f"The loss is as high as guessing from step {int(case.steps[at]):,} on",
                f"{told(float(np.median(before)))} before, {told(float(values[at]))} there; guessing costs "
                f"{told(case.guess)}: weights that were lost look so, and so does a spike that happens to end there",
                "was the training taken up there? Then " + EXPERIMENT,
            )  # fmt: skip
            return
