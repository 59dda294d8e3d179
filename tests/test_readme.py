"""README's section for authors, followed to the letter in an environment that has nothing else."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT

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


def test_the_example_builds_a_picture_without_a_warning(wheel: Path, tmp_path: Path) -> None:
    assert SECTION
    text = SECTION[1]
    install, build = (found.partition("#")[0].split() for found in COMMAND.findall(text))
    assert install[:2] == ["pip", "install"]
    packages = [str(wheel) if word.startswith(('"cutaway', "git+")) else word for word in install[2:] if word != "@"]
    packages = list(dict.fromkeys(packages))
    run(tmp_path, sys.executable, "-m", "venv", "venv")
    run(tmp_path, "venv/bin/pip", "install", "-q", *packages)
    files = {block["file"]: block["text"] for block in BLOCK.finditer(text)}
    assert set(files) == {"src/mypackage/model.py", "docs/runs.py", "docs/conf.py", "docs/index.md"}
    for name, content in {**files, "src/mypackage/__init__.py": ""}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    said = run(tmp_path, f"venv/bin/{build[0]}", *build[1:])
    assert "build succeeded." in said
    page = BeautifulSoup((tmp_path / "docs/_build/html/index.html").read_text("utf-8"), "html.parser")
    assert "scores" in page.select_one("figure.cutaway-diagram pre").get_text()  # type: ignore[union-attr]
    shapes = [shape.get_text() for shape in page.select(".cutaway-note .cutaway-shape-of")]
    assert shapes == ["(2, 4)"]
    command = [tmp_path / "venv/bin/python", "-m", "cutaway", "--docs", "docs", "cells", "index"]
    cells = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert cells.returncode == 1
    assert "pip install 'cutaway[cells]'" in cells.stderr and "Traceback" not in cells.stderr
