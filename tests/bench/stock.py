"""The book's scenes as plain Manim sees them: ``manim render tests/bench/stock.py attention_CausalMask``.

They read the recorded run as in the book; the store must have it (``nox -s docs`` makes it). Manim's command finds
only classes that are defined in the file, so each gets a subclass here.
"""

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / name) for name in (".", "ext", "model_src", "docs")]

from cutaway import runs  # noqa: E402
from cutaway.book import Book, places_of_last_build  # noqa: E402
from cutaway.filming.scene import Reading  # noqa: E402
from cutaway.names import Names  # noqa: E402
from cutaway.trace import load  # noqa: E402
from tests.bench.sampled import of_book  # noqa: E402

book = Book.read(ROOT / "docs")
traces = {name: load(Path(found.trace)) for name, found in runs.ensure(book, lambda line: None).items()}
places = places_of_last_build(book)

for scene, run in of_book().items():
    module, _, name = scene.rpartition(".")
    base = getattr(importlib.import_module(f"scenes.{module}"), name)
    own = {"__module__": __name__, "__doc__": base.__doc__, "reading": Reading(Names(traces, places, run))}
    globals()[f"{module}_{name}"] = type(f"{module}_{name}", (base,), own)
