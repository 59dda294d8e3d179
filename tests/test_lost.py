"""A box that names lead on from, and arrows do not, is told; what is drawn right is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import recorded
from idioms import IDIOMS

from cutaway.diagrams.graph.flow import flow
from cutaway.diagrams.graph.lost import lost


def found(folder: Path, code: str) -> list[str]:
    import torch

    x, name = torch.arange(8.0).view(2, 4) / 8 + 0.1, "Model.forward" if "class Model" in code else "f"
    source, trace = recorded.record(folder, code, lambda names: (names["model"] or names["f"])(x))
    obj = source.find(f"m.code.{name}")
    return list(lost(obj, flow(obj, trace, trace.calls(obj.dotted)[0])))


@pytest.mark.parametrize("idiom", IDIOMS)
def test_nothing_is_said_of_a_drawing_that_is_proven(idiom: str, tmp_path: Path) -> None:
    assert found(tmp_path, IDIOMS[idiom]) == []


def test_what_nobody_sees_is_told(tmp_path: Path) -> None:
    code = """
    from torch.utils._python_dispatch import _disable_current_modes

    def f(x):
        y = x.exp()
        with _disable_current_modes():
            z = y * 2
        return z
    """
    [said] = found(tmp_path, code)
    assert said.startswith("no way from 'y = x.exp()' (line 7) to 'z = y * 2'") and "explain m.code.f --prove" in said


SIZES = """
    def f(x):
        y = x.exp()
        z = torch.zeros_like(y) + x.view_as(y)
        return z * y.shape[0]
"""
DERIVED = """
    def f(x):
        w = torch.ones(4, requires_grad=True)
        y = (x * w).sum()
        return torch.autograd.grad(y, w)[0] * 2
"""
ONE_OF_TWO = """
    def f(x):
        d = {"a": x.exp(), "b": x + 1}
        return d["a"] * 2
"""


@pytest.mark.parametrize("code", [SIZES, DERIVED, ONE_OF_TWO])
def test_what_reads_no_number_is_no_loss(code: str, tmp_path: Path) -> None:
    assert found(tmp_path, code) == []


def test_each_arrow_that_is_taken_away_is_missed(tmp_path: Path) -> None:
    import torch

    code = """
    def f(x):
        a = x.exp()
        b = a + 1
        c = b * x
        return c
    """
    source, trace = recorded.record(tmp_path, code, lambda names: names["f"](torch.ones(2)))
    obj = source.find("m.code.f")
    graph = flow(obj, trace, trace.calls(obj.dotted)[0])
    inner = [edge for edge in graph.edges if graph.nodes[edge.source].kind == "step"]
    assert len(inner) == 3
    for edge in inner:
        less = replace(graph, edges=tuple(other for other in graph.edges if other != edge))
        assert any(f"'{graph.nodes[edge.source].code}'" in said for said in lost(obj, less)), edge
