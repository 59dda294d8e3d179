"""Vectors of length 1: how they are made, how one goes from one to another, and layers made of them."""

import torch
import torch.nn as nn
from torch.nn.utils.parametrize import register_parametrization


def l2norm(t, dim=-1, norm_eps=0.0, eps=None, groups=1):
    """Divide by the length along ``dim``; the shape stays.

    With ``norm_eps`` e, lengths between 1 - e and 1 + e are left as they are, and others come to the nearer of the two.
    With ``groups`` g, each g-th of the axis gets length 1 of its own, so the whole has length sqrt(g). ``eps`` is the
    smallest number that is divided by. Raises ValueError where the axis can't be cut into ``groups``.
    """
    if groups > 1:
        if t.size(dim) % groups:
            raise ValueError(f"{t.size(dim)} numbers can't be shared out evenly among groups={groups}")
        return torch.cat([l2norm(part, dim, norm_eps, eps) for part in t.chunk(groups, dim)], dim)
    length = t.norm(dim=dim, keepdim=True)
    if norm_eps == 0:
        return t / length.clamp(min=1e-12 if eps is None else eps)
    if eps is None:
        eps = 1e-5 if t.dtype == torch.float16 else 1e-10
    wanted = length.detach().clamp(1 - norm_eps, 1 + norm_eps)
    return t / (length / wanted).clamp(min=eps)


def angle(a, b):
    """The angle between unit vectors along the last axis, (..., 1), in radians, from 0 to pi.

    By the tangent: near 0 and pi an arccosine would lose half of its digits.
    """
    cosine = (a * b).sum(-1, keepdim=True)
    sine = (b - cosine * a).norm(dim=-1, keepdim=True)
    return torch.atan2(sine, cosine)


def lerp(a, b, t):
    """The point of the chord from ``a`` to ``b`` at the share ``t``, which may differ from number to number."""
    return a + t * (b - a)


def slerp(a, b, t):
    """The point of the great circle from ``a`` to ``b`` at the share ``t`` of the angle (Shoemake, 1985).

    ``a`` and ``b`` are unit vectors along the last axis; ``t`` is one number for each of them, (..., 1). Opposite
    points are joined by no one shortest way: between them the result means nothing.
    """
    cosine = (a * b).sum(-1, keepdim=True)
    ahead = l2norm(b - cosine * a)     # the direction in which b lies, at right angles to a
    theta = t * angle(a, b)
    return theta.cos() * a + theta.sin() * ahead


class Scale(nn.Module):
    """Learned numbers that begin at ``init`` and are kept as multiples of ``scale`` (paper, section 2.5).

    An optimizer such as Adam moves what is kept by about its learning rate; what is used then moves ``init / scale``
    times as far. So ``scale`` sets how fast these numbers learn, beside the others.
    """

    def __init__(self, dim, init=1.0, scale=1.0):
        super().__init__()
        self.scale = nn.Parameter(torch.full((dim,), float(scale)))
        self.forward_scale = init / scale

    def forward(self):
        """The numbers as they are used, (dim,)."""
        return self.scale * self.forward_scale


class L2Norm(nn.Module):
    """``l2norm`` as a module, with its settings."""

    def __init__(self, dim=-1, norm_eps=0.0, groups=1):
        super().__init__()
        self.dim, self.norm_eps, self.groups = dim, norm_eps, groups

    def forward(self, t):
        """Any shape, and the same."""
        return l2norm(t, self.dim, self.norm_eps, groups=self.groups)


class NormLinear(nn.Module):
    """A linear layer without bias whose weights have length 1 along the axis of the model's width.

    That is the axis of the input (``norm_dim_in``), or for a layer that leads back into the stream the axis of the
    output. With ``parametrize`` the stored weights are normalised in each pass, and gradients go through that; without,
    the stored weights are used, and ``norm_weights_`` must be called after each step of the optimizer.
    """

    def __init__(self, dim, dim_out, norm_dim_in=True, parametrize=True, norm_eps=0.0, groups=1):
        super().__init__()
        self.linear = nn.Linear(dim, dim_out, bias=False)
        self.scale = 1 / groups        # each output is a mean of as many cosines
        self.parametrize = parametrize
        self.l2norm = L2Norm(-1 if norm_dim_in else 0, norm_eps, groups)
        nn.init.normal_(self.linear.weight)  # directions from a bell curve favour none
        if parametrize:
            register_parametrization(self.linear, "weight", self.l2norm)
        self.norm_weights_()

    @property
    def weight(self):
        """The weights that are used, (dim_out, dim)."""
        return self.linear.weight

    @torch.no_grad()
    def norm_weights_(self):
        """Put the stored weights back on the sphere; lengths are computed in full precision."""
        stored = self.linear.parametrizations.weight.original if self.parametrize else self.linear.weight
        stored.copy_(self.l2norm(stored.float()))

    def forward(self, x):
        """(..., dim) -> (..., dim_out): for unit vectors x, cosines."""
        return self.linear(x) * self.scale
