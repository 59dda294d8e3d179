"""Notebooks to download: plain words between all of a page's cells, and stills inside of the file."""

import base64
import json
import subprocess
from pathlib import Path

import nbformat
import pytest
from conftest import SPHINX

from cutaway.notebooks.writing import Code, Still, composed

CONF = """
extensions = ["myst_nb", "cutaway", "cutaway.cells"]
cutaway_sources = {"pkg": ["src"]}
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath"]
exclude_patterns = ["src", "build"]
suppress_warnings = ["toc.not_included"]
"""
RUNS = """
from cutaway.runs import Run

class Toy(Run):
    name = "toy"
    sources = ("pkg",)

    def trace(self, weights, record):
        from pkg.model import twice
        with record("forward"):
            twice(21)
        record.fact(answer=twice(21))
"""
PAGE = """---
file_format: mystnb
kernelspec: {name: python3}
---
(top)=
# A page

It has {fact}`toy.answer`, $x < y$, and {ref}`a link <below>`. {nb-download}`index.ipynb`

```{code-cell}
a = 1
```

(below)=
## Below

:::{listing} pkg.model.twice
:run: toy
:name: twice

`x * 2`{#double}
: Twice as much.
:::

```{code-cell}
:tags: [remove-input]
b = 2
```

```{code-cell}
c = 3
```
"""


def cells_of(text: str) -> list[tuple[str, str]]:
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def test_every_cell_is_there_in_its_order() -> None:
    parts = iter(["# A", "One.", Code("b = 2\n"), "Two."])
    text = composed(parts, ["a = 1", "b = 2", "c = 3"], {})
    assert cells_of(text) == [
        ("markdown", "# A\n\nOne."),
        ("code", "a = 1"),
        ("code", "b = 2"),
        ("markdown", "Two."),
        ("code", "c = 3"),
    ]


def test_a_cell_of_nobody_changes_nothing() -> None:
    assert cells_of(composed(iter([Code("gone"), "Two."]), ["a = 1"], {})) == [("markdown", "Two."), ("code", "a = 1")]


def test_stills_are_inside() -> None:
    text = composed(iter(["Look:", Still("clip-a-one.png", "One: a *b*", b"\x89PNG"), "End."]), [], {})
    cell = json.loads(text)["cells"][0]
    assert cell["source"] == "Look:\n\n![One: a \\*b\\*](attachment:clip-a-one.png)\n\nEnd."
    assert base64.b64decode(cell["attachments"]["clip-a-one.png"]["image/png"]) == b"\x89PNG"


@pytest.mark.slow
@pytest.mark.parametrize("site", ["", "https://example.org/book/"])
def test_a_page_as_a_notebook(site: str, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/model.py").write_text("def twice(x):\n    return x * 2\n", "utf-8")
    (tmp_path / "conf.py").write_text(CONF + f"html_baseurl = {site!r}\n", "utf-8")
    (tmp_path / "runs.py").write_text(RUNS, "utf-8")
    (tmp_path / "index.md").write_text(PAGE, "utf-8")
    command = [*SPHINX, "-W", "-d", "build/doctrees", ".", "build/html"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    (download,) = (tmp_path / "build/html/_downloads").rglob("index.ipynb")  # what a reader gets, from the first build
    assert download.read_bytes() == (tmp_path / "build/jupyter_execute/index.ipynb").read_bytes()
    found = cells_of(download.read_text("utf-8"))
    assert [source for kind, source in found if kind == "code"] == ["a = 1", "b = 2", "c = 3"]
    words = "\n\n".join(source for kind, source in found if kind == "markdown")
    there = f"[a link]({site}index.html#below)" if site else "a link"
    assert f"It has 42, $x < y$, and {there}." in words
    assert "return x * 2  # (1)" in words
    assert "{fact}" not in words and ":::" not in words and "(top)=" not in words
