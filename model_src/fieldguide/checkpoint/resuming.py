"""What a checkpoint needs to be gone on with: nanoGPT's keys, every process's file, an optimizer that fits."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch

from fieldguide.checkpoint.layouts import NANOGPT, Checkpoint
from fieldguide.report import Finding

Findings = Iterator[Finding]


def nanogpt_keys(checkpoint: Checkpoint) -> Findings:
    """What nanoGPT's train.py wants to go on."""
    if not checkpoint.kind.startswith("nanoGPT"):
        return
    lacks = [key for key in NANOGPT if key not in checkpoint.whole]
    if lacks:
        fails = "resuming and sampling will fail" if "model_args" in lacks else "resuming will fail; sampling works"
        yield Finding(
            "error" if "model_args" in lacks else "warning", f"It lacks {', '.join(lacks)}: {fails}",
            "nanoGPT's train.py asks for all of its keys when it resumes", checkpoint.files.repair,
        )  # fmt: skip
    best, done = checkpoint.whole.get("best_val_loss"), checkpoint.whole.get("iter_num", 0)
    if best is not None and is_nan(best):
        yield Finding(
            "warning", f"best_val_loss is {best!s:.40}: no later loss is below it, so nothing more would be saved", "",
            "the validation was NaN when it was saved: take an earlier checkpoint, or set it to 1e9 and evaluate anew",
        )  # fmt: skip
    if not isinstance(done, int) or done < 0:
        yield Finding("warning", f"iter_num is {done!s:.40}, which is no number of iterations", "", "set it anew")
    yield from optimizer_fits(checkpoint)


def is_nan(value: Any) -> bool:
    """Whether a number, or a tensor of one, is NaN; inf stands for none so far."""
    try:
        return float(value) != float(value)
    except (TypeError, ValueError, RuntimeError):
        return False  # of another kind: other rules' business


def optimizer_fits(checkpoint: Checkpoint) -> Findings:
    """AdamW's memories against the weights: as many numbers in each of both moments."""
    optimizer = checkpoint.optimizer
    if not isinstance(optimizer, dict):
        return
    state, groups = optimizer.get("state"), optimizer.get("param_groups")
    if not isinstance(state, dict) or not isinstance(groups, list):
        yield Finding("error", "The optimizer is no state_dict", f"its keys: {list(optimizer)[:4]}",
                      checkpoint.files.repair)  # fmt: skip
        return
    if not state:
        yield Finding("note", "The optimizer remembers nothing: resuming starts its moments at 0", "", "warm up again")
        return
    kept = Counter(tuple(t.shape) for name, t in moments(optimizer) if name.endswith("exp_avg"))
    here = Counter(tuple(tensor.shape) for tensor in trained(checkpoint.plain).values())
    strangers, without = kept - here, here - kept
    if strangers or (kept and without and checkpoint.kind.endswith("GPT-2")):  # others have buffers among their weights
        odd = next(iter(strangers or without))
        yield Finding(
            "error", f"The optimizer remembers {kept.total()} tensors, and they are not the model's {here.total()}",
            f"the shape {list(odd)} is there {kept[odd]} times, among the weights {here[odd]} times",
            f"resuming fails or mixes them up: {checkpoint.files.repair} --drop-optimizer keeps the weights alone",
        )  # fmt: skip


def shares_complete(checkpoint: Checkpoint, share: dict[str, torch.Tensor]) -> Findings:
    """nanochat's optimizer: a file of each process, counted by the rows of AdamW's tensors that one of them has."""
    files = checkpoint.files.optim
    weights = {tuple(tensor.shape) for tensor in checkpoint.plain.values() if tensor.dim() == 2}
    kept = sorted({tuple(tensor.shape) for name, tensor in share.items() if name.endswith("exp_avg")})
    parts = [shape for shape in kept if len(shape) == 2 and shape[0] and shape not in weights]
    counts = [{w[0] // rows for w in weights if w[1] == width and w[0] % rows == 0} for rows, width in parts]
    processes = min(set.intersection(*counts), default=0) if counts else 1
    if processes > len(files):
        yield Finding(
            "error", f"The optimizer was shared by {processes} processes, and {len(files)} of their files are here",
            f"{files[min(files)].name} has {parts[0][0]} rows of a matrix that has {parts[0][0] * processes}",
            "copy the missing optim_*_rank*.pt from where it was trained; without them the weights alone can be used",
        )  # fmt: skip


def moments(optimizer: Any) -> list[tuple[str, torch.Tensor]]:
    """The tensors that an optimizer remembers, with names."""
    state = optimizer.get("state") if isinstance(optimizer, dict) else None
    if not isinstance(state, dict):
        return []
    pairs = [(key, each) for key, each in state.items() if isinstance(each, dict)]
    return [(f"{k}.{n}", t) for k, each in pairs for n, t in each.items() if isinstance(t, torch.Tensor)]


def trained(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The parameters, each once: no masks, and not the head that is the table of tokens."""
    table, head = weights.get("transformer.wte.weight"), weights.get("lm_head.weight")
    tied = table is not None and head is not None and table.shape == head.shape and torch.equal(table, head)
    buffers = (".attn.bias", ".attn.masked_bias", "freqs", "inv_freq")
    return {
        name: tensor for name, tensor in weights.items()
        if not name.endswith(buffers) and not (tied and name == "lm_head.weight") and tensor.is_floating_point()
    }  # fmt: skip
