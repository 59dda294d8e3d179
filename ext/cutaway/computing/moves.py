"""Operations that leave numbers as they are, by PyTorch's names: they get other places, or are picked from a table.

As they look at no number, they can be done on the numbers of places instead: so it is found where a number came from.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def same(x: Any, *_: Any, **__: Any) -> Any:
    return x


def as_float(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float32)


def dropout(x: Any, share: float, is_training: bool) -> Any:
    if is_training and share:
        raise NotImplementedError("dropout in training: the pass would differ each time")
    return x


def view(x: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    return x.reshape(tuple(shape))


def flatten(x: np.ndarray, start: int = 0, end: int = -1) -> np.ndarray:
    first, last = start % max(1, x.ndim), end % max(1, x.ndim)
    return x.reshape((*x.shape[:first], -1, *x.shape[last + 1 :]))


def unflatten(x: np.ndarray, axis: int, shape: Sequence[int]) -> np.ndarray:
    at = axis % x.ndim
    return x.reshape((*x.shape[:at], *shape, *x.shape[at + 1 :]))


def squeeze(x: np.ndarray, axes: int | Sequence[int] | None = None) -> np.ndarray:
    named = range(x.ndim) if axes is None else [axes] if isinstance(axes, int) else axes
    gone = {axis % max(1, x.ndim) for axis in named}
    return x.reshape([size for axis, size in enumerate(x.shape) if size != 1 or axis not in gone])


def expand(x: np.ndarray, shape: Sequence[int], **_: Any) -> np.ndarray:
    old = (1,) * (len(shape) - x.ndim) + x.shape
    return np.broadcast_to(x, [had if size == -1 else size for had, size in zip(old, shape, strict=True)])


def cut(
    x: np.ndarray, axis: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> np.ndarray:
    places: list[Any] = [slice(None)] * x.ndim
    places[axis] = slice(start, end, step)
    return x[tuple(places)]


def split(x: np.ndarray, size: int | Sequence[int], axis: int = 0) -> list[np.ndarray]:
    sizes = [size] * -(-x.shape[axis] // size) if isinstance(size, int) else size
    return np.split(x, np.cumsum(sizes)[:-1], axis)


def chunk(x: np.ndarray, count: int, axis: int = 0) -> list[np.ndarray]:
    return split(x, -(-x.shape[axis] // count), axis)


def unbind(x: np.ndarray, axis: int = 0) -> list[np.ndarray]:
    return list(np.moveaxis(x, axis, 0))


def chosen(name: str, args: Sequence[Any], rank: int) -> list[Any]:
    """What chooses from each axis of a table of so many axes: places, or None."""
    if name == "index":
        return list(args[1])
    if name == "index_select":
        return [None] * (args[1] % rank) + [args[2]]
    return [args[1]]


def pick(name: str) -> Callable[..., np.ndarray]:
    def apply(table: np.ndarray, *args: Any) -> np.ndarray:
        places = chosen(name, (table, *args), table.ndim)
        return table[tuple(slice(None) if one is None else one for one in places)]

    return apply


IN_PLACE = ("alias", "float", "dropout")  # of the renamings, those after which each number stands where it stood
RENAMINGS: dict[str, Callable[..., Any]] = {
    "alias": same, "float": as_float, "dropout": dropout, "getitem": operator.getitem, "view": view, "flatten": flatten,
    "unflatten": unflatten, "squeeze": squeeze, "unsqueeze": np.expand_dims, "expand": expand, "slice": cut,
    "select": lambda x, axis, place: np.take(x, place, axis), "split": split, "chunk": chunk, "unbind": unbind,
    "transpose": lambda x, a=0, b=1: np.swapaxes(x, a, b), "t": np.transpose, "permute": np.transpose,
    "cat": lambda parts, axis=0: np.concatenate(parts, axis), "stack": lambda parts, axis=0: np.stack(parts, axis),
    "repeat": np.tile, "repeat_interleave": lambda x, times, axis=None, **_: np.repeat(x, times, axis),
}  # fmt: skip
PICKS: dict[str, Callable[..., np.ndarray]] = {
    **{name: pick(name) for name in ("embedding", "index", "index_select")},
    "gather": lambda x, axis, places, **_: np.take_along_axis(x, places, axis),
}
