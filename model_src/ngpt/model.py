"""nGPT: every weight matrix is made of unit vectors, and so is every state of every token.

Sizes have one letter each, here and in every comment: B sequences in a batch, T tokens in each, C numbers for a token
(``dim``), H heads of D numbers, I numbers inside a feed-forward block, V words in the vocabulary, L layers (``depth``).
The paper is arXiv 2410.01131.
"""

import torch
import torch.nn as nn
from torch.nn import functional as F

from ngpt.config import Config
from ngpt.decoder import Decoder, Heads
from ngpt.rotary import RotaryEmbedding
from ngpt.sphere import L2Norm, NormLinear, Scale, lerp, slerp


class Attention(Heads):
    """Queries and keys are compared by their angle, each number of it weighted by s_qk."""

    def __init__(self, dim, *, dim_head=64, heads=8, norm_qk=True, manual_norm_weights=True, s_qk_init=1.0,
                 s_qk_scale=None, norm_eps=0.0, num_hyperspheres=1, s_qk_on_keys=True):
        super().__init__(heads, dim_head, attn_scale=dim_head**0.5)  # cosines vary by 1/sqrt(D): back to 1
        inner = dim_head * heads
        how = {"parametrize": not manual_norm_weights, "norm_eps": norm_eps, "groups": num_hyperspheres}
        self.norm_qk, self.s_qk_on_keys = norm_qk, s_qk_on_keys
        self.to_q = NormLinear(dim, inner, **how)
        self.to_k = NormLinear(dim, inner, **how)
        self.to_v = NormLinear(dim, inner, **how)
        self.qk_scale = Scale(inner, s_qk_init, dim**-0.5 if s_qk_scale is None else s_qk_scale)
        self.l2norm = L2Norm(-1, norm_eps, num_hyperspheres)
        self.to_out = NormLinear(inner, dim, norm_dim_in=False, **how)

    def forward(self, x, rotary_embed, value_residual=None, cache=None):
        """(B, T, C) -> (B, T, C), and the values (B, H, T, D), mixed with ``value_residual`` if that is given."""
        q = self.split(self.to_q(x))
        k = self.split(self.to_k(x))
        v = self.split(self.to_v(x))
        if value_residual is not None:
            v = (v + value_residual) / 2

        past = cache.length if cache is not None else 0
        q = rotary_embed(q, past)
        k = rotary_embed(k, past)
        if self.norm_qk:
            q = self.l2norm(q)
            k = self.l2norm(k)
        s_qk = self.qk_scale().view(self.heads, 1, self.dim_head)
        q = q * s_qk
        if self.s_qk_on_keys:
            k = k * s_qk

        values = v
        if cache is not None:
            k, v = cache.extend(k, v)
        y = self.attend(q, k, v)
        return self.to_out(self.merge(y)), values


class FeedForward(nn.Module):
    """SwiGLU (Shazeer, 2020) of cosines, which scales make large enough for the SiLU to bend."""

    def __init__(self, dim, *, dim_inner=None, manual_norm_weights=True, s_hidden_init=1.0, s_hidden_scale=1.0,
                 s_gate_init=1.0, s_gate_scale=1.0, norm_eps=0.0, num_hyperspheres=1, sqrt_dim_on_hidden=False):
        super().__init__()
        inner = dim_inner or 4 * dim
        how = {"parametrize": not manual_norm_weights, "norm_eps": norm_eps, "groups": num_hyperspheres}
        self.to_hidden = NormLinear(dim, inner, **how)
        self.to_gate = NormLinear(dim, inner, **how)
        self.hidden_scale = Scale(inner, s_hidden_init, s_hidden_scale)
        self.gate_scale = Scale(inner, s_gate_init, s_gate_scale)
        self.to_out = NormLinear(inner, dim, norm_dim_in=False, **how)
        self.gate_factor = dim**0.5  # cosines of random vectors vary by 1/sqrt(C): back to 1
        self.hidden_factor = dim**0.5 if sqrt_dim_on_hidden else 1.0

    def forward(self, x):
        """(B, T, C) -> (B, T, C)."""
        hidden = self.to_hidden(x) * self.hidden_scale() * self.hidden_factor  # (B, T, I)
        gate = self.to_gate(x) * self.gate_scale() * self.gate_factor
        return self.to_out(hidden * F.silu(gate))


class Residual(nn.Module):
    """A step on the sphere from x towards what a block suggests.

    ``branch_scale`` is alpha, how far: 0 stays at x, 1 arrives. For each number of the vector one, and the chord with
    its end put back on the sphere; or with ``interpolation="slerp"`` one for all, and the great circle.
    """

    def __init__(self, fn, dim, init, scale=None, groups=1, norm_eps=0.0, interpolation="lerp", signed=False):
        super().__init__()
        self.fn = fn
        self.interpolation, self.signed = interpolation, signed
        self.branch_scale = Scale(dim if interpolation == "lerp" else 1, init, dim**-0.5 if scale is None else scale)
        self.l2norm = L2Norm(-1, norm_eps, groups)

    def alpha(self):
        """How far the step goes, (C,) or (1,)."""
        alpha = self.branch_scale()
        return alpha if self.signed else alpha.abs()

    def step(self, x, out):
        """From unit vectors (B, T, C) towards the direction of others, which may have any length."""
        towards = self.l2norm(out)
        walk = slerp if self.interpolation == "slerp" else lerp
        moved = walk(x, towards, self.alpha())
        return self.l2norm(moved)

    def forward(self, x, *rest):
        """(B, T, C) -> (B, T, C), and beside it what else the block gives back."""
        out = self.fn(x, *rest)
        if isinstance(out, tuple):
            out, others = out
            return self.step(x, out), others
        return self.step(x, out)


class nGPT(Decoder):
    """The whole model. Settings are the fields of ``Config``, by name."""

    def __init__(self, **settings):
        super().__init__()
        c = self.config = Config(**settings)
        how = {"parametrize": not c.manual_norm_weights, "norm_eps": c.norm_eps, "groups": c.num_hyperspheres}
        self.token_embed = NormLinear(c.dim, c.num_tokens, **how)
        self.rotary_embed = RotaryEmbedding(c.dim_head, c.rope)
        self.layers = nn.ModuleList(
            nn.ModuleList([
                self.residual(attention(c, layer), "alpha_attn", layer),
                self.residual(feed_forward(c, layer), "alpha_ff", layer),
            ])
            for layer in range(c.depth)
        )
        self.to_logits = None if c.tied_embedding else NormLinear(c.dim, c.num_tokens, **how)
        s_logit_scale = c.dim**-0.5 if c.s_logit_scale is None else c.s_logit_scale
        self.logit_scale = Scale(c.num_tokens, c.s_logit_init, s_logit_scale)

    def residual(self, fn, alpha, layer):
        """A block with its step; steps are exact, whatever ``norm_eps`` and ``num_hyperspheres`` say of weights."""
        c = self.config
        init, scale = c.in_layer(f"{alpha}_init", layer), c.in_layer(f"{alpha}_scale", layer)
        return Residual(fn, c.dim, init, scale, interpolation=c.residual, signed=c.alpha_signed)

    def logits(self, idx, cache=None):
        """(B, T) -> (B, T, V): each a cosine between -1 and 1, times its word's s_z."""
        table = self.token_embed.weight
        x = table[idx]                                                 # (B, T, C), unit vectors
        first_values = None
        for layer, (attn, ff) in enumerate(self.layers):
            mixed = first_values if self.config.add_value_residual else None
            x, values = attn(x, self.rotary_embed, mixed, cache[layer] if cache else None)
            if first_values is None:
                first_values = values
            x = ff(x)
        z = F.linear(x, table) if self.to_logits is None else self.to_logits(x)
        return z * self.logit_scale()

    def norm_weights_(self):
        """Put every matrix back on the sphere."""
        for module in self.modules():
            if isinstance(module, NormLinear):
                module.norm_weights_()

    def register_step_post_hook(self, optimizer):
        """After each step of the optimizer, put the weights back on the sphere."""
        return optimizer.register_step_post_hook(lambda *_: self.norm_weights_())

    def configure_optimizers(self, weight_decay, learning_rate, betas, device_type):
        """Adam as nanoGPT sets it up, and after each of its steps the weights are put back on the sphere."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=learning_rate, betas=betas, weight_decay=weight_decay,
                                      fused=device_type == "cuda")
        self.register_step_post_hook(optimizer)
        return optimizer


def attention(c, layer):
    """The attention of a layer, as the config has it."""
    return Attention(
        c.dim, dim_head=c.dim_head, heads=c.heads, norm_qk=c.attn_norm_qk, manual_norm_weights=c.manual_norm_weights,
        s_qk_init=c.in_layer("s_qk_init", layer), s_qk_scale=c.in_layer("s_qk_scale", layer),
        norm_eps=c.norm_eps, num_hyperspheres=c.num_hyperspheres, s_qk_on_keys=c.s_qk_on_keys,
    )


def feed_forward(c, layer):
    """The feed-forward block of a layer, as the config has it."""
    return FeedForward(
        c.dim, dim_inner=c.dim_inner, manual_norm_weights=c.manual_norm_weights,
        s_hidden_init=c.in_layer("s_ff_hidden_init", layer), s_hidden_scale=c.in_layer("s_ff_hidden_scale", layer),
        s_gate_init=c.in_layer("s_ff_gate_init", layer), s_gate_scale=c.in_layer("s_ff_gate_scale", layer),
        norm_eps=c.norm_eps, num_hyperspheres=c.num_hyperspheres, sqrt_dim_on_hidden=c.sqrt_dim_on_hidden,
    )
