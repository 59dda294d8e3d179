"""A pass that its run keeps live: its graph gives every recorded tensor, and one that can't be exported says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recorded

from cutaway.computing.graph import Graph, graph_of
from cutaway.runs.child import _content
from cutaway.runs.keeping import thin, write_arrays
from cutaway.runs.recorder import Recorder
from cutaway.trace.reading import Arrays, Trace, TraceError

CODE = """
class Mixer(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(6, 6)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        y = self.mix(x).tanh()
        y = self.drop(y)
        return y

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(5, 6)
        self.mixers = nn.ModuleList([Mixer(), Mixer()])
        self.register_buffer("mask", torch.tril(torch.ones(9, 9)))

    def forward(self, ids):
        B, T = ids.shape
        x = self.embed(ids)
        for mixer in self.mixers:
            x = x + mixer(x)
        seen = self.mask[:T, :T] @ x
        return seen, seen.mean(-1)
"""
DECIDES = """
class Model(nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            x = x + 1
        return x * 2
"""


def traced(folder: Path, code: str, *given: Any, change: Callable[[Any], object] = id) -> tuple[Recorder, Trace]:
    """The trace of a module's ``Model``, called with these arguments and kept live, after a change if one is given."""
    recorder = Recorder()
    _, names = recorded.compiled(folder, code, recorder)
    model = names["model"].eval()
    with recorder("forward", model):
        model(*given)
    change(model)
    recorder.live("forward", model, *given)
    write_arrays(folder / "t.npz", thin(recorder))
    return recorder, Trace(_content("test", recorder, {"facts": {}, "log": {}}), Arrays(folder / "t.npz"))


def ids(*tokens: int) -> Any:
    import torch

    return torch.tensor([tokens])


def test_every_recorded_tensor_is_a_node(tmp_path: Path) -> None:
    recorder, trace = traced(tmp_path, CODE, ids(1, 0, 4, 2, 3, 1, 1, 0))
    graph = graph_of(trace, "forward")
    assert not recorder.warnings
    assert len(graph.records) > 10
    assert len(graph.found) == len(graph.records)
    assert (graph.T, graph.least, graph.most) == (8, 2, 9)  # the mask has nine positions
    assert [array.tolist() for array in graph.inputs] == [[[1, 0, 4, 2, 3, 1, 1, 0]]]
    assert {node.kwargs["name"] for node in graph.nodes if node.op == "weight"} >= {"embed.weight", "mask"}


def test_equal_numbers_are_told_apart_by_module_and_line(tmp_path: Path) -> None:
    _, trace = traced(tmp_path, CODE, ids(1, 0, 4, 2, 3, 1, 1, 0))
    graph = graph_of(trace, "forward")
    dropped = [record for record in graph.records if record.callee.endswith(".drop")]
    assert [graph.nodes[graph.found[record.index]].op for record in dropped] == ["dropout.default"] * 2
    assert [graph.nodes[graph.found[record.index]].module for record in dropped] == ["mixers.0.drop", "mixers.1.drop"]


def test_weights_are_those_that_ran(tmp_path: Path) -> None:
    _, trace = traced(tmp_path, CODE, ids(1, 0, 4))
    graph = graph_of(trace, "forward")
    by_name = {graph.nodes[number].kwargs["name"]: array for number, array in graph.weights.items()}
    np.testing.assert_array_equal(by_name["embed.weight"], trace.params["embed.weight"].array())


def test_another_model_than_the_recorded_one_is_noticed(tmp_path: Path) -> None:
    import torch

    def change(model: Any) -> None:
        with torch.no_grad():
            model.mixers[1].mix.weight.add_(1)

    _, trace = traced(tmp_path, CODE, ids(1, 0, 4), change=change)
    graph: Graph = graph_of(trace, "forward")
    assert 0 < len(graph.found) < len(graph.records)


def test_what_cant_be_exported_is_a_warning_with_its_reason(tmp_path: Path) -> None:
    import torch

    recorder, trace = traced(tmp_path, DECIDES, torch.ones(1, 4))
    assert len(recorder.warnings) == 1
    assert "can't export Model: " in recorder.warnings[0]
    assert not trace.live
    with pytest.raises(TraceError, match=r"keeps no graph of the pass 'forward': say record.live"):
        graph_of(trace, "forward")


def test_a_pass_comes_first(tmp_path: Path) -> None:
    recorder = Recorder()
    with pytest.raises(ValueError, match="record the pass first"):
        recorder.live("forward", None)
