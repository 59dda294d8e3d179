"""Why a number is what it is: the operands that are told make it, and lead back to inputs and weights."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from test_exported import ids, traced

from cutaway import runs
from cutaway.__main__ import main
from cutaway.cells import Reasons, Recorded
from cutaway.computing import asking
from cutaway.computing.asking import reasons
from cutaway.computing.graph import Graph, graph_of
from cutaway.computing.interpret import UnknownOperation, compare, recorded, run
from cutaway.computing.naming import CellNames, short
from cutaway.computing.telling import sentence
from cutaway.computing.terms import Cell
from cutaway.computing.why import total, why
from cutaway.settings import Book
from cutaway.source.find import Source
from cutaway.trace.names import Names, Place, UnknownName
from cutaway.trace.reading import Trace, load

CELLS = 1000  # of each kind of operation
LED_ON = re.compile(r"other\.[\w.@/#-]+(?:\[[\d,]+\])?")
Index = tuple[int, ...]
# Somebody else's: norms by hand, rotations, fused attention and attention by hand, a tied head.
CODE = """
import torch.nn.functional as F

class Norm(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n))

    def forward(self, x):
        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5)
        return x * self.weight

def rotated(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)

class Attention(nn.Module):
    def __init__(self, is_fused):
        super().__init__()
        self.is_fused = is_fused
        self.qkv, self.out = nn.Linear(8, 24, bias=False), nn.Linear(8, 8)

    def forward(self, x, cos, sin):
        B, T, C = x.shape
        q, k, v = (one.unflatten(-1, (2, 4)).transpose(1, 2) for one in self.qkv(x).split(8, -1))
        q, k = rotated(q, cos, sin), rotated(k, cos, sin)
        if self.is_fused:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            past = torch.ones(T, T, dtype=torch.bool).tril()
            att = torch.where(past, q @ k.transpose(-2, -1) / 2, float("-inf"))
            att = att.softmax(-1)
            y = att @ v
        return self.out(y.transpose(1, 2).reshape(B, T, C))

class Block(nn.Module):
    def __init__(self, is_fused):
        super().__init__()
        self.norm, self.attn, self.ln = Norm(8), Attention(is_fused), nn.LayerNorm(8)
        self.up, self.gate, self.down = nn.Linear(8, 12), nn.Linear(8, 12), nn.Linear(12, 8)

    def forward(self, x, cos, sin):
        x = x + self.attn(self.norm(x), cos, sin)
        h = self.ln(x)
        h = F.silu(self.gate(h)) * F.gelu(self.up(h), approximate="tanh")
        return x + self.down(h)

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(5)
        self.embed = nn.Embedding(7, 8)
        self.blocks = nn.ModuleList([Block(False), Block(True)])
        self.norm = Norm(8)
        self.head = nn.Linear(8, 7, bias=False)
        self.head.weight = self.embed.weight
        self.register_buffer("freq", torch.tensor([1.0, 0.1]))

    def forward(self, ids, targets):
        B, T = ids.shape
        angles = torch.arange(T)[:, None] * self.freq
        cos, sin = angles.cos(), angles.sin()
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x, cos, sin)
        logits = 15 * torch.tanh(self.head(self.norm(x)) / 15)
        return logits, F.cross_entropy(logits.view(-1, 7), targets.view(-1), ignore_index=-1)
"""


@cache
def book() -> Book:
    return Book.read(ROOT / "docs")


@cache
def trace_of(name: str) -> Trace:
    outcome = runs.ensure(book(), lambda line: None, [name])[name]
    assert not outcome.error, outcome.error
    return load(Path(outcome.trace))


@cache
def computed(run_: str, pass_: str) -> tuple[Graph, list[Any]]:
    graph = graph_of(trace_of(run_), pass_)
    return graph, recorded(graph)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> tuple[Graph, list[Any], Source]:
    """Somebody else's model: its graph, what its nodes gave, its source."""
    folder = tmp_path_factory.mktemp("other")
    recorder, trace = traced(folder, CODE, ids(1, 0, 4, 2, 3, 6, 5, 5), ids(-1, -1, 2, 2, 0, 6, 1, 3))
    assert not recorder.warnings
    trace.run = "other"
    graph = graph_of(trace, "forward")
    return graph, recorded(graph), Source({"m": [folder]})


def random_cells(values: list[Any], wanted: list[int], count: int) -> list[tuple[int, Index]]:
    chance, found = random.Random(7), []
    for _ in range(count):
        node = chance.choice(wanted)
        found.append((node, tuple(chance.randrange(size) for size in values[node].shape)))
    return found


def by_operation(graph: Graph, values: list[Any]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, node in enumerate(graph.nodes):
        if isinstance(values[number], np.ndarray) and values[number].size:
            found.setdefault(node.op, []).append(number)
    return found


def assert_sums(graph: Graph, values: list[Any], count: int) -> None:
    """The operands of so many random cells of each operation stand where they are said to, and make the cell."""
    for op, numbers in by_operation(graph, values).items():
        for node, index in random_cells(values, numbers, count):
            found = why(graph, values, node, index)
            assert found.kind != "unknown", op
            again, cell = total(found), found.cell.value
            assert again == cell or abs(again - cell) <= 1e-5 * graph_scale(values[node]), (op, node, index)
            for one in operands(found):
                assert np.asarray(values[one.node])[one.index] == one.value


def graph_scale(array: np.ndarray) -> float:
    return float(np.abs(array[np.isfinite(array)].astype("f8")).max(initial=0)) or 1.0


def operands(found: Any) -> list[Cell]:
    return [cell for term in found.terms for cell in (term.cell, term.by) if cell and cell.node >= 0]


# The numbers


@pytest.mark.parametrize(("run_", "pass_"), [("sort", "forward"), ("prose", "inference")])
def test_numpy_computes_what_was_recorded(run_: str, pass_: str) -> None:
    graph, _ = computed(run_, pass_)
    assert len(graph.found) == len(graph.records) > 200
    worst, _ = compare(graph, run(graph, graph.inputs))
    assert worst < 2e-5


@pytest.mark.parametrize(("run_", "pass_"), [("sort", "forward"), ("prose", "inference")])
def test_the_sums_behind_a_thousand_cells_of_each_operation_are_the_cells(run_: str, pass_: str) -> None:
    assert_sums(*computed(run_, pass_), CELLS if run_ == "sort" else CELLS // 10)


def test_so_it_is_with_somebody_else_s_model(other: tuple[Graph, list[Any], Source]) -> None:
    graph, values, _ = other
    assert len(graph.found) == len(graph.records) > 80
    worst, node = compare(graph, run(graph, graph.inputs))
    assert worst < 2e-5, graph.nodes[node]
    assert_sums(graph, values, CELLS // 5)


def test_what_is_told_of_is_what_was_recorded() -> None:
    graph, values = computed("sort", "forward")
    for node, records in graph.where.items():
        assert values[node] is records[0].value.array() or graph.nodes[node].op in ("weight", "input")


def ways_back(graph: Graph, values: list[Any], begin: list[int], count: int) -> Counter[str]:
    """The kinds of what stands at the ends of random ways back."""
    ends: Counter[str] = Counter()
    chance = random.Random(3)
    for node, index in random_cells(values, begin, count):
        cell, steps = Cell(node, index, 0.0), 0
        while (found := why(graph, values, cell.node, cell.index)).terms:
            cell = chance.choice(operands(found))
            steps += 1
            assert steps < 200
        ends[found.kind] += 1
    return ends


def test_every_way_back_ends_at_a_letter_a_weight_or_a_constant(other: tuple[Graph, list[Any], Source]) -> None:
    graph, values = computed("sort", "forward")
    ends = ways_back(graph, values, [155], 60) + ways_back(graph, values, [48], 60)
    assert ends.keys() == {"weight", "input"}
    assert ends["weight"] > 10
    assert ways_back(*other[:2], [len(other[0].nodes) - 1], 100).keys() <= {"weight", "input", "constant"}


def test_a_changed_weight_is_felt_by_exactly_those_whose_way_back_holds_it() -> None:
    graph, values = computed("sort", "forward")
    weight = next(n for n, node in enumerate(graph.nodes) if node.kwargs.get("name") == "transformer.h.2.mlp.c_fc.bias")

    def nudged(value: Any) -> Any:
        return value + np.where(np.arange(value.size) == 3, 0.5, 0).astype("f4")

    before, after = run(graph, graph.inputs), run(graph, graph.inputs, {weight: nudged})
    made = next(n for n, node in enumerate(graph.nodes) if f"%{weight}" in node.args)
    for column in range(6):
        found = why(graph, values, made, (0, 4, column))
        has_it = any(term.cell.node == weight and term.cell.index == (3,) for term in found.terms)
        assert has_it == (column == 3)
        assert (after[made][0, 4, column] != before[made][0, 4, column]) == has_it


def test_of_fused_attention_the_shares_are_told_though_no_node_has_them(other: tuple[Graph, list[Any], Source]) -> None:
    graph, values, _ = other
    [node] = [n for n, one in enumerate(graph.nodes) if one.op.startswith("scaled_dot")]
    found = why(graph, values, node, (0, 1, 3, 2))
    shares = [term.by.value for term in found.terms if term.by]
    assert len(shares) == 8
    assert sum(shares) == pytest.approx(1)
    assert shares[4:] == [0, 0, 0, 0]


def test_places_count_from_the_end_too_and_others_are_refused() -> None:
    graph, values = computed("sort", "forward")
    assert why(graph, values, 71, (0, -1, -6, 2)).cell.index == (0, 2, 5, 2)
    for index in ((0, 0, 5), (0, 0, 5, 11), (0, 0, 5, -12)):
        with pytest.raises(IndexError):
            why(graph, values, 71, index)


def test_it_is_plain_data_as_pages_have_it() -> None:
    graph, values = computed("sort", "forward")
    product = why(graph, values, 65, (0, 0, 5, 2)).data()
    assert product.keys() == {"node", "index", "value", "op", "kind", "terms", "numbers"}
    assert product["terms"][0].keys() == {"role", "node", "index", "value", "part", "with"}
    mask = why(graph, values, 70, (0, 0, 1, 2)).data()
    assert mask["numbers"] == {"fill": float("-inf"), "when": 1}
    assert (mask["terms"][0]["role"], mask["terms"][0]["value"]) == ("mask", 1)
    for node, index in random_cells(values, list(by_operation(graph, values)["layer_norm.default"]), 5):
        json.dumps(why(graph, values, node, index).data(), allow_nan=False)


# In words


def test_reasons_are_told_with_names_to_ask_on() -> None:
    said = reasons(trace_of("sort"), {}, book().source, "sort.forward/h.0.attn/att[0, 0, 5, 2]")
    assert "(B=0, H=0, T=5, T=2)" in said
    assert "nanogpt/model.py:77: att = F.softmax(att, dim=-1)" in said
    assert re.search(r"e to the .+, divided by .+, the sum of the row; 5 of its 11 numbers are -inf", said)
    assert re.search(r"exp\((\S+) - \S+\) / \S+ = 0\.\d+", said)
    rows = re.findall(r"exp\(.+\) = (\S+) +sort\.forward/h\.0\.attn/att@1\[0,0,5,\d\]", said)
    assert len(rows) == 6
    assert rows == sorted(rows, key=float, reverse=True)
    before = reasons(trace_of("sort"), {}, book().source, "sort.forward/h.0.attn/att@1[0,0,5,2]")
    assert "not masked" in before


def test_a_product_tells_the_largest_parts_and_how_many_more() -> None:
    said = reasons(trace_of("sort"), {}, book().source, "sort.forward/h.0.attn/y[0,5,3]")
    assert "the sum of 48 products and a bias" in said
    parts = [abs(float(part)) for part in re.findall(r" \* \S+ = (\S+) +sort", said)]
    assert parts == sorted(parts, reverse=True)
    assert len(re.findall(r"^ .+   sort\.\S+", said, re.MULTILINE)) == 16
    assert "... and 33 more" in said
    factors = r"sort\.forward/h\.0\.attn/y@1\[0,5,\d+\] \* sort\.params/h\.0\.attn\.c_proj\.weight\[3,\d+\]"
    assert re.search(factors, said)


def test_a_number_that_only_moved_is_told_where_it_was_made() -> None:
    said = reasons(trace_of("sort"), {}, book().source, "sort.forward/h.0.attn/q[0,1,5,2]")
    assert "the same number as c_attn[0,5,18]" in said
    assert "the sum of 48 products and a bias" in said


def test_the_last_operands_are_told_as_what_they_are(other: tuple[Graph, list[Any], Source]) -> None:
    def said(name: str) -> str:
        return reasons(trace_of("sort"), {}, book().source, name)

    assert "the token 0 of the input, the letter A" in said("sort.forward/idx[0,2]")
    assert "-1 in the input: no token, nothing is asked here" in said("sort.forward/targets[0,0]")
    assert "a weight of the model, learned in training" in said("sort.params/h.0.attn.c_attn.weight[3, 7]")
    graph, _, source = other
    buffer = next(n for n, node in enumerate(graph.nodes) if node.kwargs.get("name") == "freq")
    assert "a constant of the model" in reasons(graph.trace, {}, source, f"other.forward#{buffer}[1]")
    picked = said("sort.forward/tok_emb[0,1,2]")
    assert "picked from a table by 1" in picked
    assert "sort.params/wte.weight[1,2]" in picked
    assert "sort.forward/idx[0,1]" in picked


def names_told(text: str) -> Iterator[str]:
    yield from LED_ON.findall(text.partition("\n\n")[2])


def test_names_that_are_told_lead_on_to_the_same_number(other: tuple[Graph, list[Any], Source]) -> None:
    graph, values, source = other
    names = CellNames(graph, values, Names({"other": graph.trace}, {}))
    for node, index in random_cells(values, list(chain(*by_operation(graph, values).values())), 150):
        cell = why(graph, values, node, index).cell
        name = names.name(cell)
        said = reasons(graph.trace, {}, source, name)
        assert said.splitlines()[0].endswith(f" = {asking.shown(cell.value)}")
        for other_name in list(names_told(said))[:3]:
            assert reasons(graph.trace, {}, source, other_name)
    for held, given in ((graph, values), computed("sort", "forward")):
        called = CellNames(held, given, Names({held.trace.run: held.trace}, {}))
        bound = {held.node_of(record) for record in held.records if record.site.kind == "bind"} - {None}
        assert all(called.of_node(node) for node in bound)


def test_equal_values_of_two_modules_are_told_apart_by_the_module() -> None:
    graph, _ = computed("sort", "forward")
    dropped = [r for r in graph.records if r.site.name == "y" and r.site.kind == "bind"]
    for record in dropped:
        path = record.call.module_path.removeprefix("transformer.")
        assert f"sort.forward/{path}/" in reasons(trace_of("sort"), {}, book().source, f"sort/{path}/y[0,1,2]")


def test_tails_of_module_paths_are_one_path_s_alone() -> None:
    paths = ["transformer", "transformer.h.0", "transformer.h.0.attn", "transformer.h.1.attn", "transformer.h.1"]
    assert short("transformer.h.1.attn", paths) == "h.1.attn"
    assert short("transformer.h.1", paths) == "h.1"
    assert short("transformer", paths) == "transformer"
    assert short("a.b.attn", ["a.b.attn", "c.b.attn"]) == "a.b.attn"


def test_a_step_stands_for_its_variable() -> None:
    trace = trace_of("sort")
    record = next(r for r in computed("sort", "forward")[0].records if r.site.name == "att" and r.site.span.line == 77)
    steps = {"the-softmax": Place(record.call.function, record.site.span)}
    said = reasons(trace, steps, book().source, "sort.forward/h.1.attn/the-softmax[0,0,5,2]")
    assert said == reasons(trace, steps, book().source, "sort.forward/h.1.attn/att[0,0,5,2]")
    assert "sort.forward/h.1.attn/att" in said


def test_a_sentence_says_what_and_how() -> None:
    graph, values = computed("sort", "forward")
    node = next(n for n, one in enumerate(graph.nodes) if one.op == "softmax.int")
    said = sentence(graph, values, node, (0, 0, 5, 2))
    assert re.fullmatch(r"att, head 0, row 5, column 2 is 0\.\d+: e to the \S+, divided by \S+, the sum of .*\.", said)
    for numbers in by_operation(graph, values).values():
        for node, index in random_cells(values, numbers, 3):
            assert sentence(graph, values, node, index).endswith(".")


# What can't be told


def test_a_pass_without_a_graph_says_what_a_tensor_was_made_of() -> None:
    said = reasons(trace_of("unmasked"), {}, book().source, "unmasked/h.0.attn/att@2[0, 0, 5, 2]")
    assert re.match(r"unmasked/h.0.attn/att@2\[0,0,5,2\] = 0\.\d+\n  nanogpt/model.py:77: ", said)
    assert "record.live('forward', model, ...)" in said
    assert re.search(r"unmasked\.forward/h\.0\.attn/att@1  \(1, 3, 11, 11\)  nanogpt/model.py:76: ", said)


def test_a_graph_that_cant_be_computed_says_so_and_what_the_tensor_was_made_of(
    other: tuple[Graph, list[Any], Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(graph: Graph) -> list[Any]:
        raise UnknownOperation("no operation wavelet.default (node 3, x)")

    monkeypatch.setattr(asking, "recorded", fail)
    asking._computed.cache_clear()
    said = reasons(other[0].trace, {}, other[2], "other.forward/blocks.0.attn/att[0,0,5,2]")
    asking._computed.cache_clear()
    assert "no operation wavelet.default (node 3, x)" in said
    assert "m/code.py" in said


def test_without_an_index_the_shape_and_how_to_write_one() -> None:
    said = reasons(trace_of("sort"), {}, book().source, "sort/h.0.attn/att")
    assert "(1, 3, 11, 11) (B=1, H=3, T=11, T=11): ask for one number of it, as in sort/h.0.attn/att[0,0,0,0]" in said
    weight = "sort.params/h.0.attn.c_attn.weight"
    assert f"as in {weight}[0,0]" in reasons(trace_of("sort"), {}, book().source, weight)
    assert reasons(trace_of("sort"), {}, book().source, "sort.forward/loss").startswith("loss = ")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sort/h.0.attn/att[0, 0, 5]", r"has the shape \(1, 3, 11, 11\): an index has 4 places, as in \[0,0,0,0\]"),
        ("sort/h.0.attn/att[0, 0, 5, 99]", r"\[0,0,5,99\]' is out of range: the shape is \(1, 3, 11, 11\)"),
        ("sort.forward#9999[0]", "numbered from 0"),
        ("sort.forward#54", "is a list of 3 tensors"),
        ("sort/nonsense[0]", "no step or variable 'nonsense'"),
        ("sort/att[x]", "write RUN.PASS/MODULE/NAME"),
        ("sort.n_params[0]", "is a fact: no operation made it"),
        ("sort.log/loss[0]", "is a series of the log"),
        ("sort/h.0.attn/att.shape[1]", "is a shape"),
        ("sort/h.0.attn/T", "is a scalar and no tensor"),
        ("sort.params/h.0.attn.c_attn.weight[3,99]", "is out of range"),
        ("sort.nowhere/att[0]", "no pass 'nowhere'"),
    ],
)
def test_what_cant_be_asked_is_said(name: str, message: str) -> None:
    with pytest.raises(UnknownName, match=message):
        reasons(trace_of("sort"), {}, book().source, name)


def test_an_operation_that_nobody_wrote_down_is_named() -> None:
    graph, _ = computed("sort", "forward")
    changed = Graph(graph.trace, graph.pass_)
    number = next(n for n, node in enumerate(changed.nodes) if node.op == "softmax.int")
    node = changed.nodes[number]
    changed.nodes[number] = type(node)("wavelet.default", node.args, node.kwargs, node.module, node.line, node.digest)
    with pytest.raises(UnknownOperation, match=r"no operation wavelet.default \(node \d+, att\)"):
        run(changed, changed.inputs)


# The command, and cells


def test_the_command_tells_it(capsys: pytest.CaptureFixture[str]) -> None:
    docs = ["--docs", str(ROOT / "docs"), "why"]
    assert main([*docs, "sort.forward/h.0.attn/att[0,0,5,2]"]) == 0
    assert "divided by" in capsys.readouterr().out
    assert main([*docs, "sort.forward/h.0.attn/att"]) == 0
    assert "ask for one number" in capsys.readouterr().out
    for name, message in (("nobody/att[0]", "no run 'nobody'"), ("sort/att[0,0,0,99]", "out of range"), ("", "no run")):
        assert main([*docs, name]) == 1
        assert message in capsys.readouterr().err


def test_a_cell_asks_its_run_and_shows_the_text_as_it_is() -> None:
    sort = Recorded(book(), runs.ensure(book(), lambda line: None, ["sort"])["sort"])
    said = sort.why("h.0.attn/att[0,0,5,2]")
    assert said == sort.why("sort.forward/h.0.attn/att[0,0,5,2]")
    assert repr(said) == str(said)
    assert said._repr_markdown_() == f"```text\n{said}\n```"
    assert isinstance(said, Reasons)
