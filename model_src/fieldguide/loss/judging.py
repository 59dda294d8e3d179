"""What is wrong with a curve of losses, by rules that are stated before anybody looks; each gives findings or none.

``Case`` has what the rules look at: the loss step by step, cut into blocks whose means and standard errors are known.
"""

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from fieldguide.logs.curve import Curve, High
from fieldguide.logs.log import Log

FEWEST = 30  # values of a curve whose course is judged
SCRATCH = 3.0  # nats: who begins above this begins with random weights, if nothing else is known
TEXT = {"bpe": 1.0, "char": 0.6}  # nats a token that no model of such sizes reaches on text that it has not seen
BPB = 0.5  # bits a byte, likewise
LEAST = 0.1  # nats: smaller rises are no alarm, whatever the noise
HIGH = 1.5  # nats, and a fifth of what was expected: a rise of more is no batch that is somewhat harder
ALONE = 5  # events of very high values that are too few to be the tail of the noise


@dataclass
class Case:
    """One log, made ready for the rules."""

    log: Log
    vocabulary: int | None = None
    finetune: bool = False
    name: str = ""  # of the curve that is judged
    steps: np.ndarray = field(default_factory=lambda: np.array([]))
    values: np.ndarray = field(default_factory=lambda: np.array([]))
    blocks: np.ndarray = field(default_factory=lambda: np.array([]))
    errors: np.ndarray = field(default_factory=lambda: np.array([]))  # standard errors of the blocks
    block_steps: np.ndarray = field(default_factory=lambda: np.array([]))  # where each begins

    @property
    def curve(self) -> Curve:
        """The curve that is judged."""
        return self.log.curves[self.name]

    @property
    def fresh(self) -> bool:
        """Whether the first value is that of random weights."""
        known = bool(self.log.resumed) or self.finetune
        return not known and self.curve.first_step <= 1 and self.name != "smooth_loss"

    @property
    def scratch(self) -> bool:
        """Whether a model of some vocabulary was trained from random weights."""
        return self.fresh and self.curve.first >= SCRATCH

    @property
    def beginning(self) -> float:
        """Where a training of random weights begins: the mean of the first block, unless the first steps blew it up."""
        return min(float(self.blocks[0]), self.guess)

    @property
    def guess(self) -> float:
        """The loss of guessing: ln V where V is known, else the first value."""
        return math.log(self.vocabulary) if self.vocabulary and self.vocabulary > 1 else self.curve.first

    @property
    def noise(self) -> float:
        """Spread of one step's loss around its course, from the last half of the differences of neighbours."""
        late = np.diff(self.values[len(self.values) // 2 :])
        if len(late) < 10:
            return math.nan
        return float(1.4826 * np.median(np.abs(late - np.median(late))) / math.sqrt(2) * math.sqrt(self.curve.width))


def prepare(log: Log, vocabulary: int | None, finetune: bool) -> Case:
    """Choose the curve, and cut it into 4 to 40 blocks of at least 8 values each."""
    case = Case(log, vocabulary or log.vocabulary, finetune or log.conversations)
    losses = [name for name in ("loss", "smooth_loss", "train_loss", "val_loss") if name in log.curves]
    if not losses:
        return case
    case.name = max(losses[:2] or losses, key=lambda name: log.curves[name].count)
    case.steps, case.values = case.curve.course()
    if len(case.values) < FEWEST:
        return case
    parts = np.array_split(np.arange(len(case.values)), int(np.clip(len(case.values) // 8, 4, 40)))
    case.blocks = np.array([case.values[part].mean() for part in parts])
    case.errors = np.maximum([error_of(case.values[part]) for part in parts], jitter(case.blocks))
    case.block_steps = np.array([case.steps[part[0]] for part in parts])
    return case


def error_of(values: np.ndarray) -> float:
    """Standard error of the mean, around a straight line through the values."""
    t = np.arange(len(values)) - (len(values) - 1) / 2
    rest = values - values.mean() - t * (values @ t) / (t @ t)
    return float(math.sqrt((rest**2).sum() / max(len(values) - 2, 1) / len(values)))


def jitter(blocks: np.ndarray) -> float:
    """How far the means of blocks stand from a smooth course: more than their errors, where batches come in order.

    Neighbouring batches of one document are alike, so the noise of a block does not shrink as its root.
    """
    if len(blocks) < 8:
        return 0.0
    return float(1.4826 * np.median(np.abs(np.diff(blocks, n=2))) / math.sqrt(6))


@dataclass(frozen=True)
class Spike:
    """Neighbouring high values, as one event."""

    step: int
    last_step: int
    value: float
    expected: float
    excess: float  # in spreads
    count: int


def spikes(curve: Curve) -> list[Spike]:
    """Values more than 15 spreads above the line through the 50 before them, or three of five more than 5 above it.

    Two of five count where each stands 9 above it and is a fifth more than was expected: the line and the spread follow
    a model that was thrown off and comes back slowly, so that the third is no longer far from them.

    Where noise has long tails both grow with them: 15 becomes four times, and 5 one and a half times, what 99 % of all
    values stay below; ``few_and_high`` are not among these, or in a short log they would hide themselves. A rise of
    less than 5 % of what was expected, or of less than ``LEAST``, is none. Measured on power laws with noise: of
    700,000 values none was marked in normal noise, 3 in Student's t with 5 degrees of freedom, 81 where the noise is
    log-normal with sigma 0.8.
    """
    apart = few_and_high(curve)
    tail = max(1.6 * curve.tail_quantile(0.95, apart), curve.tail_quantile(0.99, apart))
    far, near = max(15.0, 4 * tail), max(5.0, 1.5 * tail)
    big = [h for h in curve.highs if h.value - h.expected > max(LEAST, 0.05 * abs(h.expected))]
    marked = [h for h in big if h.excess > far]
    for first, third in zip(big, big[2:], strict=False):
        if third.index - first.index < 5 and min(first.excess, third.excess) > near:
            marked += [h for h in big if first.index <= h.index <= third.index]
    sharp = [h for h in big if h.excess > max(9.0, 2.5 * tail) and h.value - h.expected > 0.2 * abs(h.expected)]
    for first, second in pairwise(sharp):
        if second.index - first.index < 5:
            marked += [first, second]
    events: list[list] = []
    for high in sorted(set(marked), key=lambda high: high.index):
        if events and high.index - events[-1][-1].index <= 50:
            events[-1].append(high)
        else:
            events.append([high])
    return [as_spike(event) for event in events]


def marked_spikes(case: Case) -> tuple[list[Spike], list[Spike]]:
    """The spikes, and those at the very end, of which only what follows would tell."""
    found = spikes(case.curve)
    last = [spike for spike in found if spike.last_step >= case.curve.last_step and spike.count < 4]
    return [spike for spike in found if spike not in last], last


def few_and_high(curve: Curve) -> int:
    """How many values belong to events that stand ``HIGH`` above what was expected, if these are no tail of the noise.

    A model that was thrown off comes back over several steps, all of them high: the whole event is left out. More than
    ``ALONE`` events are the noise's tail, or batches of another kind, unless most of them last for three values or
    more: what is drawn at random is high once or twice.
    """
    events: list[list[High]] = []
    for high in curve.highs:
        if events and high.index - events[-1][-1].index <= 5:
            events[-1].append(high)
        else:
            events.append([high])
    tops = [event for event in events if any(h.value - h.expected > max(HIGH, 0.2 * abs(h.expected)) for h in event)]
    lasting = [event for event in tops if len(event) >= 3]
    if len(tops) > ALONE and 2 * len(lasting) <= len(events):
        return 0
    return sum(map(len, tops if len(tops) <= ALONE else lasting))


def as_spike(highs: list) -> Spike:
    """One event of its values."""
    top = max(highs, key=lambda high: high.value)
    excess = max(high.excess for high in highs)
    return Spike(highs[0].step, highs[-1].step, top.value, highs[0].expected, excess, len(highs))


@dataclass(frozen=True)
class Flat:
    """A stretch in which no fall can be seen, and how much there could be one that noise hides."""

    first: int  # places in the course
    last: int
    level: float
    hidden: float  # the largest fall that the noise allows, 2 standard errors above the one found


def line_fall(values: np.ndarray) -> tuple[float, float]:
    """How far a straight line through the values falls from end to end, and the standard error of that."""
    n = len(values)
    t = np.arange(n) - (n - 1) / 2
    slope = float(values @ t / (t @ t))
    rest = values - values.mean() - slope * t
    return -slope * n, n * math.sqrt(float(rest @ rest) / max(n - 2, 1) / float(t @ t))


def flat_tail(case: Case) -> Flat | None:
    """The longest end of the course, 40 % or more, whose fall is below 2 standard errors and 5 % of the whole one."""
    values, n = case.values, len(case.values)
    whole = abs(max(case.blocks[0], case.guess if case.scratch else 0.0) - case.blocks[-1])
    for share in (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4):
        first = n - int(share * n)
        fall, error = line_fall(values[first:])
        halves = case.values[first : (first + n) // 2].mean() - case.values[(first + n) // 2 :].mean()
        little = max(0.05 * whole, 0.01 * abs(values[first:].mean()))
        if fall < 2 * error and fall + 2 * error < little and halves < max(2 * error, 0.02 * whole):
            return Flat(first, n - 1, float(values[first:].mean()), fall + 2 * error)
    return None


def flat_middle(case: Case) -> Flat | None:
    """A stretch of a quarter of the course without a fall, after which it falls by a fifth of all or more."""
    values, length = case.values, len(case.values) // 4
    whole = case.blocks[0] - case.blocks[-1]
    if length < 25 or whole <= 0:
        return None
    for first in range(len(values) // 20, len(values) - 2 * length, max(1, length // 8)):
        fall, error = line_fall(values[first : first + length])
        level = float(values[first : first + length].mean())
        later = level - float(case.blocks[-1])
        if fall < 2 * error and fall + 2 * error < 0.05 * whole and later > max(0.2 * whole, 6 * error):
            return Flat(first, first + length - 1, level, fall + 2 * error)
    return None


def flat_stretches(case: Case) -> tuple[Flat | None, Flat | None]:
    """The flat end of a course, or else a flat stretch after which it falls on; at most one of the two is there."""
    if len(case.values) < 100 or case.blocks[-1] > case.blocks.min() + max(LEAST, 4 * case.errors[-1]):
        return None, None
    tail = flat_tail(case)
    if tail is not None and tail.first == 0 and case.scratch:
        return None, None  # it never fell, which another rule says
    return (tail, None) if tail is not None and tail.level > LEAST else (None, flat_middle(case))


def stops_abruptly(case: Case, flat: Flat) -> bool:
    """Whether the fall before a plateau breaks off: a power law would have gone on for a part of it.

    The fall of the last doubling of steps before the plateau is set against what the plateau can hide; less than a
    seventh of it, for each doubling, is no power law's continuation (an exponent of 2.8 or more).
    """
    first, n = flat.first, len(case.values)
    if first < 40:
        return False
    near = slice(max(first // 2 - 8, 0), first // 2 + 8)
    before = float(case.values[near].mean()) - flat.level
    doublings = min(1.0, math.log2(n / first))
    return before > 10 * case.errors.max() and flat.hidden < before * doublings / 7
