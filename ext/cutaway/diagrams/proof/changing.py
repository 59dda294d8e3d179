"""A recorder that hands back another value than it was given, at one place of one call, and notes what comes of it."""

from __future__ import annotations

import dataclasses
import os
import pickle
import select
import signal
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from ...digests import digest
from ...runs.instrument import Sites
from ...runs.recorder import Activation, Recorder, to_array
from ...runs.tape import overlap, tensors_of
from ...source.find import Span
from .values import changed, held

HOW_MANY = 12  # other values that are tried: gates that are closed to one are open to the next
LONGEST_S = 60.0  # that a call with a change may take
Seen = dict[tuple[str, Span, str], list[tuple[str, ...]]]  # kind, place, name -> each time, digests of its parts


Judge = Callable[[Callable[["Change | None"], "tuple[Seen, bool] | None"]], None]


class Over(BaseException):
    """Nothing that runs from here on is of interest."""


class _Branch(BaseException):
    """We are the copy of the process in which the call goes on with a change."""

    def __init__(self, change: Change | None, pipe: int) -> None:
        self.change, self.pipe = change, pipe


@dataclasses.dataclass(frozen=True)
class Change:
    """Where a value is changed: where expressions stand, or, ``in_place``, where a variable is bound; and how."""

    spans: tuple[Span, ...]
    in_place: bool = False
    how: int = 0


class Changing(Recorder):
    """Has calls judged, by their numbers: when one begins, its judge may let it run in copies of the process, each
    with another change. So a run is run once, and whatever it keeps is as it was. :class:`Over` ends it."""

    def __init__(self, sites: Sites, judges: Mapping[int, Judge]) -> None:
        super().__init__()
        self.sites = sites
        self._judges = dict(judges)
        self._watched: int | None = None  # in a copy: the call that runs there
        self._change: Change | None = None
        self._pipe, self._before = -1, sys.exc_info()
        self._seen: Seen = defaultdict(list)
        self._is_changed = False

    @contextmanager
    def sizes(self, name: str, model: Any = None, **sizes: int) -> Iterator[None]:
        yield  # the pass is run again, but not looked at

    def enter(self, function: int, arguments: tuple[tuple[int, Any], ...], generator: bool) -> Activation | None:
        number = len(self.calls)
        if self._pass is not None and self._watched is None and number in self._judges:
            try:
                self._judges.pop(number)(self._branch)
            except _Branch as branch:
                self._watched, self._change, self._pipe = number, branch.change, branch.pipe
                self._before = sys.exc_info()
                self._change_arguments(arguments)
        activation = super().enter(function, arguments, generator)
        if self._watched is None and not self._judges:
            raise Over
        return activation

    def _change_arguments(self, arguments: tuple[tuple[int, Any], ...]) -> None:
        for site, value in arguments:
            if self._is_meant(site):
                if not _shares(value, [v for at, v in arguments if at != site]):
                    self._write(value)
                self._write_numbers(value)

    def _branch(self, change: Change | None) -> tuple[Seen, bool] | None:
        """What is seen when the call runs with a change, in a copy of the process; None where it fails."""
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # other threads: they only read and wait
            child = os.fork()
        if child == 0:
            os.close(reading)
            if "torch" in sys.modules:
                sys.modules["torch"].set_num_threads(1)  # a copy has none of the threads
                sys.modules["torch"].use_deterministic_algorithms(True, warn_only=True)  # what is empty is NaN
            raise _Branch(change, writing)
        os.close(writing)
        try:
            return _answer(reading)
        finally:
            os.close(reading)
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def leave(self, call: Activation | None) -> None:
        if call is not None and call.index == self._watched:
            failed = sys.exc_info()[1] is not None and sys.exc_info()[1] is not self._before[1]
            found = None if failed else (dict(self._seen), self._is_changed)
            with os.fdopen(self._pipe, "wb") as pipe:
                pickle.dump(found, pipe)
            os._exit(0)
        super().leave(call)

    def result(self, call: Activation | None, site: int, value: Any) -> Any:
        return super().result(call, site, self._handed_back(call, site, value))

    def op(self, call: Activation | None, site: int, value: Any) -> Any:
        return super().op(call, site, self._handed_back(call, site, value))

    def bind(self, call: Activation | None, site: int, value: Any) -> Any:
        if call is not None and call.index == self._watched and self._is_meant(site):
            self._write(value)
        return super().bind(call, site, value)

    returned = bind

    def _handed_back(self, call: Activation | None, site: int, value: Any) -> Any:
        if call is None or call.index != self._watched or not self._is_meant(site):
            return value
        assert self._change
        if self._change.in_place:
            self._write(value)
            return value
        with self._alone():
            return self._noted(value, changed(value, self._change.how))

    def _write(self, value: Any) -> None:
        assert self._change
        with self._alone():
            for tensor in held(value):
                other = self._noted(tensor, changed(tensor, self._change.how))
                if isinstance(tensor, np.ndarray):
                    tensor[...] = other
                else:
                    tensor.detach().copy_(other)
                    if tensor.is_leaf and tensor.grad is not None:
                        tensor.grad.copy_(changed(tensor.grad, self._change.how))

    def _write_numbers(self, value: Any) -> None:
        """Change the numbers in a dict: they are nobody else's memory."""
        assert self._change
        if issubclass(type(value), dict):
            numbers = _numbers(value)
            dict.update(value, {key: changed(item, self._change.how) for key, item in numbers.items()})
            self._is_changed |= bool(numbers)

    def _noted(self, before: Any, after: Any) -> Any:
        self._is_changed |= after is not before
        return after

    @contextmanager
    def _alone(self) -> Iterator[None]:
        torch = sys.modules.get("torch")
        with self.tape.paused():
            if torch is None:
                yield
                return
            with torch.no_grad():
                yield

    def _is_meant(self, site: int) -> bool:
        return self._change is not None and self.sites.rows[site][2] in self._change.spans

    def _record(self, call: Activation, site: int, value: Any, callee: str = "", is_result: bool = False) -> None:
        super()._record(call, site, value, callee, is_result)
        if self._pass is not None and call.index == self._watched:
            _, kind, span, name = self.sites.rows[site]
            parts = value if type(value) is tuple else (value,)
            with self.tape.paused():
                self._seen[kind, span, name or ""].append(tuple(map(_told, parts)))


def _answer(pipe: int) -> tuple[Seen, bool] | None:
    """What a copy sends before it ends; None where it is broken, or takes too long."""
    found, deadline = b"", time.monotonic() + LONGEST_S
    while select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
        chunk = os.read(pipe, 1 << 20)
        if not chunk:
            break
        found += chunk
    try:
        answer: tuple[Seen, bool] | None = pickle.loads(found)
    except (pickle.UnpicklingError, EOFError):
        return None
    return answer


def _numbers(value: dict[Any, Any]) -> dict[Any, Any]:
    """The items of a dict that are floating-point numbers, or tuples with some."""
    return {key: item for key, item in dict.items(value) if _holds_numbers(item)}


def _holds_numbers(value: Any) -> bool:
    return type(value) is float or (type(value) is tuple and any(map(_holds_numbers, value)))


def _told(value: Any) -> str:
    found = [repr(_numbers(value))] if issubclass(type(value), dict) and _numbers(value) else []
    for tensor in held(value):
        try:
            array, dtype = to_array(tensor)
            found.append(digest(dtype, list(array.shape), array.tobytes()))
        except (RuntimeError, TypeError, NotImplementedError, ValueError):
            found.append("without numbers")
    return " ".join(found)


def _shares(value: Any, others: Sequence[Any]) -> bool:
    """Whether an argument has memory in common with another: whoever changes one changes both."""
    def memory(tensor: Any) -> Any:
        return tensor.untyped_storage().data_ptr()

    mine, theirs = list(tensors_of(value)), list(tensors_of(list(others)))
    return any(memory(one) == memory(other) and overlap(one, other) for one in mine for other in theirs)
