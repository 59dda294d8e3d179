"""Drawings made by hand: what is sound passes, what is not is named with row and column."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_canvas import graphs

from cutaway.diagrams import hand_drawn
from cutaway.diagrams.layout.canvas import draw

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
