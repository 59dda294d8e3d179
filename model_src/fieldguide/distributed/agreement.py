"""For training scripts under torchrun: whether all ranks have the same weights, and the same gradients.

    from fieldguide.distributed.agreement import differences
    assert not differences(model), differences(model)       # after backward(), on every rank
"""

import hashlib
from typing import Any

import torch
import torch.distributed as dist


def digest(tensor: torch.Tensor | None) -> str:
    """Of a tensor's bytes; '' for none."""
    if tensor is None:
        return ""
    flat = tensor.detach().cpu().contiguous().view(torch.uint8) if tensor.dim() else tensor.detach().cpu().reshape(1)
    return hashlib.sha256(flat.contiguous().view(torch.uint8).numpy().tobytes()).hexdigest()[:16]


def differences(model: Any, gradients: bool = True) -> list[str]:
    """What is not the same in all ranks, bit for bit: 'gradient of wte.weight: rank 1'. A collective: all must call it.

    The rank that is named differs from rank 0. A gradient that is missing on some ranks alone counts.
    """
    own = {f"weight {name}": digest(p) for name, p in model.named_parameters()}
    if gradients:
        own |= {f"gradient of {name}": digest(p.grad) for name, p in model.named_parameters()}
    every: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(every, own)
    found = []
    for name in every[0] | own:
        ranks = [rank for rank, each in enumerate(every) if each.get(name) != every[0].get(name)]
        if ranks:
            found.append(f"{name}: rank {', '.join(map(str, ranks))}")
    return found
