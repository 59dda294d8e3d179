"""Drawings that people look at: straight columns, short by-passes, the same places after a small edit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_canvas import graphs
from tracing import read

from cutaway.diagrams.graph.graph import Edge, Graph, Node
from cutaway.diagrams.layout.canvas import draw
from cutaway.diagrams.layout.layers import Lane, layers
from cutaway.diagrams.layout.route import Line, route


def step(number: int, code: str, *names: str, kind: str = "step") -> Node:
    return Node(number, kind, code, names, (), ("1", "11", "48"), ("B", "T", "C"))


ATTENTION = Graph(
    "m.f",
    (
        step(0, "x", "x", kind="input"),
        step(1, "self.c_attn(x)", kind="module"),
        step(2, "q, k, v = ….split(self.n_embd, dim=2)", "q", "k", "v"),
        step(3, "q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)", "q"),
        step(4, "k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)", "k"),
        step(5, "v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)", "v"),
        step(6, "att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))", "att"),
        step(7, "att = F.softmax(att, dim=-1)", "att"),
        step(8, "y = att @ v", "y"),
        step(9, "return y", kind="output"),
    ),
    tuple(
        Edge(*edge)
        for edge in [
            (0, 1), (1, 2), (2, 3, "q"), (2, 4, "k"), (2, 5, "v"),
            (3, 6), (4, 6), (5, 8), (6, 7), (7, 8), (8, 9),
        ]
    ),
)  # fmt: skip
BLOCK = Graph(
    "m.g",
    (
        step(0, "x", "x", kind="input"),
        step(1, "self.ln_1(x)", kind="module"),
        step(2, "self.attn(…)", kind="module"),
        step(3, "x = x + …", "x", kind="add"),
        step(4, "return x", kind="output"),
    ),
    tuple(Edge(*edge) for edge in [(0, 1), (0, 3), (1, 2), (2, 3), (3, 4)]),
)


def test_q_k_and_v_stand_side_by_side_in_this_order() -> None:
    q, k, v = [box for box in read(draw(ATTENTION).lines) if ".view" in box.words[0]]
    assert [box.words[0][0] for box in (q, k, v)] == ["q", "k", "v"]
    assert q.row == k.row == v.row
    assert q.right < k.column and k.right < v.column


def test_attention_has_one_bend_only_where_v_joins() -> None:
    lines = draw(ATTENTION).lines
    boxes = read(lines)
    corners = {
        (y, x)
        for y, line in enumerate(lines)
        for x, character in enumerate(line)
        if character in "┌┐└┘├┤┼" and not any(y in (b.row, b.bottom) and x in (b.column, b.right) for b in boxes)
    }
    assert len(corners) == 2  # v turns to the left, and down into att @ v


def test_a_by_pass_goes_straight_down_into_the_sum() -> None:
    lines = draw(BLOCK).lines
    first, attention, total = (read(lines)[i] for i in (0, 2, 3))
    between = [line[attention.right + 1 :].strip() for line in lines[first.bottom + 2 : total.row - 1]]
    assert set(between) == {"│"}
    assert lines[total.row - 1].count("▼") == 2


@pytest.mark.parametrize("graph", [ATTENTION, BLOCK])
def test_another_step_at_the_end_leaves_all_above_as_it_was(graph: Graph) -> None:
    *nodes, output = graph.nodes
    more = step(output.id, "y = y.exp()", "y")
    edges = [*graph.edges, Edge(more.id, output.id + 1)]
    longer = Graph(graph.function, (*nodes, more, replace(output, id=output.id + 1)), tuple(edges))
    before, after = draw(graph).lines, draw(longer).lines
    last = read(before)[-1].row
    assert after[:last] == before[:last]


def test_a_longer_word_in_a_box_moves_no_other_box() -> None:
    nodes = list(BLOCK.nodes)
    nodes[1] = replace(nodes[1], code="self.ln_one(x)")
    before, after = draw(BLOCK).boxes, draw(replace(BLOCK, nodes=tuple(nodes))).boxes
    assert before == after


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_values_flow_down_through_every_layer_between(graph: Graph) -> None:
    found = layers(graph, {})
    for edge in graph.edges:
        top, bottom = found.layer[edge.source], found.layer[edge.target]
        assert top < bottom
        assert all(Lane(edge.net) in found.rows[i] for i in range(top + 1, bottom))
    assert sorted(item for row in found.rows for item in row if not isinstance(item, Lane)) == [
        node.id for node in graph.nodes
    ]


def test_a_layer_takes_what_it_is_allowed_to() -> None:
    graph = Graph("m.f", tuple(step(i, "x") for i in range(5)), tuple(Edge(0, i) for i in range(1, 5)))
    assert [len(row) for row in layers(graph, {}).rows] == [1, 4]
    boxes = [[i for i in row if not isinstance(i, Lane)] for row in layers(graph, {1: 2, 2: 1}).rows]
    assert boxes == [[0], [1, 2], [3], [4]]


COLUMNS = st.lists(st.integers(0, 30), min_size=2, max_size=12, unique=True)


@given(COLUMNS, st.data())
def test_tracks_never_touch(columns: list[int], data: st.DataObject) -> None:
    half = len(columns) // 2
    tops, bottoms = columns[:half], data.draw(st.permutations(columns))
    lines = [Line(top, tuple(sorted(bottoms[i::half]))) for i, top in enumerate(tops)]
    tracks = route(lines, 78)
    for i, (row, track) in enumerate(tracks):
        for other_row, other in tracks[:i]:
            assert row != other_row or track.span[1] < other.span[0] or other.span[1] < track.span[0]


def test_two_lines_that_swap_columns_make_a_detour() -> None:
    tracks = route([Line(2, (8,)), Line(8, (2,))], 78)
    assert len(tracks) == 3
    assert len({row for row, _ in tracks}) == 3
