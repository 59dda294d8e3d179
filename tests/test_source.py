"""Finding objects and quotations in source files."""

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.source.find import Source, SourceError, SourceObject, Span
from cutaway.source.quotation import match
from cutaway.source.usable import is_script

TEXT = '''\
"""A module."""
import math


class Attention:
    def forward(self, x):
        # a comment: masked_fill(
        q, k, v = self.c_attn(x).split(3, dim=2)
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        att = att.masked_fill(self.bias == 0, float("-inf"))
        größe = f(ä := x); y = f(x, 2)
        return att @ v


if True:
    def late():
        return 1
'''


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "model.py").write_text(TEXT, "utf-8")
    return Source({"pkg": [tmp_path]})


def quoted(source: Source, quotation: str) -> str:
    """The text of the span that a quotation resolves to."""
    obj = source.find("pkg.model.Attention.forward")
    line, col, end_line, end_col = match(obj, quotation)
    assert line == end_line
    return obj.module.lines[line - 1][col:end_col]


def test_an_object_has_its_lines(source: Source) -> None:
    obj = source.find("pkg.model.Attention.forward")
    assert (obj.first_line, obj.last_line) == (6, 12)
    assert source.find("pkg.model.late").text.startswith("    def late")
    assert source.find("pkg.model").first_line == 1


@pytest.mark.parametrize(
    ("quotation", "expression"),
    [
        ("q, k, v =", "q, k, v = self.c_attn(x).split(3, dim=2)"),
        ("masked_fill(", 'att.masked_fill(self.bias == 0, float("-inf"))'),
        ("q @ k.transpose(", "q @ k.transpose(-2, -1)"),
        ("math.sqrt( k.size ( -1 ) )", "math.sqrt(k.size(-1))"),
        ("att @ v", "att @ v"),
        ("f(x, 2)", "f(x, 2)"),
    ],
)
def test_a_quotation_is_the_innermost_expression(source: Source, quotation: str, expression: str) -> None:
    assert quoted(source, quotation) == expression


@pytest.mark.parametrize(
    ("quotation", "message"),
    [
        ("nonsense(", "does not occur"),
        ("k.", "occurs 2 times (lines 9, 9)"),
        ("# comment", "holds no code"),
        ("", "holds no code"),
    ],
)
def test_a_quotation_must_occur_once(source: Source, quotation: str, message: str) -> None:
    with pytest.raises(SourceError) as error:
        match(source.find("pkg.model.Attention.forward"), quotation)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("dotted", "message"),
    [
        ("pkg.model.Atention", "did you mean 'Attention'"),
        ("pkg.modell.Attention", "did you mean 'pkg.model'"),
        ("pgk.model", "did you mean 'pkg'"),
        ("pkg.model.Attention.zzz", "it has forward"),
    ],
)
def test_a_wrong_path_names_the_nearest(source: Source, dotted: str, message: str) -> None:
    with pytest.raises(SourceError) as error:
        source.find(dotted)
    assert message in str(error.value)


def test_a_syntax_error_has_its_place(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("def f(:\n", "utf-8")
    with pytest.raises(SourceError, match=r"model\.py:1:"):
        Source({"pkg": [tmp_path]}).find("pkg.model.f")


def test_the_first_folder_wins_and_the_second_fills_in(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    for folder, name in ((theirs, "model"), (ours, "model"), (ours, "sort")):
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text("x = 1\n")
    source = Source({"pkg": [theirs, ours]})
    assert source.find("pkg.model").path.parent == theirs
    assert source.find("pkg.sort").path.parent == ours


@given(st.integers(0, 60), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_any_unique_run_of_tokens_is_found_where_it_stands(
    tmp_path_factory: pytest.TempPathFactory, at: int, n: int
) -> None:
    """Quote any run of tokens of the function: it resolves to a place that contains it, or it is not unique."""
    folder = tmp_path_factory.mktemp("source")
    (folder / "model.py").write_text(TEXT, "utf-8")
    obj = Source({"pkg": [folder]}).find("pkg.model.Attention.forward")
    from cutaway.source.quotation import tokens as read

    tokens = read(obj.text)
    part = tokens[at : at + n]
    if not part:
        return
    try:
        span = match(obj, " ".join(token.string for token in part))
    except SourceError as error:
        assert "occurs" in str(error) or "no code" in str(error)
        return
    start, end = part[0].start, part[-1].end
    place = Span(start[0] + obj.first_line - 1, start[1], end[0] + obj.first_line - 1, end[1])
    assert span.contains(place)


def test_a_range_goes_from_the_first_statement_to_the_last(source: Source) -> None:
    obj = source.find("pkg.model.Attention.forward")
    span = match(obj, "q, k, v = ... masked_fill(self")
    assert (span.line, span.end_line) == (8, 10)
    assert obj.module.lines[9][: span.end_col].endswith('float("-inf"))')
    with pytest.raises(SourceError, match=r"'q, k, v =' \(line 8\) stands before 'return' \(line 12\)"):
        match(obj, "return ... q, k, v =")
    with pytest.raises(SourceError, match="'nonsense' does not occur"):
        match(obj, "q, k, v = ... nonsense")


def test_the_head_of_a_definition_is_not_its_body(source: Source) -> None:
    assert match(source.find("pkg.model.Attention"), "def forward(self, x)") == Span(6, 4, 6, 24)
    assert match(source.find("pkg.model"), "class Attention").end_line == 5


# Two folders of one package


def two(tmp_path: Path, theirs: str, ours: str) -> Source:
    for name, text in (("theirs", theirs), ("ours", ours)):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "model.py").write_text(text, "utf-8")
    return Source({"pkg": [tmp_path / "theirs", tmp_path / "ours"]})


def folders(*objects: SourceObject) -> list[str]:
    return [obj.path.parent.name for obj in objects]


def test_what_the_first_folder_lacks_comes_from_the_next(tmp_path: Path) -> None:
    source = two(tmp_path, "def f(): ...\n", "def f(): ...\ndef g(): ...\n")
    assert folders(source.find("pkg.model.f"), source.find("pkg.model.g")) == ["theirs", "ours"]
    assert folders(*source.shown("pkg.model.f")) == ["theirs", "ours"]
    assert folders(*source.shown("pkg.model.g")) == ["ours"]
    for look in (source.find, source.shown):
        with pytest.raises(SourceError, match=r"no 'h' in model.py \(.*theirs/model.py\)"):
            look("pkg.model.h")


def test_a_script_gives_way_but_is_shown(tmp_path: Path) -> None:
    source = two(tmp_path, "def f(): ...\nwhile True:\n    f()\n", "def f(): ...\n")
    assert source.module_path("pkg.model") == tmp_path / "ours/model.py"
    assert folders(source.find("pkg.model.f"), *source.shown("pkg.model.f")) == ["ours", "theirs", "ours"]
    (tmp_path / "ours/model.py").unlink()
    assert source.module_path("pkg.model") == tmp_path / "theirs/model.py"  # there is no other


def test_what_needs_a_package_that_is_not_there_gives_way(tmp_path: Path) -> None:
    source = two(tmp_path, "import json\nfrom no_such.kernels import fast\ndef f(): ...\n", "def f(): ...\n")
    assert folders(source.find("pkg.model.f"), *source.shown("pkg.model.f")) == ["ours", "theirs", "ours"]
    assert source.unusable(tmp_path / "theirs/model.py") == "which needs no_such"
    guarded = "try:\n    import no_such\nexcept ImportError:\n    pass\nimport numpy, pkg.other\ndef f(): ...\n"
    assert folders(two(tmp_path, guarded, "def f(): ...\n").find("pkg.model.f")) == ["theirs"]


SCRIPTS = ["while True: pass", "exec(open('c.py').read())", "import sys\nname = sys.argv[1]", "a = parser.parse_args()",
           "if x:\n    with y:\n        exec(z)"]  # fmt: skip
MODULES = ["def f():\n    while True: pass", "if __name__ == '__main__':\n    import sys\n    print(sys.argv)",
           "table = {}\nfor k in 'ab':\n    table[k] = 1", "class A:\n    a = parser.parse_args",
           "torch.set_x(1)"]  # fmt: skip


@pytest.mark.parametrize("text", [*SCRIPTS, *MODULES])
def test_what_is_a_script(text: str) -> None:
    assert is_script(ast.parse(text)) is (text in SCRIPTS)


def test_a_statement_of_a_module_can_be_quoted(tmp_path: Path) -> None:
    source = two(tmp_path, "rate = 1e-3\nfor step in range(9):\n    rate *= 0.9\n", "")
    assert match(source.find("pkg.model"), "rate *=") == Span(3, 4, 3, 15)
