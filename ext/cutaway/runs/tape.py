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
import functools
import re
import sys
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np

DEPTH, MOST = 4, 256  # containers in containers, and items that are looked at in one
SHAPES_ONLY = re.compile(r"(\w+_like|new_\w+)")  # operations that read no number of their input: zeros_like
OVERWRITING = {"fill_", "zero_", "normal_", "uniform_", "random_", "bernoulli_", "exponential_"}
LARGEST = 1 << 16  # elements; of a larger tensor the first and the last place in memory count, and all between


class Made(NamedTuple):
    """What is known of a tensor: the entry that made what it holds now, and the memory in which it was then."""

    tensor: weakref.ref[Any]
    entry: int
    memory: int


class Tape:
    """Entries by number, each the numbers of the entries that made its inputs."""

    def __init__(self) -> None:
        self.entries: list[list[int]] = []
        self.given: list[int] = []  # entries that no operation made: weights, inputs
        self.strange: list[int] = []  # those of them that a call gave: something that is not seen here made them
        self.read: list[int] = []  # entries of operations that gave no tensor
        self._paused = threading.local()  # what the recorder itself does, in this thread
        self._lock = threading.RLock()
        self._made: dict[int, Made] | None = None  # by the tensor's id
        self._sharing: dict[int, list[weakref.ref[Any]]] = {}  # memory -> the tensors that were seen in it

    def recording(self) -> AbstractContextManager[Any]:
        """Note operations for the length of a block; torch is asked only where the code itself imported it."""
        if "torch" not in sys.modules:
            return nullcontext()
        self._made = {} if self._made is None else self._made
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
            others = [other for other in self._beside(tensor) if overlap(other, tensor)]
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
        known = self._known(tensor)
        if known is not None:
            return known.entry
        others = [self._entry(other) for other in self._beside(tensor) if overlap(other, tensor)]
        number = self._add(others)  # as of `x.data`
        self.given += [] if others else [number]
        self._set(tensor, number)
        return number

    def _known(self, tensor: Any) -> Made | None:
        known = (self._made or {}).get(id(tensor))
        return known if known is not None and known.tensor() is tensor else None  # another may have had that id

    def _set(self, tensor: Any, number: int) -> None:
        assert self._made is not None
        known, memory = self._known(tensor), memory_of(tensor)
        made = self._made[id(tensor)] = Made(known.tensor if known else weakref.ref(tensor), number, memory)
        if known is None or known.memory != memory:
            self._sharing.setdefault(memory, []).append(made.tensor)

    def _beside(self, tensor: Any) -> list[Any]:
        """The other tensors that were seen in the memory of this one."""
        seen = self._sharing.get(memory := memory_of(tensor), [])
        alive = [(ref, other) for ref in seen if (other := ref()) is not None]
        self._sharing[memory] = [ref for ref, _ in alive]
        for _, other in alive:
            other._fix_weakref()  # torch may have kept it only for its own sake
        return [other for _, other in alive if other is not tensor]


def mode_of(tape: Tape) -> AbstractContextManager[Any]:
    """A mode of torch's dispatcher that runs every operation as it is, and notes it."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    def tensors(values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            if issubclass(type(value), torch.Tensor):
                yield value
            elif type(value) in (list, tuple):
                yield from tensors(value)

    class Noting(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            out = func(*args, **kwargs)
            operation = _operation(func)
            given = dict(zip(operation.names, args, strict=False)) | kwargs
            read = [value for name, value in given.items() if name not in operation.unread]
            changed = [given[name] for name in operation.changed if name in given]
            tape.note(tensors(read), tensors(changed), tensors((out,)))
            return out

    return Noting()


class Operation(NamedTuple):
    """What an operation of the dispatcher does with its arguments: those that it changes, and those of which it reads
    no number."""

    names: tuple[str, ...]
    changed: tuple[str, ...]
    unread: frozenset[str]


@functools.cache
def _operation(func: Any) -> Operation:
    arguments = func._schema.arguments
    names = tuple(argument.name for argument in arguments)
    changed = tuple(a.name for a in arguments if a.alias_info is not None and a.alias_info.is_write)
    name = func._schema.name.split("::")[1]
    unread = {argument.name for argument in arguments if argument.is_out}  # nobody reads what was there
    unread |= {names[0]} if name in OVERWRITING else set()
    if name == "lift_fresh" or SHAPES_ONLY.fullmatch(name):  # torch.tensor(2.0)
        unread |= set(names)
    return Operation(names, changed, frozenset(unread))


def memory_of(tensor: Any) -> int:
    """What is the same for tensors that share their memory."""
    try:
        return int(tensor.untyped_storage()._cdata)
    except (RuntimeError, NotImplementedError):  # sparse, or without numbers
        return -1 - id(tensor)


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
