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


STEEP = 0.5  # exponent of the fall of characters, below what their frequencies give; the steepest healthy one had 0.3
LATER = 1.5  # times the steps


def steeper_than_text(case: Case) -> Findings:
    """Characters whose loss falls like no power law of text, from below the level of frequencies: by copying targets.

    Of the healthy small trainings on characters or bytes none fell with an exponent above 0.3 from step 100 on; those
    that saw the next token fell with 0.5 to 2.4 once they had found it. Words and pairs have sudden falls of their own.
    """
    if not case.scratch or math.exp(min(case.guess, 20)) > 350 or case.curve.last_step < 200:
        return
    val = case.log.curves.get("val_loss")
    if val is not None and val.count and end_of(val) > 1.2 * end_of(case.curve):
        return  # what it copies is not there in validation: overfitting
    best, values, steps = None, case.values, case.steps
    for start in np.unique(np.geomspace(100, max(case.curve.last_step / LATER, 101), 60).astype(int)):
        half = max(start // 8, 10)
        before = values[(steps >= start - half) & (steps < start + half)]
        end = min(int(start * LATER), case.curve.last_step - half)
        after = values[(steps >= end - half) & (steps < end + half)]
        if end < 1.3 * start or len(before) < 4 or len(after) < 4:
            continue
        a, b = float(before.mean()), float(after.mean())
        doubt = math.hypot(before.std() / a, after.std() / b) / math.sqrt(min(len(before), len(after)))
        exponent = (math.log(a / b) - 2 * doubt) / math.log(end / start) if b > 0 else 0.0
        if exponent > STEEP and a < 0.62 * case.guess and b < 0.5 * case.guess and (best is None or exponent > best[0]):
            best = exponent, int(start), a, end, b
    if best is not None:
        exponent, start, a, end, b = best
        yield Finding(
            "warning", f"The loss falls faster than text allows: from {told(a)} at step {start:,} to {told(b)} at step "
            f"{end:,}",
            f"a power law with an exponent of {exponent:.2g} at least, after the frequencies are known; characters "
            "have some 0.1 to 0.3 there",
            "does the model see its target? Change one token and see that no output before it moves: the causal mask, "
            "the shift of the targets",
        )  # fmt: skip


def allowed(kind: str, steps: int) -> float:
    """The least loss of text that is known after so many steps: 1.7 times the limit of any length up to 1,000 steps.

    From there to 20,000 steps it falls with the logarithm of the steps. Among the trainings of
    ``falls_at_once`` the best healthy one on characters reached 2.36 in 700 steps, and on words
    2.57; larger models are better, by less than what is left.
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
    """Validation rises while training falls, or stays far above it."""
    for name in ("val_loss", "val_bpb"):
        curve = case.log.curves.get(name)
        if curve is None or curve.count < 2 or name == case.name:
            continue
        steps, values = curve.course()
        if curve.count < 4:
            yield from by_heart(case, name, values)
            continue
        low = int(np.argmin(values))
        after = values[low + 1 :]
        wobble = 1.4826 * float(np.median(np.abs(np.diff(values, n=2)))) / math.sqrt(6) if len(values) > 4 else 0.0
        last = float(after[-2:].mean()) if len(after) >= 2 else math.nan
        clear = last - values[low] > max(4 * wobble, 0.015 * values[low], 0.01)
        at, end = training_at(case, int(steps[low])), end_of(case.curve)
        if name == "val_loss":  # what training gains and validation loses stands between them; else it is noise
            clear = clear and last - end > 0.7 * (last - values[low])
        stalled = name == "val_loss" and (has_stalled(case, steps, values) or gapes(case, steps, values))
        if not (clear and end < 0.99 * at) and not stalled:
            continue
        final = last if last == last else float(values[-1])
        ends = f"rises to {told(last)}" if clear else f"ends no better, at {told(final)}"
        yield Finding(
            "warning", f"Overfitting: {name} is lowest at step {steps[low]:,}, {told(values[low])}, and {ends}, "
            "while training falls",
            f"the training loss was {told(at)} there and is {told(end)} now; {len(after)} measurements since",
            f"use the checkpoint of step {steps[low]:,}; more text, more dropout or weight decay, a smaller model, or "
            "fewer steps",
        )  # fmt: skip


def by_heart(case: Case, name: str, values: np.ndarray) -> Findings:
    """Few measurements, and a training loss far below a validation loss that has risen since the start."""
    end = end_of(case.curve)
    if case.scratch and values[-1] > values[0] and end < 0.5 * case.curve.first:
        yield Finding(
            "warning", f"Overfitting: {name} rises from {told(values[0])} to {told(values[-1])}, and the training loss "
            f"falls to {told(end)}",
            "the model knows what it was trained on by heart, and nothing else", "is every batch the same one? Else "
            "train on more text, or for fewer steps",
        )  # fmt: skip


def gapes(case: Case, steps: np.ndarray, values: np.ndarray) -> bool:
    """Whether validation was level with training in the first third, and is 1.5 times as high in the last.

    By then it must have stopped falling: the mean of its last third is within 5 % of that of the one before.
    """
    n = len(values) // 3
    if n < 3:
        return False
    gaps = [float(value) / training_at(case, int(step)) for step, value in zip(steps, values, strict=True)]
    grown = np.mean(gaps[-n:]) > 1.5 and np.mean(gaps[-n:]) > 1.2 * np.mean(gaps[1 : 1 + n])
    return bool(grown and values[-n:].mean() > 0.95 * values[-2 * n : -n].mean())


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
