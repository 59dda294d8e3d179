"""Drawings of code in which names do not tell what flows into what, proven by intervention."""

from __future__ import annotations

from pathlib import Path

import pytest
from idioms import IDIOMS
from proving import proof
from recorded import graph, record
from test_flow import arrows

from cutaway.runs.recorder import Recorder
from cutaway.runs.tape import Tape, tensors_of

torch = pytest.importorskip("torch")



@pytest.mark.parametrize("idiom", IDIOMS)
def test_a_box_changes_exactly_those_to_which_arrows_lead(tmp_path: Path, idiom: str) -> None:
    x, name = torch.arange(8.0).view(2, 4) / 8 + 0.1, "Model.forward" if "class Model" in IDIOMS[idiom] else "f"
    found = proof(tmp_path, IDIOMS[idiom], lambda names: (names["model"] or names["f"])(x), name)
    assert list(found.lines()) == []
    assert found.moved and found.holds


def test_values_that_map_deals_out_have_arrows(tmp_path: Path) -> None:
    found = graph(tmp_path, IDIOMS["map"], lambda names: names["f"](torch.ones(2, 4)))
    split = "q, k, v = map(split, (x, x + 1, x * 2))"
    expected = [f"x -> {split}", *(f"{split} -{name}-> y = q @ k.T" for name in "kq"), f"{split} -v-> y @ v"]
    assert arrows(found) == [*expected, "y = q @ k.T -> y @ v", "y @ v -> return"]


def test_an_argument_that_another_one_holds_comes_from_itself(tmp_path: Path) -> None:
    code = """
    def f(x, group):
        y = x * group["rate"]
        z = y + group["params"][1]
        return z
    """

    def run(names: dict[str, object]) -> None:
        x = torch.ones(2, 4)
        names["f"](x, {"rate": 2, "params": [x, torch.zeros(4)]})  # type: ignore[operator]

    found = graph(tmp_path, code, run)
    assert [edge.thin for edge in found.edges] == [False, True, False, False, False]  # rate is a number of Python's
    assert arrows(found) == [
        'x -> y = x * group["rate"]',
        'group -> y = x * group["rate"]',
        'group -> z = y + group["params"][1]',
        'y = x * group["rate"] -> z = y + group["params"][1]',
        'z = y + group["params"][1] -> return z',
    ]


def test_numbers_of_an_argument_that_holds_tensors_are_thin_arrows(tmp_path: Path) -> None:
    code = """
    def f(p, group):
        first, second = group["betas"]
        m = p * (1 - first)
        v = p * p / second
        p.copy_(m / v)
    """

    def run(names: dict[str, object]) -> None:
        p = torch.ones(4)
        names["f"](p, {"betas": (0.9, 0.99), "params": [p]})  # type: ignore[operator]

    found = graph(tmp_path, code, run)
    thin = [f"{found.nodes[e.source].code} -> {found.nodes[e.target].code}" for e in found.edges if e.thin]
    assert thin == ["group -> m = p * (1 - first)", "group -> v = p * p / second"]
    assert list(proof(tmp_path, code, run).lines()) == ["could not be changed: 'p'"]  # group holds it, too


def test_an_oracle_finds_an_arrow_that_is_missing_and_one_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a tape: the names alone."""
    monkeypatch.setattr(Tape, "origins", lambda tape, value, is_result=False: [])
    run = lambda names: names["f"](torch.arange(8.0).view(2, 4))  # noqa: E731
    assert proof(tmp_path, IDIOMS["a view is written"], run).missing
    assert proof(tmp_path, IDIOMS["a star among targets"], run).surplus


def test_recorded_code_computes_the_same_bits(tmp_path: Path) -> None:
    code = """
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.attend = nn.MultiheadAttention(8, 2, dropout=0.2)
            self.run = nn.LSTM(8, 8)
            self.norm = nn.BatchNorm1d(5)

        def forward(self, x):
            y, weights = self.attend(x, x, x)
            z, (h, c) = self.run(y)
            return self.norm(z), h, c
    """
    given, seen = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(1)), []

    def run(names: dict[str, object]) -> None:
        torch.manual_seed(0)
        model = names["Model"]()  # type: ignore[operator]
        torch.manual_seed(1)
        out = model(given)
        out[0].sum().backward()
        seen.append([*out, *(p.grad for p in model.parameters()), *model.buffers()])

    record(tmp_path, code, run)
    record(tmp_path, code, lambda names: None)
    plain: dict[str, object] = {}
    exec(compile("import torch\nfrom torch import nn\n" + __import__("textwrap").dedent(code), "plain", "exec"), plain)
    run(plain)
    assert len(seen) == 2 and all(torch.equal(one, other) for one, other in zip(*seen, strict=True))


NEUTRAL = """
class Odd:
    def __init__(self, x):
        self.x = x

    def __getattribute__(self, name):
        found = object.__getattribute__(self, name)
        return found

def f(x):
    odd = Odd(x)
    y = odd.x * 2
    sparse = y.to_sparse()
    empty = torch.empty(2, 3, device="meta")
    small = y.to(torch.float8_e4m3fn)
    each = torch.vmap(row)(y)
    slope = torch.func.grad(total)(y)
    return y, sparse, empty, small, each, slope

def row(r):
    s = r * 2
    return s

def total(y):
    t = (y * y).sum()
    return t
"""


def test_tensors_without_numbers_and_classes_with_hooks_are_recorded(tmp_path: Path) -> None:
    _, trace = record(tmp_path, NEUTRAL, lambda names: names["f"](torch.ones(2, 3)))
    [call] = trace.calls("m.code.f")
    values = {r.site.name: r.value for r in trace.records(call) if r.site.kind == "bind"}
    for name in ("y", "sparse", "empty", "small", "each", "slope"):
        assert (values[name].type, values[name].shape) == ("tensor", (2, 3)), name
    assert [values[name].kept for name in ("y", "sparse", "empty")] == [True, False, False]
    assert values["odd"].cls == "Odd"


def test_the_tape_forgets_tensors_that_are_gone() -> None:
    import gc
    import weakref

    tape = Tape()
    with tape.recording():
        kept = torch.ones(3)
        gone = [weakref.ref(kept * n) for n in range(5)]
    gc.collect()
    assert all(ref() is None for ref in gone)
    assert tape.origins({"a": (kept, [kept])}) == [tape.origins(kept)[0]] * 2
    assert Recorder().tape.origins(kept) == []


def test_no_method_of_a_value_is_called_to_find_its_tensors() -> None:
    class Loud(dict):  # type: ignore[type-arg]
        def values(self) -> list[object]:  # type: ignore[override]
            raise AssertionError

        __iter__ = items = keys = __len__ = values  # type: ignore[assignment]

    assert list(tensors_of((Loud(a=torch.ones(1)), 3, "x"))) == [torch.ones(1)]
