"""Runs that fail, hang, die or go astray in numbers."""

import re

import pytest

from .site import Site

pytestmark = pytest.mark.faults

TRAINED = "weights = np.linspace(0, 1, 12).reshape(3, 4)"
FAULTS = {
    "run fails": ('raise ValueError("boom")', "ValueError: boom"),
    "run hangs": ("import time; time.sleep(60)", "limit_s = 3 s"),
    "run's process dies": ("import os; os._exit(3)", "exit code 3"),
    "run crashes (segmentation fault)": ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    "training gives NaN": (f"{TRAINED} * np.nan", "not a number"),
    "a fact is NaN": (f'{TRAINED}; log.fact(loss=float("nan"))', "not a number"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_run_is_a_warning_with_its_place(warm: Site, good: Site, attempt, fault: str) -> None:
    statement, says = FAULTS[fault]
    with attempt(fault):
        before = warm.stored()
        warm.edit("docs/runs.py", TRAINED, statement if TRAINED in statement else f"{statement}; {TRAINED}")
        if "hangs" in fault:
            warm.edit("docs/runs.py", "limit_s = 20", "limit_s = 3")
        built = warm.build()
        assert built.returncode == 1, built.said
        assert says in built.said and re.search(r"runs\.py:\d+: WARNING: the run 'tiny' failed", built.said), built.said
        assert {"code.html", "clips.html", "cells.html", "index.html"} <= warm.pages().keys()
        assert before.items() <= warm.stored().items()
        warm.put("docs/runs.py", (good.folder / "docs/runs.py").read_text("utf-8"))
        mended = warm.build()
        assert mended.returncode == 0, mended.said
        assert warm.pages() == good.pages()
