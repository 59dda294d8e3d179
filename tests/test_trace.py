"""The tracer: what it records, and that it changes nothing."""

import ast
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutaway.runs.axes import letters
from cutaway.runs.child import _content
from cutaway.runs.instrument import RECORDER, instrument
from cutaway.runs.recorder import Recorder
from cutaway.source.find import Module
from cutaway.trace.reading import Arrays, Record, Trace


def run(code: str, call: str, path: Path = Path("toy.py"), **given: Any) -> tuple[Trace, Recorder, Any]:
    """Trace one expression over some code; the trace as it would be read, and the expression's value."""
    recorder = Recorder()
    module = types.ModuleType("toy")
    sys.modules["toy"] = module  # dataclasses and the like look their module up
    module.__dict__.update({RECORDER: recorder, "np": np, **given})
    tree = instrument(Module("toy", path, code, ast.parse(code)), recorder.sites)
    exec(compile(tree, str(path), "exec"), module.__dict__)
    with recorder("forward"):
        value = eval(call, module.__dict__)
    content = _content("toy", recorder, {"facts": {}, "log": {}})
    trace = Trace(content, Arrays(Path("nowhere.npz")))
    return trace, recorder, value


def named(trace: Trace, name: str) -> list[Record]:
    return [
        r
        for call in trace.calls()
        for r in trace.records(call)
        if r.site.kind == "bind" and r.site.name == name
    ]


def arrays(recorder: Recorder, records: list[Record]) -> list[list[float]]:
    return [recorder.arrays[record.value.digest].tolist() for record in records]


def test_each_name_of_a_tuple_has_its_record() -> None:
    trace, recorder, _ = run("def f(x):\n    a, (b, *c) = x, (x + 1, 2, 3)\n    return a", "f(np.ones(2))")
    assert [len(named(trace, name)) for name in "abc"] == [1, 1, 1]
    assert arrays(recorder, named(trace, "b")) == [[2.0, 2.0]]
    assert named(trace, "a")[0].site.span == (2, 4, 2, 5)


def test_operations_in_place_leave_copies() -> None:
    code = "def f():\n    x = np.zeros(2)\n    x += 1\n    x[0] = 5\n    x = x * 2\n    return x"
    trace, recorder, _ = run(code, "f()")
    assert arrays(recorder, named(trace, "x")) == [[0, 0], [1, 1], [5, 1], [10, 2]]


def test_nested_calls_know_their_caller_and_place() -> None:
    code = "def g(x):\n    return x + 1\n\ndef f(x):\n    return g(x) + g(g(x))"
    trace, _, value = run(code, "f(np.zeros(1))")
    f, *gs = trace.calls()
    assert f.function == "toy.f" and [g.function for g in gs] == ["toy.g"] * 3
    assert [g.caller for g in gs] == [f, f, f]
    assert [g.site.span[1::2] for g in gs if g.site] == [(11, 15), (20, 24), (18, 25)]
    assert value.tolist() == [3.0]


def test_only_the_branch_taken_leaves_values() -> None:
    code = "def f(x):\n    if x.sum() > 0:\n        y = x\n    else:\n        y = -x\n    return y if True else x"
    trace, _, _ = run(code, "f(np.ones(1))")
    tests = [r.value.scalar for r in trace.records(trace.calls()[0]) if r.site.kind == "test"]
    assert tests == [True, True]
    assert [record.site.span.line for record in named(trace, "y")] == [3]


def test_every_round_of_a_loop_and_the_walrus() -> None:
    code = "def f():\n    total = 0\n    for x in [3, 4]:\n        total += (y := x * 2)\n    return total"
    trace, _, _ = run(code, "f()")
    assert [r.value.scalar for r in named(trace, "x")] == [3, 4]
    assert [r.value.scalar for r in named(trace, "y")] == [6, 8]
    assert [r.value.scalar for r in named(trace, "total")] == [0, 6, 14]


def test_an_exception_that_is_caught_does_not_confuse_who_calls() -> None:
    code = """
def bad():
    raise KeyError("x")

def good():
    return 1

def f():
    try:
        good(bad())
    except KeyError:
        pass
    return good()
"""
    trace, _, value = run(code, "f()")
    last = trace.calls("toy.good")[-1]
    assert value == 1 and last.caller is not None and last.caller.function == "toy.f"
    assert last.site is not None and last.site.span.line == 13


def test_generators_methods_properties_and_super() -> None:
    code = """
class A:
    def __init__(self, n):
        self.n = n
    @property
    def twice(self):
        return self.n * 2
    def items(self):
        for i in range(self.n):
            yield i + self.twice

class B(A):
    def __init__(self, n):
        super().__init__(n + 1)
        self.list = [k for k in self.items() if k % 2 == 0]
    @classmethod
    def make(cls, *args, key=None, **rest):
        return cls(*args)
    def matched(self):
        match self.n:
            case -1:
                return "minus"
            case int(n) if n > 2:
                return f"{n + 1}"
"""
    trace, _, value = run(code, "(B.make(3, key=1, other=2).list, B(2).matched())")
    assert value == ([8, 10], "4")
    assert [r.value.scalar for r in named(trace, "self.n")] == [4, 3]


@pytest.mark.parametrize(
    ("module", "expression"),
    [
        ("textwrap", "fill('the quick brown fox jumps over the lazy dog ' * 5, 30)"),
        ("difflib", "list(unified_diff('one two three'.split(), 'one too three four'.split()))"),
        ("statistics", "(stdev([1.5, 2.5, 2.75, 4]), quantiles(range(20), n=7), fmean([1, 2, 4]))"),
        ("heapq", "list(merge([1, 4, 6], [2, 3, 9], nsmallest(3, [5, 1, 8, 0])))"),
        ("fractions", "(Fraction('3/7') ** 3 + Fraction(2.5)).limit_denominator(50)"),
        ("json.decoder", 'JSONDecoder(strict=False).decode(\'{"a": [1, 2.5, null, {"b": "ü"}]}\')'),
    ],
)
def test_instrumented_library_code_computes_the_same(module: str, expression: str) -> None:
    """Modules of the standard library, written by others with every feature there is, give what they gave."""
    original = __import__(module, fromlist=["*"])
    code = Path(original.__file__ or "").read_text("utf-8")
    _, recorder, value = run(
        code, expression, Path(original.__file__ or ""), __package__=module.rpartition(".")[0]
    )
    assert repr(value) == repr(eval(expression, vars(original)))
    assert len(recorder.records) > 5


def test_errors_keep_the_file_and_the_line() -> None:
    with pytest.raises(ZeroDivisionError) as error:
        run("def f(x):\n    y = x\n    return y / 0", "f(1)")
    assert error.traceback[-1].lineno == 2 and str(error.traceback[-1].path).endswith("toy.py")


def test_axes_are_told_from_sizes_that_all_differ() -> None:
    sizes = {"B": 5, "T": 7, "C": 143, "H": 11, "D": 13, "V": 17}
    assert letters([5, 11, 7, 13], sizes) == ["B", "H", "T", "D"]
    assert letters([5, 7, 429], sizes) == ["B", "T", "3C"]
    assert letters([35, 17], sizes) == ["B*T", "V"]
    assert letters([1, 999], sizes) == ["1", None]


def test_an_axis_that_may_be_two_things_has_no_letter() -> None:
    assert letters([4, 6], {"B": 2, "T": 4, "C": 8, "H": 6, "D": 3}) == ["T", "H"]
    assert letters([6], {"B": 2, "T": 3}) == [None]  # 2T or 3B


def test_axes_of_a_loop_that_takes_another_number_of_rounds() -> None:
    recorder = Recorder()
    code = "def f(x):\n  for row in x:\n    y = row + 1\n  if len(x) > 3:\n    z = x\n  else:\n    w = x\n"
    module = types.ModuleType("toy")
    module.__dict__[RECORDER] = recorder
    tree = instrument(Module("toy", Path("toy.py"), code, ast.parse(code)), recorder.sites)
    exec(compile(tree, "toy.py", "exec"), module.__dict__)
    with recorder("forward"):
        module.f(np.ones((3, 2)))
    records = len(recorder.records)
    with recorder.sizes("forward", R=2, C=5):
        module.f(np.ones((2, 5)))
    assert len(recorder.records) == records
    trace = Trace(_content("toy", recorder, {"facts": {}, "log": {}}), Arrays(Path("nowhere.npz")))
    assert [r.value.axes for r in named(trace, "y")] == [("C",)] * 3
    assert [r.value.axes for r in named(trace, "w")] == [("R", "C")]
    with recorder.sizes("forward", R=7, C=5):
        module.f(np.ones((7, 5)))
    assert "1 tensors of the pass 'forward' did not appear" in recorder.notices[0]
