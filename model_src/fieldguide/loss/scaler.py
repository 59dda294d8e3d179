"""Findings about float16's loss scale: one that collapses, and gradients that are infinite again and again."""

import numpy as np

from fieldguide.loss.judging import Case
from fieldguide.loss.losses import Findings
from fieldguide.report import Finding

SETTLING = 50  # steps in which a GradScaler may look for its scale: 65,536 halved 16 times is 1
SKIPPED = 0.05  # share of skipped steps; a healthy scaler skips one in growth_interval, 2,000 by default
INFINITE = 0.01  # share of infinite grad_norms after SETTLING, and REPEATED of them at least
REPEATED = 3
CURE = (
    "train in bfloat16, which needs no scaler; else find what overflows: print the largest |activation| of each "
    "block for one batch, and compute softmax, norms and the loss in float32"
)
AT_ANY_SCALE = (
    "no scale helps, so the backward pass itself gives NaN: torch.autograd.set_detect_anomaly(True) names the "
    "operation (a root at 0, a division by 0, a row that is masked as a whole); or the forward pass overflows: use "
    "bfloat16"
)


def scale_collapses(case: Case) -> Findings:
    """A scale below 1, or one that is halved in more than ``SKIPPED`` of the later steps."""
    curve = case.log.curves.get("loss_scale")
    if curve is None or curve.count < 5:
        return
    steps, values = curve.course()
    half = slice(len(values) // 2, None)
    ratios = np.maximum(values[half][:-1], 1e-300) / np.maximum(values[half][1:], 1e-300)
    halved = float(np.log2(ratios[ratios > 1]).sum())
    share = min(1.0, halved / max(int(steps[-1] - steps[half][0]), 1))
    if curve.last >= 1 and (share <= SKIPPED or halved < REPEATED):
        return
    gone = f"{max(curve.last, 0.0):.3g}"
    yield Finding(
        "error", f"The loss scale collapses: from {curve.first:,.6g} to {gone} at step {curve.last_step:,}",
        f"GradScaler halves it where it skips a step because a gradient is not finite; below 1 it protects nothing, "
        f"and in the second half {share:.0%} of the steps were skipped" if curve.last > 0 else
        "GradScaler halves it at each step that it skips because a gradient is not finite: the weights stand still",
        CURE if curve.last >= 1 else AT_ANY_SCALE,
    )  # fmt: skip


def infinite_gradients(case: Case) -> Findings:
    """A grad_norm that is not finite: once in a while a scaler's usual search, often a model that is not trained."""
    curve = case.log.curves.get("grad_norm")
    if curve is None or not curve.bad_count:
        return
    if any(other.bad_count for name, other in case.log.curves.items() if "loss" in name and name != "loss_scale"):
        return  # the loss's own NaN is told
    soon = sum(step < curve.start + SETTLING for step in curve.bad)
    later, total = curve.bad_count - soon, curve.count + curve.bad_count
    where = f"grad_norm is not finite at step {curve.bad[0]:,} and {curve.bad_count - 1:,} more"
    if later >= REPEATED and later > INFINITE * total:
        level = "error" if later > 0.2 * total else "warning"
        yield Finding(
            level, f"{where}, {later / total:.0%} of all steps",
            f"a scaler that has found its scale skips one step in 2,000; here {later:,} were skipped after the first "
            f"{SETTLING} steps, so less is trained than the log's steps say",
            CURE,
        )  # fmt: skip
    else:
        yield Finding(
            "note", where, "the loss stays finite: with float16 the scaler skips such a step and lowers its scale",
            "if it goes on happening, train in bfloat16",
        )  # fmt: skip
