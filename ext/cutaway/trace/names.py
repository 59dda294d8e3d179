"""One grammar names a recorded value everywhere: in facts, in scenes, in tags.

``sort.accuracy``                                      a fact of the run ``sort``
``sort/attention-forward-mask``                        what a step's quotation gave, in the pass ``forward``
``sort.forward/h.0.attn/attention-forward-mask``       the same, in a named pass and module
``sort.generate@2/h.1.attn/att``                       a variable (its last assignment), third activation
``sort.generate/sampling-forward-next@2``              what it gave in the third round of a loop (``@-1``: the last)
``sort/attention-forward-mask.shape``, ``[0, 2, 5]``   its shape, one number (of a tuple: ``[0].shape``, ``[1][0, 2]``)
``sort.params/h.0.attn.c_attn.weight``                 a parameter, by the tail of its name
``sort.log/loss``                                      a series of the training log

The pass ``forward``, the first activation that fits and its last round are the defaults. In a scene the run may be
left out.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ..digests import digest
from ..source.find import Span
from .reading import Call, Record, Scalar, Trace, Value, is_tail

PASS = "forward"
_NAME = re.compile(
    r"^(?P<path>[^\[\]]+?)(?P<item>\[\d{1,9}\](?=\.shape|\[))?(?P<shape>\.shape)?(?P<index>\[[^\[\]]*\])?$"
)
_OF = re.compile(r"^(?P<run>[\w-]+)?(?:\.(?P<pass>[\w-]+))?(?:/(?P<module>[\w.-]+))?$")
_HEAD = re.compile(r"^(?P<run>[\w-]+)(?:\.(?P<pass>[\w-]+))?(?:@(?P<nth>\d{1,9}))?$")
_ROUND = re.compile(r"(?P<name>.+)@(?P<round>-?\d{1,9})")
_INDEX = re.compile(r"\[\s*-?\d{1,9}(?:\s*,\s*-?\d{1,9})*\s*,?\s*\]")


class UnknownName(LookupError):
    """A name that names nothing recorded: what was asked, what there is."""


@dataclass(frozen=True)
class Wanted:
    """What ``:run:`` asks for, RUN, RUN.PASS or RUN.PASS/MODULE; None where it is silent."""

    run: str | None = None
    pass_: str | None = None
    module: str | None = None

    @classmethod
    def read(cls, of: str | None) -> Wanted:
        parsed = _OF.match(of or "")
        if not parsed:
            raise UnknownName(f":run: {of}: write RUN, RUN.PASS or RUN.PASS/MODULE")
        return cls(parsed["run"], parsed["pass"], parsed["module"])


class Place(NamedTuple):
    """Where a step's quotation stands: an object of the source and a span in its file."""

    object: str
    span: Span


@dataclass(frozen=True)
class Found:
    """What a name stands for: one number or word (``scalar``), a whole value, or a series of the log."""

    name: str
    value: Value | None = None
    scalar: Scalar = None
    series: tuple[tuple[float, float], ...] = ()
    is_shape: bool = False

    @property
    def digest(self) -> str:
        """Changes exactly when what is read changes."""
        if self.value is None or self.scalar is not None:
            return digest(self.scalar, self.series)
        return digest(self.value.shape) if self.is_shape else self.value.digest


class Names:
    """Resolves names among recorded runs and declared steps."""

    def __init__(
        self, traces: Mapping[str, Trace], steps: Mapping[str, Place], run: str | None = None
    ) -> None:
        self.traces = traces
        self.steps = steps
        self.run = run

    def resolve(self, name: str) -> Found:
        parsed = _NAME.match(name.strip())
        if not parsed:
            raise UnknownName(
                f"'{name}' is no name of a value: write RUN.FACT or RUN/STEP, .shape or [i, j] after it"
            )
        found = self._whole(parsed["path"])
        found = replace(found, name=name)
        if parsed["item"]:
            found = _indexed(found, parsed["item"])
        if parsed["shape"]:
            found = _shape(found)
        return _indexed(found, parsed["index"]) if parsed["index"] else found

    def _whole(self, path: str) -> Found:
        head, *rest = path.split("/")
        parsed = _HEAD.match(head)
        if rest and parsed and parsed["run"] in self.traces:
            trace = self.traces[parsed["run"]]
            return self._inside(trace, parsed["pass"] or PASS, parsed["nth"], rest)
        run, _, fact = head.partition(".")
        if not rest and fact and run in self.traces:
            return _fact(self.traces[run], fact)
        if self.run is None or self.run not in self.traces:
            if path in self.traces:
                facts = ", ".join(self.traces[path].facts) or "none"
                raise UnknownName(f"'{path}' is a run; write {path}.FACT or {path}/STEP; its facts are: {facts}")
            asked = run if rest or fact else head
            raise UnknownName(f"no run '{asked}' in '{path}'{_among(asked, self.traces)}")
        trace = self.traces[self.run]
        if not rest and head in trace.facts:
            return _fact(trace, head)
        return self._inside(trace, PASS, None, [head, *rest])

    def _inside(self, trace: Trace, pass_: str, nth: str | None, parts: list[str]) -> Found:
        named = _ROUND.fullmatch(parts[-1])
        name, round = (named["name"], int(named["round"])) if named else (parts[-1], -1)
        module = ".".join(parts[:-1]) or None
        if pass_ == "params":
            return _parameter(trace, name)
        if pass_ == "log":
            return _series(trace, name)
        if pass_ not in trace.passes:
            raise UnknownName(f"the run '{trace.run}' has no pass '{pass_}'{_among(pass_, trace.passes)}")
        place = self.steps.get(name)
        hits = _hits(trace, pass_, module, name, place, round)
        if not hits:
            if named and _hits(trace, pass_, module, name, place):
                raise UnknownName(f"'{parts[-1]}': it has not so many rounds in '{trace.run}.{pass_}'; the last is @-1")
            raise UnknownName(self._nothing(trace, pass_, module, name, place))
        if nth is None and place is None:
            _refuse_homonyms(trace, pass_, module, name)
        number = int(nth or 0)
        if number >= len(hits):
            raise UnknownName(
                f"'{name}' was recorded {len(hits)} times in '{trace.run}.{pass_}'; @{nth} counts from 0"
            )
        return Found(name, hits[number])

    def _nothing(self, trace: Trace, pass_: str, module: str | None, name: str, place: Place | None) -> str:
        where = f"'{trace.run}.{pass_}'" + (f" of module '{module}'" if module else "")
        if place:
            ran = trace.calls(place.object, pass_, module)
            why = "that place was not reached" if ran else f"{place.object} did not run"
            return f"the step '{name}' left no value in {where}: {why}"
        paths = sorted({call.module_path for call in trace.calls(pass_=pass_)})
        if module and not any(is_tail(module, path) for path in paths):
            return f"no module '{module}' in '{trace.run}.{pass_}'{_among(module, paths)}"
        calls = trace.calls(pass_=pass_, module_path=module)
        variables = {r.site.name for call in calls for r in trace.records(call) if r.site.name}
        return f"no step or variable '{name}' in {where}{_among(name, [*self.steps, *sorted(variables)])}"


def _hits(
    trace: Trace, pass_: str, module: str | None, name: str, place: Place | None, round: int = -1
) -> list[Value]:
    """One value for each activation that has one."""
    hits = []
    for call in trace.calls(place.object if place else None, pass_, module):
        value = at_place(trace, call, place.span, round) if place else _variable(trace, call, name, round)
        if value is not None:
            hits.append(value)
    return hits


def _refuse_homonyms(trace: Trace, pass_: str, module: str | None, name: str) -> None:
    """A name that variables of several functions bear stands for none of them, unless they hold the same."""
    first: dict[str, str] = {}
    for call in trace.calls(None, pass_, module):
        if (value := _variable(trace, call, name)) is not None:
            first.setdefault(call.function, value.digest)
    if len(set(first.values())) > 1:
        raise UnknownName(
            f"'{name}' is a variable of {' and of '.join(first)}; write a step's name, or {trace.run}.{pass_}@0/ "
            "before it for the one that was recorded first"
        )


def at_place(trace: Trace, call: Call, span: Span, round: int = -1) -> Value | None:
    """What an expression gave in an activation, in a round of a loop; of a statement, what it assigned or returned."""
    records = trace.records(call)
    exact = [
        r for r in records if r.site.span == span and r.site.kind in ("call", "op", "bind", "return", "param")
    ]
    if exact:
        return _of_round([r.value for r in exact], round)
    bound = _in_round([r for r in records if r.site.kind == "bind" and span.contains(r.site.span)], round)
    if len(bound) > 1:
        items = tuple(record.value for record in bound)
        return Value("tuple", digest([item.digest for item in items]), items=items)
    if bound:
        return bound[0].value
    returned = [r for r in records if r.site.kind == "return" and span.contains(r.site.span)]
    return _of_round([r.value for r in returned], round)


def _of_round(values: list[Value], round: int) -> Value | None:
    return values[round] if -len(values) <= round < len(values) else None


def _in_round(records: list[Record], round: int) -> list[Record]:
    """The record of each site in a round, in the order of the sites."""
    rounds: dict[Span, list[Record]] = {}
    for record in records:
        rounds.setdefault(record.site.span, []).append(record)
    return [rounds[span][round] for span in sorted(rounds) if -len(rounds[span]) <= round < len(rounds[span])]


def _variable(trace: Trace, call: Call, name: str, round: int = -1) -> Value | None:
    named = [r.value for r in trace.records(call) if r.site.name == name and r.site.kind in ("bind", "param")]
    return _of_round(named, round)


def _fact(trace: Trace, name: str) -> Found:
    if name not in trace.facts:
        raise UnknownName(f"the run '{trace.run}' has no fact '{name}'{_among(name, trace.facts)}")
    return Found(name, scalar=trace.facts[name])


def _parameter(trace: Trace, name: str) -> Found:
    fitting = [key for key in trace.params if is_tail(name, key)]
    if len(fitting) != 1:
        what = "no parameter" if not fitting else f"{len(fitting)} parameters"
        raise UnknownName(f"{what} '{name}' in the run '{trace.run}'{_among(name, fitting or trace.params)}")
    return Found(name, trace.params[fitting[0]])


def _series(trace: Trace, name: str) -> Found:
    if name not in trace.log:
        raise UnknownName(f"the run '{trace.run}' logged no '{name}'{_among(name, trace.log)}")
    return Found(name, series=tuple((x, y) for x, y in trace.log[name]))


def _shape(found: Found) -> Found:
    if found.value is None or found.value.shape is None:
        raise UnknownName(f"'{found.name}' is no tensor and has no shape")
    return replace(found, is_shape=True)


def _indexed(found: Found, index: str) -> Found:
    try:
        if not _INDEX.fullmatch(index):
            raise ValueError
        indices = [int(number) for number in re.findall(r"-?\d+", index)]
        if found.series:
            number: Any = found.series[indices[0]][1]
        elif found.is_shape:
            number = (found.value.shape or ())[indices[0]] if found.value else None
        elif found.value is not None and found.value.type == "tuple" and len(indices) == 1:
            return replace(
                found, value=found.value.items[indices[0]], scalar=found.value.items[indices[0]].scalar
            )
        elif found.value is not None:
            number = found.value.array()[tuple(indices)]
        else:
            raise ValueError
    except (ValueError, TypeError):
        raise UnknownName(f"'{found.name}': write the index as [0, 2, 5]") from None
    except IndexError:
        shape = found.value.shape if found.value else len(found.series)
        raise UnknownName(f"'{found.name}' is out of range: the shape is {shape}") from None
    if getattr(number, "ndim", 0):
        raise UnknownName(f"'{found.name}' is no single number: it has the shape {number.shape}")
    return replace(found, scalar=number.item() if hasattr(number, "item") else number, is_shape=False)


def _among(name: str, names: Iterable[str]) -> str:
    names = list(dict.fromkeys(names))
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        return f"; did you mean {' or '.join(repr(n) for n in near)}?"
    shown = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
    return f"; there is {shown}" if names else "; there is none"
