"""Whatever the graph: its drawing, read back from the characters, is that graph."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracing import Unreadable, read

from cutaway.diagrams.graph.graph import Edge, Graph, Node
from cutaway.diagrams.layout.canvas import Drawing, draw
from cutaway.diagrams.layout.place import LayoutError

CODES = [
    "x",
    "self.ln_1(x)",
    "a + b",
    "q.view(B, T, n_head, C // n_head).transpose(1, 2)",
    "f(" + "argument, " * 9 + "z)",
]


@st.composite
def graphs(draw_from: st.DrawFn, most: int = 11) -> Graph:
    """Graphs with fan-out, fan-in, long edges, values with names and nodes that stand alone."""
    count = draw_from(st.integers(1, most))
    nodes, edges = [], []
    for i in range(count):
        names = draw_from(st.sampled_from([("y",), (), ("q", "k", "v"), ("a", "long_name")]))
        code = f"n{i} = " + draw_from(st.sampled_from(CODES))
        shape = draw_from(st.sampled_from([None, ("1", "11", "48"), ("1", "3", "11", "6..11")]))
        axes = tuple("BHTD")[: len(shape)] if shape else None
        nodes.append(Node(i, "step", code, names, (), shape, axes))
        for source in draw_from(st.sets(st.integers(0, i - 1), max_size=4)) if i else ():
            given_names = nodes[source].names
            name = draw_from(st.sampled_from(given_names)) if len(given_names) > 1 else ""
            edges.append(Edge(source, i, name, draw_from(st.integers(0, 5)) == 5))
    return Graph("m.f", tuple(nodes), tuple(sorted(edges)))


def number(words: list[str]) -> int:
    return int(words[0].split()[0].removeprefix("n"))


def as_read(drawing: Drawing) -> set[tuple[int, int, str]]:
    boxes = read(drawing.lines)
    numbers = [number(box.words) for box in boxes]
    return {
        (numbers[i], numbers[goal], name)
        for i, box in enumerate(boxes) for name, goals in box.leads_to for goal in goals
    }  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_a_drawing_read_back_is_its_graph(graph: Graph) -> None:
    drawing = draw(graph)
    boxes = read(drawing.lines)
    assert sorted(number(box.words) for box in boxes) == [node.id for node in graph.nodes]
    assert as_read(drawing) == {(edge.source, edge.target, edge.name) for edge in graph.edges}
    thin = any("▽" in line for line in drawing.lines)
    assert thin == any(edge.thin for edge in graph.edges)
    assert max(map(len, drawing.lines)) <= 78
    for box in boxes:  # one line out per value
        names = [name for name, _ in box.leads_to]
        assert sorted(names) == sorted(net.name for net in graph.nets(number(box.words)))


@settings(max_examples=40, deadline=None)
@given(graphs())
def test_boxes_and_sizes_are_where_the_drawing_says(graph: Graph) -> None:
    drawing = draw(graph)
    for box in drawing.boxes:
        rows = [drawing.lines[row][box.column : box.column + box.width] for row in range(box.row, box.row + box.height)]
        assert (rows[0][0], rows[0][-1], rows[-1][0], rows[-1][-1]) == ("┌", "┐", "└", "┘")
        assert rows[1][2:].startswith(f"n{box.node} ")
    for size in drawing.sizes:
        text = drawing.lines[size.row][size.start : size.end]
        assert text == size.axis or text in {"1", "11", "48", "3", "6..11"}


@given(graphs())
@settings(max_examples=20, deadline=None)
def test_the_same_graph_is_drawn_the_same(graph: Graph) -> None:
    assert draw(graph) == draw(graph)


def test_more_values_than_columns_is_an_error_that_says_so() -> None:
    nodes = [Node(i, "step", f"n{i}") for i in range(31)]
    edges = [Edge(i, 30) for i in range(30)]
    with pytest.raises(LayoutError, match="alive side by side"):
        draw(Graph("m.f", tuple(nodes), tuple(edges)))


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        ("┌─┐\n│a│\n└┬┘\n │", "leaves the drawing"),
        ("┌─┐\n│a│\n└┬┘\n ▼", "points at no box"),
        ("┌─┐\n│a│\n└┬┘\n └─", "leaves the drawing"),
        ("┌─┐\n│a│\n└─┘\n │", "belongs to 0 lines"),
        ("┌─┐\n│a│\n└┴┘", "from below"),
    ],
)
def test_the_reader_of_drawings_sees_faults(picture: str, message: str) -> None:
    with pytest.raises(Unreadable, match=message):
        read(picture.split("\n"))
