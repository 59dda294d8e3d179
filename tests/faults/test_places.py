"""Where a book stands, what the clock says, and which tools made it."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from .site import ROOT, Site, rarely

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("name", [rarely("a book with spaces"), "büch-書-🎬", rarely("it's 100% #1")])
def test_a_folder_of_any_name(good: Site, tmp_path: Path, attempt, name: str) -> None:
    with attempt("a path with spaces and non-ASCII"):
        site = Site.write(tmp_path / name)
        built = site.build()
        assert built.returncode == 0, built.said
        assert site.pages() == good.pages()


def test_a_source_tree_that_cannot_be_written(good: Site, tmp_path: Path, attempt) -> None:
    with attempt("read-only source tree"):
        site = Site.write(tmp_path / "book")
        before = _listing(site.folder / "docs") | _listing(site.folder / "src")
        frozen = [path for part in ("docs", "src") for path in (site.folder / part, *(site.folder / part).rglob("*"))]
        for path in frozen:
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            built = site.build(PYTHONDONTWRITEBYTECODE="")
            assert built.returncode == 0, built.said
            assert site.pages() == good.pages()
            after = _listing(site.folder / "docs") | _listing(site.folder / "src")
            assert after == before  # root may write anything: nothing was
        finally:
            for path in frozen:
                path.chmod(0o755)


def _listing(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path): path.read_bytes() for path in files}


@pytest.mark.parametrize("step_s", [rarely(-86_400), 86_400])
def test_the_clock_jumps(warm: Site, good: Site, attempt, step_s: int) -> None:
    with attempt("clock jumps"):
        assert warm.build().returncode == 0
        for path in warm.folder.rglob("*"):
            if path.is_file():
                os.utime(path, (time.time() + step_s,) * 2)
        built = warm.build()
        assert built.returncode == 0, built.said
        assert warm.pages() == good.pages()
        assert "training" not in built.said and "clip 1 of" not in built.said  # no time is part of a key
        warm.edit("docs/code.md", "The answer is", "And the answer is")
        os.utime(warm.folder / "docs/code.md", (time.time() + 2 * step_s,) * 2)
        warm.build()
        assert "And the answer is" in (warm.folder / "out/html/code.html").read_text("utf-8")


def test_what_was_deleted_behind_an_unchanged_page_comes_back(warm: Site, good: Site, attempt) -> None:
    assert warm.build().returncode == 0
    with attempt("artifact deleted behind an unchanged page: output"):
        for path in (warm.folder / "out/html/_images").iterdir():
            path.unlink()
        built = warm.build()
        assert built.returncode == 0, built.said
        assert warm.pages() == good.pages()
    with attempt("artifact deleted behind an unchanged page: store"):
        shutil.rmtree(warm.folder / "store")
        built = warm.build()
        assert built.returncode == 0, built.said
        assert warm.pages() == good.pages()


@pytest.mark.parametrize(
    ("tool", "again"), [("manim", "clip 1 of 2"), ("torch", "training"), rarely("numpy", "training")]
)
def test_another_version_of_a_tool_is_another_key(warm: Site, attempt, tmp_path: Path, tool: str, again: str) -> None:
    """The installed version is asked for while Sphinx runs; here another one answers."""
    with attempt("version of a tool changed"):
        (tmp_path / "fake").mkdir()
        (tmp_path / "fake/sitecustomize.py").write_text(
            "import importlib.metadata as m\nreal = m.version\n"
            f"m.version = lambda name: '99.9' if name == {tool!r} else real(name)\n"
        )
        path = os.pathsep.join([str(tmp_path / "fake"), str(ROOT / "ext")])
        assert again not in warm.build().said
        built = warm.build(PYTHONPATH=path)
        assert built.returncode == 0, built.said
        assert again in built.said


@pytest.mark.parametrize("more", ["", "f.find_spec = lambda name: None\n"], ids=["stand-in", "none"])
def test_another_font_is_another_key(warm: Site, attempt, tmp_path: Path, more: str) -> None:
    """The book's typefaces are not found: the stand-in's files are others, or there is none."""
    with attempt(f"font changed{' (none left)' if more else ''}"):
        (tmp_path / "fake").mkdir()
        (tmp_path / "fake/sitecustomize.py").write_text(
            f"import cutaway.theme.fonts as f\nf.FOLDERS = ()\nf._by_fontconfig = lambda family: iter(())\n{more}"
        )
        assert "clip 1 of 2" not in warm.build().said
        built = warm.build(PYTHONPATH=os.pathsep.join([str(tmp_path / "fake"), str(ROOT / "ext")]))
        assert built.returncode == 0, built.said
        assert "clip 1 of 2" in built.said
