"""Scenes that do what no scene should."""

import re
from pathlib import Path

import pytest

from .site import Site

pytestmark = pytest.mark.faults

FADE = 'self.next_section("Fade")'
FAULTS = {
    "scene raises": ('raise ValueError("boom")', "ValueError: boom"),
    "scene calls os._exit": ("import os; os._exit(3)", "exit code 3"),
    "scene crashes (segmentation fault)": ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    "scene eats memory": ("hog = [bytearray(100_000_000) for _ in range(10_000)]", "cutaway_clip_limit_mb"),
    "scene loops for ever": ("while True: pass", "cutaway_clip_limit_s = 3 s"),
    "scene writes outside its folder": ('open(__file__ + ".txt", "w")', "outside its folder"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_scene_harms_nobody(warm: Site, good: Site, attempt, fault: str) -> None:
    statement, says = FAULTS[fault]
    with attempt(fault):
        warm.edit("docs/scenes/first.py", FADE, f"{statement}; {FADE}" if "while" not in statement else statement)
        limits = ["-D", "cutaway_clip_limit_s=3"] if "loops" in fault else []
        built = warm.build(*limits)
        assert built.returncode == 1, built.said
        assert says in built.said, built.said
        assert re.search(r"clips\.md:\d+: WARNING: clip first\.Fades", built.said), built.said
        page = (warm.folder / "out/html/clips.html").read_text("utf-8")
        assert "A square fades in." in page  # its words
        assert page.count("data-recording=") == 1  # and its neighbour
        assert (warm.folder / "out/html/cells.html").is_file()
        assert not list(Path(warm.folder, "docs/scenes").glob("*.txt"))
        warm.put("docs/scenes/first.py", (good.folder / "docs/scenes/first.py").read_text("utf-8"))
        mended = warm.build()
        assert mended.returncode == 0, mended.said
        assert warm.pages() == good.pages()
