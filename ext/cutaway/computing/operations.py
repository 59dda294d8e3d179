"""What each operation of an exported graph does, in NumPy, and of which kind it is.

Names are PyTorch's without the overload (``add`` of ``add.Tensor``); arithmetic on sizes has Python's. Single precision
comes in and goes out; in between it is double. What is not here, and what here says NotImplementedError, no page can
compute: ``static/numbers.js`` has the same operations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .moves import PICKS, RENAMINGS
from .pointwise import POINTWISE, f32, pointwise
from .products import PRODUCTS
from .rows import NORMS, SOFTMAXES, SUMS


def arange(*ends: float, dtype: str | None = None, **_: Any) -> np.ndarray:
    return _typed(np.arange(*ends), dtype)


def full(shape: Sequence[int], value: float, dtype: str | None = None, **_: Any) -> np.ndarray:
    return _typed(np.full(tuple(shape), value), dtype)


def _typed(array: np.ndarray, dtype: str | None) -> np.ndarray:
    return f32(array) if dtype is None else array.astype(kind_of_number(dtype))


def kind_of_number(dtype: str) -> Any:
    """How numbers of a type are held here: all integers are one type, and so are single and double precision."""
    if re.search(r"float(16|8)|complex|quint|qint|bits", dtype):
        raise NotImplementedError(f"numbers of type {dtype}")
    return np.bool_ if dtype == "bool" else np.float32 if "float" in dtype else np.int64


def _like(value: float | None) -> Callable[..., np.ndarray]:
    """Of the shape and type of a tensor; None: the value is the second argument."""

    def apply(x: np.ndarray, *args: Any, dtype: str | None = None, **_: Any) -> np.ndarray:
        return np.full(x.shape, args[0] if value is None else value, kind_of_number(dtype) if dtype else x.dtype)

    return apply


def _new(value: float | None) -> Callable[..., np.ndarray]:
    """Of the type of a tensor; None: the value is the third argument."""

    def apply(x: np.ndarray, shape: Sequence[int], *args: Any, dtype: str | None = None, **_: Any) -> np.ndarray:
        return np.full(tuple(shape), args[0] if value is None else value, kind_of_number(dtype) if dtype else x.dtype)

    return apply


def masked_fill(x: np.ndarray, mask: np.ndarray, value: Any) -> np.ndarray:
    return f32(np.where(mask, np.asarray(value, x.dtype), x))


def where(condition: np.ndarray, a: Any, b: Any) -> np.ndarray:
    return f32(np.where(condition, a, b))


MASKS: dict[str, Callable[..., np.ndarray]] = {"masked_fill": masked_fill, "where": where}
CONSTANTS: dict[str, Callable[..., Any]] = {
    "sym_size": lambda x, axis: x.shape[axis], "arange": arange, "full": full,
    "ones": lambda shape, dtype=None, **_: full(shape, 1.0, dtype or "float32"),
    "zeros": lambda shape, dtype=None, **_: full(shape, 0.0, dtype or "float32"),
    "scalar_tensor": lambda value, dtype=None, **_: full((), value, dtype or "float32"),
    "full_like": _like(None), "ones_like": _like(1), "zeros_like": _like(0),
    "new_full": _new(None), "new_ones": _new(1), "new_zeros": _new(0),
}  # fmt: skip
KINDS: dict[str, Mapping[str, Callable[..., Any]]] = {
    "function": {name: pointwise(name) for name in POINTWISE},
    "same": RENAMINGS, "pick": PICKS, "mask": MASKS, "product": PRODUCTS, "softmax": SOFTMAXES, "norm": NORMS,
    "mean": SUMS, "constant": CONSTANTS,
}  # fmt: skip
OPERATIONS: dict[str, Callable[..., Any]] = {name: act for acts in KINDS.values() for name, act in acts.items()}
_ALSO = {
    "alias": "contiguous clone detach lift_fresh_copy", "view": "reshape _unsafe_view", "transpose": "swapaxes",
    "split": "split_with_sizes", "matmul": "bmm mm", "softmax": "_softmax", "log_softmax": "_log_softmax",
    "div": "truediv true_divide", "floordiv": "floor_divide", "remainder": "mod", "clamp": "clamp_min",
    "bitwise_and": "__and__", "bitwise_or": "__or__",
}  # fmt: skip
PROPER = {name: proper for proper, names in _ALSO.items() for name in names.split()}
TYPES = re.compile(r"b?float|u?int|bool|complex")
CASTS = ("to", "_to_copy", "type_as")


class NoOperation(LookupError):
    """Nobody wrote the operation down."""


def name_of(op: str, args: Sequence[Any], keywords: Mapping[str, Any]) -> str:
    """The name under which an operation stands here; a change of type by what it does: nothing, ``int``, ``bool``."""
    name = op.partition(".")[0]
    if name not in CASTS:
        return PROPER.get(name, name)
    said = [str(args[1].dtype)] if name == "type_as" else [*args[1:], keywords.get("dtype")]
    types = [one for one in said if isinstance(one, str) and TYPES.match(one)]
    kind = kind_of_number(types[0]) if types else args[0].dtype
    if kind == args[0].dtype:
        return "alias"
    return "bool" if kind == np.bool_ else "float" if kind == np.float32 else "int"


def compute(op: str, args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """What an operation gives. NoOperation or, where it is not known in this form, NotImplementedError."""
    name = name_of(op, args, keywords)
    if op.partition(".")[0] in CASTS:
        return args[0] if name == "alias" else OPERATIONS[name](args[0])
    if name not in OPERATIONS:
        raise NoOperation(op)
    return OPERATIONS[name](*args, **keywords)
