"""Operations that make something of all numbers along some axes: softmax, norms, sums, the loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .pointwise import f32

EPS = float(np.finfo(np.float32).eps)  # what rms_norm adds where nobody says another number


def softmax(x: np.ndarray, axis: int, *_: Any, **__: Any) -> np.ndarray:
    powers = np.exp((x - x.max(axis, keepdims=True)).astype("f8"))
    return f32(powers / powers.sum(axis, keepdims=True))


def log_softmax(x: np.ndarray, axis: int, *_: Any, **__: Any) -> np.ndarray:
    centred = (x - x.max(axis, keepdims=True)).astype("f8")
    return f32(centred - np.log(np.exp(centred).sum(axis, keepdims=True)))


class Norm(NamedTuple):
    """The arguments of a norm by what they are, numbers or references; RMS norm has neither a mean nor a shift."""

    rank: int  # of how many last axes
    gain: Any
    shift: Any
    eps: float
    is_centred: bool


def norm_of(name: str, args: Sequence[Any]) -> Norm:
    shape, gain, *rest = [*args[1:], None, None, None, None][:4]
    if name == "layer_norm":
        return Norm(len(shape), gain, rest[0], 1e-5 if rest[1] is None else rest[1], True)
    return Norm(len(shape), gain, None, EPS if rest[0] is None else rest[0], False)


def moments(wide: np.ndarray, axes: tuple[int, ...], is_centred: bool) -> tuple[np.ndarray, np.ndarray]:
    """The mean, 0 if it is left where it is, and the mean square of the distances from it."""
    mean = wide.mean(axes, keepdims=True) if is_centred else np.zeros(())
    return mean, ((wide - mean) ** 2).mean(axes, keepdims=True)


def _norm(name: str) -> Callable[..., np.ndarray]:
    def apply(*args: Any) -> np.ndarray:
        norm, x = norm_of(name, args), args[0].astype("f8")
        mean, square = moments(x, tuple(range(-norm.rank, 0)), norm.is_centred)
        y = (x - mean) / np.sqrt(square + norm.eps)
        y = y if norm.gain is None else y * norm.gain
        return f32(y if norm.shift is None else y + norm.shift)

    return apply


def axes_of(x: np.ndarray, given: Any) -> tuple[int, ...]:
    """The axes that are named, counted from the first; all, where none is."""
    named = [given] if isinstance(given, int) else given or range(x.ndim)
    return tuple(sorted(axis % max(1, x.ndim) for axis in named)) if x.ndim else ()


def _reduced(act: Callable[..., Any]) -> Callable[..., np.ndarray]:
    def apply(x: np.ndarray, axes: Any = None, keepdim: bool = False, **_: Any) -> np.ndarray:
        numbers = x.astype("f8") if x.dtype.kind == "f" else x
        return f32(act(numbers, axis=axes_of(x, axes), keepdims=keepdim))

    return apply


def length(x: np.ndarray, order: float = 2, axes: Any = None, keepdim: bool = False, **_: Any) -> np.ndarray:
    if order != 2:
        raise NotImplementedError(f"the length of a vector by powers of {order}")
    return f32(np.sqrt((x.astype("f8") ** 2).sum(axis=axes_of(x, axes), keepdims=keepdim)))


def surprise(logits: np.ndarray, target: int) -> float:
    """Minus the logarithm of the probability of the target. In single precision, as the recorded loss is: where the
    answer is all but certain, nothing but rounding is left of it."""
    centred = (logits - logits.max()).astype(np.float32)
    return float(np.log(np.exp(centred).sum(dtype=np.float32)) - centred[target])


def cross_entropy(
    logits: np.ndarray, target: np.ndarray, weight: Any = None, reduction: int = 1, ignored: int = -100,
    smoothing: float = 0.0,
) -> np.ndarray:  # fmt: skip
    if weight is not None or smoothing or logits.ndim > 2:
        raise NotImplementedError("cross_entropy_loss with weights, smoothing or more axes")
    rows, ids = logits.reshape(-1, logits.shape[-1]), target.reshape(-1).tolist()
    each = np.array([0.0 if id == ignored else surprise(row, id) for row, id in zip(rows, ids, strict=True)])
    if reduction == 0:
        return f32(each.reshape(target.shape))
    return f32(each.sum() / (sum(id != ignored for id in ids) if reduction == 1 else 1))


SOFTMAXES: dict[str, Callable[..., np.ndarray]] = {"softmax": softmax, "log_softmax": log_softmax}
NORMS: dict[str, Callable[..., np.ndarray]] = {name: _norm(name) for name in ("layer_norm", "rms_norm")}
SUMS: dict[str, Callable[..., np.ndarray]] = {
    "sum": _reduced(np.sum), "mean": _reduced(np.mean), "linalg_vector_norm": length,
    "cross_entropy_loss": cross_entropy,
}  # fmt: skip
