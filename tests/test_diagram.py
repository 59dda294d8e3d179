"""The directive in a small book of its own: what each builder prints, where boxes lead, what mistakes say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from recorded import record
from tracing import read

from cutaway.diagrams.explain import chosen, drawn, function_of, steps_of
from cutaway.diagrams.graph.flow import FlowError
from cutaway.diagrams.words import describe
from cutaway.domain import Step
from cutaway.source.quotation import match
from cutaway.trace.names import UnknownName, Wanted

MODEL = """
class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(4, 8)

    def forward(self, x):
        a, b = self.up(x).chunk(2, dim=-1)
        return a * torch.sigmoid(b)

    def unused(self, x):
        return x

    def count(self):
        return 3


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = Gate()

    def forward(self, x):
        self.gate.count()
        for i in range(2):
            y = x + self.gate(x)
            x = y * 2
        return x
"""
CONF = """
extensions = ["myst_parser", "cutaway"]
myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
cutaway_sources = {"m": "src"}
cutaway_explain = {"gating": "m.code.Gate small.forward/gate", "whole": "m.code.Model"}
"""
RUNS = """
from cutaway.runs import Run

class Small(Run):
    name = "small"
    sources = ("m",)

    def trace(self, weights, record):
        import torch
        from m.code import Model

        model = Model()
        with record("forward", model):
            model(torch.zeros(1, 3, 4))
        other = Model()
        with record.sizes("forward", other, B=3, T=7, C=4):
            other(torch.zeros(3, 7, 4))
"""
INDEX = """
(home)=
# Home

:::{diagram} m.code.Model
:run: small
:name: model
:::

:::{diagram} m.code.Gate.forward
:name: gate
:::

:::{listing} m.code.Gate.forward
:name: steps

`torch.sigmoid(`{#sigmoid}
: Between zero and one.

`a, b =`{#cut}
: Two halves.
:::

```{diagram}
:alt: text becomes tokens
:name: hand

┌──────┐     ┌────────┐
│ text │────▶│ tokens │
└──────┘     └────────┘

tokens -> page
text -> home
```

```{toctree}
page
```
"""
MISTAKES = """
# Page

:::{diagram} m.code.Gate.count
:::

:::{diagram} m.code.Gote
:::

:::{diagram} m.code.Gate.unused
:::

:::{diagram} m.code.Gate
:run: small.backward
:::

:::{diagram} m.code.Gate
:run: large
:::

```{diagram}
┌──────┐
│ text
└──────┘

txt -> page
text -> nowhere
```

:::{diagram} m.code.Gate
:backward:
:::

:::{diagram} m.code.Gate.unused
:backward:
:::

```{diagram}
:alt: a box
:backward:

┌──────┐
│ text │
└──────┘
```
"""
EXPECTED = {
    3: r"m\.code\.Gate\.count \(.*code\.py:\d+-\d+\) handles no tensors in the run 'small'.*: module, scalar",
    6: r"no 'Gote' in code\.py .*did you mean 'Gate'",
    9: r"m\.code\.Gate\.unused was not called in any recorded run \(small\)",
    12: r"m\.code\.Gate\.forward was not called in 'small\.backward'; it was in small\.forward/gate",
    16: r"no run 'large' in .*runs\.py",
    20: r":alt: is required on a drawing made by hand",
    21: r"row 1, column 8: '┐' meets no line below",
    23: r"row 3, column 8: '┘' meets no line above",
    25: r"'txt' occurs 0 times in the drawing",
    26: r"'nowhere' is neither a label nor a page",
    29: r"'small\.forward' was recorded without gradients: no pass of this run has gradients; name another in :run:",
    33: r"m\.code\.Gate\.unused was not called in any recorded run \(small\)",
    37: r":backward: turns a drawing that is computed; one made by hand stays as it is",
}


ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("CUTAWAY_")}
ENVIRONMENT |= {"PYTHONPATH": str(Path(__file__).parents[1] / "ext"), "CUTAWAY_CACHE": "off"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The little book in HTML, and all that was said."""
    folder = tmp_path_factory.mktemp("diagram")
    book = folder / "book"
    (book / "src").mkdir(parents=True)
    (book / "src/code.py").write_text("import torch\nfrom torch import nn\n" + MODEL)
    for name, text in {
        "conf.py": CONF,
        "runs.py": RUNS,
        "index.md": INDEX,
        "page.md": MISTAKES.lstrip(),
    }.items():
        (book / name).write_text(text)
    return folder, build(folder, "html")


def build(folder: Path, builder: str) -> str:
    command = [sys.executable, "-m", "sphinx", "-q", "-j", "2", "-b", builder]
    command += ["-d", str(folder / "doctrees")]
    command += [str(folder / "book"), str(folder / builder)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def figure(site: tuple[Path, str], name: str) -> Tag:
    page = BeautifulSoup((site[0] / "html/index.html").read_text("utf-8"), "html.parser")
    found = page.select_one(f"figure.cutaway-diagram#{name}")
    assert found is not None
    return found


def drawing(found: Tag) -> list[str]:
    pre = found.select_one("pre")
    assert pre is not None
    return pre.text.rstrip("\n").split("\n")


def test_the_page_holds_the_drawing_as_text(site: tuple[Path, str]) -> None:
    boxes = read(drawing(figure(site, "gate")))
    assert [box.words[0].split("   ")[0] for box in boxes] == [
        "x", "self.up(x)", "a, b = ….chunk(2, dim=-1)", "a * torch.sigmoid(b)", "return",
    ]  # fmt: skip
    assert [name for name, _ in boxes[2].leads_to] == ["a", "b"]


def test_boxes_lead_to_steps_and_modules_to_their_drawings(site: tuple[Path, str]) -> None:
    links = {a.text: a["href"] for a in figure(site, "gate").select("pre a")}
    assert links == {"a, b = ….chunk(2, dim=-1)": "#steps-cut", "a * torch.sigmoid(b)": "#steps-sigmoid"}
    assert {a.text: a["href"] for a in figure(site, "model").select("pre a")} == {"self.gate(x)": "#gate"}
    assert {a.text: a["href"] for a in figure(site, "hand").select("pre a")} == {
        "tokens": "page.html",
        "text": "#home",
    }


def test_a_reader_of_the_screen_hears_links_and_words_only(site: tuple[Path, str]) -> None:
    for name in ("gate", "model", "hand"):
        found = figure(site, name)
        pre = found.select_one("pre")
        assert pre is not None
        assert all(child.name == "a" or child["aria-hidden"] == "true" for child in pre.children)
        assert found.select_one("[role=group][tabindex='0'][aria-label]")
    sentences = [item.text for item in figure(site, "gate").select("details li")]
    assert sentences[1] == "self.up(x) takes x from step 1 and gives 1 by 3 by 8 (B, T, 2C)."
    assert sentences[3] == "a * torch.sigmoid(b) takes a from step 3 and b from step 3 and gives 1 by 3 by 4 (B, T, C)."


def test_sizes_have_the_colour_of_their_letter(site: tuple[Path, str]) -> None:
    coloured = {(s.text, s["class"][1]) for s in figure(site, "gate").select("pre .cutaway-dim")}
    assert {
        ("3", "cutaway-dim-T"),
        ("T", "cutaway-dim-T"),
        ("8", "cutaway-dim-C"),
        ("2C", "cutaway-dim-C"),
    } <= coloured


def test_mistakes_are_named_with_their_line(site: tuple[Path, str]) -> None:
    said = re.findall(r"page\.md:(\d+): WARNING: (.*) \[cutaway\.diagram\]", site[1])
    assert sorted(int(line) for line, _ in said) == sorted(EXPECTED)
    for line, message in said:
        assert re.search(EXPECTED[int(line)], message), message
    assert site[1].count("WARNING") == len(EXPECTED)
    page = BeautifulSoup((site[0] / "html/page.html").read_text("utf-8"), "html.parser")
    assert [code.text for code in page.select("p > code")][:2] == ["m.code.Gate.count", "m.code.Gote"]
    unused = page.select_one("figure.cutaway-diagram")  # what no run called is drawn from its source
    assert unused is not None and "return x" in drawing(unused)[-2]
    assert "Drawn from the source alone" in unused.select("figcaption")[0].text
    assert unused.find_all(recursive=False)[-1].name == "figcaption"  # HTML wants it first or last


@pytest.mark.parametrize(("builder", "file"), [("text", "index.txt"), ("latex", "*.tex"), ("man", "*.1")])
def test_every_other_builder_prints_the_drawing(site: tuple[Path, str], builder: str, file: str) -> None:
    build(site[0], builder)
    (path,) = (site[0] / builder).glob(file)
    lines = drawing(figure(site, "model"))
    printed = path.read_text("utf-8")
    assert all(line.strip() in printed for line in lines if "x" not in line)


@pytest.mark.parametrize(("asked", "name"), [("m.code.Gate", "gate"), ("gating", "gate"), ("whole", "model")])
def test_the_terminal_prints_the_same(site: tuple[Path, str], asked: str, name: str) -> None:
    done = terminal(site, asked)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip("\n").split("\n") == drawing(figure(site, name))


def test_the_terminal_proves_a_drawing(site: tuple[Path, str]) -> None:
    done = terminal(site, "gating", "--prove")
    assert done.returncode == 0, done.stderr
    assert "small.forward/gate: 5 boxes, 5 arrows; 4 boxes changed, 0 arrows missing, 0 too many" in done.stdout
    done = terminal(site, "whole", "--prove")
    assert "small.forward: 6 boxes, 6 arrows; 4 boxes changed, 0 arrows missing, 0 too many" in done.stdout


def test_what_was_not_run_can_t_be_proven(site: tuple[Path, str]) -> None:
    done = terminal(site, "m.code.Gate.unused", "--prove")
    assert done.returncode == 1
    assert "m.code.Gate.unused was not called in any recorded run (small)" in done.stderr


def test_a_book_without_runs_has_sketches_and_no_warnings(tmp_path: Path) -> None:
    book = tmp_path / "book"
    (book / "src").mkdir(parents=True)
    (book / "src/code.py").write_text("import torch\nfrom torch import nn\n" + MODEL)
    (book / "conf.py").write_text(CONF)
    (book / "index.md").write_text("# Home\n\n:::{diagram} m.code.Gate\n:name: gate\n:::\n")
    for builder in ("html", "text"):
        assert build(tmp_path, builder) == ""
    boxes = read(drawing(figure((tmp_path, ""), "gate")))
    assert [box.words[0] for box in boxes] == [
        "x", "self.up(x)", "a, b = ….chunk(2, dim=-1)", "a * torch.sigmoid(b)", "return",
    ]  # fmt: skip
    assert "Drawn from the source alone" in (tmp_path / "text/index.txt").read_text("utf-8")


def terminal(site: tuple[Path, str], asked: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cutaway", "--docs", str(site[0] / "book"), "explain", asked, *options]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False)


def test_an_unknown_short_name_lists_those_that_there_are(site: tuple[Path, str]) -> None:
    done = terminal(site, "engine")
    assert done.returncode == 1
    assert "nothing has the short name 'engine'; there is gating, whole; or write a path" in done.stderr


# Without Sphinx


def of_model(tmp_path: Path):  # type: ignore[no-untyped-def]
    torch = pytest.importorskip("torch")
    source, trace = record(tmp_path, MODEL, lambda names: names["model"](torch.ones(1, 3, 4)))
    return source, {"test": trace}


def test_a_class_stands_for_its_forward_and_the_first_call_counts(tmp_path: Path) -> None:
    source, traces = of_model(tmp_path)
    obj = function_of(source, "m.code.Gate")
    assert obj.dotted == "m.code.Gate.forward"
    trace, call = chosen(traces, obj.dotted, Wanted.read("test.forward/gate"))
    assert (call.module_path, call) == ("gate", trace.calls(obj.dotted)[0])
    with pytest.raises(FlowError, match=r"in 'test/other'; it was in test\.forward/gate"):
        chosen(traces, obj.dotted, Wanted.read("test/other"))
    with pytest.raises(UnknownName, match=r"write RUN, RUN\.PASS or RUN\.PASS/MODULE"):
        Wanted.read("a b c")


def test_a_step_goes_to_the_box_that_it_quotes(tmp_path: Path) -> None:
    source, traces = of_model(tmp_path)
    obj = function_of(source, "m.code.Model")
    graph, _ = drawn(obj, *chosen(traces, obj.dotted, Wanted()))
    quotations = ["self.gate(x)", "y = x", "for i in", "x = y", "self.gate.count"]
    steps = [
        Step(f"s-{i}", "page", i, obj.dotted, match(obj, quotation), quotation, i, "")
        for i, quotation in enumerate(quotations)
    ]
    found = {graph.nodes[number].code: step.quotation for number, step in steps_of(graph, steps).items()}
    assert found == {
        "self.gate(x)": "self.gate(x)",
        "y = x + …": "y = x",
        "x = y * 2": "x = y",
        "for i in range(2)": "for i in",
    }


def test_a_loop_in_words(tmp_path: Path) -> None:
    source, traces = of_model(tmp_path)
    obj = function_of(source, "m.code.Model")
    graph, _ = drawn(obj, *chosen(traces, obj.dotted, Wanted()))
    assert describe(graph)[1:] == [
        "self.gate(x) takes x from step 1 and gives 1 by 3 by 4.",
        "y = x + (step 2) takes x from step 1 and the result of step 2 and gives 1 by 3 by 4.",
        "x = y * 2 takes y from step 3 and gives 1 by 3 by 4.",
        "for i in range(2): all from step 2 on is done 2 times, each time with x from step 4.",
        "Out goes x from step 5: 1 by 3 by 4.",
    ]
