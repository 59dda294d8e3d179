"""Live bytes of tensors, counted by what made them, while a training really runs or is only played through.

Played through means PyTorch's fake tensors: every operation gives a tensor of the right shape, dtype and life, and
none holds a number. So a model of any size costs seconds and no memory, and what is counted is what it would take.
"""

import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

FORWARD = "activations"   # made by the forward pass
BACKWARD = "backward"     # made by the backward pass, and let go soon
STEP = "step"             # made by the optimizer's step, and let go soon
BEFORE, AFTER = "before the blocks", "logits and loss"


@dataclass(frozen=True)
class Peak:
    """The most bytes that lived at once, and what they were of: (kind, part of the model) -> bytes."""

    bytes: int
    parts: dict[tuple[str, str], int] = field(default_factory=dict)

    def of(self, kind: str) -> int:
        """Bytes of a kind, all parts together."""
        return sum(size for (found, _), size in self.parts.items() if found == kind)


class Ledger(TorchDispatchMode):
    """Enters each new storage when an operation returns it, and strikes it out when nothing holds it any more."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[int, tuple[tuple[str, str], int]] = {}
        self.sums: Counter[tuple[str, str]] = Counter()
        self.kind, self.part = "weights", ""
        self.live = 0
        self.peak = Peak(0)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default and is_fake(args[0]):
            return 1.0 if args[0].dtype.is_floating_point else 0  # which number it is changes no size
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, torch.Tensor):
                self.enter_storage(leaf)
        return out

    def enter_storage(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self.entries:
            return
        tag = (self.kind, self.part)
        self.entries[key] = (tag, size)
        self.sums[tag] += size
        self.live += size
        weakref.finalize(storage, self.strike_out, key)
        if self.live > self.peak.bytes:
            self.peak = Peak(self.live, dict(self.sums))

    def strike_out(self, key: int) -> None:
        tag, size = self.entries.pop(key)
        self.sums[tag] -= size
        self.live -= size

    def rename(self, tensor: torch.Tensor, kind: str) -> None:
        """Say of a tensor that is there what it has turned out to be."""
        key = tensor.untyped_storage()._cdata
        if key in self.entries:
            tag, size = self.entries[key]
            self.sums[tag] -= size
            self.sums[kind, ""] += size
            self.entries[key] = ((kind, ""), size)

    def restart(self) -> None:
        """Look for the peak from here on."""
        self.peak = Peak(self.live, dict(self.sums))

    @contextmanager
    def making(self, kind: str) -> Iterator[None]:
        """What is made inside is of this kind."""
        before, self.kind = self.kind, kind
        try:
            yield
        finally:
            self.kind = before


def is_fake(tensor: Any) -> bool:
    """Whether a tensor has no numbers."""
    return isinstance(tensor, torch._subclasses.FakeTensor)


def find_blocks(model: nn.Module) -> list[list[nn.Module]]:
    """The modules that are called for each block of the model, by the list that holds most parameters; [] for none."""
    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList) and len(module)]
    if not lists:
        return []
    longest = max(lists, key=lambda each: (sum(p.numel() for p in each.parameters()), len(each)))
    return [list(each) if isinstance(each, nn.ModuleList) else [each] for each in longest]


def follow_blocks(model: nn.Module, ledger: Ledger) -> None:
    """Let the ledger know in which block the forward pass is; what lies between two goes with the second."""
    called = [(i, module) for i, block in enumerate(find_blocks(model)) for module in block]
    parts = [f"block {i}" for i, _ in called] + [AFTER]
    if not called:
        return

    def enters(part: str) -> Any:
        return lambda *_: setattr(ledger, "part", part) if ledger.kind == FORWARD else None

    model.register_forward_pre_hook(enters(BEFORE))
    for place, (_, module) in enumerate(called):
        module.register_forward_pre_hook(enters(parts[place]))
        module.register_forward_hook(enters(parts[place + 1]))
    model.register_forward_hook(enters(AFTER))


def follow_gradients(model: nn.Module, ledger: Ledger) -> None:
    """Let the ledger know which results of the backward pass have become gradients."""
    for p in model.parameters():
        if p.requires_grad:
            p.register_post_accumulate_grad_hook(lambda p: ledger.rename(p.grad, "gradients"))
