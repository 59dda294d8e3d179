"""Findings from the course of a loss: each rule looks at a case, says what, how it is known, and what to try."""

import math
from collections.abc import Iterator

import numpy as np

from fieldguide.loss.early import stuck
from fieldguide.loss.judging import LEAST, Case, flat_stretches, line_fall, marked_spikes, stops_abruptly
from fieldguide.loss.jumps import jump
from fieldguide.report import Finding

Findings = Iterator[Finding]


def told(value: float) -> str:
    """A loss with as many digits as say something."""
    return f"{value:.4g}"


def start(case: Case) -> Findings:
    """The first loss against ln V, which guessing gives."""
    if not case.fresh:
        return
    first = case.curve.first
    guess = math.log(case.vocabulary) if case.vocabulary and case.vocabulary > 1 else None
    if guess is None:
        if first > 13:
            yield too_high(f"{told(first)} is more than ln V of any usual vocabulary (ln 262,144 is 12.5)")
        return
    shown = f"{told(first)} at step {case.curve.first_step}, and ln {case.vocabulary:,} is {guess:.2f}"
    if first > guess + max(0.7, 0.15 * guess):
        yield too_high(shown)
    elif first < 0.75 * guess:
        yield Finding(
            "warning", f"The first loss is far below guessing: {shown}",
            "random weights know nothing",
            "weights were loaded (then say --stage finetune), or the vocabulary is another one, or the model sees its "
            "target: overfit one batch of random tokens; if that falls below ln V for new random tokens, it leaks",
        )  # fmt: skip
    else:
        yield Finding("good", f"The first loss is that of guessing: {shown}")


def too_high(shown: str) -> Finding:
    """A model that is worse than guessing at its start."""
    return Finding(
        "warning", f"The first loss is worse than guessing: {shown}",
        "the logits are too large, so a wrong token costs much",
        "initialise with a standard deviation of 0.02 (projections into the residual stream less), or the head with "
        "zeros; check that the vocabulary is the data's",
    )  # fmt: skip


def frozen(case: Case) -> Findings:
    """The very same loss again and again."""
    length, end, value = case.curve.longest_same
    if length >= 20 and value > 1e-3:
        yield Finding(
            "error", f"The loss is {value!r} for {length} values in a row, up to step {end}",
            "different batches never have the same loss to the last digit",
            "the batch is always the same and no weight moves: look at the learning rate, at requires_grad, at whether "
            "optimizer.step() is reached (a GradScaler that finds infinities skips it)",
        )  # fmt: skip


def learning(case: Case) -> Findings:
    """Too low a rate, or one that is too high: the course as a whole."""
    if len(case.blocks) == 0 or case.curve.last_step - case.curve.first_step < 50:
        return
    blocks, errors = case.blocks, case.errors
    top = max(blocks[0], min(case.curve.first, case.guess)) if case.scratch else blocks[0]
    fall = top - blocks[-1]
    threes = np.convolve(blocks, np.ones(3) / 3, "valid")  # means of three blocks: one alone may have easy text
    low = int(np.argmin(threes))
    rise = threes[-1] - threes[low]
    learned = min(case.beginning, top) - threes[low]  # by a start that an explosion has not raised
    far = max(LEAST, 4 * math.hypot(errors[low + 1], errors[-2]) / math.sqrt(3))
    guess = case.guess
    if (case.scratch or (case.fresh and case.vocabulary)) and threes[-1] > guess + max(0.05 * guess, far):
        yield worse_than_guessing(case, guess, float(threes[-1]))
    elif rise > max(far, 0.1 * learned) and not validation_falls(case, int(case.block_steps[low])):
        yield diverging(case, low, float(threes[low]), float(threes[-1]))
    elif case.scratch and len(case.values) >= 100 and fall < 0.02 * top and not creeps(case):
        yield Finding(
            "error", f"The loss does not fall: {told(top)} at the start, {told(blocks[-1])} at the end",
            f"{case.curve.count:,} values; {rate(case)}",
            "try to overfit one batch; if that fails, too: is the rate 0 or far too low, are the parameters in the "
            "optimizer, does anything detach the loss, are the targets the next tokens of the same row?",
        )  # fmt: skip
    elif case.scratch and case.curve.last_step - case.curve.first_step >= 250 and fall < 0.15 * top:
        yield Finding(
            "warning", f"The loss barely moves: from {told(top)} to {told(blocks[-1])} in "
            f"{case.curve.last_step:,} steps",
            rate(case), "the learning rate is too low, or the warm-up is longer than the training: try 10 times more",
        )  # fmt: skip
    yield from early_rise(case)


def creeps(case: Case) -> bool:
    """Whether the loss falls slowly, but surely: as a whole by 5 standard errors, in its last two thirds by 2.5."""
    if case.blocks[0] - case.blocks[-1] < 0.003 * case.blocks[0]:
        return False  # a training on random targets learns that all tokens are equally frequent, and no more
    parts = ((case.values, 5.0), (case.values[len(case.values) // 3 :], 2.5))
    return all(fall > times * error for (fall, error), times in ((line_fall(part), times) for part, times in parts))


def early_rise(case: Case) -> Findings:
    """A peak soon after the start: of a block, or of three values one after the other within the first two blocks."""
    blocks, steps, after = case.blocks, case.block_steps, float(case.blocks[0])
    peak = int(np.argmax(blocks[: max(2, len(blocks) // 3)]))
    high, step = float(blocks[peak]), int(steps[peak])
    found = case.fresh and high > after + max(0.5, 0.1 * after, 4 * case.errors[peak])
    if not found and case.scratch and case.noise >= 0:
        soon = case.values[: 2 * len(case.values) // len(blocks)]
        middles = np.median(np.lib.stride_tricks.sliding_window_view(soon, 3), axis=1)
        peak, after = int(np.argmax(middles)), max(case.curve.first, case.beginning)
        high, step = float(middles[peak]), int(case.steps[peak + 1])
        found = high > after + max(0.5, 0.1 * after, 4 * case.noise)
    if found:
        yield Finding(
            "warning", f"The loss rises at first: {told(high)} near step {step}, after {told(after)}",
            rate(case), "the learning rate is too high for the start: warm up longer, or divide it by 3",
        )  # fmt: skip


def worse_than_guessing(case: Case, guess: float, end: float) -> Finding:
    """What was learned is worse than nothing."""
    return Finding(
        "error", f"The loss ends at {told(end)}, worse than guessing ({told(guess)})",
        f"{case.curve.count:,} values; {rate(case)}",
        "the training diverged at once: divide the learning rate by 10 to 100, clip gradients at 1.0, warm up",
    )  # fmt: skip


def validation_falls(case: Case, step: int) -> bool:
    """Whether validation has got better since a step: then the batches have become harder, not the model worse."""
    for name in ("val_loss", "val_bpb"):
        curve = case.log.curves.get(name)
        if curve is None or curve.count < 3 or name == case.name:
            continue
        steps, values = curve.course()
        before, after = values[steps <= step], values[steps > step]
        if len(before) and len(after) and after[-1] < before.min():
            return True
    return False


def diverging(case: Case, low: int, least: float, end: float) -> Finding:
    """The loss goes up and stays there."""
    lost = (end - least) / max(case.blocks[0] - least, 1e-9)
    level = "error" if end > case.blocks[0] or lost > 0.3 else "warning"
    return Finding(
        level, f"The loss rises from {told(least)} near step {case.block_steps[low]} to {told(end)} at the end",
        f"means of {3 * len(case.values) // len(case.blocks) * case.curve.width} values each, error of a third "
        f"{told(case.errors[-1])}; {rate(case)}",
        "the learning rate is too high (go back to before the rise, divide it by 3), the schedule rises (see lr), "
        "gradients add up (does grad_norm grow on one batch, is zero_grad called?), or the data changed (measure an "
        "old batch: as before?)",
    )  # fmt: skip


def rate(case: Case) -> str:
    """What the log says of the learning rate."""
    for name in ("lr", "lr_multiplier"):
        if (curve := case.log.curves.get(name)) is not None and curve.count:
            _, values = curve.course()
            peak = int(np.argmax(values))
            where = f"highest, {values.max():.3g}, near step {curve.steps[peak]}" if values.max() > 0 else "always 0"
            return f"{name} is {where}, {values[-1]:.3g} at the end"
    return "the log does not say the learning rate"


def spiked(case: Case) -> Findings:
    """Spikes, each with its step."""
    found, last = marked_spikes(case)
    rule = "far above the line through the 50 values before (15 times the spread around it, or 3 of 5 values 5 times)"
    if found:
        top = max(found, key=lambda spike: spike.value - spike.expected)
        named = ", ".join(f"step {s.step}: {told(s.value)} for {told(s.expected)}" for s in found[:4])
        yield Finding(
            "warning", f"{len(found)} spike{'s' * (len(found) > 1)} of the loss, the highest at step {top.step}",
            f"{named}{', ...' if len(found) > 4 else ''}; {rule}; the highest is {top.excess:.0f} spreads",
            "look at the batches of those steps (repeated text, wrong ids, lengths) and at grad_norm just before; clip "
            "at 1.0, lower beta2 to 0.95; if it stays high, restart 100 steps before and skip 200 to 500 batches",
        )  # fmt: skip
    if not found and case.scratch and (seen := jump(case.curve, LEAST + 0.03 * case.curve.last)) is not None:
        yield Finding(
            "warning", f"1 spike of the loss, a faint one, at step {seen.step}",
            f"{told(seen.after)} in the steps after it, {told(seen.before)} in those before: {seen.excess:.0f} times "
            "the spread of such differences in this log, and twice as high as anywhere else",
            "did anything change there: the rate, the data, a restart, the batch? Look at grad_norm just before",
        )  # fmt: skip
    for spike in last:
        yield Finding(
            "note", f"The last value, of step {spike.last_step}, is high: {told(spike.value)} for "
            f"{told(spike.expected)}", "", "a last batch is often smaller or other; only what follows would tell",
        )  # fmt: skip


def plateau(case: Case) -> Findings:
    """Stretches without a fall."""
    if (seen := stuck(case)) is not None:
        yield Finding(
            "warning", f"The loss is flat at {told(seen.level)} from step {seen.step:,} to the end, step "
            f"{case.curve.last_step:,}: a rate that is too high, or a context that is lost",
            f"guessing costs {told(case.guess)}, and each token's frequency alone gives about three quarters of that; "
            f"noise could hide a fall of {told(seen.hidden)} in the last three quarters; {rate(case)}",
            "is the rate too high, or is zero_grad missing? Try a tenth of it; compare grad_norm of one batch twice. "
            "Are inputs and targets of one row? Decode both. Else attention or positions are broken: shuffle the "
            "context and see whether the loss changes",
        )  # fmt: skip
        return
    tail, middle = flat_stretches(case)
    if tail is not None:
        step = int(case.steps[tail.first])
        high = case.scratch and tail.level > 0.6 * case.guess and tail.first > 0.05 * len(case.values)
        broke = case.scratch and stops_abruptly(case, tail)
        yield Finding(
            "warning" if high or broke else "note",
            f"The loss is flat at {told(tail.level)} from step {step:,} to the end, step {case.curve.last_step:,}"
            + (": a rate that is too high, or a context that is lost" if high else ""),
            f"a straight line falls by less than 2 standard errors; noise could hide {told(tail.hidden)} at most"
            + ("; the fall before breaks off, which no power law does" if broke else "")
            + f"; {rate(case)}",
            "is the rate too high? Try a third. Is it the loss of each token's frequency alone? Then attention "
            "or positions are broken: shuffle the context and see whether the loss changes" if high else
            "if the rate reached its minimum there, let it fall later; else the model is too small for the data, or "
            "this is their floor: train one of twice the width for as long",
        )  # fmt: skip
    elif middle is not None:
        yield Finding(
            "note", f"A plateau at {told(middle.level)} from step {int(case.steps[middle.first]):,} to "
            f"{int(case.steps[middle.last]):,}, then the loss falls on to {told(case.blocks[-1])}",
            f"less than 2 standard errors of a fall within a quarter of the steps; {rate(case)}",
            "some abilities come suddenly; with another seed, does it last as long? A longer warm-up shortens it often",
        )  # fmt: skip


def floor_of_noise(case: Case) -> Findings:
    """How far apart two trainings must be to differ."""
    if not case.noise > 0 or len(case.blocks) == 0:
        return
    last = max(10, case.curve.count // 10)
    yield Finding(
        "note", f"Noise: one value stands {told(case.noise)} from the course, the mean of the last {last:,} "
        f"{told(case.noise / math.sqrt(last))}",
        f"two trainings whose last {last:,} losses differ by less than {told(2.8 * case.noise / math.sqrt(last))} on "
        "average can't be told apart by them; other seeds differ by more",
    )  # fmt: skip
