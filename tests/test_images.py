"""Pictures are copied with one line in the log, and what can't be copied is named."""

import subprocess
from pathlib import Path

from conftest import SPHINX

CONF = """
extensions = ["cutaway"]
suppress_warnings = ["toc.not_included"]

def forget(app, env):
    app.srcdir.joinpath("gone.svg").unlink(missing_ok=True)
    return []

def setup(app):
    app.connect("env-updated", forget)
"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'


def build(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    (folder / "conf.py").write_text(CONF, "utf-8")
    for name in names:
        (folder / f"{name}.svg").write_text(SVG, "utf-8")
    images = "\n".join(f".. image:: {name}.svg\n" for name in names)
    (folder / "index.rst").write_text(f"Pictures\n========\n\n{images}", "utf-8")
    command = [*SPHINX, "-d", "doctrees", ".", "html"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_one_line_for_all(tmp_path: Path) -> None:
    done = build(tmp_path, "a", "b", "c")
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if "copying images" in line] == ["copying images: 3"]
    assert sorted(path.name for path in (tmp_path / "html/_images").iterdir()) == ["a.svg", "b.svg", "c.svg"]


def test_a_picture_that_went_is_named(tmp_path: Path) -> None:
    done = build(tmp_path, "a", "gone")
    assert "cannot copy image file" in done.stderr and "gone.svg" in done.stderr
    assert [path.name for path in (tmp_path / "html/_images").iterdir()] == ["a.svg"]
