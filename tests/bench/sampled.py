"""The book's scenes, each with the run that it shows, as the pages ask for them."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from .programs import ROOT

_CLIP = re.compile(r"\{clip\} (\S+)\n:run: (\S+)")
SEED, SAMPLE = 6, 6
VARIABLE = "CUTAWAY_BENCH_SCENE"  # names the one that Manim's command is to find in stock.py


def of_book() -> dict[str, str]:
    """Run of each scene by its dotted path, in the order of paths."""
    texts = [path.read_text("utf-8") for path in sorted((ROOT / "docs").rglob("*.md"))]
    return dict(sorted(pair for text in texts for pair in _CLIP.findall(text)))


def sample(every: bool) -> Sequence[str]:
    """All of them, or some that the seed picks: by Manim's command all would take most of an hour."""
    scenes = list(of_book())
    return scenes if every else random.Random(SEED).sample(scenes, SAMPLE)
