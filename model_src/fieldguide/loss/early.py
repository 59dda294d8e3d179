"""Two rules about where a fall happens: nearly all of it in the first steps, or none after the first quarter."""

import math
from dataclasses import dataclass

import numpy as np

from fieldguide.loss.judging import Case, line_fall

# Measured on 87 real small trainings, healthy and with planted faults (tests/models/trainings.py): of the healthy
# ones none made more than 0.31 of its fall in 5 steps; with AdamW at 0.02 or more all made 0.40 or more.
AT_ONCE = (0.38, 0.65)  # share of the whole fall in the first 5 and the first 15 steps that no usable rate makes
USELESS = 0.5  # of guessing: a loss above this share has learned little more than how often each token occurs
FREQUENT = {300: 0.57, 1 << 40: 0.66}  # of guessing, by vocabulary: what frequencies alone give, or somewhat less
REGULAR = 0.54  # of guessing: what frequencies alone give in programs and tables
HIGH_RATE = 0.015  # of AdamW; the highest in use is some 0.006, Muon's and nGPT's are higher


@dataclass(frozen=True)
class AtOnce:
    """How much of the fall the first steps made."""

    share: float
    steps: int
    end: float


def falls_at_once(case: Case) -> AtOnce | None:
    """The share of the whole fall in the first steps, if it is more than a usable rate makes, and little follows."""
    values, steps = case.values, case.steps
    if not case.scratch or len(values) < 100 or case.curve.width > 1 or case.curve.last_step < 150:
        return None
    if steps[0] > 1:
        return None
    end = float(values[-max(20, len(values) // 5) :].mean())
    whole = float(values[0]) - end
    if end < USELESS * case.guess or whole < 0.05 * values[0]:
        return None
    for limit, first, last in ((AT_ONCE[0], 3, 8), (AT_ONCE[1], 8, 16)):
        early = values[(steps >= first) & (steps < last)]
        if not len(early):
            continue
        doubt = 0.0 if len(early) >= 3 else 2 * case.noise / math.sqrt(len(early)) / whole
        share = (float(values[0]) - float(np.median(early))) / whole
        if share - doubt >= limit:
            return AtOnce(min(share, 1.0), last - 1, end)
    return None


@dataclass(frozen=True)
class Stuck:
    """A level from which a loss does not come down."""

    level: float
    step: int
    fall: float  # from there to the end
    hidden: float  # the largest that noise allows


def stuck(case: Case) -> Stuck | None:
    """The last three quarters, if they lie above what context gives and show no fall, or next to none.

    No fall: below 2 standard errors, and 16 % of the fall before at most; next to none: surely less than 9 % of it.
    Programs and tables are more regular than prose, so their frequencies give less: below the usual level, down to
    0.54 of guessing, the tail must be flat within 1 error.
    """
    values, n = case.values, len(case.values)
    first = n // 4
    if not case.scratch or n < 32 or case.curve.last_step - int(case.steps[first]) < 190:
        return None
    tail = values[first:]
    level, (fall, error) = float(tail.mean()), line_fall(tail)
    before = max(case.beginning, min(case.curve.first, case.guess)) - level
    usual = next(share for most, share in FREQUENT.items() if math.exp(min(case.guess, 20)) < 1.2 * most)
    if before < 0.1 * case.guess or fall < -2 * error:
        return None
    hidden = fall + 2 * error
    if level > usual * case.guess:
        flat = (fall < 2 * error and hidden < 0.16 * before) or hidden < 0.09 * before
    else:
        flat = level > REGULAR * case.guess and n >= 250 and abs(fall) < error and hidden < 0.14 * before
    return Stuck(level, int(case.steps[first]), fall, hidden) if flat else None


def high_rate(case: Case) -> float:
    """The highest rate of the log, if it is above what AdamW bears, else 0."""
    curve = case.log.curves.get("lr")
    if curve is None or not curve.count:
        return 0.0
    top = float(curve.course()[1].max())
    return top if top >= HIGH_RATE and math.isfinite(top) else 0.0


def slow_at_high_rate(case: Case) -> Stuck | None:
    """A loss that hardly falls in its last 60 %, at a rate above what AdamW bears."""
    values, n = case.values, len(case.values)
    if not case.scratch or n < 100 or not high_rate(case):
        return None
    first = 2 * n // 5
    tail = values[first:]
    level, (fall, error) = float(tail.mean()), line_fall(tail)
    before = max(case.beginning, min(case.curve.first, case.guess)) - level
    if level > USELESS * case.guess and fall + 2 * error < 0.3 * before:
        return Stuck(level, int(case.steps[first]), fall, fall + 2 * error)
    return None
