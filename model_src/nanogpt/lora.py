"""LoRA: a trained model learns something new through a few small matrices, and keeps its own numbers.

Hu et al., 2021, arXiv:2106.09685. A linear layer with weights W gets two matrices of rank R beside it, A and B, and
gives W x + (alpha / R) B A x. Only A and B are trained; B begins with zeros, so nothing is changed at first. Added to
W, the product B A leaves a layer of the old shape. Norms and embeddings are frozen and get none.
"""

from collections.abc import Iterator, Sequence

import torch
import torch.nn as nn

from nanogpt.model import GPT

ATTENTION = ("attn.c_attn", "attn.c_proj")  # the paper gives them to attention alone
LAYERS = (*ATTENTION, "mlp.c_fc", "mlp.c_proj")


class LoRALinear(nn.Module):
    """A frozen linear layer and the two small matrices beside it."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        if not 0 < rank <= min(base.weight.shape):
            raise ValueError(f"rank={rank}: a matrix {tuple(base.weight.shape)} has ranks 1 to {min(base.weight.shape)}")
        self.base = base.requires_grad_(False)
        self.A = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)
        self.B = nn.Parameter(torch.zeros(base.out_features, rank))
        self.scale = alpha / rank

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., in) -> (..., out), by way of (..., R)."""
        down = x @ self.A.t()
        up = down @ self.B.t()
        return self.base(x) + self.scale * up

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """One layer that gives the same: W + (alpha / R) B A."""
        self.base.weight += self.scale * (self.B @ self.A)
        return self.base


def add_lora(model: GPT, rank: int, alpha: float | None = None, layers: Sequence[str] = LAYERS) -> GPT:
    """Freeze a model and put small matrices beside layers of each block; ``alpha`` is ``rank`` by default."""
    model.requires_grad_(False)
    for block in model.transformer.h:
        for name in layers:
            base = block.get_submodule(name)
            block.set_submodule(name, LoRALinear(base, rank, alpha or rank))
    return model


def merge_lora(model: GPT) -> GPT:
    """Add what was learned to the weights: a plain GPT again, which trains as one."""
    for name, layer in list(lora_layers(model)):
        model.set_submodule(name, layer.merged())
    return model.requires_grad_(True)


def lora_layers(model: GPT) -> Iterator[tuple[str, LoRALinear]]:
    """The layers that have small matrices, with their names."""
    return ((name, layer) for name, layer in model.named_modules() if isinstance(layer, LoRALinear))


def lora_state_dict(model: GPT) -> dict[str, torch.Tensor]:
    """What was learned, and nothing else: A and B of each layer, by name. ``load_state_dict(..., strict=False)``."""
    return {f"{name}.{part}": getattr(layer, part) for name, layer in lora_layers(model) for part in ("A", "B")}
