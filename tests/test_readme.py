"""README's section for authors, followed to the letter in an environment that has nothing else."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT, SPHINX

pytestmark = pytest.mark.slow
SECTION = re.search(r"^## A book about your own code$(.*?)^## ", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
# A block, and the file that the words before it name last.
BLOCK = re.compile(r"`(?P<file>[\w./]+\.\w+)`:\n\n(?P<fence>`{3,})\w+\n(?P<text>.*?)^(?P=fence)$", re.M | re.S)
COMMAND = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(folder, sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", ".", str(ROOT))
    [built] = folder.glob("*.whl")
    return built


def test_the_wheel_has_what_the_package_reads_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tool = ROOT / "ext"
    wanted = {
        path.relative_to(tool).as_posix()
        for path in (tool / "cutaway").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == wanted
    assert {"cutaway/py.typed", "cutaway/theme/typefaces/OFL.txt", "cutaway/theme/static/clip.js"} <= wanted


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has what README says to install, and nothing else."""
    assert SECTION
    install = COMMAND.findall(SECTION[1])[0].partition("#")[0].split()
    assert install[:2] == ["pip", "install"]
    packages = [str(wheel) if word.startswith(('"cutaway', "git+")) else word for word in install[2:] if word != "@"]
    folder = tmp_path_factory.mktemp("bare")
    run(folder, sys.executable, "-m", "venv", "venv")
    run(folder, "venv/bin/pip", "install", "-q", *dict.fromkeys(packages))
    return folder / "venv/bin"


def test_the_example_builds_a_picture_without_a_warning(bare: Path, tmp_path: Path) -> None:
    assert SECTION
    text = SECTION[1]
    build = COMMAND.findall(text)[1].split()
    files = {block["file"]: block["text"] for block in BLOCK.finditer(text)}
    assert set(files) == {"src/mypackage/model.py", "docs/runs.py", "docs/conf.py", "docs/index.md"}
    for name, content in {**files, "src/mypackage/__init__.py": ""}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    said = run(tmp_path, str(bare / build[0]), *build[1:])
    assert "build succeeded." in said
    page = BeautifulSoup((tmp_path / "docs/_build/html/index.html").read_text("utf-8"), "html.parser")
    assert "scores" in page.select_one("figure.cutaway-diagram pre").get_text()  # type: ignore[union-attr]
    shapes = [shape.get_text() for shape in page.select(".cutaway-note .cutaway-shape-of")]
    assert shapes == ["(2, 4)"]
    command = [bare / "python", "-m", "cutaway", "--docs", "docs", "cells", "index"]
    cells = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert cells.returncode == 1
    assert "pip install 'cutaway[cells]'" in cells.stderr and "Traceback" not in cells.stderr


ELSEWHERE = {
    "src/small/__init__.py": "",
    "src/small/net.py": "import torch\n\n\ndef double(x):\n    twice = torch.add(x, x)\n    return twice\n",
    "runs.py": """
from cutaway import Run


class Small(Run):
    name = "small"
    sources = ("small",)

    def train(self, log):
        import torch

        return {"x": torch.arange(3.0)}

    def trace(self, weights, record):
        import torch
        from small.net import double

        with record("forward"):
            double(torch.from_numpy(weights["x"]))
""",
    "scenes/one.py": """
from manim import Square

from cutaway import RecordedScene


class Box(RecordedScene):
    def construct(self):
        self.add(Square(float(self.value("small/small-double-twice")[2]), color=self.theme.accent))
        self.wait(0.1)
""",
    "conf.py": """
extensions = ["myst_parser", "cutaway"]
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
exclude_patterns = ["_build*"]
cutaway_sources = {"small": ["src/small"]}
""",
    "index.md": """# Small

:::{listing} small.net.double
:run: small
:name: small-double

`twice = torch.add(x, x)`{#twice}
: It is {fact}`small/small-double-twice.shape`.
:::

:::{clip} one.Box
:run: small
:alt: A square.
:::
""",
}


def test_a_store_serves_a_machine_without_torch_and_manim(bare: Path, tmp_path: Path) -> None:
    """What one machine has made, another shows that could make nothing of it; of an edit it says what is missing."""
    for name, text in ELSEWHERE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    run(tmp_path, *SPHINX, "-W", "-n", ".", "_build/here")
    said = run(tmp_path, str(bare / "sphinx-build"), "-W", "-n", ".", "_build/there")
    assert "training" not in said and "tracing" not in said and "clip 1" not in said
    here, there = ([path.name for path in tmp_path.glob(f"_build/{place}/**/clip-*.js")] for place in ("here", "there"))
    assert len(here) == 1 and here == there
    net = tmp_path / "src/small/net.py"
    net.write_text(net.read_text("utf-8").replace("(x, x)", "(x, x + 0)"), "utf-8")
    assert "No module named 'torch'" in run(tmp_path, str(bare / "sphinx-build"), ".", "_build/there")
