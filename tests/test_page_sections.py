"""Sections and diagrams of pages in the terminal: what is read of a page's source, and that the page says the same."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from cutaway.__main__ import main
from cutaway.prose.page_sections import Directive, Heading, Label, Words, read, section

ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("CUTAWAY_")}
ENVIRONMENT |= {"PYTHONPATH": str(Path(__file__).parents[1] / "ext"), "CUTAWAY_CACHE": "off"}

PAGE = """\
---
title: Anything
---
(home)=
# Home

(parts)=
## The *parts* of `it`

There are {fact}`small.parts:words` parts, see {ref}`the top <home>`,
[a site](https://example.org) and {dim}`T`.

:::{diagram} m.code.halve
:run: small
:::

```{diagram}
:name: hand
:alt: text becomes tokens

┌──────┐     ┌────────┐
│ text │────▶│ tokens │
└──────┘     └────────┘

text -> home
```

Key features:

- The first is {fact}`small/x.shape`, and this item is so long that no terminal
  of today shows it in a line.
- **{fact}`small.share:.0%`** of *it* are `code`, and `{fact}` is no role.

(inner)=
### Inside

```python
# no heading
(no-label)=
```

(after)=
## After

Not in it.
"""
CODE = """\
import numpy as np


def halve(x):
    y = x / 2
    return y
"""
RUNS = """\
from cutaway import Run


class Small(Run):
    name = "small"
    sources = ("m",)

    def trace(self, weights, record):
        import numpy as np
        from m.code import halve

        with record("forward"):
            halve(np.ones((2, 3)))
        record.fact(parts=3, share=0.5)
"""
CONF = """\
extensions = ["myst_parser", "cutaway"]
myst_enable_extensions = ["colon_fence"]
cutaway_sources = {"m": "src"}
cutaway_explain = {
    "half": {"m": "#parts", "plain": "m.code.halve small"},
    "plain": "m.code.halve small",
    "drawn": "#hand",
}
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sections")
    for name, text in {"src/code.py": CODE, "conf.py": CONF, "runs.py": RUNS, "index.md": PAGE}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def terminal(book: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cutaway", "--docs", str(book), "explain", *arguments]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False)


HAND = ["┌──────┐     ┌────────┐", "│ text │────▶│ tokens │", "└──────┘     └────────┘"]


# What is read


def test_a_section_ends_before_the_next_one_and_its_label(book: Path) -> None:
    blocks = section(book, "parts")
    assert blocks[0] == Heading(2, "The *parts* of `it`")
    assert [block.id for block in blocks if isinstance(block, Label)] == ["inner"]
    assert [block.title for block in blocks if isinstance(block, Heading)][1:] == ["Inside"]
    assert not any("Not in it." in block.lines for block in blocks if isinstance(block, Words))
    assert section(book, "after")[-1] == Words(("Not in it.",))


def test_the_body_comes_after_the_options(book: Path) -> None:
    [hand] = section(book, "hand")
    assert isinstance(hand, Directive)
    assert hand.options == {"name": "hand", "alt": "text becomes tokens"}
    assert hand.body == ("", *HAND, "", "text -> home")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("````{note}\n```{diagram}\n:name: in\n```\n````\n", ["note"]),
        (":::{diagram} a.b\nopen to the end", ["diagram"]),
        ("```sh\nls\n```\n~~~{clip} a.B\n~~~\n", ["", "clip"]),
        ("a ``` in a line\n", []),
    ],
)
def test_a_fence_holds_what_is_in_it(text: str, names: list[str]) -> None:
    assert [block.name for block in read(text) if isinstance(block, Directive)] == names


def test_what_no_page_has_is_told_with_the_nearest(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--docs", str(book), "explain", "#part"]) == 1
    said = capsys.readouterr().err
    assert f"no Markdown page in {book} has a section or a diagram '#part'; did you mean 'parts' or 'after'?" in said
    assert main(["--docs", str(book), "explain", "#no-label"]) == 1  # it stands in code


def test_only_the_book_s_own_pages_are_read(book: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("(secret)=\n# Not yours\n", "utf-8")
    (book / "_built").mkdir()
    (book / "_built/page.md").write_text("(built)=\n# Built\n", "utf-8")
    (book / "linked.md").symlink_to(tmp_path / "secret.md")
    (book / "broken.md").write_bytes(b"\xff\xfe(\n")
    (book / "folder.md").mkdir()
    for id in ("secret", "built"):
        with pytest.raises(LookupError, match=f"'#{id}'"):
            section(book, id)
    for name in ("linked.md", "broken.md"):
        (book / name).unlink()
    (book / "folder.md").rmdir()
    shutil.rmtree(book / "_built")


# What is printed


def test_the_page_and_the_terminal_say_the_same(book: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "-n", str(book), str(book / "_build")],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = BeautifulSoup((book / "_build/index.html").read_text("utf-8"), "html.parser").select_one("#parts")
    assert page is not None
    said = terminal(book, "half").stdout
    for figure in page.select("figure pre"):
        assert figure.get_text().strip("\n") in said
    assert len(page.select("figure pre")) == 2
    flat = " ".join(said.split())
    for figure in page.select("figure"):
        figure.decompose()
    sentences = [" ".join(one.get_text().split()) for one in page.select("p, li")]
    assert len(sentences) >= 4
    for sentence in sentences:
        assert sentence in flat
    assert said.startswith("The parts of it\n\nThere are three parts, see the top, a site and T.\n\n")


def test_lines_are_as_wide_as_drawings_and_no_shape_is_broken(book: Path) -> None:
    said = terminal(book, "half").stdout
    assert max(map(len, said.splitlines())) <= 78
    item = "- The first is (2, 3), and this item is so long that no terminal of today\n  shows it in a line."
    assert f"\n{item}\n" in said
    assert "\n- 50% of it are code, and {fact} is no role.\n" in said
    for width in range(60, 90):  # wherever the line ends
        (book / "other.md").write_text(f"(other)=\n# O\n\n{'x' * width} {{fact}}`small/x.shape`\n", "utf-8")
        assert "(2, 3)" in terminal_in_process(book, "#other")
    (book / "other.md").unlink()


def terminal_in_process(book: Path, asked: str) -> str:
    from cutaway.prose.page_sections import explain
    from cutaway.settings import Book

    return explain(Book.read(book), asked)


def test_a_diagram_made_by_hand_is_printed_by_its_name(book: Path) -> None:
    for asked in ("drawn", "#hand"):
        assert terminal(book, asked).stdout.splitlines() == HAND


def test_run_chooses_the_program_or_a_run(book: Path) -> None:
    plain = terminal(book, "m.code.halve", "--run", "small").stdout
    assert terminal(book, "half", "--run", "plain").stdout == plain
    assert terminal(book, "plain").stdout == plain
    assert terminal(book, "plain", "--run", "m").stdout == plain  # its package
    assert terminal(book, "half", "--run", "m").stdout == terminal(book, "half").stdout != plain


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["drawn", "--run", "m"], "the short name 'drawn' stands for nothing of m; it does for"),
        (["half", "--run", "small"], "'half' is #parts, on a page that says which runs it draws: leave out"),
        (["#hand", "--prove"], "'#hand' has no computed drawing: only these can be proven"),
    ],
)
def test_what_can_t_be_chosen_is_told(book: Path, arguments: list[str], said: str) -> None:
    done = terminal(book, *arguments)
    assert done.returncode == 1
    assert said in done.stderr and "Traceback" not in done.stderr


def test_the_drawings_of_a_section_are_proven(book: Path) -> None:
    done = terminal(book, "half", "--prove")
    assert done.returncode == 0, done.stderr
    assert re.search(r"small\.forward: \d+ boxes, \d+ arrows; .*, 0 arrows missing, 0 too many", done.stdout)


def test_a_fact_that_there_is_not_is_told(book: Path) -> None:
    wrong = {"small.part": "has no fact 'part'", "small/x": "add .shape or an index", "cell.a": "no run"}
    for text, said in wrong.items():
        (book / "wrong.md").write_text(f"(wrong)=\n# W\n\n{{fact}}`{text}`\n", "utf-8")
        done = terminal(book, "#wrong")
        assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr, done.stderr
    (book / "wrong.md").unlink()
