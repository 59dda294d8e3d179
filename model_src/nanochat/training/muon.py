"""Muon, the rule for matrices (Jordan et al., 2024): every direction learns at the same pace.

A gradient has a few strong directions and many weak ones. Muon keeps the directions of its momentum and makes their
strengths alike, so that rare directions learn as fast as common ones. CLASSIC does so by Newton-Schulz; Polar
Express, equal rows, NorMuon and cautious decay came later, each a switch of the parameter group (``groups.py``).
"""

import math

import torch

from nanochat.training.half import matmul

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # a x + b x^3 + c x^5, five times over (Jordan et al., 2024)
# The same with other numbers each time, made for singular values from 0.001 to 1 (Amsel et al., 2025).
POLAR_EXPRESS = (
    (8.156554524902461, -22.48329292557795, 15.878769915207462),
    (4.042929935166739, -2.808917465908714, 0.5000178451051316),
    (3.8916678022926607, -2.772484153217685, 0.5060648178503393),
    (3.285753657755655, -2.3681294933425376, 0.46449024233003106),
    (2.3465413258596377, -1.7097828382687081, 0.42323551169305323),
)


def frobenius(X):
    """(..., m, n) -> (..., 1, 1): the root of the sum of all squares of each matrix."""
    return X.norm(dim=(-2, -1), keepdim=True)


def apply_polynomials(X, coefficients):
    """Put each singular value s of X (..., m, n) through a s + b s^3 + c s^5, once for each (a, b, c).

    Without finding them: X X^T X has the cubes, the singular directions stay. The wide way round is cheaper.
    """
    tall = X.size(-2) > X.size(-1)
    if tall:
        X = X.mT
    for a, b, c in coefficients:
        A = matmul(X, X.mT)           # (..., m, m), with the squares
        X = a * X + matmul(b * A + c * matmul(A, A), X)
    if tall:
        X = X.mT
    return X


def newton_schulz(X, steps=5):
    """(..., m, n) -> (..., m, n) with the same directions, and singular values between 0.68 and 1.21.

    Those below 0.002 of X's norm stay smaller: the coefficients lift small values fast rather than settle at 1.
    """
    X = X / (frobenius(X) + 1e-7)     # no singular value is above 1 now
    return apply_polynomials(X, [NEWTON_SCHULZ] * steps)


def polar_express(X, steps=5):
    """As ``newton_schulz``, with singular values between 0.85 and 1.15, from 0.001 of X's norm on."""
    X = X / (1.01 * frobenius(X) + 1e-6)
    return apply_polynomials(X, POLAR_EXPRESS[:steps])


def equal_rows(X):
    """MuonEq: give all rows of X (..., m, n) the same norm before it is orthogonalised."""
    m = X.size(-2)
    mean = frobenius(X) / math.sqrt(m)
    return X * (mean / X.norm(dim=-1, keepdim=True).clamp_min(1e-6))


def full_norm(X):
    """Muon+: the norm that X (..., m, n) would have with all singular values 1."""
    rank = min(X.size(-2), X.size(-1))
    return X * (math.sqrt(rank) / frobenius(X).clamp_min(1e-6))


def variance_shape(shape):
    """NorMuon's memory for matrices (..., m, n): one number a row of a tall or square one, else one a column."""
    *stack, m, n = shape
    return (*stack, m, 1) if m >= n else (*stack, 1, n)


def equal_variance(X, variance, beta2):
    """NorMuon (Li et al., 2025): scale rows or columns of X (..., m, n) to like sizes over time; keep its norm.

    ``variance`` has ``variance_shape`` and remembers their mean squares, exponentially with ``beta2``.
    """
    axis = -1 if variance.size(-1) == 1 else -2
    u = X.square().mean(dim=axis, keepdim=True)
    variance.lerp_(u, 1 - beta2)
    scale = variance.clamp_min(1e-10).rsqrt()
    before = (u.sum(dim=(-2, -1), keepdim=True) * X.size(axis)).sqrt()
    after = ((u * scale.square()).sum(dim=(-2, -1), keepdim=True) * X.size(axis)).sqrt()
    return X * (scale * before / after.clamp_min(1e-10))


def muon_direction(G, momentum_buffer, variance, group):
    """Gradients (K, m, n) of K matrices of one shape -> where they go, in float32; both memories are updated.

    ``variance`` is None where the group has no ``beta2``.
    """
    momentum_buffer.lerp_(G, 1 - group["momentum"])
    X = torch.lerp(G, momentum_buffer, group["momentum"])  # Nesterov: the gradient counts once more
    if group["bfloat16"]:
        X = X.bfloat16()
    if group["equal_rows"]:
        X = equal_rows(X)
    orthogonalise = polar_express if group["polar_express"] else newton_schulz
    X = orthogonalise(X, group["ns_steps"])
    if group["full_norm"]:
        X = full_norm(X)
    X = X.float()
    if variance is not None:
        X = equal_variance(X, variance, group["beta2"])
    return X


def muon_step(W, G, momentum_buffer, variance, group):
    """Matrices W (K, m, n) and their gradients G -> the matrices one step on.

    Tall ones go further by sqrt(m / n). Cautious decay (Chen et al., 2025) shrinks a number only
    where the step shrinks it too.
    """
    X = muon_direction(G, momentum_buffer, variance, group)
    lr = group["lr"] * math.sqrt(max(1.0, W.size(-2) / W.size(-1)))
    shrinking = X * W >= 0
    decay = group["weight_decay"] * W * shrinking
    return W - lr * X - lr * decay
