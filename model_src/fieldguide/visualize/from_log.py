"""What the scene of a loss shows: the course, and what the rules of ``fieldguide loss`` mark in it."""

from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.logs.curve import Curve
from fieldguide.logs.reading import read_log
from fieldguide.loss import judge
from fieldguide.loss.judging import FEWEST, Spike, flat_stretches, marked_spikes, prepare
from fieldguide.report import UsageProblem
from fieldguide.visualize.names import name_of, shortened

MOST = 800  # points of a curve on the stage: a screen has not many more
BETA = 0.9  # of the running mean, as nanochat's log has it
NAMES = {"loss": "loss", "smooth_loss": "loss, smoothed", "train_loss": "training loss", "val_loss": "validation loss"}


def course(path: Path) -> dict[str, Any]:
    """The drawing of a log; UsageProblem where it has no loss that could be drawn."""
    log = read_log(path)
    case = prepare(log, None, False)
    if not case.name or case.curve.count < 2:
        raise UsageProblem(f"{path} has no two finite losses, and a course was asked for: name a longer log")
    curve = case.curve
    marked, flat = [], None
    if curve.count >= FEWEST:
        marked = marked_spikes(case)[0]
        tail, middle = flat_stretches(case)
        flat = tail or middle
    spikes = [{"step": s.step, "top": top_of(s, curve), "value": s.value, "expected": s.expected} for s in marked[:20]]
    steps, values = thinned(case.steps, case.values)
    smooth = running_mean(values) if curve.count >= FEWEST and case.name == "loss" else []
    steps, values, smooth = with_spikes(steps, values, smooth, spikes)
    others = next((name for name in ("val_loss",) if name in log.curves and name != case.name), None)
    return {
        "file": name_of(log.path), "name_of_loss": NAMES[case.name], "count": curve.count,
        "steps": steps, "values": values, "smooth": smooth,
        "validation": measured(log.curves[others]) if others and log.curves[others].count else None,
        "spikes": spikes,
        "flat": None if flat is None else {
            "first": int(case.steps[flat.first]), "last": int(case.steps[flat.last]), "level": flat.level},
        "bad": curve.bad[0] if curve.bad_count else None,
        "findings": [[each.level, shortened(each.what, 150)] for each in judge(case)[:3]],
    }  # fmt: skip


def thinned(steps: np.ndarray, values: np.ndarray) -> tuple[list[int], list[float]]:
    """At most MOST points, each the mean of as many neighbours; the first and the last stay as they are."""
    if len(values) <= MOST:
        return [int(step) for step in steps], [float(value) for value in values]
    inside = np.arange(1, len(values) - 1)
    parts = np.split(inside, range(-(-len(values) // MOST), len(inside), -(-len(values) // MOST)))
    means = [float(values[part].mean()) for part in parts]
    places = [int(steps[part[len(part) // 2]]) for part in parts]
    return [int(steps[0]), *places, int(steps[-1])], [float(values[0]), *means, float(values[-1])]


def running_mean(values: list[float]) -> list[float]:
    """A mean that forgets, divided by the weight that it has so far."""
    mean, means = 0.0, []
    for count, value in enumerate(values, 1):
        mean = BETA * mean + (1 - BETA) * value
        means.append(mean / (1 - BETA**count))
    return means


def top_of(spike: Spike, curve: Curve) -> int:
    """The step at which a spike is highest; its own step is that of its first high value."""
    inside = [high for high in curve.highs if spike.step <= high.step <= spike.last_step]
    return max(inside, key=lambda high: high.value).step if inside else spike.step


def with_spikes(
    steps: list[int], values: list[float], smooth: list[float], spikes: list[dict[str, Any]]
) -> tuple[list[int], list[float], list[float]]:
    """The curve with the top of each spike, which a mean of neighbours hides."""
    for spike in spikes:
        place = int(np.searchsorted(steps, spike["top"]))
        if place < len(steps) and steps[place] == spike["top"] and values[place] == spike["value"]:
            continue
        steps.insert(place, spike["top"])
        values.insert(place, spike["value"])
        if smooth:
            smooth.insert(place, smooth[min(place, len(smooth) - 1)])
    return steps, values, smooth


def measured(curve: Curve) -> dict[str, Any]:
    """A validation curve, at most 60 points of it."""
    steps, values = curve.course()
    kept = np.unique(np.linspace(0, len(values) - 1, min(60, len(values))).astype(int))
    chosen = {"steps": [int(steps[k]) for k in kept], "values": [float(values[k]) for k in kept]}
    return {"name": "Validation loss", **chosen}
