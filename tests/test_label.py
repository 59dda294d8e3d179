"""Words of a box: whole where they fit, honestly shortened where they don't."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutaway.diagrams.graph.graph import Node
from cutaway.diagrams.layout.label import fit, label

VIEW = "q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)"


@pytest.mark.parametrize(
    ("code", "width", "lines"),
    [
        ("att @ v", 20, ["att @ v"]),
        (VIEW, 70, [VIEW]),
        (VIEW, 50, ["q = q.view(B, T, self.n_head, C // self.n_head)", "  .transpose(1, 2)"]),
        (VIEW, 22, ["q = q.view(B, T, …)", "  .transpose(1, 2)"]),
        ("loss = F.cross_entropy(a, reduction='m(x, y)')", 40, ["loss = F.cross_entropy(a,", "  reduction='m(x, y)')"]),
        ("wonderfully_long_name", 12, ["wonderfully_", "long_name"]),
    ],
)  # fmt: skip
def test_code_is_broken_where_it_hurts_least(code: str, width: int, lines: list[str]) -> None:
    assert fit(code, width, 2)[0] == lines


ATOMS = st.sampled_from(["x", "self.n_head", "-1", "'a, b'", "dim=2", "logits"])
CODES = st.recursive(
    ATOMS,
    lambda part: st.one_of(
        st.builds("{}.view({})".format, ATOMS, part),
        st.builds("f({}, {}, {})".format, part, part, part),
        st.builds("{} @ {}".format, part, part),
        st.builds("x[{}]".format, part),
    ),
    max_leaves=8,
)


@given(CODES, st.integers(10, 60))
def test_what_is_left_is_the_code_with_dots(code: str, width: int) -> None:
    lines, broken = fit(code, width, 2)
    assert all(len(line) <= width for line in lines)
    pattern = "".join(".+" if part == "…" else re.escape(part) for part in re.split("(…)", _bare("".join(lines))))
    assert broken or re.fullmatch(pattern, _bare(code))


def _bare(code: str) -> str:
    return code.replace(" ", "")


def test_sizes_are_found_in_the_words() -> None:
    node = Node(0, "step", "q", ("q",), (), ("1", "3", "11", "16"), ("B", "H", "T", "D"))
    wide, narrow = label(node, 40), label(node, 20)
    assert wide.lines == ("q", "(1, 3, 11, 16)  B H T D")
    assert narrow.lines == ("q", "(1, 3, 11, 16)", " B  H  T   D")
    for made in (wide, narrow):
        assert [made.lines[s.row][s.start : s.end] for s in made.sizes] == [
            "1",
            "3",
            "11",
            "16",
            "B",
            "H",
            "T",
            "D",
        ]


def test_repetition_is_said() -> None:
    assert label(Node(0, "module", "x = block(x)", times=3), 40).lines == ("x = block(x)  × 3",)
    again = Node(0, "again", "for _ in range(n)", ("idx",), times=6)
    assert label(again, 40).lines == ("for _ in range(n)", "idx: again, × 6")
