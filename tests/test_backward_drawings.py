"""Drawings of the way back: what a gradient reaches in a drawing is what a change of that gradient reaches in torch."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recorded
import torch
import torchgen
from test_gradients import FOREIGN, IDS, trace_of

from cutaway.diagrams.graph.backward import turned
from cutaway.diagrams.graph.flow import flow
from cutaway.diagrams.graph.graph import Graph
from cutaway.diagrams.graph.rules import MOVED, MOVES, REPEATED, RULES, rule_of
from cutaway.diagrams.layout.canvas import draw
from cutaway.diagrams.words import describe
from cutaway.runs import gradients as recording
from cutaway.runs.gradients import gradients
from cutaway.runs.recorder import Recorder
from cutaway.trace.reading import Call, Record

ATTENTION = """
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.c_attn, self.c_proj = nn.Linear(8, 24), nn.Linear(8, 8)
            self.dropout = nn.Dropout(0.2)

        def forward(self, x):
            q, k, v = self.c_attn(x).split(8, dim=2)
            scores = q @ k.transpose(-2, -1) / 8 ** 0.5
            weights = torch.softmax(scores.masked_fill(torch.ones(3, 3).triu(1) == 1, float("-inf")), dim=-1)
            count = torch.arange(3)
            y = self.dropout(weights) @ v
            return self.c_proj(y) + x

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.attn, self.norm = nn.Embedding(5, 8), Attention(), nn.LayerNorm(8)

        def forward(self, ids):
            x = self.attn(self.table(ids))
            logits = self.norm(x) @ self.table.weight.t()
            loss = torch.nn.functional.cross_entropy(logits.view(-1, 5), ids.view(-1))
            return logits, loss

    def loss(model, ids):
        return model(ids)[1]
"""
CASES = [(FOREIGN, "Mixer"), (FOREIGN, "Model"), (ATTENTION, "Attention"), (ATTENTION, "Model")]


class Passed:
    """A pass with gradients; something is added to what arrives at the tensor of the number ``kick``."""

    def __init__(self, folder: Path, code: str, kick: int = -1) -> None:
        torch.manual_seed(1)
        recorder = Recorder()
        self.source, names = recorded.compiled(folder, code, recorder)
        model = names["model"].double().eval()
        plain = recording._Back._arrive

        def arrive(back: Any, number: int, grad: Any) -> Any:
            plain(back, number, grad)
            self.heard = dict(back._heard)  # of a record of the pass the number of its tensor, or a list
            return grad + torch.rand(grad.shape, dtype=grad.dtype) + 0.5 if number == kick else None

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(recording._Back, "_arrive", arrive)
            with gradients(recorder, "forward", model) as of:
                of(names["loss"](model, IDS))
        self.trace = trace_of(recorder)

    def backwards(self, name: str) -> tuple[Graph, Call]:
        """The way back through the first call of a module's forward."""
        obj = self.source.find(f"m.code.{name}.forward")
        call = self.trace.calls(obj.dotted, "forward")[0]
        return turned(flow(obj, self.trace, call), self.trace, call), call

    def arrived(self, graph: Graph, call: Call) -> dict[int, list[Any]]:
        """Of each box the gradients by what it gave."""
        twin = self.trace.calls(call.function, "forward-grad")[self.trace.calls(call.function, "forward").index(call)]
        found: dict[int, list[Any]] = {node.id: [] for node in graph.nodes}
        for record in self.trace.records(twin):
            for box in boxes_of(graph, record):
                values = record.value.items or (record.value,)
                found[box] += [value.array() for value in values if value.type == "tensor"]
        return found

    def numbers(self, graph: Graph, call: Call) -> dict[int, set[int]]:
        """Of each box the numbers of the tensors that it gave."""
        found: dict[int, set[int]] = {node.id: set() for node in graph.nodes}
        for record in self.trace.records(call):
            heard = self.heard.get(record.index, [])
            for box in boxes_of(graph, record):
                found[box].update(n for n in (heard if isinstance(heard, list) else [heard]) if n is not None)
        return found


def boxes_of(graph: Graph, record: Record) -> list[int]:
    """The boxes that stand for just the place of a record; of what is returned, those of its parts."""
    at, is_return = record.site.span, record.site.kind == "return"
    exact = [node.id for node in graph.nodes if node.kind != "input" and at in node.spans and not is_return]
    results = [node for node in graph.nodes if node.kind == "input" and is_return and not record.value.items]
    return exact + [node.id for node in results if any(at.contains(span) for span in node.spans)]


def reached_from(graph: Graph, begun: set[int]) -> set[int]:
    found, pending = set[int](), list(begun)
    while pending:
        now = pending.pop()
        new = {edge.target for edge in (*graph.edges, *graph.back) if edge.source == now} - found
        found |= new
        pending += new
    return found


@pytest.mark.parametrize(("code", "name"), CASES)
def test_a_changed_gradient_reaches_what_the_drawing_says_and_nothing_else(
    tmp_path: Path, code: str, name: str
) -> None:
    plain = Passed(tmp_path, code)
    graph, call = plain.backwards(name)
    before, numbers = plain.arrived(graph, call), plain.numbers(graph, call)
    known = {box for box in numbers if numbers[box]}  # what is written in place has no tensor of its own place
    assert len(known) >= 4, graph.nodes
    for number in set().union(*numbers.values()):
        after = Passed(tmp_path, code, number).arrived(graph, call)
        pairs = {box: list(zip(before[box], after[box], strict=True)) for box in before}
        changed = {box for box, all in pairs.items() if not all_close(all)}
        own = {box for box in numbers if number in numbers[box]}
        expected = (reached_from(graph, own) & known) - own
        where = number, [graph.nodes[box].code for box in own]
        assert changed - own <= expected, where
        assert graph.back or changed - own == expected, where  # of a loop's rounds a first one reaches no later one


def all_close(pairs: list[tuple[Any, Any]]) -> bool:
    return all(np.allclose(one, other, rtol=1e-9, atol=1e-12) for one, other in pairs)


def test_a_box_says_the_rule_and_the_parameters_that_get_a_gradient(tmp_path: Path) -> None:
    graph, _ = Passed(tmp_path, ATTENTION).backwards("Attention")
    rules = {node.code.split(" = ")[0]: node.rule for node in graph.nodes}
    assert rules["self.c_attn(x)"] == f"{RULES['Addmm']}; weight.grad: (24, 8); bias.grad: (24)"
    assert rules["weights"] == f"{RULES['Softmax']}; {RULES['MaskedFill']}"
    assert rules["gradient by x"] == "sum over its 2 uses"
    assert "count" not in " ".join(rules)
    text = draw(graph).text
    assert "weight.grad: (24, 8)" in text and max(map(len, text.split("\n"))) <= 78
    words = describe(graph)
    assert words[0] == "The gradient by the result comes in: 2 by 3 by 8."
    assert words[-1].startswith("Out goes the gradient by x, from step") and "sum over its 2 uses" in words[-1]


def test_a_table_that_is_read_twice_gets_a_gradient_at_both_places(tmp_path: Path) -> None:
    graph, _ = Passed(tmp_path, ATTENTION).backwards("Model")
    assert sum("weight.grad: (5, 8)" in node.rule for node in graph.nodes) == 2
    assert "gradient by logits" not in {node.code for node in graph.nodes}  # it comes from the loss, beside which it is


def test_a_pass_without_gradients_and_a_call_that_none_reached_say_so(tmp_path: Path) -> None:
    code = "class Model(nn.Module):\n    def forward(self, x):\n        return x * 2\n"
    source, trace = recorded.record(tmp_path, code, lambda names: names["model"](torch.ones(2)))
    obj = source.find("m.code.Model.forward")
    call = trace.calls(obj.dotted)[0]
    with pytest.raises(LookupError, match=r"'test\.forward' was recorded without gradients: no pass of this run has"):
        turned(flow(obj, trace, call), trace, call)


def test_what_is_broadcast_or_expanded_is_summed_on_the_way_back(tmp_path: Path) -> None:
    code = """
        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.table = nn.Embedding(5, 4)

            def forward(self, ids):
                x = self.table(ids)
                row = x[:, :1]
                copies = row.expand(2, 3, 4)
                y = x + row
                z = y * copies
                return z.sum()

        def loss(model, ids):
            return model(ids)
    """
    graph, _ = Passed(tmp_path, code).backwards("Model")
    rules = {node.code.split(" = ")[0]: node.rule for node in graph.nodes}
    assert rules["y"].endswith("summed where it was broadcast") and "broadcast" not in rules["z"]
    assert rules["copies"] == REPEATED and rules["row"].startswith("sum over its 2 uses")


def test_rules_are_of_operations_that_torch_differentiates() -> None:
    text = Path(torchgen.__file__).with_name("packaged").joinpath("autograd/derivatives.yaml").read_text("utf-8")
    named = {name.replace("_", "").lower() for name in re.findall(r"^- name: (\w+)", text, re.MULTILINE)}
    named |= {"copyslices", "nllloss", "nllloss2d"}  # a node of its own, and names without their `forward`
    assert {name.lower() for name in RULES.keys() | MOVES} <= named


def test_what_no_rule_is_known_for_has_torchs_name() -> None:
    assert rule_of(["View", "T"]) == MOVED
    assert rule_of(["Cumsum", "View"]) == "torch's Cumsum"
    assert rule_of([]) == "" and not MOVES & RULES.keys()
