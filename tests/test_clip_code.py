"""The statements that stand beside a clip: whole lines of the source, the quotation of each step marked in them."""

from pathlib import Path

import pytest

from cutaway.clips import code
from cutaway.source.find import SourceObject, Span, parse
from cutaway.source.quotation import match

TEXT = '''
def attend(q, k, mask):
    """Weights."""
    if mask is not None:
        att = (q @ k.transpose(-2, -1)) * (
            1.0 / q.size(-1) ** 0.5
        )
    return softmax(
        att,
        dim=-1,  # of all that is
        dtype=None,
        other="<é>",
    )
'''


@pytest.fixture
def attend(tmp_path: Path) -> SourceObject:
    path = tmp_path / "small.py"
    path.write_text(TEXT, "utf-8")
    module = parse("small", path)
    return SourceObject("small.attend", module, module.tree.body[0], 2, 13)


QUOTED = ["q @ k.transpose(-2, -1)", "1.0 / q.size(-1)", "softmax(", "is not", 'other="<é>"']


@pytest.mark.parametrize("quotation", QUOTED)
def test_a_quotation_is_marked_where_it_stands(attend, quotation):
    span = match(attend, quotation)
    lines = Span(span.line, 0, span.end_line, 0)
    start, end = code._within(attend, lines, span)
    text = code._text(attend, lines)
    rows = attend.module.lines[span.line - 1 : span.end_line]
    flat = " ".join(" ".join(rows)[span.col : len(" ".join(rows)) - (len(rows[-1]) - span.end_col)].split())
    assert " ".join(text[start:end].split()) == flat and not text.startswith(" ")


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("It is split into heads. A head compares.", True),
        ("The mean, here sort/output-loss. It needs", False),
        ("After heads.steps steps", False),
        (r"Divided by \sqrt{D}", False),
    ],
)
def test_a_note_with_what_its_page_fills_in_is_not_plain(text, is_plain):
    assert code.is_plain(text, ["sort", "heads"]) == is_plain


def test_markup_is_escaped_and_marks_do_not_overlap():
    text = 'x = f("<é>") + f'
    row = code.Statement(text, [(4, 12, "a"), (6, 11, "inside"), (15, 16, "b")], [], [])
    assert row.markup == (
        'x = <span class="cutaway-quote" data-step="a">f(&quot;&lt;é&gt;&quot;)</span> + '
        '<span class="cutaway-quote" data-step="b">f</span>'
    )
