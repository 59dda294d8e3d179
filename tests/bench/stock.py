"""The book's scenes as plain Manim sees them, with its own renderer: see ``film`` in programs.py.

They read the recorded run as in the book; the store must have it (``nox -s docs`` makes it). Manim's command finds
only classes that are defined in the file, so the one that the environment names gets a subclass here.
"""

import importlib
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / name) for name in (".", "ext", "model_src", "docs")]

from cutaway import runs  # noqa: E402
from cutaway.clips.scene.scene import Reading  # noqa: E402
from cutaway.settings import Book, places_of_last_build  # noqa: E402
from cutaway.trace.names import Names  # noqa: E402
from cutaway.trace.reading import load  # noqa: E402
from tests.bench.sampled import VARIABLE, of_book  # noqa: E402

book = Book.read(ROOT / "docs")
traces = {name: load(Path(found.trace)) for name, found in runs.ensure(book, lambda line: None).items()}
places = places_of_last_build(book)


def __getattr__(name: str) -> type:
    """The scene of that name, whose module alone is loaded: nobody else's is theirs to pay for."""
    for scene, run in of_book().items():
        module, _, own = scene.rpartition(".")
        if name == f"{module}_{own}":
            base = getattr(importlib.import_module(f"scenes.{module}"), own)
            reading = Reading(Names(traces, places, run))
            return type(name, (base,), {"__module__": __name__, "__doc__": base.__doc__, "reading": reading})
    raise AttributeError(name)


if wanted := os.environ.get(VARIABLE):
    globals()[wanted] = __getattr__(wanted)
