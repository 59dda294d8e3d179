"""Drawings made by hand: what is sound passes, what is not is named with row and column."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_canvas import graphs

from cutaway.diagrams import hand_drawn
from cutaway.diagrams.graph.graph import Graph
from cutaway.diagrams.layout.canvas import SizeMark, draw

SOUND = """\
┌──────┐     ┌────────┐
│ text │────▶│ tokens │
└──┬───┘     └────────┘
   │   ┌── training ──┐
   └──▶│  a - b       │
       └──────────────┘"""


def problems(text: str) -> list[str]:
    return [str(problem) for problem in hand_drawn.check(text.split("\n"))]


def test_a_sound_drawing_passes() -> None:
    assert problems(SOUND) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("┌──┐\n│a │\n└──┘ ┐", ["row 3, column 6: '┐' meets no line below", "meets no line to its left"]),
        ("┌──┐\n│abc│\n└──┘", ["row 1, column 4: '┐' meets no line below", "row 2, column 5: '│' meets no"]),
        ("┌──┐\n│abc│\n└──┘", ["row 3, column 4: '┘' meets no line above"]),
        ("┌─\t─┐", ["a tab"]),
        ("x" * 79, ["row 1, column 79: the line is 79 columns wide; at most 78 fit"]),
        ("──▶", ["'▶' points at nothing"]),
    ],
)  # fmt: skip
def test_faults_are_named_with_their_place(text: str, expected: list[str]) -> None:
    found = problems(text)
    for message in expected:
        assert any(message in problem for problem in found), found


@settings(max_examples=30, deadline=None)
@given(graphs(most=7))
def test_a_computed_drawing_is_sound(graph: object) -> None:
    assert hand_drawn.check(draw(graph).lines) == []  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_box_with_a_corner_missing_is_never_sound(data: st.DataObject) -> None:
    lines = [list(line) for line in SOUND.split("\n")]
    corners = [(y, x) for y, line in enumerate(lines) for x, c in enumerate(line) if c in "┌┐└┘"]
    row, column = data.draw(st.sampled_from(corners))
    lines[row][column] = data.draw(st.sampled_from(" x┼"))
    assert hand_drawn.check(["".join(line) for line in lines])


def test_links_stand_after_a_blank_line() -> None:
    lines, links = hand_drawn.split(["", *SOUND.split("\n"), "", "text -> data/text", "tokens -> tokens"])
    assert lines == SOUND.split("\n")
    assert [(link.label, link.target, link.row) for link in links] == [
        ("text", "data/text", 9),
        ("tokens", "tokens", 10),
    ]


def test_the_box_around_a_word_is_found() -> None:
    lines = SOUND.split("\n")
    assert hand_drawn.around(lines, 1, lines[1].index("tokens")) == (0, 13, 3, 10)
    assert hand_drawn.around(lines, 4, lines[4].index("a - b")) == (3, 7, 3, 16)
    assert hand_drawn.around(lines, 3, 0) is None


def marks(sizes: Iterable[SizeMark]) -> set[tuple[int, int, int, str]]:
    return {(mark.row, mark.start, mark.end, mark.axis) for mark in sizes if mark.axis not in ("", "1", "?")}


@settings(max_examples=60, deadline=None)
@given(graphs(most=5))
def test_sizes_have_the_letters_that_computed_ones_have(graph: Graph) -> None:
    drawing = draw(graph)
    assert marks(hand_drawn.sizes(drawing.lines)) == marks(drawing.sizes)


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("│ (5, 7, 12)  B T C │", {"5": "B", "7": "T", "12": "C"}),
        ("│ 2 × (5, 3..9)  B T │", {"5": "B", "3..9": "T"}),
        ("│ (35, 36)  B*T 3C │", {"35": "B*T", "36": "3C"}),
        ("│ (5, 3, 7) │\n│  B  H  T  │", {"5": "B", "3": "H", "7": "T"}),
        ("│ (5, 7) B T │", {}),  # words
        ("│ (5, 7)  B │", {}),
        ("│ f(5, 7) │\n│ THEN │", {}),
    ],
)
def test_letters_beside_sizes_are_theirs(text: str, letters: dict[str, str]) -> None:
    lines = text.split("\n")
    found = {lines[mark.row][mark.start : mark.end]: mark.axis for mark in hand_drawn.sizes(lines)}
    assert {size: letter for size, letter in found.items() if size[0].isdigit() and size != letter} == letters
