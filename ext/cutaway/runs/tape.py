"""The tape: which tensor went into which operation, by identity and not by name.

While a pass is recorded, every operation of torch's dispatcher is an entry: the numbers of the entries that made its
inputs. A tensor that was not made here (a weight, an input) is an entry without any. :meth:`Tape.origins` tells which
entries made what a value holds, whatever container it is in. So what flows into what can be followed through code that
nobody instrumented: ``map``, einops, library modules, hooks.

A write into memory is an entry for each tensor that overlaps it: for the one that was written, and, made of that and
of what they held before, for its views and for what it is a view of. An operation that gives no tensor (``item``) has
read a number: what flows from there on, no tape tells.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

DEPTH, MOST = 4, 256  # containers in containers, and items that are looked at in one
SHAPES_ONLY = re.compile(r"(\w+_like|new_\w+)")  # operations that read no number of their input: zeros_like
OVERWRITING = {"fill_", "zero_", "normal_", "uniform_", "random_", "bernoulli_", "exponential_"}
LARGEST = 1 << 16  # elements; of a larger tensor the first and the last place in memory count, and all between


class Tape:
    """Entries by number, each the numbers of the entries that made its inputs."""

    def __init__(self) -> None:
        self.entries: list[list[int]] = []
        self.given: list[int] = []  # entries that no operation made: weights, inputs
        self.strange: list[int] = []  # those of them that a call gave: something that is not seen here made them
        self.read: list[int] = []  # entries of operations that gave no tensor
        self._paused = threading.local()  # what the recorder itself does, in this thread
        self._lock = threading.RLock()
        self._made: Any = None  # tensor -> the entry that made what it holds now, as long as the tensor lives
        self._sharing: dict[int, Any] = {}  # memory -> the tensors that were seen in it

    def recording(self) -> AbstractContextManager[Any]:
        """Note operations for the length of a block; torch is asked only where the code itself imported it."""
        if "torch" not in sys.modules:
            return nullcontext()
        from torch.utils.weak import WeakIdKeyDictionary

        self._made = WeakIdKeyDictionary() if self._made is None else self._made
        return mode_of(self)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """For the recorder's own operations, which are none of the code's."""
        before, self._paused.now = self._is_paused, True
        try:
            yield
        finally:
            self._paused.now = before

    @property
    def _is_paused(self) -> bool:
        return getattr(self._paused, "now", False)

    def origins(self, value: Any, is_result: bool = False) -> list[int]:
        """The entries that made the tensors of a value, one for each, in its order; none outside of a recorded pass.

        ``is_result``: a call has given it. What is seen for the first time then is ``strange``.
        """
        if self._made is None:
            return []
        with self._lock:
            known = len(self.given)
            found = [self._entry(tensor) for tensor in tensors_of(value)]
            if is_result:
                self.strange += self.given[known:]
            return found

    def note(self, inputs: Iterable[Any], written: Iterable[Any], outputs: Iterable[Any]) -> None:
        """An operation has run; ``written`` are those of its inputs that it changed."""
        if not self._is_paused:
            with self._lock:
                self._note(inputs, written, outputs)

    def _note(self, inputs: Iterable[Any], written: Iterable[Any], outputs: Iterable[Any]) -> None:
        number = self._add([self._entry(tensor) for tensor in inputs])
        changed, made = list(written), list(outputs)
        for tensor in changed:
            others = [other for other in self._beside(tensor) if other is not tensor and overlap(other, tensor)]
            self._set(tensor, number)
            for other in others:
                self._set(other, self._add([number, self._entry(other)]))
        if not made:
            self.read.append(number)
        for tensor in made:
            if not any(tensor is one for one in changed):
                self._set(tensor, number)

    def _add(self, inputs: Iterable[int]) -> int:
        self.entries.append(list(dict.fromkeys(inputs)))
        return len(self.entries) - 1

    def _entry(self, tensor: Any) -> int:
        """The entry that made what a tensor holds; of one that is seen for the first time, what made its memory."""
        if tensor not in self._made:
            others = [self._made[other] for other in self._beside(tensor) if overlap(other, tensor)]
            number = self._add(others)  # as of `x.data`
            self.given += [] if others else [number]
            self._set(tensor, number)
        return int(self._made[tensor])

    def _set(self, tensor: Any, number: int) -> None:
        self._made[tensor] = number
        self._beside(tensor)[tensor] = True

    def _beside(self, tensor: Any) -> Any:
        """The tensors that were seen in the memory of this one."""
        try:
            memory = tensor.untyped_storage()._cdata
        except (RuntimeError, NotImplementedError):  # sparse, or without numbers
            memory = -1 - id(tensor)
        if memory not in self._sharing:
            self._sharing[memory] = type(self._made)()
        return self._sharing[memory]


def mode_of(tape: Tape) -> AbstractContextManager[Any]:
    """A mode of torch's dispatcher that runs every operation as it is, and notes it."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    def tensors(value: Any) -> list[Any]:
        return [leaf for leaf in tree_leaves(value) if issubclass(type(leaf), torch.Tensor)]

    class Noting(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            out = func(*args, **kwargs)
            named = func._schema.arguments
            given = {argument.name: value for argument, value in zip(named, args, strict=False)} | dict(kwargs)
            changed = [a.name for a in named if a.alias_info is not None and a.alias_info.is_write and a.name in given]
            name = func._schema.name.split("::")[1]
            lost = [argument.name for argument in named if argument.is_out]  # nobody reads what was there
            lost += [named[0].name] if name in OVERWRITING else []
            if name == "lift_fresh" or SHAPES_ONLY.fullmatch(name):  # torch.tensor(2.0)
                lost = list(given)
            read = [value for name, value in given.items() if name not in lost]
            tape.note(tensors(read), tensors([given[name] for name in changed]), tensors(out))
            return out

    return Noting()


def overlap(one: Any, other: Any) -> bool:
    """Whether two tensors of the same memory have an element in common."""
    try:
        here, there = _places(one), _places(other)
    except (RuntimeError, NotImplementedError):  # no strides
        return True
    if here is None or there is None or one.element_size() != other.element_size():
        (first, last), (begin, end) = _ends(one), _ends(other)
        return first < end and begin < last
    return bool(np.intersect1d(here, there).size)


def _places(tensor: Any) -> np.ndarray | None:
    """Where a tensor's elements are in memory, counted in elements; None for too many."""
    if tensor.numel() > LARGEST:
        return None
    places = np.array([tensor.storage_offset()] * (tensor.numel() > 0))
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        places = (places[:, None] + np.arange(size) * stride).reshape(-1)
    return places


def _ends(tensor: Any) -> tuple[int, int]:
    """The first byte of a tensor in its memory, and the one after its last."""
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    begin = tensor.storage_offset() * tensor.element_size()
    return begin, begin + (last + 1) * tensor.element_size()


def tensors_of(value: Any, depth: int = DEPTH) -> Iterator[Any]:
    """The tensors in a value, in its order: of containers and dataclasses, too. No method of the value's is called."""
    torch = sys.modules.get("torch")
    if torch is None or depth == 0:
        return
    kind = type(value)
    if issubclass(kind, torch.Tensor):
        yield value
    elif issubclass(kind, tuple | list | set | frozenset):
        for item in list(_plain_items(value, kind))[:MOST]:
            yield from tensors_of(item, depth - 1)
    elif issubclass(kind, dict):
        for item in list(dict.values(value))[:MOST]:
            yield from tensors_of(item, depth - 1)
    elif dataclasses.is_dataclass(kind):
        held: Mapping[str, Any] = object.__getattribute__(value, "__dict__") if hasattr(kind, "__dict__") else {}
        for item in list(held.values())[:MOST]:
            yield from tensors_of(item, depth - 1)


def _plain_items(value: Any, kind: type) -> Iterator[Any]:
    """The items of a container, as its built-in class gives them."""
    base = next(base for base in (tuple, list, set, frozenset) if issubclass(kind, base))
    yield from base.__iter__(value)
