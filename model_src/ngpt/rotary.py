"""Positions as rotations of queries and keys (Su et al., 2021), and what NVIDIA's repository has in their place."""

import torch
import torch.nn as nn

BASE = 10000.0
KINDS = ("rotation", "ngpt-repo")


class RotaryEmbedding(nn.Module):
    """Turns each pair of neighbouring numbers by an angle that grows with the position."""

    def __init__(self, dim_head, kind="rotation"):
        super().__init__()
        if dim_head % 2:
            raise ValueError(f"heads of {dim_head} numbers can't be turned in pairs")
        if kind not in KINDS:
            raise ValueError(f"rope={kind!r} is not known: one of {', '.join(KINDS)}")
        pair = torch.arange(dim_head // 2, dtype=torch.float32)
        self.register_buffer("freqs", BASE ** (-2 * pair / dim_head))  # (D/2,) radians a token
        self.turn = rotate if kind == "rotation" else published

    def forward(self, x, past=0):
        """(B, H, T, D) -> (B, H, T, D); the first of the T tokens stands at position ``past``."""
        position = torch.arange(past, past + x.size(-2), device=x.device, dtype=torch.float32)
        angle = position[:, None] * self.freqs                         # (T, D/2)
        return self.turn(x, angle.cos(), angle.sin())


def rotate(x, cos, sin):
    """Each pair (a, b) by its angle; ``cos`` and ``sin`` are (T, D/2). Lengths stay."""
    a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


def published(x, cos, sin):
    """What github.com/NVIDIA/ngpt computes (November 2024): no rotation, as its issue 10 says.

    The table of sines and cosines is cut in two halves where it should have been cut in even and odd columns, and each
    number is multiplied once, where a rotation adds two products. Here to load that repository's checkpoints.
    """
    table = torch.stack((sin, cos), -1).flatten(-2)                    # (T, D)
    first, second = table.chunk(2, dim=-1)
    a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((-b * second, a * first), -1).flatten(-2)
