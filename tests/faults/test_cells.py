"""Cells that raise, kill their kernel or never end: the other pages are built, page and cell are named."""

import pytest

from .site import Site

pytestmark = pytest.mark.faults

LAST = 'print("the answer is", load("tiny").facts["answer"])'
FAULTS = {
    "cell raises": ('raise ValueError("boom")', "ValueError"),
    "cell kills its kernel": ("import os; os._exit(1)", "kernel died"),
    "cell hangs": ("import time; time.sleep(60)", "3 s"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_cell_spoils_its_page_alone(warm: Site, good: Site, attempt, fault: str) -> None:
    statement, says = FAULTS[fault]
    with attempt(fault):
        warm.edit("docs/cells.md", LAST, statement)
        warm.put("docs/more.md", "---\norphan: true\nfile_format: mystnb\nkernelspec: {name: python3}\n---\n"
                 "# More\n\n```{code-cell}\nprint(6 * 7)\n```\n")
        built = warm.build("-D", "nb_execution_timeout=3")
        assert built.returncode == 1, built.said
        assert says in built.said, built.said
        warnings = [line for line in built.said.splitlines() if "WARNING" in line]
        assert any("cells.md" in line for line in warnings), built.said
        pages = warm.pages()
        assert {"code.html", "clips.html", "index.html", "more.html", "cells.html"} <= pages.keys()
        assert "42" in (warm.folder / "out/html/more.html").read_text("utf-8")
        (warm.folder / "docs/more.md").unlink()
        warm.put("docs/cells.md", (good.folder / "docs/cells.md").read_text("utf-8"))
        mended = warm.build()
        assert mended.returncode == 0, mended.said
        same = {name: digest for name, digest in warm.pages().items() if "more" not in name and "reports" not in name}
        assert same.items() <= good.pages().items()
