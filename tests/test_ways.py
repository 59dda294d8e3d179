"""From any recorded value to what it was made of and to what was made of it, against interventions."""

from __future__ import annotations

from pathlib import Path

import pytest
import recorded

from cutaway.trace.reading import Record, Trace
from cutaway.trace.ways import Ways

CODE = """
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def forward(self, x):
            a = x * 2
            b = self.inner(a)
            d = {"a": a, "b": b}
            c = list(map(torch.tanh, d.values()))
            y = c[0] + c[1]
            return y

    class Inner(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.arange(3.0))

        def forward(self, x):
            z = x.exp().cos() * self.w
            z += 1
            return z
"""


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    import torch

    return recorded.record(tmp_path, CODE, lambda names: names["model"](torch.ones(3)))[1]


def named(trace: Trace, function: str, name: str, nth: int = 0) -> Record:
    [call] = trace.calls(f"m.code.{function}.forward")
    return [record for record in trace.records(call) if record.site.name == name][nth]


def test_ways_lead_into_other_calls_and_out_again(trace: Trace) -> None:
    ways = Ways(trace)
    x, a, b, y = (named(trace, "Model", name) for name in "xaby")
    z = named(trace, "Inner", "z")
    assert [one.value.digest for one in ways.producers(a)] == [x.value.digest]
    assert [one.value.digest for one in ways.consumers(x)] == [a.value.digest]
    assert set(reached(ways, x, forward=True)) >= {one.index for one in (a, z, b, y)}
    assert set(reached(ways, y, forward=False)) >= {one.index for one in (a, z, b, x)}
    assert y.index not in reached(ways, y, forward=True) and x.index not in reached(ways, x, forward=False)


def reached(ways: Ways, record: Record, forward: bool) -> list[int]:
    """All records on the ways from one, with those that hold the same."""
    pending, seen = [record], set[int]()
    same: dict[tuple[int, ...], list[int]] = {}
    for call in ways.trace.calls():
        for one in ways.trace.records(call):
            same.setdefault(one.origins, []).append(one.index)
    while pending:
        for one in (ways.consumers if forward else ways.producers)(pending.pop()):
            if one.index not in seen:
                seen.add(one.index)
                pending.append(one)
                seen |= set(same[one.origins])
    return sorted(seen)


def test_producers_and_consumers_are_each_other_s(trace: Trace) -> None:
    ways = Ways(trace)
    first = set(ways._first.values())
    assert len(first) > 8
    for one in first:
        for other in ways.producers(one):
            taken = {entry for taker in ways.consumers(other) for entry in taker.origins}
            assert taken & set(one.origins), (one, other)


def test_an_input_is_made_of_nothing_and_a_result_is_taken_by_nothing(trace: Trace) -> None:
    ways = Ways(trace)
    assert ways.producers(named(trace, "Model", "x")) == []
    assert ways.consumers(named(trace, "Model", "y")) == []
