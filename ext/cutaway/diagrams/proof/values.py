"""Other values than those that were given: of the same shape and type, and, for whole numbers, in the same range."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import numpy as np

from ...runs.recorder import is_tensor, to_array
from ...runs.tape import MOST, tensors_of


def held(value: Any) -> list[Any]:
    """The tensors and arrays in a value."""
    if isinstance(value, np.ndarray):
        return [value]
    if type(value) in (tuple, list, dict):
        return [tensor for item in _items(value) for tensor in held(item)]
    return list(tensors_of(value))


def _items(value: Any) -> list[Any]:
    return list(value.values() if type(value) is dict else value)[:MOST]


def changed(value: Any, how: int) -> Any:
    """Another value of the same shape, type and, for whole numbers, range; what holds no numbers stays itself."""
    kind = type(value)
    if is_tensor(value):
        return _other_numbers(value, how)
    if issubclass(kind, map | zip | filter) or kind.__name__ in ("generator", "list_iterator", "tuple_iterator"):
        return (changed(item, how) for item in value)
    if issubclass(kind, tuple) and hasattr(kind, "_make"):
        return kind._make(changed(item, how) for item in value)
    if issubclass(kind, tuple | list):
        return kind(changed(item, how) for item in value)
    if issubclass(kind, dict) or dataclasses.is_dataclass(value):
        other = copy.copy(value)
        if issubclass(kind, dict):
            dict.update(other, {key: changed(item, how) for key, item in dict.items(value)})
        for name, item in vars(value).items() if hasattr(value, "__dict__") else ():
            object.__setattr__(other, name, changed(item, how))
        return other
    if kind is float:
        return value * 1.7 + 0.3
    return value


def _other_numbers(value: Any, how: int) -> Any:
    try:
        array, _ = to_array(value)
    except (RuntimeError, TypeError, NotImplementedError, ValueError):
        return value
    if array.dtype.kind == "f" and np.isnan(array).all():
        return value  # nothing has been written there
    other = _noise(array, how)
    if isinstance(value, np.ndarray):
        return other.astype(value.dtype)
    import torch

    made = torch.from_numpy(np.ascontiguousarray(other)).to(value.dtype).to(value.device).reshape(value.shape)
    if value.is_leaf and value.grad is not None:
        made.grad = _other_numbers(value.grad, how)
    return made


def _noise(array: np.ndarray, how: int) -> np.ndarray:
    if array.dtype.kind == "b":
        return ~array if how % 2 == 0 else np.roll(array, 1)
    if array.dtype.kind in "iu":
        if array.size and (array == array.flat[0]).all():
            return np.where(array > how, array - 1 - how, array + 1 + how // 2)
        if how == 0:
            return np.roll(array.reshape(-1), 1).reshape(array.shape)
        return np.random.default_rng(how).choice(array.reshape(-1), array.shape)
    finite = np.where(np.isfinite(array), array, 0)
    has_sign = bool((finite < 0).any())  # what has none may be probabilities, which refuse one
    if how == 0:
        return array + np.linspace(0.3, 0.7, array.size).reshape(array.shape)
    if how == 1 and array.ndim:
        return 0.1 - 1.7 * finite[..., ::-1] if has_sign else np.roll(finite, 1, axis=-1)
    if how == 1:
        return 0.1 - 1.7 * finite
    noisy = finite + np.random.default_rng(how).normal(0, 10.0 ** (how % 5 - 2), array.shape)
    return noisy if has_sign or how % 2 else np.abs(noisy)
