"""Sums of products. Each axis of the factors has a letter, as in ``einsum``: the sum runs over those that both have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .pointwise import f32
from .rows import softmax


def linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
    y = x.astype("f8") @ weight.astype("f8").T
    return f32(y if bias is None else y + bias)


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return f32(a.astype("f8") @ b.astype("f8"))


def addmm(bias: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return f32(a.astype("f8") @ b.astype("f8") + bias)


def einsum(axes: str, factors: Sequence[np.ndarray]) -> np.ndarray:
    return f32(np.einsum(axes, *(one.astype("f8") for one in factors)))


def for_heads(x: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Keys or values once for each head of the queries: several of these may share one."""
    return x if x.ndim < 3 or x.shape[-3] == q.shape[-3] else np.repeat(x, q.shape[-3] // x.shape[-3], -3)


def shares(
    q: np.ndarray, k: np.ndarray, mask: np.ndarray | None = None, is_causal: bool = False, scale: float | None = None
) -> np.ndarray:
    """How much each position takes from each: the softmax of the scaled products of queries and keys."""
    scores = q.astype("f8") @ np.swapaxes(for_heads(k, q), -1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        scores = np.where(np.tri(*scores.shape[-2:]) > 0, scores, -np.inf)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == np.bool_ else scores + mask
    return softmax(scores, -1)


def attention(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, mask: np.ndarray | None = None, dropout: float = 0.0,
    is_causal: bool = False, *, scale: float | None = None, enable_gqa: bool = False,
) -> np.ndarray:  # fmt: skip
    if dropout:
        raise NotImplementedError("attention with dropout: the pass would differ each time")
    return matmul(shares(q, k, mask, is_causal, scale), for_heads(v, q))


ATTENTION = "scaled_dot_product_attention"
PRODUCTS: dict[str, Callable[..., np.ndarray]] = {
    "linear": linear, "matmul": matmul, "addmm": addmm, "einsum": einsum, ATTENTION: attention
}  # fmt: skip


class Plan(NamedTuple):
    """Letters of the axes of both factors and of the result; ``summed`` are gone from it. Which argument is which."""

    first: list[str]
    second: list[str]
    out: list[str]
    summed: list[str]
    factors: tuple[Any, Any]
    bias: Any = None


def plan(name: str, raw: Sequence[Any], ranks: Sequence[int]) -> Plan:
    """Of an operation's arguments, as they are written, and the numbers of axes of both factors."""
    if name == "einsum":
        first, second, out = ([*axes] for axes in raw[0].replace(" ", "").replace("->", ",").split(","))
        return Plan(first, second, out, _summed(first, second, out), (raw[1][0], raw[1][1]))
    a, b, *bias = (raw[1], raw[2], raw[0]) if name == "addmm" else raw
    left, right = (_outer(rank, 1 if name == "linear" else 2) for rank in ranks)
    if name == "linear":
        first, second, out = [*left, "k"], ["n", "k"], [*left, "n"]
    else:
        rows, columns = ["m"] * (ranks[0] > 1), ["n"] * (ranks[1] > 1)
        first, second = [*left, *rows, "k"], [*right, "k", *columns]
        out = [*max(left, right, key=len), *rows, *columns]
    return Plan(first, second, out, ["k"], (a, b), bias[0] if bias else None)


def _outer(rank: int, own: int) -> list[str]:
    """Axes that both factors may share, counted from the last: those of fewer axes go with all."""
    return [str(number) for number in range(rank - own, 0, -1)]


def _summed(first: list[str], second: list[str], out: list[str]) -> list[str]:
    summed = [axis for axis in first if axis in second and axis not in out]
    if {*first, *second} != {*out, *summed} or len({*first}) < len(first) or len({*second}) < len(second):
        raise NotImplementedError("einsum with an axis that is summed in one factor alone, or named twice in it")
    return summed
