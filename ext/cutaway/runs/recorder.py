"""Record what instrumented code does: every activation, every value, with a copy. Runs in the child process.

A run's ``trace`` method gets a ``Recorder``::

    with record("forward", model):          # one pass; module paths are the model's
        model(idx, targets)
    with record.sizes("forward", other, B=2, T=7, C=65):    # the same pass with sizes no two of which agree:
        other(idx2, targets2)                                # it tells which axis is which letter
    record.live("forward", model, idx, targets)     # pages compute this pass themselves, with the reader's input
    record.fact(accuracy=0.998)

Values are copied when they are recorded, so that an operation in place later does not change them.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..digests import digest
from . import letters
from .axes import label, pairs
from .exported import NotExported, exported
from .instrument import Sites
from .tape import Tape

SMALL = 1 << 16  # bytes; of smaller tensors the numbers are remembered as long as a pass
LARGEST = 8 << 20  # bytes; of a larger tensor only the shape, the type and the digest are kept


@dataclass(eq=False)
class Activation:
    """One call of an instrumented function: its number, and how many calls were open when it began."""

    index: int
    height: int


class _Thread(threading.local):
    """What goes on in one thread of the recorded code: in each there are calls under way."""

    def __init__(self) -> None:
        self.open: list[tuple[Activation, int, Any]] = []  # who calls, from where, whom
        self.active: list[Activation] = []
        self.listening: Any = None  # the tape's mode, which hears one thread
        self.is_pass = False  # the thread that began the pass


class Recorder:
    """What instrumented code talks to. Outside a pass everything goes by unrecorded."""

    def __init__(self) -> None:
        self.sites = Sites()
        self.arrays: dict[str, np.ndarray] = {}
        self.values: list[dict[str, Any]] = []
        # pass, function, module path, caller, site, how long the tape was
        self.calls: list[tuple[str, int, str, int | None, int | None, int]] = []
        # call, site, value, callee, the tape's entries that made the value's tensors
        self.records: list[tuple[int, int, int, str, list[int]]] = []
        self.tape = Tape()
        self.facts: dict[str, Any] = {}
        self.parameters: dict[str, int] = {}
        self.passes: list[str] = []
        self.live_passes: dict[str, dict[str, Any]] = {}
        self.notices: list[str] = []
        self.warnings: list[str] = []
        self._settings: dict[str, dict[str, int]] = {}  # of each pass's model
        self._of_models: list[int] = []  # calls of `forward` of a pass's whole model
        self._has_sizes = False  # the author tells what the axes are
        self._digests: dict[int, tuple[Any, bytes, str]] = {}  # by a tensor's id: its type and shape, its numbers
        self._numbers: dict[str, int] = {}  # digest of a value -> its number
        self._pass: str | None = None
        self._has_run = False  # a module of the model, in this pass
        self._paths: dict[int, str] = {}  # id of a module -> its path
        self._thread = _Thread()
        self._lock = threading.RLock()
        self._kept: list[Any] = []  # ids of modules stay theirs while these live

    # What a run's author uses

    @contextmanager
    def __call__(self, name: str, model: Any = None) -> Iterator[None]:
        """Record one pass under a name; ``model``'s modules give the paths, its parameters the table."""
        if name in self.passes or name in ("params", "log"):
            raise ValueError(
                f"the pass name {name!r} is taken; recorded so far: {', '.join(self.passes) or 'none'}"
            )
        self.passes.append(name)
        if model is not None and hasattr(model, "named_parameters"):
            self.parameters = {key: self._value(value) for key, value in model.named_parameters()}
        self._has_run = False
        self._settings[name] = letters.settings(model)
        with self._recording(name, model):
            yield
        if hasattr(model, "named_modules") and not self._has_run:
            self.warnings.append(
                f"the pass {name!r} ran nothing of its model, {type(model).__name__}: call the model inside of"
                f" `with record({name!r}, model)`, and let `sources` name the package of its class"
            )

    @contextmanager
    def sizes(self, name: str, model: Any = None, **sizes: int) -> Iterator[None]:
        """Run the pass ``name`` again with other sizes, all different, to learn the letter of each axis."""
        self._has_sizes = True
        for size in sorted({size for size in sizes.values() if [*sizes.values()].count(size) > 1}):
            alike = [letter for letter in sizes if sizes[letter] == size]
            self.warnings.append(
                f"record.sizes({name!r}): {' and '.join(alike)} are {size}, so that no axis tells one from the other:"
                " they get no letters; give each a size of its own"
            )
        kept = self.calls, self.records, self.values, self.arrays, self._numbers, self.tape
        self.calls, self.records, self.values, self.arrays, self._numbers, self.tape = [], [], [], {}, {}, Tape()
        try:
            with self._recording(name, model):
                yield
        finally:
            again = self.calls, self.records, self.values
            self.calls, self.records, self.values, self.arrays, self._numbers, self.tape = kept
        mine = [record for record in self.records if self.calls[record[0]][0] == name]
        unnamed = 0
        for number, other in pairs(self.calls, mine, again[0], again[1]):
            if other is None:
                unnamed += self.values[number]["type"] == "tensor"
            else:
                label(self.values, number, again[2], other, sizes)
        if unnamed:
            self.notices.append(f"{unnamed} tensors of the pass {name!r} did not appear with the sizes {sizes}")

    def fact(self, **facts: bool | int | float | str) -> None:
        """Numbers and words of the run that prose may cite: ``{fact}`sort.accuracy```."""
        for name, value in facts.items():
            if not isinstance(value, bool | int | float | str):
                raise TypeError(
                    f"the fact {name!r} is a {type(value).__name__}; pass a bool, int, float or str"
                )
        self.facts.update(facts)

    def live(self, name: str, model: Any, *arguments: Any, reads: Mapping[str, Any] | None = None) -> None:
        """Let pages compute the recorded pass ``name`` themselves: ``model(*arguments)``, as it was recorded.

        The model is exported by torch, in ``eval`` mode, with any number of tokens (axis 1). ``reads`` says how what a
        reader types becomes the first argument: ``{"letters": "ABC", "typed": 6}``, or byte pairs, as those of nanochat
        in ``docs/runs/models.py``. A model that can't be exported is a warning.
        """
        if name not in self.passes or self._pass is not None:
            raise ValueError(f"record.live({name!r}): record the pass first, `with record({name!r}, model):`")
        try:
            graph = exported(model, arguments, self._value)
        except NotExported as error:
            self.warnings.append(f"record.live({name!r}): torch can't export {type(model).__name__}: {error}")
        else:
            self.live_passes[name] = {**graph, "reads": dict(reads or {})}

    def name_axes(self) -> None:
        """Where the author nowhere tells the axes of a pass, name those whose sizes the model itself tells."""
        for name, held in {} if self._has_sizes else self._settings.items():
            whole = [number for number in self._of_models if self.calls[number][0] == name]
            mine = [record for record in self.records if self.calls[record[0]][0] == name]
            # Of several calls of the whole model each has its own length, so that none names an axis.
            given = [record for record in mine if whole == [record[0]] and self.sites.rows[record[1]][1] == "param"]
            tensors = [value for _, _, number, *_ in given if (value := self.values[number])["type"] == "tensor"]
            if found := letters.sizes(held, tensors):
                letters.label(self.values, [number for _, _, number, *_ in mine], found)
                said = ", ".join(f"{size} is {letter}" for letter, size in found.items())
                self.notices.append(f"letters of the pass {name!r}, from its model's sizes: {said}")

    # What instrumented code calls

    def enter(
        self, function: int, arguments: tuple[tuple[int, Any], ...], generator: bool
    ) -> Activation | None:
        if self._pass is None:
            return None
        mine = self._thread
        if mine.listening is None and not mine.is_pass:  # where the tape listens from the beginning to the end
            mine.listening = self.tape.recording()
            mine.listening.__enter__()
        with self._lock:
            return self._entered(function, arguments, generator)

    def _entered(self, function: int, arguments: tuple[tuple[int, Any], ...], generator: bool) -> Activation:
        mine = self._thread
        caller, site = None, None
        if mine.open:
            activation, site, _ = mine.open[-1]
            caller = activation.index
        own = arguments[0][1] if arguments else None
        path = self._paths.get(id(own), "")
        self._has_run = self._has_run or id(own) in self._paths
        self.calls.append((str(self._pass), function, path, caller, site, len(self.tape.entries)))
        if id(own) in self._paths and not path and self.sites.functions[function].endswith(".forward"):
            self._of_models.append(len(self.calls) - 1)
        activation = Activation(len(self.calls) - 1, len(mine.open))
        if not generator:  # a suspended activation is not the one under way
            mine.active.append(activation)
        for site, value in arguments:
            self._record(activation, site, value)
        return activation

    def leave(self, call: Activation | None) -> None:
        if call is None or self._pass is None:
            return
        mine = self._thread
        if call in mine.active:
            del mine.active[mine.active.index(call) :]
            del mine.open[call.height :]  # an exception left calls open
        if mine.listening is not None and not mine.active:
            mine.listening.__exit__(None, None, None)
            mine.listening = None

    def callee(self, call: Activation | None, site: int, function: Any) -> Any:
        if call is not None and self._pass is not None:
            self._thread.open.append((call, site, function))
        return function

    def result(self, call: Activation | None, site: int, value: Any) -> Any:
        if call is None or self._pass is None:
            return value
        function, under_way = None, self._thread.open
        while under_way:
            activation, at, function = under_way.pop()
            if activation is call and at == site:
                break
        self._record(call, site, value, self._paths.get(id(function), ""), is_result=True)
        return value

    def op(self, call: Activation | None, site: int, value: Any) -> Any:
        if call is not None and is_tensor(value):
            self._record(call, site, value)
        return value

    def bind(self, call: Activation | None, site: int, value: Any) -> Any:
        if call is not None:
            self._record(call, site, value)
        return value

    returned = bind

    def test(self, call: Activation | None, site: int, value: Any) -> bool:
        truth = bool(value)
        if call is not None:
            self._record(call, site, truth)
        return truth

    # Inside

    @contextmanager
    def _recording(self, name: str, model: Any) -> Iterator[None]:
        if self._pass is not None:
            raise ValueError(f"the pass {self._pass!r} is still being recorded")
        modules = model.named_modules() if hasattr(model, "named_modules") else []
        self._paths = {id(module): path for path, module in modules}
        self._kept = [model]
        self._pass, self._thread = name, _Thread()
        self._thread.is_pass = True
        gc.freeze()  # so many records are made that all that torch has loaded would be looked through again and again
        try:
            with self.tape.recording():
                if hasattr(model, "parameters") and hasattr(model, "buffers"):
                    for tensor in [*model.parameters(), *model.buffers()]:
                        self.tape.origins(tensor)
                yield
        finally:
            gc.unfreeze()
            self._digests.clear()
            self._pass = None

    def _record(self, call: Activation, site: int, value: Any, callee: str = "", is_result: bool = False) -> None:
        if self._pass is not None:
            with self._lock, self.tape.paused():
                row = (call.index, site, self._value(value), callee, self.tape.origins(value, is_result))
                self.records.append(row)

    def _value(self, value: Any) -> int:
        """The number of a value's description; equal values share one."""
        described, array = self._describe(value)
        key = described["digest"]
        # Shape names are given to values, and equal numbers at two places may have different ones:
        # so tensors share only their array.
        if array is None and described["type"] != "tensor" and key in self._numbers:
            return self._numbers[key]
        if array is not None and array.nbytes <= LARGEST:
            self.arrays.setdefault(key, array)
            described["kept"] = True
        self.values.append(described)
        self._numbers[key] = len(self.values) - 1
        return len(self.values) - 1

    def _describe(self, value: Any) -> tuple[dict[str, Any], np.ndarray | None]:
        described: dict[str, Any]
        if is_tensor(value):
            try:
                array, dtype = to_array(value)
            except (RuntimeError, TypeError, NotImplementedError, ValueError):
                return _without_numbers(value), None
            described = {"type": "tensor", "shape": list(array.shape), "dtype": dtype}
            described["digest"] = self._digest(value, array, dtype)
            return described, array
        kind = type(value)  # isinstance would ask the value for its class, which may be the explained code's affair
        if value is None or issubclass(kind, bool | int | float | str):
            described = {"type": "scalar", "scalar": value if not issubclass(kind, str) else value[:1000]}
        elif issubclass(kind, tuple | list) and len(value) <= 64:
            described = {"type": "tuple", "items": [self._value(item) for item in value]}
        elif id(value) in self._paths:
            described = {"type": "module", "path": self._paths[id(value)], "cls": type(value).__name__}
        else:
            described = {"type": "object", "cls": type(value).__name__}
        items = [self.values[item]["digest"] for item in described.get("items", [])]
        described["digest"] = digest({**described, "items": items} if items else described)
        return described, None


    def _digest(self, value: Any, array: np.ndarray, dtype: str) -> str:
        """Of a tensor's numbers. Most tensors are handed over again and again: to compare is faster than to digest."""
        numbers, like = array.tobytes(), (dtype, array.shape)
        last = self._digests.get(id(value))
        if last is None or last[:2] != (like, numbers):
            last = like, numbers, digest(dtype, list(array.shape), numbers)
            if array.nbytes <= SMALL:
                self._digests[id(value)] = last
        return last[2]


def _without_numbers(value: Any) -> dict[str, Any]:
    """A tensor whose numbers can't be read (sparse, meta, 8 bits, batched by vmap) keeps its shape, type and place."""
    shape, dtype = list(value.shape), str(value.dtype).removeprefix("torch.")
    return {"type": "tensor", "shape": shape, "dtype": dtype, "digest": digest("without numbers", dtype, shape)}


def is_tensor(value: Any) -> bool:
    """Whether a value is a torch tensor or a NumPy array; torch is asked only where the code itself imported it."""
    torch = sys.modules.get("torch")
    return issubclass(type(value), np.ndarray) or (torch is not None and issubclass(type(value), torch.Tensor))


def to_array(value: Any) -> tuple[np.ndarray, str]:
    """A copy of a tensor as a NumPy array, and the name of its type (bfloat16 becomes float32: NumPy has none)."""
    if isinstance(value, np.ndarray):
        return np.array(value, order="C"), value.dtype.name
    import torch

    dtype = str(value.dtype).removeprefix("torch.")
    # The tape need not hear of it; what overrides the dispatcher itself must be asked.
    is_plain = type(value) in (torch.Tensor, torch.nn.Parameter)
    with torch._C._DisableTorchDispatch() if is_plain else nullcontext():
        tensor = value.detach().cpu()
        tensor = tensor.float() if dtype == "bfloat16" else tensor
        return np.array(tensor.numpy(), order="C"), dtype
