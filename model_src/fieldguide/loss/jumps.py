"""One faint jump of a loss: too low for a single value to stand out, but several after it are high together."""

from dataclasses import dataclass

import numpy as np

from fieldguide.logs.curve import Curve

BEFORE, WIDTHS = 15, (3, 5, 9)  # values whose medians are compared: so many before, so many after
FAR = 6.0  # spreads; and one more for each 1/200 of a log that is short, whose spread is not known well
FACTOR = 2.0  # of the next highest that is not of the same event
EVENT = 60  # values around a jump that belong to it


@dataclass(frozen=True)
class Jump:
    """Where a loss rises at once."""

    step: int
    before: float
    after: float
    excess: float  # in spreads


def jump(curve: Curve, least: float) -> Jump | None:
    """The one place where the median of the next 3, 5 or 9 values is far above that of the 15 before.

    Far: 6 times the spread of such differences in this very log (so that batches in order, or of two kinds, raise the
    bar themselves), twice the highest elsewhere, and ``least`` nats. A fall makes the difference negative, so that a
    steep course hides none and adds none.
    """
    steps, values = curve.course()
    best: Jump | None = None
    event = min(EVENT, len(values) // 8)
    if len(values) < 80:
        return None
    befores = np.median(np.lib.stride_tricks.sliding_window_view(values, BEFORE), axis=1)
    for width in WIDTHS:
        afters = np.median(np.lib.stride_tricks.sliding_window_view(values, width), axis=1)[BEFORE:]
        apart = afters - befores[: len(afters)]
        middle = float(np.median(apart))
        spread = 1.4826 * float(np.median(np.abs(apart - middle)))
        top = int(np.argmax(apart))
        if spread <= 0 or apart[top] < least:
            continue
        others = np.r_[apart[: max(0, top - event)], apart[top + event :]]
        rest = float(others.max()) if len(others) else 0.0
        excess = (float(apart[top]) - max(middle, 0.0)) / spread
        alone = excess > FAR + 200 / len(values) and apart[top] > FACTOR * max(rest, 0.0)
        if alone and (best is None or excess > best.excess):
            at = top + BEFORE
            best = Jump(int(steps[at]), float(befores[top]), float(afters[top]), excess)
    return best
