"""A series of numbers of any length in bounded memory: its mean course, its spikes, its first NaN."""

import math
from dataclasses import dataclass, field

import numpy as np

BUCKETS = 4096  # means that are kept at most; a longer series has several values in each
BEFORE = 50  # values that say what the next one should be
SCAN = 4096  # values in which spikes are looked for at once
KEPT = 500  # spikes, the highest
LARGEST = 1e30  # what is not below it is as good as infinite
BINS = np.linspace(0, 100, 1001)  # of the excess over what was expected, in spreads


@dataclass(frozen=True)
class High:
    """One value far above what those before it led to expect."""

    index: int  # which value of the series
    step: int
    value: float
    expected: float
    spread: float

    @property
    def excess(self) -> float:
        """How far, in spreads."""
        return (self.value - self.expected) / self.spread


@dataclass
class Curve:
    """One series. ``add`` takes its values one by one."""

    searched: bool = True  # whether spikes are looked for
    count: int = 0  # finite values
    first: float = math.nan
    first_step: int = -1
    last: float = math.nan
    last_step: int = -1
    least: float = math.inf
    bad: list[int] = field(default_factory=list)  # steps of the first values that were not finite
    bad_count: int = 0
    good_after_bad: int = 0  # finite values that came after one that was not
    zeros: int = 0  # values that are exactly 0
    first_zero: int = -1
    repeats: int = 0  # values whose step was that of the value before
    restarts: list[tuple[int, int]] = field(default_factory=list)  # (from step, back to step)
    same: int = 1  # length of the run of one and the same value at the end
    longest_same: tuple[int, int, float] = (1, -1, math.nan)  # length, step of its end, value
    highs: list[High] = field(default_factory=list)
    histogram: np.ndarray = field(default_factory=lambda: np.zeros(len(BINS) + 1, dtype=np.int64))
    width: int = 1  # values in a bucket
    means: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    open: list[float] = field(default_factory=list)  # the bucket that is not full
    recent: list[tuple[int, float]] = field(default_factory=list)  # not yet searched, after BEFORE that are
    probe: list[tuple[int, float]] = field(default_factory=list)  # values whose steps went back

    @property
    def start(self) -> int:
        """The step of the first value, finite or not."""
        return min(step for step in (self.first_step, *self.bad[:1]) if step >= 0)

    def add(self, step: int, value: float) -> None:
        """Take the next value. Steps that go back are a training that was started again, if they go on so."""
        if step >= self.last_step:
            self.probe = []
            self._add(step, value)
            return
        usual = 10 * max(1, (self.last_step - self.first_step) // max(self.count, 1))
        if self.probe and not 0 <= step - self.probe[-1][0] <= usual:
            self.probe = []
        self.probe.append((step, value))
        if len(self.probe) == 3:
            again, self.probe = self.probe, []
            self.restart(again[0][0])
            for each in again:
                self._add(*each)

    def _add(self, step: int, value: float) -> None:
        self.repeats += step == self.last_step
        if not abs(value) < LARGEST:
            self.bad_count += 1
            self.last_step = step
            if len(self.bad) < 20:
                self.bad.append(step)
            return
        self.good_after_bad += bool(self.bad_count)
        if not self.count:
            self.first, self.first_step = value, step
        if value == 0:
            self.first_zero = step if not self.zeros else self.first_zero
            self.zeros += 1
        self.same = self.same + 1 if value == self.last else 1
        if self.same > self.longest_same[0]:
            self.longest_same = (self.same, step, value)
        self.count += 1
        self.last, self.last_step, self.least = value, step, min(self.least, value)
        self._bucket(step, value)
        if not self.searched:
            return
        self.recent.append((step, value))
        if len(self.recent) >= BEFORE + SCAN:
            self.search()

    def _bucket(self, step: int, value: float) -> None:
        if not self.open:
            self.steps.append(step)
        self.open.append(value)
        if len(self.open) == self.width:
            self.means.append(math.fsum(self.open) / self.width)
            self.open = []
        if len(self.means) == BUCKETS:
            pairs = np.array(self.means).reshape(-1, 2)
            self.means = [float(mean) for mean in pairs.mean(axis=1)]
            self.steps = self.steps[::2]
            self.width *= 2

    def restart(self, step: int) -> None:
        """Forget what was there from this step on."""
        self.search()
        self.restarts.append((self.last_step, step))
        self.open, self.same, self.recent = [], 1, []
        while self.steps and self.steps[-1] >= step:
            self.steps.pop()
        self.means, self.steps = self.means[: len(self.steps)], self.steps[: len(self.means)]
        self.highs = [high for high in self.highs if high.step < step]
        self.bad = [bad for bad in self.bad if bad < step]
        self.bad_count, self.good_after_bad = len(self.bad), 0
        self.count = len(self.means) * self.width
        self.last_step = self.steps[-1] if self.steps else -1
        if len(self.restarts) > 100:
            self.restarts.pop(1)

    def search(self) -> None:
        """Look for spikes in what has not been searched; BEFORE values stay for what follows."""
        values = np.array([value for _, value in self.recent])
        if len(values) <= BEFORE:
            return
        expected, spread = expect(values)
        with np.errstate(all="ignore"):
            excess = np.nan_to_num((values[BEFORE:] - expected) / spread, nan=0.0, posinf=0.0)
        self.histogram += np.bincount(np.searchsorted(BINS, excess), minlength=len(BINS) + 1)
        for place in np.flatnonzero((excess > 5) & (values[BEFORE:] > expected)):
            step, value = self.recent[BEFORE + place]
            index = self.count - len(values) + BEFORE + int(place)
            self.highs.append(High(index, step, value, float(expected[place]), float(spread[place])))
        if len(self.highs) > 2 * KEPT:
            best = sorted(self.highs, key=lambda high: -high.excess)[:KEPT]
            self.highs = sorted(best, key=lambda high: high.index)
        self.recent = self.recent[-BEFORE:]

    def course(self) -> tuple[np.ndarray, np.ndarray]:
        """Steps and mean values, (n,) each, n at most BUCKETS; a last bucket that is half full counts."""
        means = list(self.means)
        if self.open and (len(self.open) * 2 >= self.width or not means):
            means.append(math.fsum(self.open) / len(self.open))
        return np.array(self.steps[: len(means)], dtype=np.int64), np.array(means)

    def tail_quantile(self, share: float, apart: int = 0) -> float:
        """The excess, in spreads, that a share of all searched values stays below, the ``apart`` highest left out."""
        total = self.histogram.sum() - apart
        if total <= 0:
            return 0.0
        place = int(np.searchsorted(np.cumsum(self.histogram), share * total))
        return float(BINS[min(place, len(BINS) - 1)])


def expect(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each value after the first BEFORE: where a line through those before it leads, and the spread around it.

    The spread is that of ``nanochat.training.diagnosis``: from the median, so that a spike does not hide the next. High
    values are cut at 5 spreads above the median of the 50, or the line would lead up to the next spike.
    """
    past = np.lib.stride_tricks.sliding_window_view(values, BEFORE)[:-1]
    middle = np.median(past, axis=1, keepdims=True)
    past = np.minimum(past, middle + 7.5 * np.median(np.abs(past - middle), axis=1, keepdims=True))
    design = np.column_stack([np.ones(BEFORE), np.arange(BEFORE)])
    lines = past @ np.linalg.pinv(design).T
    spread = 1.4826 * np.median(np.abs(past - lines @ design.T), axis=1)
    return lines @ [1, BEFORE], np.maximum(spread, 1e-9 + 1e-6 * np.abs(values[BEFORE:]).clip(max=1e6))
