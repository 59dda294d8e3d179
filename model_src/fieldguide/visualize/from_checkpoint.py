"""What the scene of an architecture shows: the tensors of a checkpoint, read and never executed."""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from fieldguide.checkpoint import layouts
from fieldguide.checkpoint.resuming import trained
from fieldguide.checkpoint.versions import LAYER
from fieldguide.report import UsageProblem
from fieldguide.visualize.names import name_of, shortened

DRAWN = 12  # parts of the tower; more layers are drawn as one
TENSORS = 7  # of a layer, the largest; the others are drawn as one
PARTS = {  # what tensors outside of the layers are called
    "transformer.wte": "token table", "transformer.wpe": "positions", "lm_head": "head", "token_embed": "token table",
    "to_logits": "head", "transformer.ln_f": "last norm", "value_embeds": "value tables", "resid_lambdas": "scales",
    "x0_lambdas": "scales", "smear_gate": "smear", "smear_lambda": "smear", "backout_lambda": "scales",
}  # fmt: skip
LAST = ("head", "last norm")  # what stands behind the layers
ATTENTION = re.compile(r"attn|att_|^0\.|query|key|value|sqk|ln_1|ve_")


def architecture(path: Path, step: int | None) -> dict[str, Any]:
    """The drawing of a checkpoint; UsageProblem where it can't be read or has no weights."""
    checkpoint = layouts.read(layouts.choose(path, step))
    weights = {name: tensor for name, tensor in trained(checkpoint.plain).items() if tensor.numel()}
    if not weights:
        raise UsageProblem(f"{path} has no weights, and its parts were asked for: name a model's checkpoint")
    layers, outside = divided(weights)
    parts = tower(layers, outside)
    total = sum(counted(weights).values())
    first = min(layers, default=None)
    opened = layers[first] if first is not None else weights
    name = f"Layer {first}" if first is not None else "Its tensors"
    return {
        "file": name_of(Path(checkpoint.name)), "kind": shortened(checkpoint.kind, 40), "total": total,
        "layers": len(layers), "parts": parts,
        "layer": {"name": name, "count": sum(counted(opened).values()), "tensors": listed(opened)},
        "shares": shares(layers, outside, total),
    }  # fmt: skip


def counted(weights: Mapping[str, torch.Tensor]) -> dict[str, int]:
    """How many numbers each tensor has."""
    return {name: math.prod(tensor.shape) for name, tensor in weights.items()}


def divided(
    weights: Mapping[str, torch.Tensor],
) -> tuple[dict[int, dict[str, torch.Tensor]], dict[str, dict[str, torch.Tensor]]]:
    """The tensors of each layer by their names in it, and those outside by what they are."""
    layers: dict[int, dict[str, torch.Tensor]] = {}
    outside: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in weights.items():
        if found := LAYER.match(name):
            layers.setdefault(int(found[1]), {})[name[found.end() :]] = tensor
        else:
            known = next((part for start, part in PARTS.items() if name.startswith(start)), None)
            outside.setdefault(known or shortened(name.removesuffix(".weight"), 20), {})[name] = tensor
    return dict(sorted(layers.items())), outside


def tower(
    layers: Mapping[int, Mapping[str, torch.Tensor]], outside: Mapping[str, Mapping[str, torch.Tensor]]
) -> list[dict[str, Any]]:
    """The parts in the order in which a token meets them; many layers are one part with their number."""

    def part(name: str, kind: str, count: int) -> dict[str, Any]:
        return {"name": name, "kind": kind, "count": count}

    around = {name: sum(counted(tensors).values()) for name, tensors in outside.items()}
    before = [part(name, "outside", count) for name, count in around.items() if name not in LAST]
    behind = [part(name, "outside", count) for name, count in around.items() if name in LAST]
    before.sort(key=lambda each: -each["count"])
    behind.sort(key=lambda each: each["name"] == "head")
    if len(before) > 4:
        rest = sum(each["count"] for each in before[3:])
        before = [*before[:3], part(f"{len(before) - 3} others", "rest", rest)]
    sizes = {number: sum(counted(tensors).values()) for number, tensors in layers.items()}
    room = DRAWN - len(before) - len(behind)
    if len(sizes) <= room:
        middle = [part(f"layer {number}", "layer", count) for number, count in sizes.items()]
    else:
        shown = list(sizes)[: room - 2]
        middle = [part(f"layer {number}", "layer", sizes[number]) for number in shown]
        hidden = list(sizes)[room - 2 : -1]
        middle.append(part(f"layers {hidden[0]} to {hidden[-1]}", "rest", sum(sizes[k] for k in hidden)))
        middle.append(part(f"layer {list(sizes)[-1]}", "layer", sizes[list(sizes)[-1]]))
    return [*before, *middle, *behind]


def listed(tensors: Mapping[str, torch.Tensor]) -> list[dict[str, Any]]:
    """Name, shape and count, in their order; only the largest where there are many."""
    largest = sorted(tensors, key=lambda name: -math.prod(tensors[name].shape))[:TENSORS]
    rows = [
        {"name": shortened(name.removesuffix(".weight"), 28), "count": math.prod(tensor.shape),
         "shape": shortened(" × ".join(map(str, tensor.shape)) or "one number", 20)}
        for name, tensor in tensors.items() if name in largest
    ]  # fmt: skip
    if len(tensors) > len(rows):
        rest = sum(math.prod(tensor.shape) for name, tensor in tensors.items() if name not in largest)
        rows.append({"name": f"{len(tensors) - len(rows)} others", "shape": "", "count": rest})
    return rows


def shares(
    layers: Mapping[int, Mapping[str, torch.Tensor]], outside: Mapping[str, Mapping[str, torch.Tensor]], total: int
) -> list[dict[str, Any]]:
    """Attention and MLP, norms and scales included, and what stands outside: the largest four, and the rest."""
    counts = {"attention, all layers": 0, "MLP, all layers": 0}
    for tensors in layers.values():
        for name, count in counted(tensors).items():
            counts["attention, all layers" if ATTENTION.search(name) else "MLP, all layers"] += count
    counts |= {name: sum(counted(tensors).values()) for name, tensors in outside.items()}
    ordered = sorted(((count, name) for name, count in counts.items() if count), reverse=True)
    if len(ordered) > 5:
        ordered = [*ordered[:4], (sum(count for count, _ in ordered[4:]), "all others")]
    return [{"name": name, "count": count, "share": count / total} for count, name in ordered]
