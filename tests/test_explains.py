"""Which lines a step explains: the rule on small sources and on any, the command line, and the book's own coverage."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from cutaway.settings import Book, steps_key
from cutaway.source.find import Source, SourceError, parse
from cutaway.source.statements import together
from cutaway.source_pages.coverage import File, explained, files, ids_at, named, pieces
from cutaway.store import Store

TEXT = '''\
"""The module's docstring,

of two paragraphs."""
import math
import os


@first
# about the decorator
@second(1)
def area(r):
    """Of a circle.

    In square units.
    """
    # squared
    # by hand
    square = (
        # the same twice
        r * r
    )

    # far off

    if r > 1:
        print("large")
    # the small
    elif r:
        r += 1
    else:
        r = 0
        # a last word
    for i in range(3): square += i
    return math.pi * square  # the end


class Shape:
    """Anything."""

    sides: int = 0

    def name(self):
        try:
            return self.sides
        except AttributeError:
            return None
        finally:
            pass
'''


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "model.py").write_text(TEXT, "utf-8")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "model.py").write_text("x = 1\n\ny = 2\n", "utf-8")
    (tmp_path / "__init__.py").write_text("", "utf-8")
    return Source({"pkg": [tmp_path]})


def shown(numbers: set[int] | frozenset[int]) -> str:
    return " ".join(f"{a}-{b}" if a != b else f"{a}" for a, b in pieces(numbers))


@pytest.mark.parametrize(
    ("dotted", "quotation", "lines"),
    [
        ("pkg.model", "import os", "5"),
        ("pkg.model", "import math", "1-4"),  # with the module's docstring
        ("pkg.model.area", "def area(r):", "8-15"),  # decorators and docstring
        ("pkg.model.area", "@first", "8-15"),
        ("pkg.model.area", "@second(1)", "8-15"),
        ("pkg.model.area", "r * r", "16-21"),  # comments above, the whole statement
        ("pkg.model.area", "r > 1", "25 27-28 30"),  # its elif and else, no body
        ("pkg.model.area", "if r > 1:", "25 27-28 30"),
        ("pkg.model.area", 'print("large")', "26"),
        ("pkg.model.area", "elif r:", "27-28 30"),
        ("pkg.model.area", "else:", "27-28 30"),  # goes with the nearest
        ("pkg.model.area", "r = 0", "31"),
        ("pkg.model.area", "range(3)", "33"),
        ("pkg.model.area", "r += 1 ... range(3)", "27-33"),  # a range, comments between included
        ("pkg.model.area", "square = ... return math.pi", "16-34"),
        ("pkg.model.Shape", "class Shape:", "37-38"),
        ("pkg.model.Shape.name", "except AttributeError", "45 47"),
        ("pkg.model.Shape.name", "try:", "43 45 47"),
    ],
)
def test_a_quotation_explains_its_statement(source: Source, dotted: str, quotation: str, lines: str) -> None:
    assert shown(explained(source.find(dotted), quotation).lines) == lines


def test_steps_of_a_line_come_innermost_first(source: Source) -> None:
    steps = {
        "a-all": ("pkg.model.area", "square = ... return math.pi"),
        "b-statement": ("pkg.model.area", "square = ("),
        "c-product": ("pkg.model.area", "r * r"),
        "gone": ("pkg.model.area", "no_such_thing"),
    }
    file = files(source, steps)["pkg/model.py"]
    assert file.ids_at(20) == ["c-product", "b-statement", "a-all"]
    assert file.ids_at(23) == ["a-all"]
    assert file.ids_at(5) == []
    assert "gone" not in file.steps
    assert [(first, last) for first, last, _ in file.ranges()][:2] == [(1, 15), (16, 21)]
    assert file.coverage == len(file.explained) / len([line for line in TEXT.split("\n") if line.strip()])


def test_a_file_is_named_as_readers_do(source: Source) -> None:
    found = files(source, {})
    assert sorted(found) == ["pkg/__init__.py", "pkg/inner/model.py", "pkg/model.py"]
    for name in ("pkg/model.py", "./pkg/model.py", "src/pkg/model.py", "/home/me/pkg/model.py", "pkg.model"):
        assert named(found, name).name == "pkg/model.py"
    assert named(found, "inner/model.py").name == "pkg/inner/model.py"
    with pytest.raises(SourceError, match=r"pkg/inner/model.py or pkg/model.py"):
        named(found, "model.py")
    with pytest.raises(SourceError, match=r"no file 'pkg/modle.py'.*pkg/model.py"):
        named(found, "pkg/modle.py")


def test_a_line_leads_to_its_steps_without_a_build(source: Source, tmp_path: Path) -> None:
    book = Book(tmp_path, source.packages, (tmp_path / "runs.py",), tmp_path / "scenes", Store(tmp_path / "store"))
    with pytest.raises(SourceError, match="no build"):
        ids_at(book, "pkg/model.py", 1)
    book.store.write_json("book", steps_key(book), {"area-square": ["pkg.model.area", "square = ("]})
    assert ids_at(book, "pkg/model.py", 18) == ["area-square"]
    assert ids_at(book, "pkg/model.py", 24) == []  # blank
    for line in (0, 49):
        with pytest.raises(SourceError, match=rf"no line {line} in pkg/model.py; it has 48"):
            ids_at(book, "pkg/model.py", line)


# Any function

SIMPLE = st.sampled_from(
    ["x = 1", "x = (1,\n    2)", "f(x)", "assert x, (\n    'no'\n)", "x = '''\n\na'''", "y = 1; z = 2"]
)
COMMENT = st.sampled_from(["", "# about it\n", "# one\n# two\n"])


def _compound(bodies: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    heads = st.sampled_from(["if x:", "for i in x:", "while x:", "with x:", "def g():", "@d\ndef g():", "class K:"])
    plain = st.builds(lambda head, body: f"{head}\n{_block(body)}", heads, bodies)
    chain = st.builds(
        lambda a, b, c: f"if x:\n{_block(a)}\nelif y:\n{_block(b)}\nelse:\n{_block(c)}", bodies, bodies, bodies
    )
    return plain | chain


def _block(body: str) -> str:
    return "    " + body.replace("\n", "\n    ")


BODY = st.recursive(
    st.lists(st.builds("{}{}".format, COMMENT, SIMPLE), min_size=1, max_size=3).map("\n".join),
    lambda inner: st.lists(st.builds("{}{}".format, COMMENT, _compound(inner)), min_size=1, max_size=3).map("\n".join),
    max_leaves=8,
)


@given(BODY)
def test_who_quotes_every_statement_explains_every_line(body: str) -> None:
    text = f'"""Doc."""\nimport m\ndef f(x):\n    """What\n\n    it does."""\n{_block(body)}\n'
    groups = together(text)
    heads = {node.lineno for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)}
    reached = set().union(*(groups[line] for line in heads))
    filled = {number for number, line in enumerate(text.split("\n"), 1) if line.strip()}
    assert filled <= reached
    for line in reached:
        assert line in groups[line]


@given(BODY)
def test_a_simple_statement_explains_nothing_of_another(body: str) -> None:
    text = f"def f(x):\n{_block(body)}\n"
    groups = together(text)
    simple = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.stmt) and not hasattr(n, "body")]
    spans = {(node.lineno, node.end_lineno or node.lineno) for node in simple}
    for first, last in spans:
        others = {line for a, b in spans for line in range(a, b + 1)} - set(range(first, last + 1))
        assert not groups[first] & others, text


@given(st.lists(st.tuples(st.sampled_from(["x", "y", "z", "w"]), st.booleans()), min_size=1, max_size=6))
def test_ranges_are_the_file_line_by_line(tmp_path_factory: pytest.TempPathFactory, rows: list) -> None:
    folder = tmp_path_factory.mktemp("ranges")
    (folder / "m.py").write_text("".join(f"{name}{i} = {i}\n{chr(10) * gap}" for i, (name, gap) in enumerate(rows)))
    module = parse("p.m", folder / "m.py")
    source = Source({"p": [folder]})
    steps = {f"s{i}": explained(source.find("p.m"), f"{name}{i} =") for i, (name, _) in enumerate(rows) if name != "w"}
    file = File("p/m.py", module, steps)
    for first, last, ids in file.ranges():
        for line in range(first, last + 1):
            assert file.ids_at(line) == ids or line not in file.filled
    covered = {line for first, last, _ in file.ranges() for line in range(first, last + 1)}
    assert file.filled <= covered
    assert sum(last - first + 1 for first, last, _ in file.ranges()) == len(covered)  # none twice


# The book


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """The real book, read without running its cells; the store then knows its steps."""
    folder = tmp_path_factory.mktemp("dummy")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "dummy", "-D", "nb_execution_mode=off"]
    command += ["-d", str(folder / "doctrees"), str(ROOT / "docs"), str(folder / "out")]
    subprocess.run(command, check=True, timeout=300, capture_output=True)
    return Book.read(ROOT / "docs")


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cutaway", "--docs", str(ROOT / "docs"), "coverage", *arguments]
    return subprocess.run(command, env={**os.environ}, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.stages
def test_every_line_of_the_model_is_explained(book: Book) -> None:
    said = _command("nanogpt/model.py").stdout
    filled = len([line for line in (ROOT / "model_src/nanogpt/model.py").read_text().split("\n") if line.strip()])
    assert said == f"nanogpt/model.py: {filled} of {filled} lines explained (100.0%)\n"


@pytest.mark.stages
def test_the_command_tells_every_file_and_what_there_is(book: Book) -> None:
    said = _command().stdout
    for path in (ROOT / "model_src/nanogpt").rglob("*.py"):
        assert f"nanogpt/{path.relative_to(ROOT / 'model_src/nanogpt').as_posix()}: " in said
    unknown = _command("nanogpt/modell.py")
    assert unknown.returncode == 1
    assert "no file 'nanogpt/modell.py' in the source; did you mean" in unknown.stderr


@pytest.mark.stages
def test_the_mask_is_found_by_its_line(book: Book) -> None:
    lines = (ROOT / "model_src/nanogpt/model.py").read_text().split("\n")
    line = next(number for number, text in enumerate(lines, 1) if "masked_fill(self.bias" in text)
    for name in ("nanogpt/model.py", "model_src/nanogpt/model.py", "nanogpt.model"):
        assert ids_at(book, name, line)[0] == "attention-forward-mask"
