"""The pages for authors show every directive, option, role, setting and kind of warning; each has a meaning."""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT

from cutaway.config_values import SETTINGS
from cutaway.dev.reference import TABLES
from cutaway.settings import kinds
from cutaway.source.own import TOOL
from cutaway.warning_kinds import WARNINGS, Kind

PAGE = """# Reference

:::{reference} directives
:::

:::{reference} roles
:::

:::{reference} warnings
:::
"""


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> list[list[list[str]]]:
    """The three tables, row by row, as a page shows them."""
    folder = tmp_path_factory.mktemp("reference")
    settings = 'extensions = ["myst_parser", "cutaway.dev.reference"]\nmyst_enable_extensions = ["colon_fence"]\n'
    (folder / "conf.py").write_text(settings, "utf-8")
    (folder / "index.md").write_text(PAGE, "utf-8")
    command = [sys.executable, "-m", "sphinx", "-nqW", str(folder), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    page = BeautifulSoup((folder / "html/index.html").read_text("utf-8"), "html.parser")
    return [
        [[cell.get_text(" ", strip=True) for cell in row.select("td")] for row in table.select("tbody tr")]
        for table in page.select("table")
    ]


def test_every_option_of_every_directive_has_a_meaning(tables: list[list[list[str]]]) -> None:
    rows = tables[0]
    assert {row[0] for row in rows if row[0]} >= {"listing", "diagram", "clip", "sequence", "reference"}
    shown = {row[1] for row in rows if row[1]}
    written = set()
    for path in (ROOT / "ext/cutaway").rglob("*.py"):
        text = path.read_text("utf-8")
        if "SphinxDirective)" in text:
            written |= {f":{name}:" for name in re.findall(r'"(\w+)": Option\(', text)}
            assert not re.search(r"option_spec[^=\n]*= \{.*directives\.", text), f"{path.name}: say options in OPTIONS"
    assert shown == written
    assert all(row[2] for row in rows), [row for row in rows if not row[2]]


def test_every_role_has_a_meaning(tables: list[list[list[str]]]) -> None:
    assert {row[0] for row in tables[1]} >= {"fact", "dim", "step"}
    assert all(len(row[1]) > 10 for row in tables[1])


def test_every_kind_of_warning_that_a_mistake_gives_is_shown(tables: list[list[list[str]]]) -> None:
    kinds = {row[0] for row in tables[2]}
    expected = "".join(path.read_text("utf-8").split("\n")[0] for path in (ROOT / "tests/broken").glob("*.md"))
    assert kinds >= set(re.findall(r"cutaway\.\w+", expected))
    assert kinds == {f"cutaway.{kind}" for kind in WARNINGS}
    assert all(len(row[1]) > 10 for row in tables[2])


def test_the_table_has_the_kinds_of_warnings_that_the_code_gives_and_no_others() -> None:
    given = {kind for path in TOOL.rglob("*.py") for kind in kinds_given(path)}
    assert given == set(WARNINGS) == set(get_args(Kind))


def kinds_given(path: Path) -> Iterator[str]:
    """The kinds in the calls of a module: of ``warn`` and ``bounded`` the last argument, of a logger ``subtype``."""
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        kind = named.get("subtype") if ast.unparse(named.get("type", call)) == "'cutaway'" else None
        if isinstance(call.func, ast.Name) and call.func.id in ("warn", "bounded"):
            kind = call.args[-1]
        if isinstance(kind, ast.Constant):
            yield str(kind.value)
        elif isinstance(kind, ast.Name):  # a constant of the module; build's functions hand on a parameter
            module = ".".join(["cutaway", *path.relative_to(TOOL).with_suffix("").parts])
            yield from [vars(importlib.import_module(module))[kind.id]] if kind.id != "kind" else []


def test_the_pages_for_authors_have_the_tables() -> None:
    tables = set()
    for page in ("authoring", "using"):
        text = Path(ROOT / f"docs/{page}.md").read_text("utf-8")
        tables |= set(re.findall(r"^:::\{reference\} (\w+)$", text, re.MULTILINE))
    assert tables == set(TABLES)


def test_an_example_is_a_value_that_its_setting_takes() -> None:
    for setting in SETTINGS:
        example = ast.literal_eval(setting.example)
        assert isinstance(example, tuple(kinds(setting.type))), setting.name
        assert example != setting.default, setting.name


def test_the_tutorial_names_every_variable_that_the_tool_reads() -> None:
    told = Path(ROOT / "docs/using.md").read_text("utf-8")
    code = "".join(path.read_text("utf-8") for path in TOOL.rglob("*.py"))
    inner = {"CUTAWAY_BOOK"}  # from the builder to its own kernels
    read = set(re.findall(r'"(CUTAWAY_\w+)"', code)) - inner
    assert read == set(re.findall(r"^\| `(CUTAWAY_\w+)`", told, re.MULTILINE))
