"""``python -m cutaway new``: what it writes builds without a warning, shows what was asked for, and loses nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from conftest import SPHINX

pytestmark = pytest.mark.slow

MOE = '''
import torch
from torch import nn


class Router(nn.Module):
    """Top-k gating."""

    def __init__(self, width: int, experts: int, k: int = 2):
        super().__init__()
        self.score = nn.Linear(width, experts)
        self.k = k

    def forward(self, x: torch.Tensor):
        logits = self.score(x)
        weights, chosen = logits.softmax(-1).topk(self.k)
        return weights / weights.sum(-1, keepdim=True), chosen


class Mean:
    def __call__(self, x):
        total = x.sum(0)
        return total / len(x)


class Data:
    pass
'''
PLAIN = '''
import numpy as np


def normalise(x: np.ndarray, eps: float = 1e-5):
    mean = x.mean(0)
    spread = x.std(0) + eps
    return (x - mean) / spread


def pick(table, row):
    return table["rows"][row]
'''


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package in src/."""
    folder = tmp_path_factory.mktemp("author")
    (folder / "src/gate").mkdir(parents=True)
    for name, text in {"__init__": "", "moe": MOE, "plain": PLAIN, "broken": "import nothing_of_that_name\n"}.items():
        (folder / f"src/gate/{name}.py").write_text(text, "utf-8")
    (folder / "src/alone.py").write_text("def one(x):\n    return x\n", "utf-8")
    return folder


def new(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cutaway", "new", *arguments]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=300, check=False)


def build(folder: Path) -> None:
    command = [*SPHINX, "-q", "-n", "-W", "-j", "2", str(folder), str(folder / "_build/again")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def page(folder: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((folder / f"_build/again/{name}.html").read_text("utf-8"), "html.parser")


def test_a_module_s_classes_have_pages_with_code_shapes_a_drawing_and_a_fact(place: Path) -> None:
    done = new(place, "gate.moe")
    assert done.returncode == 0, done.stderr
    assert "guessed for Router: Router(4, 8), torch.randn(2, 4)" in done.stdout
    folder = place / "gate-docs"
    build(folder)
    shown = page(folder, "router")
    assert "logits = self.score(x)" in shown.select_one(".cutaway-listing").get_text()  # type: ignore[union-attr]
    assert "(2, 8)" in shown.select_one(".cutaway-listing").get_text().replace("\n", "")  # type: ignore[union-attr]
    assert shown.select_one(".cutaway-diagram pre")
    assert shown.select_one(".cutaway-fact").get_text() == "40"  # type: ignore[union-attr]
    assert page(folder, "mean").select_one(".cutaway-listing")
    assert "# guessed" in (folder / "runs.py").read_text("utf-8")
    assert not (folder / "data.md").exists()


def test_what_is_said_is_not_guessed(place: Path) -> None:
    done = new(place, "gate.moe:Router", "said", "--build", "Router(6, 3, k=1)", "--input", "torch.ones(5, 6)")
    assert done.returncode == 0, done.stderr
    assert "guessed" not in done.stdout + (place / "said/runs.py").read_text("utf-8")
    build(place / "said")
    assert "(5, 3)" in page(place / "said", "router").get_text().replace("\n", "")


@pytest.mark.parametrize("parser", ["myst_parser", ""])
def test_a_project_that_is_there_keeps_all_that_it_has(place: Path, tmp_path: Path, parser: str) -> None:
    docs, suffix = tmp_path / "docs", ".md" if parser else ".rst"
    docs.mkdir()
    extensions = [parser] if parser else []
    (docs / "conf.py").write_text(f"extensions = {extensions}\nexclude_patterns = ['_build']\n", "utf-8")
    start = "# Mine\n\n```{toctree}\nnormalise\n```\n" if parser else "Mine\n====\n\n.. toctree::\n\n   normalise\n"
    (docs / f"index{suffix}").write_text(start, "utf-8")
    before = {path.name: path.read_bytes() for path in docs.iterdir()}
    done = new(place, "gate.plain:normalise", "--in", str(docs))
    assert done.returncode == 0, done.stderr
    assert {name: (docs / name).read_bytes() for name in before} == before
    told = done.stdout.split(f"add to {docs / 'conf.py'}:\n")[1].split("\nand to a toctree:")[0]
    with (docs / "conf.py").open("a", encoding="utf-8") as conf:
        conf.write("\n".join(line.strip() for line in told.splitlines()) + "\n")
    build(docs)
    assert page(docs, "normalise").select_one(".cutaway-diagram pre")
    again = new(place, "gate.plain:normalise", "--in", str(docs))
    assert again.returncode == 1 and f"has normalise{suffix}, runs.py already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gate.mo:Router"], "gate.mo can't be imported: No module named 'gate.mo'; write PACKAGE.MODULE:NAME"),
        (["gate.broken"], "gate.broken can't be imported: No module named 'nothing_of_that_name'"),
        (["gate.moe:Ruter"], "no 'Ruter' in gate.moe; there is Router, Mean, Data"),
        (["gate.moe:nn"], "gate.moe:nn is a module; name a class or a function"),
        (["gate.moe:Data"], "the class Data has neither forward nor __call__"),
        (["gate.moe", "--build", "Router(1, 2)"], "write gate.moe:NAME"),
        (["gate.moe:Router", "--build", "Router(3)"], "Router(3): "),
        (["gate.plain:pick"], "pick: none of"),
        (["gate.plain:normalise", "src"], "src is not empty"),
        (["gate.plain:normalise", "--in", "src"], "no conf.py in src"),
        (["alone:one"], "alone is a single file; put it into a package"),
    ],
)
def test_what_can_not_be_done_says_what_to_do(place: Path, arguments: list[str], said: str) -> None:
    before = sorted(place.rglob("*.md"))
    done = new(place, *arguments)
    assert done.returncode == 1
    assert said in done.stderr and "Traceback" not in done.stderr
    assert sorted(place.rglob("*.md")) == before
