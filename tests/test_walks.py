"""A pass in three dimensions: each tensor has its block, none shares space, and cells have their numbers."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from test_exported import ids, traced

from cutaway import runs
from cutaway.__main__ import main
from cutaway.computing.graph import graph_of
from cutaway.computing.interpret import recorded
from cutaway.settings import Book
from cutaway.theme.palette import BY_NAME, rgb
from cutaway.trace.reading import load
from cutaway.walks.beams import LEAST, beamed, looks
from cutaway.walks.camera import CLOSEST, MARGIN, Camera, corners, framing
from cutaway.walks.cast import cast
from cutaway.walks.colours import paints
from cutaway.walks.data import described, stops
from cutaway.walks.layout import Block, Layout, layout, overlapping
from cutaway.walks.panels import Seen, directions
from cutaway.walks.scene import boxes
from cutaway.walks.still import built

BOOK = [("sort", "forward"), ("prose", "inference"), ("ngpt", "inference")]
# No residual stream, no names of a GPT: a tower of products and two ways that meet.
CODE = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(5, 6)
        self.one, self.other = nn.Linear(6, 4), nn.Linear(6, 4)
        self.last = nn.Linear(4, 3)

    def forward(self, ids):
        x = self.embed(ids)
        y = self.one(x) * torch.sigmoid(self.other(x))
        return self.last(y)
"""


@cache
def walk(run: str, pass_: str) -> tuple[Seen, Layout]:
    book = Book.read(ROOT / "docs")
    outcome = runs.ensure(book, lambda _: None, [run])[run]
    return built(graph_of(load(Path(outcome.trace)), pass_))


@pytest.fixture(params=BOOK, ids=[run for run, _ in BOOK])
def book_walk(request: pytest.FixtureRequest) -> tuple[Seen, Layout]:
    return walk(*request.param)


def of(found: Layout, node: int) -> list[Block]:
    return [block for block in found.blocks if block.of == node and block.kind != "weight"]


def test_no_two_blocks_share_space(book_walk: tuple[Seen, Layout]) -> None:
    assert overlapping(book_walk[1].blocks) == []


def test_blocks_that_are_moved_into_each_other_are_told(book_walk: tuple[Seen, Layout]) -> None:
    one, other = book_walk[1].blocks[:2]
    assert overlapping([one, dataclasses.replace(other, at=one.at)])


def test_every_recorded_tensor_that_an_operation_made_has_a_block(book_walk: tuple[Seen, Layout]) -> None:
    seen, found = book_walk
    drawn = {block.of for block in found.blocks}
    made = {seen.origin(node) for node in seen.graph.where if node in seen.moving and seen.is_tensor(node)}
    assert made - drawn == set()


def test_arrows_lead_down_or_to_the_right(book_walk: tuple[Seen, Layout]) -> None:
    seen, found = book_walk
    for number, taken in seen.taken.items():
        (left, top), rights = of(found, number)[0].at[:2], [block.at[0] for block in of(found, number)]
        for one in taken:
            before = of(found, one)[0].at
            assert before[0] < left or before[1] < top or before[0] < max(rights), (number, one)


def test_a_block_has_the_numbers_of_its_tensor(book_walk: tuple[Seen, Layout]) -> None:
    """Each number of a value is in exactly one cell of its panel, and those of one axis stand in one direction."""
    seen, found = book_walk
    for node in {block.node for block in found.blocks if block.kind == "value"}:
        blocks = [block for block in found.blocks if block.node == node]
        places = [
            block.grid.offset + x * block.grid.strides[0] + y * block.grid.strides[1]
            for block in blocks
            for x in range(block.cells[0])
            for y in range(block.cells[1])
        ]
        assert sorted(places) == list(range(np.size(seen.values[node])))


def test_weights_beside_queries_are_the_rows_that_made_them() -> None:
    """Column and row of a cell, multiplied and summed, give its number: of c_attn, whose rows are parted by head."""
    seen, found = walk("sort", "forward")
    node = next(n for n in seen.shown if seen.graph.nodes[n].op.startswith("linear"))
    x = np.asarray(seen.values[seen.taken[node][0]])[0]
    for block in of(found, node):
        flat = np.asarray(seen.values[block.node]).reshape(-1)
        (matrix,) = (b for b in found.blocks if b.beside == node and b.cells[0] > 1 and b.at[2] == block.at[2]
                     and b.cells[1] == block.cells[1] and 0 < block.at[0] - b.at[0] < 80)  # fmt: skip
        (bias,) = (b for b in found.blocks if b.beside == node and b.cells[0] == 1 and b.at[2] == block.at[2]
                   and 0 < block.at[0] - b.at[0] < 30)  # fmt: skip
        weights, shifts = (np.asarray(seen.values[one.node]).reshape(-1) for one in (matrix, bias))
        for t, y in np.ndindex(*block.cells):
            row = weights[matrix.grid.offset + y * matrix.grid.strides[1] :][: matrix.cells[0]]
            made = row @ x[t] + shifts[bias.grid.offset + y * bias.grid.strides[1]]
            number = flat[block.grid.offset + t * block.grid.strides[0] + y * block.grid.strides[1]]
            assert made == pytest.approx(number, abs=1e-4)


def test_the_residual_stream_is_the_spine() -> None:
    seen, found = walk("sort", "forward")
    sums = [n for n in seen.shown if seen.graph.nodes[n].op == "add.Tensor"]
    assert set(sums) <= set(found.spine)
    assert [seen.graph.label(n) for n in found.spine][-2:] == ["logits", "loss"]


def test_repeated_layers_look_alike() -> None:
    _, found = walk("prose", "inference")
    layers = [column for column in found.columns if column[0]]
    shapes = {name: (round(right - left, 3), bottom) for name, left, _, right, bottom in layers}
    assert len(layers) == 4 and len(set(shapes.values())) == 1, shapes


def test_another_s_model_without_a_stream_is_laid_out(tmp_path: Path) -> None:
    _, trace = traced(tmp_path, CODE, ids(3, 1, 4, 1, 2))
    graph = graph_of(trace, "forward")
    seen, found = built(graph)
    assert overlapping(found.blocks) == []
    assert {block.of for block in found.blocks if block.kind == "value"} == {*seen.shown}


def test_the_same_walk_twice() -> None:
    seen, found = walk("sort", "forward")
    again = layout(Seen(seen.graph, recorded(seen.graph)))
    assert again == found and described(seen, again, {}, {}) == described(seen, found, {}, {})


def test_stops_are_in_the_order_in_which_they_ran(book_walk: tuple[Seen, Layout]) -> None:
    seen, found = book_walk
    order = stops(seen, found)
    place = {node: at for at, node in enumerate(order)}
    assert all(place[one] < place[node] for node in seen.shown for one in seen.taken[node])


def test_time_runs_across_and_heads_into_the_depth() -> None:
    assert directions(("B", "H", "T", "T"), (1, 3, 11, 11), 11) == (3, 2, [1])
    assert directions(("B", "T", "C"), (1, 11, 48), 11) == (1, 2, [])
    assert directions(("", "", ""), (1, 11, 48), 11) == (1, 2, [])
    assert directions((), (), 11) == (None, None, [])


sizes = st.tuples(*[st.floats(1, 500)] * 3)


@given(sizes, sizes, st.floats(0.5, 2.5), st.floats(-1, 1), st.floats(-1, 1))
def test_a_framed_box_is_seen_whole_and_fills_the_picture(
    low: tuple[float, float, float], size: tuple[float, float, float], aspect: float, yaw: float, pitch: float
) -> None:
    high = tuple(a + b for a, b in zip(low, size, strict=True))
    width, height = round(1000 * aspect), 1000
    camera = framing(low, high, width / height, yaw, pitch)
    points = camera.project(corners(low, high), width, height)
    away = np.abs(points[:, :2] - [width / 2, height / 2]) / [width / 2, height / 2]
    most = 1 / MARGIN  # of the way from the middle to an edge
    assert away.max() <= most * 1.000001
    if points[:, 2].min() > 1.01 * CLOSEST * camera.far:  # as near as it may be
        assert away.max() == pytest.approx(most)


def test_a_ray_meets_the_cell_that_is_projected_there() -> None:
    """The colour at a projected cell's centre is the cell's, seen from the front and near."""
    seen, found = walk("sort", "forward")
    paint = paints("dark")
    block = max((b for b in found.blocks if b.kind == "value"), key=lambda b: b.cells[1])
    (box,) = [b for b, of_ in zip(boxes(seen, found, paint), found.blocks, strict=False) if of_ is block]
    camera = Camera((block.at[0] + 5.5, block.at[1] + 6.0, block.at[2] + 3), 0.0, 0.0, 40.0)
    picture = cast([box], camera, paint, (400, 400), 1)
    for x, y in ((3, 3), (5, 6), (8, 9)):
        at = np.array([[block.at[0] + x + 0.5, block.at[1] + y + 0.5, block.at[2] + 3.0]])
        column, row, _ = camera.project(at, 400, 400)[0]
        assert box.numbers is not None
        number = float(np.clip(box.numbers[x, y] / box.most, -1, 1))
        wanted = np.array(rgb(BY_NAME["dark"].sign(number))) * 255
        assert np.abs(picture[round(row - 0.5), round(column - 0.5)] - wanted).max() < 2


def test_attention_is_a_beam_for_each_weight_between_tokens() -> None:
    """From the column of the token that is looked at, at the upper edge, to that of the one that looks, below."""
    seen, found = walk("sort", "forward")
    sheets = {block.node: block for block in found.blocks if block.node in looks(seen, found) and not block.slice}
    assert [seen.graph.label(node) for node in sheets] == ["att"] * 3
    beams = [box for box in beamed(seen, found, paints("dark")) if box.kind == "beam"]
    count = sum((np.asarray(seen.values[node]) >= LEAST).sum() for node in sheets)
    assert len(beams) == count > 300
    for node, block in sheets.items():
        weights = np.asarray(seen.values[node])[0, 0]
        own = [box for box in beams if box.low[1] == block.at[1] and 0 < box.low[2] - block.at[2] < 4
               and block.at[0] <= box.low[0] < block.at[0] + block.cells[0]]  # fmt: skip
        found_ = {(round((box.low[0] + box.high[0]) / 2 - block.at[0] - 0.5), box.slant): box.dense for box in own}
        wanted = {(key, query - key) for query, key in zip(*np.nonzero(weights >= LEAST), strict=True)}
        assert {*found_} == wanted
        strongest = max(found_, key=lambda one: found_[one])
        assert weights[strongest[0] + int(strongest[1]), strongest[0]] == weights.max()


def test_weights_over_something_else_than_tokens_are_no_beams(tmp_path: Path) -> None:
    code = CODE.replace("torch.sigmoid(self.other(x))", "self.other(x).softmax(-1)")
    _, trace = traced(tmp_path, code, ids(3, 1, 4, 1, 2))
    seen, found = built(graph_of(trace, "forward"))
    assert any(seen.kind(node) == "softmax" for node in seen.shown) and looks(seen, found) == []


def test_the_command_draws_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "walk.png"
    assert main(["--docs", str(ROOT / "docs"), "walk", "sort.forward/h.0.attn/att", "--still", str(target)]) == 0
    assert "193 blocks" in capsys.readouterr().out
    with Image.open(target) as image:
        assert image.size == (960, 540) and len(image.getcolors(1 << 20) or []) > 100


@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        ("sort.forward", "walk.jpg", "a still is a PNG"),
        ("sort.backwards", "walk.png", "keeps no graph of the pass 'backwards'"),
        ("nobody.forward", "walk.png", "no run 'nobody'"),
        ("sort.forward/h.0.attn/nothing", "walk.png", "nothing"),
    ],
)
def test_what_can_t_be_drawn_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, file: str, said: str
) -> None:
    assert main(["--docs", str(ROOT / "docs"), "walk", name, "--still", str(tmp_path / file)]) == 1
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
