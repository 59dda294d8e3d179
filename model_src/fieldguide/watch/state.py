"""How a training stands: its numbers now, and what it should be looked after for, each told once."""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from fieldguide.ended import duration
from fieldguide.loss.judging import spikes
from fieldguide.loss.losses import told
from fieldguide.report import Finding
from fieldguide.watch.follow import Follower
from fieldguide.watch.free import Memory, look

SMOOTHING = 0.9  # of the loss that is shown: so much of it is kept from value to value, as nanochat does
NEIGHBOURS = 50  # values within which two spikes are one
LEAST_FREE = 0.03  # of the memory


@dataclass
class State:
    """What is shown."""

    name: str = ""  # of the curve
    step: int = -1
    steps: int | None = None
    last_step: int | None = None
    loss: float = math.nan
    smooth: float = math.nan
    measured: dict[str, float] = field(default_factory=dict)  # val_loss, val_bpb
    tokens_per_s: float | None = None
    mfu: float | None = None
    seconds_left: float | None = None
    quiet: float = 0.0  # seconds since the file was written
    memory: list[Memory] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether the last step was told."""
        return self.last_step is not None and self.step >= self.last_step

    def facts(self) -> list[tuple[str, str]]:
        """What is known, by name."""
        found = [("step", f"{self.step:,}" + (f" of {self.steps:,}" if self.steps else ""))]
        found += [(self.name or "loss", told(self.loss)), ("smoothed", told(self.smooth))]
        found += [(name, told(value)) for name, value in self.measured.items()]
        found += [("tokens/s", f"{self.tokens_per_s:,.0f}")] if self.tokens_per_s else []
        found += [("MFU", f"{100 * self.mfu:.3g}%")] if self.mfu is not None else []
        found += [("left", duration(self.seconds_left))] if self.seconds_left is not None else []
        return found + [(each.name, f"{each.free / 2**30:.1f} GiB free") for each in self.memory]

    def line(self) -> str:
        """All in one line."""
        return " | ".join(f"{name} {value}" for name, value in self.facts())


class Watch:
    """A training that is looked at again and again."""

    def __init__(self, follower: Follower, steps: int | None = None, quiet_after: float = 300.0) -> None:
        self.follower, self.asked_steps, self.quiet_after = follower, steps, quiet_after
        self.told: set[str] = set()
        self.seen: list[tuple[int, int]] = []  # spikes that were told, first and last step
        self.alerts: list[Finding] = []
        self.began: tuple[float, int] | None = None  # when watching began, at which step
        self.changed = time.monotonic()
        self.fresh = False  # whether the last look found something new

    def look(self) -> tuple[State, list[Finding]]:
        """The state now, and what is new to be told."""
        before = len(self.alerts)
        try:
            self.fresh = self.follower.read()
            self.changed = time.monotonic() if self.fresh else self.changed
        except OSError as error:
            self.fresh = False
            self.tell("gone", Finding("warning", f"{self.follower.path} can't be read any more ({error.strerror}).",
                      advice="name the new file, if the training writes another"))  # fmt: skip
        state = self.state()
        self.judge(state)
        return state, self.alerts[before:]

    def state(self) -> State:
        """The numbers."""
        log, speed, state = self.follower.log, self.follower.speed, State(memory=look())
        losses = [name for name in ("loss", "smooth_loss", "train_loss", "val_loss") if name in log.curves]
        state.name = losses[0] if losses else ""
        if state.name:
            curve = log.curves[state.name]
            state.step, state.loss = curve.last_step, curve.last
            state.smooth = smoothed(curve.course()[1])
        state.measured = {name: log.curves[name].last for name in ("val_loss", "val_bpb")
                          if name in log.curves and name != state.name}  # fmt: skip
        state.steps = self.asked_steps or speed.steps
        if state.steps:
            one_more = speed.one_more and not self.asked_steps
            state.last_step = state.steps - (state.name in ("loss", "smooth_loss") and not one_more)
        state.tokens_per_s, state.mfu = speed.tokens_per_s, speed.mfu
        state.seconds_left = self.left(state)
        try:
            state.quiet = max(0.0, time.time() - self.follower.path.stat().st_mtime)
        except OSError:
            state.quiet = time.monotonic() - self.changed
        return state

    def left(self, state: State) -> float | None:
        """Seconds to the end: by the clock once ten steps were seen, else by the steps' own times."""
        if self.began is None and state.step >= 0:
            self.began = (time.monotonic(), state.step)
        if state.last_step is None or state.step < 0:
            return None
        to_do = max(0, state.last_step - state.step)
        if self.began and state.step - self.began[1] >= 10:
            return to_do * (self.changed - self.began[0]) / (state.step - self.began[1])
        each = self.follower.speed.step_seconds
        return None if each is None else each * to_do

    def tell(self, key: str, finding: Finding) -> None:
        """An alert, unless it was told before."""
        if key not in self.told:
            self.told.add(key)
            self.alerts.append(finding)

    def judge(self, state: State) -> None:
        """What should be told."""
        log = self.follower.log
        for name, curve in log.curves.items():
            if curve.bad_count and ("loss" in name or name == "val_bpb"):
                self.tell(f"bad {name}", Finding("error", f"{name} is NaN or infinite, first at step {curve.bad[0]}.",
                          f"the last finite value was {told(curve.last)}", "fieldguide loss says more"))  # fmt: skip
        self.spikes(state)
        if log.failure:
            self.tell(log.failure, Finding("error", "The training printed an error.", log.failure))
        if self.follower.starts:
            self.tell(f"start {self.follower.starts}", Finding("note", "The log was begun anew."))
        shown = log.curves.get(state.name)
        if shown is not None and shown.restarts:
            old, new = shown.restarts[-1]
            self.tell(f"restart {new} {len(shown.restarts)}",
                      Finding("note", f"The training went back from step {old} to step {new}."))  # fmt: skip
        if self.quiet_after and state.quiet > self.quiet_after and not state.done:
            self.tell(f"quiet {state.step}", Finding(
                "warning", f"Nothing was written for {duration(state.quiet)}, since step {state.step:,}.", "",
                "fieldguide stuck says what its processes do; it may be evaluating, saving, or done"))  # fmt: skip
        for each in state.memory:
            if each.free < LEAST_FREE * each.total:
                self.tell(f"memory {each.name}", Finding(
                    "warning", f"{each.name} has {each.free / 2**30:.1f} GiB of memory left.",
                    f"of {each.total / 2**30:.1f} GiB", "a rise from step to step is a leak"))  # fmt: skip

    def spikes(self, state: State) -> None:
        """Spikes by the rule of ``fieldguide loss``; the very last value waits for one that follows."""
        curve = self.follower.log.curves.get(state.name)
        if curve is None or not curve.searched:
            return
        for spike in spikes(curve):
            if spike.last_step >= curve.last_step and spike.count < 4:
                continue
            near = NEIGHBOURS * max(1, (curve.last_step - curve.first_step) // max(curve.count, 1))
            if any(first - near <= spike.step <= last + near for first, last in self.seen):
                continue
            self.seen.append((spike.step, spike.last_step))
            self.alerts.append(Finding(
                "warning", f"A spike of the loss at step {spike.step}: {told(spike.value)}, where "
                f"{told(spike.expected)} was expected.", f"{spike.excess:.0f} spreads above the 50 values before",
                "look at grad_norm and the batch of that step; fieldguide loss says more"))  # fmt: skip


def smoothed(values: Iterable[float]) -> float:
    """The exponential mean at the end; the zero that it begins with is divided out."""
    kept = [float(value) for value in values][-100:]
    if not kept:
        return math.nan
    weights = [SMOOTHING**age for age in range(len(kept) - 1, -1, -1)]
    return sum(w * v for w, v in zip(weights, kept, strict=True)) / sum(weights)
