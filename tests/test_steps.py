"""Steps in the order in which they run: callers before what they call, parts before what is made of them."""

import calendar
import re

import torch

from cutaway.domain import Step
from cutaway.source.quotation import match
from cutaway.step_order import UNREACHED, ordered
from tests.conftest import ROOT
from tests.recorded import record

CODE = """
class Part(nn.Module):
    def forward(self, x):
        return x + 1

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleList([Part(), Part()])

    def forward(self, x, wanted=None):
        y = (x * 2) * (3 - x)
        for part in self.parts:
            y = part(y)
        if wanted is None:
            return y
        return y - wanted
"""
QUOTED = {
    "m.code.Part.forward": ["x + 1"],
    "m.code.Model.forward": ["y - wanted", "part(y)", "for part in self.parts", "(3 - x)", "(x * 2) *", "x * 2"],
    "m.code.Model.__init__": ["self.parts ="],
}


def test_steps_come_in_the_order_in_which_they_are_reached(tmp_path):
    source, trace = record(tmp_path, CODE, lambda names: names["model"](torch.ones(2)))
    steps = [
        Step(quotation, "page", 1, dotted, match(source.find(dotted), quotation), quotation, 1, "")
        for dotted, quotations in QUOTED.items()
        for quotation in quotations
    ]
    found = [(ran.pass_, ran.step.id) for ran in ordered(steps, [trace])]
    outside = [(UNREACHED, "self.parts ="), (UNREACHED, "y - wanted")]
    inside = ["x * 2", "(3 - x)", "(x * 2) *", "for part in self.parts", "part(y)", "x + 1"]
    assert found == [("forward", id) for id in inside] + outside


def test_another_run_follows_and_what_none_reached_stands_page_by_page(tmp_path):
    (tmp_path / "other").mkdir()
    source, trace = record(tmp_path, CODE, lambda names: names["model"](torch.ones(2)))
    _, other = record(tmp_path / "other", CODE, lambda names: names["model"](torch.ones(2), torch.ones(2)))
    other.run = "other"
    pages = {"y - wanted": "first", "self.parts =": "third", "super().__init__()": "second", "x * 2": "third"}
    functions = {"self.parts =": "__init__", "super().__init__()": "__init__"}
    steps = []
    for quotation, page in pages.items():
        dotted = f"m.code.Model.{functions.get(quotation, 'forward')}"
        span = match(source.find(dotted), quotation)
        steps.append(Step(quotation, page, 1, dotted, span, quotation, 1, ""))

    def found(traces, order=("first", "second", "third")):
        return [(ran.run, ran.step.id) for ran in ordered(steps, traces, order)]

    outside = [(UNREACHED, "super().__init__()"), (UNREACHED, "self.parts =")]
    assert found([trace, other]) == [("test", "x * 2"), ("other", "y - wanted"), *outside]
    assert found([other, trace]) == [("other", "x * 2"), ("other", "y - wanted"), *outside]
    assert found([trace], ["third", "second"]) == [
        ("test", "x * 2"), (UNREACHED, "self.parts ="), (UNREACHED, "super().__init__()"), (UNREACHED, "y - wanted")
    ]  # fmt: skip


def test_without_a_run_they_stand_as_in_the_source(tmp_path):
    source, _ = record(tmp_path, CODE, lambda names: None)
    dotted = "m.code.Model.forward"
    quotations = QUOTED[dotted]
    steps = [Step(q, "page", 1, dotted, match(source.find(dotted), q), q, 1, "") for q in quotations]
    assert [ran.step.id for ran in ordered(steps, [])][-1] == "y - wanted"


PAGES = {
    "index.md": """# Index

```{toctree}
one
two
```

```{sequence}
:run: sort
```
""",
    "one.md": """# One

:::{listing} nanogpt.model.MLP.forward
:run: sort
:name: narrow

`self.gelu(x)`{#gelu}
: Bends.

`self.c_fc(x)`{#fc}
: Widens.
:::
""",
    "two.md": """# Two

:::{listing} nanogpt.model.Block.forward
:run: sort
:name: outer

`self.mlp(`{#mlp}
: Thinks.
:::

:::{listing} nanogpt.model.MLP
:run: sort
:name: three

`nn.GELU()`{#made}
: Made.
:::
""",
}


def test_the_index_and_the_ways_through_the_pages(build_book, tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    for name, text in PAGES.items():
        (pages / name).write_text(text)
    book = build_book(pages, tmp_path / "html", "-W", "--keep-going")
    assert book.returncode == 0, book.warnings
    index = book.page("index")
    links = [link["href"] for link in index.select("table.cutaway-sequence a")]
    assert links == ["two.html#outer-mlp", "one.html#narrow-fc", "one.html#narrow-gelu", "two.html#three-made"]
    assert [line.get_text().strip() for line in index.select("article .book-fold > summary")] == [
        "The run “sort”, pass “forward”: 3 steps",
        "Outside the recorded passes: 1 step",
    ]
    shapes = [row.select("td")[3].get_text(strip=True) for row in index.select("table.cutaway-sequence tbody tr")]
    assert shapes[3] == "" and shapes[1] == "(1B,11T,1924C)"
    ways = {
        note["id"]: {link["rel"][0]: link["href"] for link in note.select("a[rel]")}
        for page in ("one", "two")
        for note in book.page(page).select(".cutaway-note")
    }
    assert ways == {
        "outer-mlp": {"next": "one.html#narrow-fc"},
        "narrow-fc": {"prev": "two.html#outer-mlp", "next": "#narrow-gelu"},
        "narrow-gelu": {"prev": "#narrow-fc", "next": "two.html#three-made"},
        "three-made": {"prev": "one.html#narrow-gelu"},
    }


def test_an_undeclared_run_is_named(build_book, tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.md").write_text("# Index\n\n```{sequence}\n:run: sorted\n```\n")
    book = build_book(pages, tmp_path / "html")
    assert "index.md:3: WARNING: no run 'sorted' in " in book.warnings and "did you mean 'sort'" in book.warnings


def test_no_shape_or_count_is_typed_in_a_chapter():
    """What looks like a shape or has more than two digits stands in a role, a cell or a quotation, or is dated."""
    hidden = [
        r"^---\n.*?^---\n",  # front matter
        r"```\{code-cell\}.*?```",
        r"```\{diagram\}.*?```",
        r"\$\$.*?\$\$",
        r"\{[a-z-]+\}`[^`]*`",  # roles
        r"`[^`]*`",  # code and quotations
        r"https?://\S+",
        r"^:\w+:.*?$",  # options
        r"^ *:::\{claim\}.*?$",  # a condition says from where to where its sentence is true
        r"^ *:::\{answer\}.*?$",  # an expression, which names what was recorded
        r"\[arXiv:[\d.]+\]",
        r"\((?:19|20)\d\d\)|, (?:19|20)\d\d\b",  # the year of a paper
    ]
    dated = re.compile(rf"\b(?:{'|'.join(calendar.month_name[1:])}) 20\d\d\b")  # what was read elsewhere, and when
    found = []
    chapters = set((ROOT / "docs").glob("*/*.md")) - {ROOT / "docs/train/yours.md"}  # which names what one types
    for page in sorted(chapters):
        text = page.read_text("utf-8")
        for pattern in hidden:
            text = re.sub(pattern, lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL | re.MULTILINE)
        for number, line in enumerate(text.splitlines(), 1):
            if not dated.search(line) and re.search(r"(?<![A-Za-z\d-])\d[\d,]*\d\d|\(\d+(?:, *\d+)+\)", line):
                found.append(f"{page.name}:{number}: {line}")
    assert not found, "\n".join(found)
