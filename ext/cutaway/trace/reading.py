"""Read a recorded run. Needs neither torch nor the explained source.

``load(path)`` gives a ``Trace``: its facts, its log, its parameters, and for each pass the activations (``Call``) of
the source's functions with what each recorded, in the order in which it happened.
"""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..source.find import Span

if TYPE_CHECKING:
    import numpy as np

FORMAT = 4
Scalar = bool | int | float | str | None


class TraceError(Exception):
    """A recorded run lacks what was asked of it, or its files can't be read."""


@dataclass(frozen=True)
class Value:
    """What was recorded of a value. ``shape``, ``dtype`` and ``axes`` (a letter for each axis) are a tensor's."""

    type: str  # tensor, scalar, tuple, module or object
    digest: str
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    axes: tuple[str | None, ...] | None = None
    scalar: Scalar = None
    items: tuple[Value, ...] = ()
    path: str | None = None
    cls: str | None = None
    kept: bool = False
    arrays: Arrays | None = field(default=None, repr=False, compare=False)

    def array(self) -> np.ndarray:
        """The tensor's values, read-only."""
        if self.type != "tensor":
            raise TraceError(f"a {self.type} holds no array")
        if not self.kept or self.arrays is None:
            raise TraceError(
                f"a tensor of shape {self.shape} was not kept: its run recorded more than a trace has room for; "
                "record it with fewer rows, or in a run of its own"
            )
        return self.arrays[self.digest]


@dataclass(frozen=True)
class Site:
    """A place in the source that handed over a value."""

    function: str
    kind: str  # param, bind, call, op, return or test
    span: Span
    name: str | None  # the variable, for param and bind


@dataclass(frozen=True)
class Call:
    """One activation of a function. Equality is by number."""

    index: int
    pass_: str
    function: str
    module_path: str
    caller: Call | None = field(repr=False, compare=False)
    site: Site | None = field(repr=False, compare=False)
    began: int = field(default=0, repr=False, compare=False)  # how long the tape was


@dataclass(frozen=True)
class Record:
    """One value, handed over at a site during a call; ``callee`` is the path of the module that was called.

    ``origins`` are the tape's entries that made the tensors in the value, whatever container they are in.
    """

    index: int
    call: Call
    site: Site
    value: Value
    callee: str = ""
    origins: tuple[int, ...] = ()


class Arrays:
    """The arrays of a trace by digest, read from its ``.npz`` when one is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @functools.cached_property
    def _file(self) -> Any:
        try:
            import numpy as np  # a build that changes nothing needs no number

            return np.load(self.path, allow_pickle=False)
        except Exception as error:
            raise TraceError(f"{self.path} can't be read ({error}); delete it and build again") from error

    @functools.cache  # noqa: B019 - as long-lived as the trace, which is the process's
    def __getitem__(self, key: str) -> np.ndarray:
        array = self._file[key]
        array.setflags(write=False)
        return array


class Trace:
    """A recorded run."""

    def __init__(self, data: dict[str, Any], arrays: Arrays) -> None:
        self.run: str = data["run"]
        self.facts: dict[str, Scalar] = data["facts"]
        self.log: dict[str, list[list[float]]] = data["log"]
        self.passes: tuple[str, ...] = tuple(data["passes"])
        self.live: dict[str, dict[str, Any]] = data["live"]  # graphs of passes, see runs/exported.py
        self._values = _values(data["values"], arrays)
        self.params = {name: self._values[number] for name, number in data["parameters"].items()}
        self._sites = [
            Site(data["functions"][f], kind, Span(*span), name) for f, kind, span, name in data["sites"]
        ]
        self._calls: list[Call] = []
        self.tape: list[list[int]] = data["tape"]  # of each operation: the entries that made its inputs
        self.given = frozenset[int](data["given"])  # entries that no operation made: weights, inputs
        self.strange = frozenset[int](data["strange"])  # those of them that came out of a call
        self.read: list[int] = data["read"]  # entries of operations that gave a number, and no tensor
        for pass_, function, path, caller, site, began in data["calls"]:
            above = None if caller is None else self._calls[caller]
            at = None if site is None else self._sites[site]
            self._calls.append(Call(len(self._calls), pass_, data["functions"][function], path, above, at, began))
        self._records: dict[int, list[Record]] = defaultdict(list)
        for index, (call, site, value, callee, origins) in enumerate(data["records"]):
            at, what = self._sites[site], self._values[value]
            record = Record(index, self._calls[call], at, what, callee, tuple(origins))
            self._records[call].append(record)

    def value(self, number: int) -> Value:
        """What the trace says of a value, by its number."""
        return self._values[number]

    def calls(
        self, function: str | None = None, pass_: str | None = None, module_path: str | None = None
    ) -> list[Call]:
        """The activations that fit, in execution order; a module path fits by its tail, ``h.0.attn``."""
        return [
            call
            for call in self._calls
            if function in (None, call.function)
            and pass_ in (None, call.pass_)
            and (module_path is None or is_tail(module_path, call.module_path))
        ]

    def records(self, call: Call) -> list[Record]:
        """What one activation handed over, in execution order; its callees' records are their own."""
        return self._records[call.index]

    def children(self, call: Call) -> list[Call]:
        """The activations that one made itself."""
        return [child for child in self._calls if child.caller is call]


def is_tail(tail: str, path: str) -> bool:
    """Whether a dotted path ends with another: ``h.0.attn`` is a tail of ``transformer.h.0.attn``."""
    return path == tail or path.endswith("." + tail)


def _values(rows: Sequence[dict[str, Any]], arrays: Arrays) -> list[Value]:
    values: list[Value] = []
    for row in rows:  # a tuple's items come before it
        row = dict(row)
        for name in ("shape", "axes"):
            if name in row:
                row[name] = tuple(row[name])
        row["items"] = tuple(values[item] for item in row.get("items", []))
        values.append(Value(**row, arrays=arrays))
    return values


class Traces(Mapping[str, Trace]):
    """Traces by run, each read when it is first asked for: most of what a book shows needs few of them."""

    def __init__(self, paths: Mapping[str, str]) -> None:
        self.paths = paths

    def __getitem__(self, run: str) -> Trace:
        return load(Path(self.paths[run]))

    def __contains__(self, run: object) -> bool:
        return run in self.paths

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


def load(path: Path) -> Trace:
    """The trace of a ``.json`` file and the ``.npz`` beside it."""
    return _load(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=16)
def _load(path: Path, _mtime: int) -> Trace:
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, expected {FORMAT}")
        return Trace(data, Arrays(path.with_suffix(".npz")))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise TraceError(f"{path} is no trace ({error}); delete it and build again") from error
