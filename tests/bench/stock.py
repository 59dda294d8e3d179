"""The book's scenes as plain Manim sees them: ``manim render tests/bench/stock.py CausalMask`` with its own renderer.

They read the recorded run as in the book; the store must have it (``nox -s docs`` makes it).
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "ext"), str(ROOT / "model_src"), str(ROOT / "docs")]

from cutaway import runs  # noqa: E402
from cutaway.book import Book, places_of_last_build  # noqa: E402
from cutaway.filming.scene import Reading, RecordedScene  # noqa: E402
from cutaway.names import Names  # noqa: E402
from cutaway.trace import load  # noqa: E402
from scenes import attention  # noqa: E402

book = Book.read(ROOT / "docs")
traces = {name: load(Path(found.trace)) for name, found in runs.ensure(book, lambda line: None, ["sort"]).items()}
RecordedScene.reading = Reading(Names(traces, places_of_last_build(book), "sort"))



class Scores(attention.Scores):
    """Manim's command finds only what is defined in the file."""


class CausalMask(attention.CausalMask):
    """As above."""


class WeightedSum(attention.WeightedSum):
    """As above."""


class Heads(attention.Heads):
    """As above."""
