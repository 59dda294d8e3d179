"""Findings that a log states by itself: numbers that are none, errors, a second start, several writers."""

import numpy as np

from fieldguide.logs.curve import Curve
from fieldguide.logs.messages import MESSAGES
from fieldguide.loss.judging import FEWEST, Case
from fieldguide.loss.losses import Findings, rate, told
from fieldguide.report import Finding


def not_finite(case: Case) -> Findings:
    """NaN and infinities: one that goes by is a mean of nothing, one that stays is a broken model."""
    for name, curve in case.log.curves.items():
        if not curve.bad_count or name in ("lr", "lr_multiplier", "reward", "loss_scale", "grad_norm"):
            continue
        if curve.good_after_bad >= 3 * curve.bad_count:
            yield Finding(
                "error", f"{name} is NaN or infinite at single steps, first at step {curve.bad[0]}",
                f"{curve.bad_count} such values, and {curve.good_after_bad} finite ones after the first: the weights "
                "are whole",
                "a batch in which the mask leaves no target gives a mean of nothing, 0/0: count the targets of that "
                "batch (not -1, not -100), skip it or divide by max(1, targets)",
            )  # fmt: skip
        else:
            yield Finding("error", f"{name} is NaN or infinite from step {curve.bad[0]} on", *broken(case, curve))


def nothing_to_learn(case: Case) -> Findings:
    """Batches without a target, where whoever wrote the loss guarded the mean of nothing."""
    if case.curve.zeros and len(case.values) >= 10 and float(np.median(case.values)) > 0.05:
        yield Finding(
            "warning", f"The loss is exactly 0 at {case.curve.zeros:,} steps, first at step {case.curve.first_zero:,}",
            f"elsewhere it is {told(float(np.median(case.values)))}: these batches have no target that counts",
            "look at the mask of such a batch: the assistant's words cut off at the row's end, or marked as the user's",
        )  # fmt: skip


def few_and_flat(case: Case) -> Findings:
    """A log of evaluations alone: too short for the other rules, but long enough to see that nothing is learned."""
    few, trained = case.values, case.curve.last_step - case.curve.first_step
    if not case.scratch or not 5 <= len(few) < FEWEST or trained < 100:
        return
    if few[0] - few[len(few) // 2 :].min() < 0.02 * few[0]:
        yield Finding(
            "error", f"The loss does not fall: {told(few[0])} at the start, {told(few[-1])} at the end",
            f"{len(few)} values over {trained:,} steps; {rate(case)}",
            "try to overfit one batch; if that fails, too: is the rate 0, are the parameters in the optimizer?",
        )  # fmt: skip


def broken(case: Case, curve: Curve) -> tuple[str, str]:
    """What went before a NaN that stays, and what to try."""
    before = [high for high in curve.highs if high.step < curve.bad[0]][-3:]
    found = f"the last finite value was {told(curve.last)}; {curve.bad_count} values are not finite"
    if before:
        found += f"; it had risen already: {', '.join(f'{told(h.value)} at step {h.step}' for h in before)}"
    if (norm := case.log.curves.get("grad_norm")) is not None and norm.count:
        found += f"; the last finite grad_norm was {told(norm.last)}"
    early = curve.bad[0] < 0.05 * max(curve.last_step, 1) or curve.count < 300
    cure = (
        "divide the learning rate by 3 to 10, warm up for 100 steps or more, clip gradients at 1.0"
        if early
        else "go back to the checkpoint before, divide the learning rate by 3, or skip 200 to 500 batches there (PaLM)"
    )
    return found, f"{cure}; with float16 use bfloat16 or a GradScaler; check that all ids are below the vocabulary"


def troubles_of_log(case: Case) -> Findings:
    """What the log itself says: an error, a second start, several writers."""
    log = case.log
    for message in MESSAGES:
        if (line := log.messages.get(message.name)) is not None:
            yield Finding("error" if message.ends else "warning", f"It printed: {line}", message.cause, message.advice)
    if log.failure and not any(log.failure in line for line in log.messages.values()):
        yield Finding("error", "The training printed an error", log.failure, "mend that first")
    if log.skipped:
        what = f"{log.skipped:,} bytes in the middle of {log.path.name} were not read"
        advice = "cut the log where you want to look, with head or tail"
        yield Finding("note", what, "a log this long is judged by its beginning and its end", advice)
    if log.cut:
        yield Finding("note", f"{log.path.name} ends within a record", "", "it is being written, or was cut off")
    if not case.name:
        return
    if case.curve.restarts:
        old, new = case.curve.restarts[-1]
        yield Finding(
            "note", f"The log starts again at step {new} after step {old}",
            "what was written from there on before is left out: a training that was resumed, or two in one file",
        )  # fmt: skip
    if case.curve.repeats > 0.3 * case.curve.count > 10:
        yield Finding(
            "warning", f"{case.curve.repeats} values of {case.name} have the step of the value before",
            "", "several processes write into this log: let rank 0 alone write, and average the loss over the ranks",
        )  # fmt: skip
