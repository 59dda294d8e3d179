"""What torch has compiled is left alone: it gives what it gives unrecorded, and is one box."""

from __future__ import annotations

from pathlib import Path

import pytest
import recorded

from cutaway.runs.recorder import Recorder

CODE = """
    @torch.jit.script
    def scripted(x, y):
        return x * y + 1

    class Part(nn.Module):
        def forward(self, x):
            z = x.cos()
            return z + 1

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.part = torch.jit.script(Part())
            self.other = torch.compile(Part(), backend="eager")

        def forward(self, x):
            a = scripted(x, x + 1)
            b = self.part(a)
            c = self.other(b)
            return c
"""


@pytest.mark.filterwarnings("ignore:.*torch.jit.script. is deprecated:DeprecationWarning")
def test_compiled_parts_are_boxes_and_give_the_same(tmp_path: Path) -> None:
    import torch

    given: list[torch.Tensor] = []
    x = torch.arange(3.0)
    graph = recorded.graph(tmp_path, CODE, lambda names: given.append(names["model"](x)), "Model.forward")
    codes = [node.code for node in graph.nodes]
    assert codes == ["x", "a = scripted(x, x + 1)", "b = self.part(a)", "c = self.other(b)", "return c"]
    assert [(edge.source, edge.target) for edge in graph.edges] == [(0, 1), (1, 2), (2, 3), (3, 4)]
    _, names = recorded.compiled(tmp_path, CODE, Recorder())
    assert torch.equal(given[0], names["model"](x))  # outside of a pass
