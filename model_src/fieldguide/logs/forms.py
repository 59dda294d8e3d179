"""What lines of logs look like: nanoGPT's and nanochat's printed lines, names of columns, hints about the training."""

import math
import re
from typing import Any

NUMBER = r"([-+]?(?:\d[\d,]*\.?\d*(?:[eE][-+]?\d+)?|\.\d+|nan|inf(?:inity)?))"
ITER = re.compile(rf"iter (\d{{1,15}}): loss {NUMBER}", re.IGNORECASE)
EVALUATED = re.compile(rf"step (\d{{1,15}}): train loss {NUMBER}, val loss {NUMBER}", re.IGNORECASE)
NANOCHAT = re.compile(rf"step (\d{{1,15}})(/\d+)? \([\d.]+%\) \| loss: {NUMBER} \| lrm: {NUMBER}", re.IGNORECASE)
BPB = re.compile(rf"step (\d{{1,15}})(?: \| Validation bpb: |: ){NUMBER}(?: bits per byte)?", re.IGNORECASE)
ANY_STEP = re.compile(r"\b(?:step|iter|iteration|global_step)s?['\"]?[\s:=#]{1,3}(\d{1,15})", re.IGNORECASE)
ANY_VALUE = re.compile(
    r"\b((?:val|valid|validation|eval|test|train|training)?[ _/]?loss|lr|learning_rate|grad_norm"
    r"|loss[_ ]scale|grad_scale)['\"]?[\s:=]{1,3}"
    + NUMBER,
    re.IGNORECASE,
)
VOCABULARY = re.compile(
    r"(?:vocab(?:ulary)?[ _]size(?: of GPT-2 to|['\"]?\s{0,2}[=:])|^vocabulary:)\s{0,2}(\d[\d,]{0,12})", re.IGNORECASE
)
RESUMED = re.compile(r"Resuming (?:training|optimization) from|Initializing from OpenAI GPT-2|Loading model from")
FAILED = re.compile(r"(?:^|\s)((?:[\w.]+(?:Error|Exception)|AssertionError|KeyboardInterrupt)\b.{0,160})")
STEP_NAMES = ("step", "iter", "iteration", "global_step", "_step", "iter_num", "steps", "trainer/global_step")
NAMES = {
    "loss": ("loss", "train/loss_step", "train_loss_step", "training_loss", "tr_loss"),
    "train_loss": ("train_loss", "train/loss", "train loss", "training loss", "loss/train"),
    "val_loss": (
        "val_loss", "val/loss", "val loss", "eval_loss", "eval/loss", "valid_loss", "validation_loss", "loss/val",
        "validation loss", "test_loss", "valid/loss", "eval loss", "valid loss", "validation_loss",
    ),
    "val_bpb": ("val_bpb", "val/bpb", "val bpb", "validation bpb"),
    "lr": ("lr", "learning_rate", "train/learning_rate", "train/lr"),
    "lr_multiplier": ("lr_multiplier", "lrm", "train/lrm"),
    "grad_norm": ("grad_norm", "train/grad_norm", "grad norm", "gradient_norm"),
    "loss_scale": ("loss_scale", "loss scale", "grad_scale", "amp_scale", "scaler_scale", "train/loss_scale"),
    "smooth_loss": ("smooth_loss",),
    "reward": ("reward", "rewards", "average_reward", "mean_reward"),
}  # fmt: skip
CANONICAL = {name: canonical for canonical, names in NAMES.items() for name in names}
HEADS = set(CANONICAL) - {"reward"}  # a first line with one of these is a CSV's head


def number(text: str) -> float:
    """A printed number."""
    return float(text.replace(",", ""))


def canonical(values: dict[Any, Any]) -> dict[str, float]:
    """The values that are known, by canonical names. None, which JSON has for NaN, is NaN."""
    found: dict[str, float] = {}
    for name, value in values.items():
        known = CANONICAL.get(name) or CANONICAL.get(str(name).split(" - ")[-1].strip().lower())
        if known is None or isinstance(value, bool):
            continue
        if isinstance(value, str) and not re.fullmatch(NUMBER, value.strip(), re.IGNORECASE):
            continue
        try:
            found[known] = math.nan if value is None else number(value) if isinstance(value, str) else float(value)
        except (TypeError, ValueError, OverflowError):
            continue
    return found
