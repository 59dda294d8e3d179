"""The GPT that nGPT is compared with: the same sizes and the same parts, without what nGPT changes (paper, Table 1).

Laid beside ``model.py``, line by line, it shows what nGPT is.
"""

import torch
import torch.nn as nn
from torch.nn import functional as F

from ngpt.config import Config
from ngpt.decoder import Decoder, Heads
from ngpt.rotary import RotaryEmbedding

INIT_STD = 0.02  # of first weights, as in GPT-2
RMS_EPS = 1e-6


class Attention(Heads):
    """Queries and keys are compared by their product, whatever their lengths."""

    def __init__(self, dim, *, dim_head=64, heads=8):
        super().__init__(heads, dim_head, attn_scale=dim_head**-0.5)  # products vary by sqrt(D): back to 1
        inner = dim_head * heads
        self.to_q = nn.Linear(dim, inner, bias=False)
        self.to_k = nn.Linear(dim, inner, bias=False)
        self.to_v = nn.Linear(dim, inner, bias=False)
        self.to_out = nn.Linear(inner, dim, bias=False)

    def forward(self, x, rotary_embed, cache=None):
        """(B, T, C) -> (B, T, C)."""
        q = self.split(self.to_q(x))
        k = self.split(self.to_k(x))
        v = self.split(self.to_v(x))

        past = cache.length if cache is not None else 0
        q = rotary_embed(q, past)
        k = rotary_embed(k, past)

        if cache is not None:
            k, v = cache.extend(k, v)
        y = self.attend(q, k, v)
        return self.to_out(self.merge(y))


class FeedForward(nn.Module):
    """SwiGLU (Shazeer, 2020)."""

    def __init__(self, dim, *, dim_inner=None):
        super().__init__()
        inner = dim_inner or 4 * dim
        self.to_hidden = nn.Linear(dim, inner, bias=False)
        self.to_gate = nn.Linear(dim, inner, bias=False)
        self.to_out = nn.Linear(inner, dim, bias=False)

    def forward(self, x):
        """(B, T, C) -> (B, T, C)."""
        hidden = self.to_hidden(x)                                     # (B, T, I)
        gate = self.to_gate(x)
        return self.to_out(hidden * F.silu(gate))


class Residual(nn.Module):
    """A block reads the stream normalised, and what it gives is added to the stream as it is."""

    def __init__(self, fn, dim):
        super().__init__()
        self.fn = fn
        self.norm = nn.RMSNorm(dim, eps=RMS_EPS)

    def forward(self, x, *rest):
        """(B, T, C) -> (B, T, C)."""
        return x + self.fn(self.norm(x), *rest)


class GPT(Decoder):
    """The whole model. Settings are the sizes of ``Config``, by name; what concerns the sphere is not looked at."""

    def __init__(self, **settings):
        super().__init__()
        c = self.config = Config(**settings)
        self.token_embed = nn.Embedding(c.num_tokens, c.dim)
        self.rotary_embed = RotaryEmbedding(c.dim_head, c.rope)
        self.layers = nn.ModuleList(
            nn.ModuleList([
                Residual(Attention(c.dim, dim_head=c.dim_head, heads=c.heads), c.dim),
                Residual(FeedForward(c.dim, dim_inner=c.dim_inner), c.dim),
            ])
            for _ in range(c.depth)
        )
        self.norm = nn.RMSNorm(c.dim, eps=RMS_EPS)
        self.to_logits = nn.Linear(c.dim, c.num_tokens, bias=False)
        self.init_weights()

    def init_weights(self):
        """All from a bell curve; what leads back into the stream is smaller, as 2L blocks add up there."""
        for name, p in self.named_parameters():
            if p.dim() > 1:
                smaller = (2 * self.config.depth) ** -0.5 if name.endswith("to_out.weight") else 1.0
                nn.init.normal_(p, std=INIT_STD * smaller)

    def logits(self, idx, cache=None):
        """(B, T) -> (B, T, V)."""
        x = self.token_embed(idx)                                      # (B, T, C)
        for layer, (attn, ff) in enumerate(self.layers):
            x = attn(x, self.rotary_embed, cache[layer] if cache else None)
            x = ff(x)
        return self.to_logits(self.norm(x))

    def configure_optimizers(self, weight_decay, learning_rate, betas, device_type):
        """AdamW as nanoGPT sets it up: matrices decay, gains don't."""
        groups = [
            {"params": [p for p in self.parameters() if p.dim() > 1], "weight_decay": weight_decay},
            {"params": [p for p in self.parameters() if p.dim() < 2], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=learning_rate, betas=betas, fused=device_type == "cuda")
