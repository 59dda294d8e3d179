"""How two checkpoints differ, in weights and in what their optimizers remember: by bits, and by how far."""

from collections.abc import Mapping
from typing import Any

import torch

from fieldguide.checkpoint import pickles, tensorfiles
from fieldguide.checkpoint.layouts import Checkpoint
from fieldguide.checkpoint.pickles import Refused
from fieldguide.report import Finding

Values = dict[str, Any]  # tensors and numbers by their places


def weights(one: Checkpoint, other: Checkpoint) -> tuple[list[Finding], dict[str, tuple[float, float]]]:
    """What is said of the weights, and how far those that both have are apart; 0 where they are the same bits."""
    left, right = one.plain, other.plain
    findings: list[Finding] = []
    for these, those, name in ((left, right, one.name), (right, left, other.name)):
        if alone := [key for key in these if key not in those]:
            findings.append(Finding("warning", f"{len(alone)} tensors are only in {name}", ", ".join(alone[:5])))
    both = [key for key in left if key in right]
    if shapes := [key for key in both if left[key].shape != right[key].shape]:
        shown = ", ".join(f"{k}: {list(left[k].shape)} and {list(right[k].shape)}" for k in shapes[:3])
        findings.append(Finding("warning", f"{len(shapes)} tensors have other shapes", shown))
    same = {key for key in both if same_bits(left[key], right[key])}
    apart = {key: (0.0, 0.0) if key in same else distance(left[key], right[key]) for key in both if key not in shapes}
    if len(same) == len(left) == len(right):
        findings.append(Finding("good", f"The weights are the same, bit for bit: all {len(same)} tensors"))
    else:
        odd = [key for key in apart if key not in same]
        what = f"The weights differ: {len(same)} of {len(left.keys() | right.keys())} tensors are the same, bit for bit"
        findings.append(Finding("note", what, f"others are in {', '.join(odd[:5])}" if odd else ""))
    return findings, apart


def same_bits(a: Any, b: Any) -> bool:
    """Whether two values are the same, tensors by their bits: 0 is not -0, and NaN is NaN."""
    if not isinstance(a, torch.Tensor) or not isinstance(b, torch.Tensor):
        return type(a) is type(b) and (a == b or (a != a and b != b))
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    x, y = (tensor.detach().reshape(-1) for tensor in (a, b))
    step = 1 << 24  # numbers at once
    pieces = ((x[i : i + step].contiguous(), y[i : i + step].contiguous()) for i in range(0, x.numel(), step))
    return all(torch.equal(p.view(torch.uint8), q.view(torch.uint8)) for p, q in pieces)


def distance(a: torch.Tensor, b: torch.Tensor) -> tuple[float, float]:
    """The largest difference of two numbers, and the length of the difference over that of the first."""
    if a.numel() == 0:
        return 0.0, 0.0
    x, y = a.double(), b.double()
    return float((x - y).abs().max()), float((x - y).norm() / x.norm().clamp_min(1e-30))


def optimizers(one: Checkpoint, other: Checkpoint) -> tuple[Finding, str]:
    """What is said of the optimizers, and the same in one word: same, differ, missing, unreadable."""
    try:
        left, right = remembered(one), remembered(other)
    except Refused as refused:
        return Finding("warning", "The optimizers can't be compared", str(refused)), "unreadable"
    if not left and not right:
        return Finding("note", "The optimizer is missing in both"), "missing"
    if not left or not right:
        without = other.name if left else one.name
        advice = "resuming will fail there; sampling works"
        return Finding("warning", f"The optimizer is missing in {without}", "only the other has one", advice), "missing"
    odd = [place for place in {**left, **right} if place not in left or place not in right
           or not same_bits(left[place], right[place])]  # fmt: skip
    if not odd:
        tensors = sum(isinstance(value, torch.Tensor) for value in left.values())
        return Finding("good", f"The optimizers are the same, bit for bit: {tensors} tensors and the settings"), "same"
    what = f"The optimizers differ: {len(odd)} of {len(left.keys() | right.keys())} values are not the same bits"
    return Finding("note", what, f"others are in {', '.join(odd[:4])}"), "differ"


def remembered(checkpoint: Checkpoint) -> Values:
    """All that the optimizer has saved, nanoGPT's within the file, nanochat's in one for each rank."""
    found = flat(checkpoint.optimizer, "") if checkpoint.optimizer is not None else {}
    for rank, path in sorted(checkpoint.files.optim.items()):
        safe = path.suffix == ".safetensors"
        whole = tensorfiles.load_safetensors(path)[0] if safe else pickles.load(path)
        found |= flat(whole, f"rank {rank}")
    return found


def flat(value: Any, place: str) -> Values:
    """The values of a nested one by their dotted places; what was read before is not deeper than ``DEPTH``."""
    items: Any
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    else:
        return {place: value}
    return {k: v for key, item in items for k, v in flat(item, f"{place}.{key}".lstrip(".")).items()}
