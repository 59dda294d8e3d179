"""What a function's source alone tells of its flow: sketches of what no run has called."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from test_flow import arrows

from cutaway.diagrams.explain import sketched
from cutaway.diagrams.graph.flow import FlowError
from cutaway.diagrams.graph.graph import Graph
from cutaway.diagrams.graph.sketch import sketch
from cutaway.source.find import Source


def source(folder: Path, code: str) -> Source:
    (folder / "code.py").write_text(textwrap.dedent(code))
    return Source({"m": [folder]})


def sketch_of(folder: Path, code: str) -> Graph:
    return sketch(source(folder, code).find("m.code.f"))


def test_a_block_is_as_a_run_would_draw_it(tmp_path: Path) -> None:
    found = sketch_of(
        tmp_path,
        """
        def f(self, x):
            B, T, C = x.size()
            x = x + self.attn(self.ln_1(x))
            return x.view(B, T, C)
        """,
    )
    assert arrows(found) == [
        "x -> self.ln_1(x)",
        "x -> x = x + …",
        "self.ln_1(x) -> self.attn(…)",
        "self.attn(…) -> x = x + …",
        "x = x + … -> x.view(B, T, C)",
        "x.view(B, T, C) -> return",
    ]
    assert found.is_sketch and not any(edge.thin for edge in found.edges)


def test_what_only_a_run_can_decide_is_thin(tmp_path: Path) -> None:
    found = sketch_of(
        tmp_path,
        """
        def f(x, mask=None, flip=False):
            y = x.exp()
            if mask is not None:
                y = y * mask
            else:
                y = -y
            return y
        """,
    )
    thin = {f"{found.nodes[e.source].code} -> {found.nodes[e.target].code}": e.thin for e in found.edges}
    assert thin == {
        "x -> y = x.exp()": False,
        "mask -> y = y * mask": True,
        "y = x.exp() -> y = y * mask": True,
        "y = x.exp() -> y = -y": True,
        "y = y * mask -> return y": True,
        "y = -y -> return y": True,
    }


def test_a_loop_hands_on_what_it_reads_before_it_binds_it(tmp_path: Path) -> None:
    found = sketch_of(
        tmp_path,
        """
        def f(x, rows):
            for row in rows:
                y = x * row
                x = y + 1
            return x
        """,
    )
    assert arrows(found)[-2:] == ["x = y + 1 -> for row in rows", "for row in rows -> return x"]
    assert [node.names for node in found.nodes if node.kind == "again"] == [("x",)]


def test_a_branch_that_returns_hands_nothing_on(tmp_path: Path) -> None:
    found = sketch_of(
        tmp_path,
        """
        def f(x, quick=None):
            if quick:
                y = x.exp()
                return y
            y = x.cos()
            return y
        """,
    )
    assert "y = x.exp() -> return y" in arrows(found) and "y = x.cos() -> return y" in arrows(found)
    assert len(found.edges) == 4


def test_containers_comprehensions_and_closures_hand_on_what_they_hold(tmp_path: Path) -> None:
    found = sketch_of(
        tmp_path,
        """
        def f(x, layers):
            parts = []
            for layer in layers:
                z = layer(x)
                parts.append(z)
            def scaled(v):
                return v * x
            y = torch.cat([scaled(part) for part in parts])
            return {"y": y}
        """,
    )
    drawn = arrows(found)
    assert "z = layer(x) -> y = torch.cat([scaled(part) for part in parts])" in drawn
    assert "x -> y = torch.cat([scaled(part) for part in parts])" in drawn


@pytest.mark.parametrize("code", ["def f(self):\n    return 3", "def f(n: int):\n    m = n + 1\n    return m"])
def test_a_function_without_data_is_no_drawing(tmp_path: Path, code: str) -> None:
    with pytest.raises(FlowError, match="nothing comes of an argument"):
        sketched(source(tmp_path, code).find("m.code.f"))
