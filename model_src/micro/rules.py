"""The rules of the way back, one function each, in NumPy: a gradient by a result becomes gradients by its operands.

``grad`` always is the gradient of the loss by what the operation gave, in the result's shape. What comes out has the
shapes of the operands. Letters are those of ``nanogpt.model``: B sequences, T tokens, C channels, H heads of D
numbers, V words; I numbers go into a linear layer and O come out.
"""

from __future__ import annotations

import math

import numpy as np

EPSILON = 1e-5  # what a layer norm adds to the variance
_erf = np.vectorize(math.erf, otypes=[float])  # NumPy has none


def softmax(x: np.ndarray) -> np.ndarray:
    """Positive numbers that add up to one along the last axis; the largest is subtracted first, against overflow."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def cross_entropy_back(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Logits (B, T, V) -> softmax minus one-hot, over the number of targets (B, T); a target -1 doesn't count."""
    counted = targets >= 0
    grad = softmax(logits)
    grad[counted, targets[counted]] -= 1
    return grad * counted[..., None] / counted.sum()


def linear_back(grad: np.ndarray, x: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``x @ weight.T + bias``: gradients by x (..., I), weight (O, I) and bias (O,).

    Each operand gets the gradient times the other one. Every token reads the same weights, so theirs is a sum.
    """
    tokens, given = grad.reshape(-1, grad.shape[-1]), x.reshape(-1, x.shape[-1])
    return grad @ weight, tokens.T @ given, tokens.sum(axis=0)


def standardised(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean zero and variance one along the last axis (..., C), and the deviation it was divided by (..., 1)."""
    deviation = np.sqrt(x.var(axis=-1, keepdims=True) + EPSILON)
    return (x - x.mean(axis=-1, keepdims=True)) / deviation, deviation


def layer_norm_back(grad: np.ndarray, x: np.ndarray, gain: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients by x (..., C), gain (C,) and shift (C,).

    Of the gradient by the standardised x two parts never arrive: its mean, for a shift of all channels changes
    nothing, and its part along x itself, for neither does a longer x.
    """
    normal, deviation = standardised(x)
    tokens, scale = tuple(range(grad.ndim - 1)), grad * gain
    along = normal * (scale * normal).mean(axis=-1, keepdims=True)
    by_x = (scale - scale.mean(axis=-1, keepdims=True) - along) / deviation
    return by_x, (grad * normal).sum(axis=tokens), grad.sum(axis=tokens)


def gelu(x: np.ndarray) -> np.ndarray:
    """x times the share of a normal distribution below x (Hendrycks & Gimpel, 2016)."""
    return x * (0.5 * (1 + _erf(x / math.sqrt(2))))


def gelu_back(grad: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The product rule: the share below x, and x times its slope, the density at x."""
    below, density = 0.5 * (1 + _erf(x / math.sqrt(2))), np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return grad * (below + x * density)


def split_heads(x: np.ndarray, heads: int) -> np.ndarray:
    """(B, T, C) -> (B, H, T, D)."""
    B, T, C = x.shape
    return x.reshape(B, T, heads, C // heads).swapaxes(1, 2)


def join_heads(x: np.ndarray) -> np.ndarray:
    """(B, H, T, D) -> (B, T, C). The way back of ``split_heads``, and the other way round: numbers only move."""
    B, H, T, D = x.shape
    return x.swapaxes(1, 2).reshape(B, T, H * D)


def weighted_sum_back(grad: np.ndarray, att: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``att @ v``: gradients by the weights (B, H, T, T) and the values (B, H, T, D), each through the other."""
    return grad @ v.swapaxes(-1, -2), att.swapaxes(-1, -2) @ grad


def softmax_back(grad: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """A score gets its weight times how far its gradient lies above the mean by these weights (Jacobian product)."""
    return weights * (grad - (grad * weights).sum(axis=-1, keepdims=True))


def mask_back(grad: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """What was replaced by minus infinity was not read: nothing goes back to it."""
    return np.where(visible, grad, 0.0)


def scores_back(grad: np.ndarray, q: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``q @ k.T / sqrt(D)``: gradients by the queries and the keys, (B, H, T, D) each."""
    scaled = grad / math.sqrt(q.shape[-1])
    return scaled @ k, scaled.swapaxes(-1, -2) @ q


def embedding_back(grad: np.ndarray, ids: np.ndarray, rows: int) -> np.ndarray:
    """Gradient by the table (rows, C): each token adds to the row that it looked up; other rows get nothing."""
    table = np.zeros((rows, grad.shape[-1]), grad.dtype)
    np.add.at(table, ids, grad)
    return table
