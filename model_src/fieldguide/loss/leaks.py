"""Findings from two losses side by side, or from one against what text allows: leaks and overfitting."""

import math

import numpy as np

from fieldguide.logs.curve import Curve
from fieldguide.loss.judging import BPB, TEXT, Case
from fieldguide.loss.losses import Findings, told
from fieldguide.report import Finding


def end_of(curve: Curve) -> float:
    """The mean of the last tenth of a curve, of one value at least."""
    _, values = curve.course()
    return float(values[-max(1, len(values) // 10) :].mean())


def too_good(case: Case) -> Findings:
    """A loss that text does not allow: the target is visible, or is known by heart."""
    if not case.scratch or len(case.values) < 10:
        return
    bytes_pairs = case.vocabulary > 1000 if case.vocabulary else case.curve.first > 6
    limit, end = allowed("bpe" if bytes_pairs else "char", case.curve.last_step), end_of(case.curve)
    val, bpb = case.log.curves.get("val_loss"), case.log.curves.get("val_bpb")
    held = end_of(val) if val is not None and val.count else math.nan
    bits = end_of(bpb) if bpb is not None and bpb.count else math.nan
    if not (end < limit or held < limit or bits < BPB) or held > 1.2 * limit or bits > 2 * BPB:
        return
    parts = [f"the loss ends at {told(end)}"] + [f"val_loss at {told(held)}"] * (held == held)
    parts += [f"val_bpb at {told(bits)}"] * (bits == bits)
    yield Finding(
        "warning", "The loss is lower than text allows: " + ", ".join(parts),
        f"below {limit:g} nats a {'token of byte pairs' if bytes_pairs else 'character'} (or {BPB} bits a byte) no "
        f"model predicts new text after {case.curve.last_step:,} steps",
        "the model sees its target (no causal mask, targets not shifted), or the validation text is in the training "
        "data: change one token and see that no output before it moves; run `fieldguide data` on both parts. For "
        "questions that a program generated it may be right: then say --stage finetune",
    )  # fmt: skip


def allowed(kind: str, steps: int) -> float:
    """The least loss of text that is known after so many steps: 1.7 times the limit of any length up to 1,000 steps.

    From there to 20,000 steps it falls with the logarithm of the steps. Among the 87 trainings of
    ``falls_at_once`` the best on characters reached 1.9 in 700 steps, and on pairs 2.4.
    """
    part = min(max(math.log(max(steps, 1) / 1000) / math.log(20), 0.0), 1.0)
    return TEXT[kind] * (1.7 - 0.7 * part)


def below_training(case: Case) -> Findings:
    """A validation loss that is far below that of training."""
    val, train = case.log.curves.get("val_loss"), case.log.curves.get("train_loss")
    if val is None or not val.count:
        return
    measured = train is not None and train.count > 0
    other = train if measured and train is not None else case.curve
    a, b = end_of(val), end_of(other)
    far = max(0.15, 3 * doubt(train if measured else None, val), (0.15 if measured else 0.25) * b)
    if other is not val and b - a > far and case.curve.last_step > 20:
        yield Finding(
            "warning", f"val_loss is far below that of training: {told(a)} and {told(b)}",
            "new text is not easier than text that was trained on"
            + ("" if measured else "; dropout raises the loss of steps, but by less"),
            "the two parts are not alike, or validation is measured with another mask or shift: measure both on one "
            "batch; run `fieldguide data` on both parts",
        )  # fmt: skip


def doubt(train: Curve | None, val: Curve) -> float:
    """Standard error of the difference of both at the end, where they were measured at the same steps."""
    if train is None or train.count != val.count or val.count < 3:
        return 0.0
    apart = (train.course()[1] - val.course()[1])[-max(3, val.count // 2) :]
    last = max(1, val.count // 10)  # as many as the means are made of
    return float(apart.std(ddof=1)) / math.sqrt(last)


def overfitting(case: Case) -> Findings:
    """Validation rises while training falls."""
    for name in ("val_loss", "val_bpb"):
        curve = case.log.curves.get(name)
        if curve is None or curve.count < 4 or name == case.name:
            continue
        steps, values = curve.course()
        low = int(np.argmin(values))
        after = values[low + 1 :]
        wobble = 1.4826 * float(np.median(np.abs(np.diff(values, n=2)))) / math.sqrt(6) if len(values) > 4 else 0.0
        last = float(after[-2:].mean()) if len(after) >= 2 else math.nan
        clear = last - values[low] > max(4 * wobble, 0.015 * values[low], 0.01)
        at, end = training_at(case, int(steps[low])), end_of(case.curve)
        stalled = name == "val_loss" and has_stalled(case, steps, values)
        if not (clear and end < 0.99 * at) and not stalled:
            continue
        ends = f"rises to {told(last)}" if clear else f"ends no better, at {told(last)}"
        yield Finding(
            "warning", f"Overfitting: {name} is lowest at step {steps[low]:,}, {told(values[low])}, and {ends}, "
            "while training falls",
            f"the training loss was {told(at)} there and is {told(end)} now; {len(after)} measurements since",
            f"use the checkpoint of step {steps[low]:,}; more text, more dropout or weight decay, a smaller model, or "
            "fewer steps",
        )  # fmt: skip


def has_stalled(case: Case, steps: np.ndarray, values: np.ndarray) -> bool:
    """Whether the last quarter of validation is no better than the second, while training has fallen by a quarter.

    Few noisy measurements have their lowest anywhere; that they end half as high again as training needs no statistics.
    """
    n, end = len(values) // 4, end_of(case.curve)
    if n < 2:
        return False
    last, before = float(values[-n:].mean()), training_at(case, int(steps[2 * n - 1]))
    return last > values[n : 2 * n].mean() and last > 1.5 * end and end < 0.75 * before


def training_at(case: Case, step: int) -> float:
    """The training loss around a step."""
    place = int(np.searchsorted(case.steps, step))
    reach = max(2, len(case.values) // 20)
    return float(case.values[max(0, place - reach) : place + reach].mean())
