"""Functions of single numbers, by PyTorch's names: what an operation does at each place of its tensors.

Tensors of fewer numbers go with all places, as NumPy spreads them. Single precision comes in and goes out; in between
it is double.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

erf = np.vectorize(math.erf, otypes=[np.float64])


def f32(array: Any) -> np.ndarray:
    """Floating-point numbers in single precision; others as they are."""
    found = np.asarray(array)
    return found.astype(np.float32) if found.dtype.kind == "f" else found


def wide(value: Any) -> Any:
    """Floating-point numbers in double precision; others as they are."""
    return value.astype(np.float64) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value


def gelu(a: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * a * (1 + np.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a**3)))
    return 0.5 * a * (1 + erf(a / math.sqrt(2)))


def sigmoid(a: Any) -> Any:
    return 1 / (1 + np.exp(-a))


def div(a: Any, b: Any, rounding_mode: str | None = None) -> Any:
    found = np.true_divide(a, b)
    return np.floor(found) if rounding_mode == "floor" else np.trunc(found) if rounding_mode else found


def clamp(a: Any, b: Any = None, c: Any = None) -> Any:
    above = a if b is None else np.maximum(a, b)
    return above if c is None else np.minimum(above, c)


def bitwise_not(a: Any) -> Any:
    return np.logical_not(a) if np.asarray(a).dtype == np.bool_ else np.invert(a)


OF_ONE: dict[str, Callable[..., Any]] = {
    "neg": np.negative, "abs": np.abs, "sign": np.sign, "square": np.square, "reciprocal": lambda a: 1 / a,
    "sqrt": np.sqrt, "rsqrt": lambda a: 1 / np.sqrt(a), "exp": np.exp, "log": np.log, "erf": erf,
    "sin": np.sin, "cos": np.cos, "tanh": np.tanh, "sigmoid": sigmoid, "silu": lambda a: a * sigmoid(a),
    "relu": lambda a: np.maximum(a, 0), "gelu": gelu, "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc,
    "logical_not": np.logical_not, "bitwise_not": bitwise_not,
    "bool": lambda a: np.asarray(a) != 0, "int": lambda a: np.trunc(a).astype(np.int64),
}  # fmt: skip
# How far right of the edge of a triangle a number stands is the second operand of ``tril`` and ``triu``.
OF_TWO: dict[str, Callable[..., Any]] = {
    "add": lambda a, b, alpha=1: a + b * alpha, "sub": lambda a, b, alpha=1: a - b * alpha,
    "rsub": lambda a, b, alpha=1: b - a * alpha, "mul": np.multiply, "div": div, "pow": np.power,
    "floordiv": np.floor_divide, "remainder": np.mod, "maximum": np.maximum, "minimum": np.minimum,
    "eq": np.equal, "ne": np.not_equal, "ge": np.greater_equal, "gt": np.greater, "le": np.less_equal, "lt": np.less,
    "logical_and": np.logical_and, "logical_or": np.logical_or,
    "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or,
    "tril": lambda a, b: np.where(b > 0, np.zeros_like(a), a),
    "triu": lambda a, b: np.where(b < 0, np.zeros_like(a), a),
}  # fmt: skip
POINTWISE: dict[str, Callable[..., Any]] = {**OF_ONE, **OF_TWO, "clamp": clamp}


def operands(name: str, args: Sequence[Any]) -> list[Any]:
    """What a function takes of an operation's arguments: tensors, numbers, None."""
    if name in ("tril", "triu"):
        rows, columns = args[0].shape[-2:]
        return [args[0], np.arange(columns) - np.arange(rows)[:, None] - (args[1] if len(args) > 1 else 0)]
    return list(args[: 1 if name in OF_ONE else 2 if name in OF_TWO else 3])


def pointwise(name: str) -> Callable[..., Any]:
    """The operation on tensors; of plain numbers, such as sizes, it gives a plain number."""

    def apply(*args: Any, **keywords: Any) -> Any:
        given = operands(name, args)
        found = POINTWISE[name](*map(wide, given), **keywords)
        is_plain = not any(isinstance(one, np.ndarray) for one in given)
        return np.asarray(found).item() if is_plain else f32(found)

    return apply
