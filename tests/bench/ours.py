"""Clips of the book from an empty store, all that a build makes: ``python -m tests.bench.ours FOLDER SCENE...``."""

import sys
from dataclasses import replace
from pathlib import Path

from cutaway import runs
from cutaway.book import Book, places_of_last_build
from cutaway.render import Inputs, Wanted, render
from cutaway.store import Store

if __name__ == "__main__":
    folder, *scenes = sys.argv[1:]
    book = Book.read(Path(__file__).parents[2] / "docs")
    traces = {name: found.trace for name, found in runs.ensure(book, print, ["sort"]).items()}
    inputs = Inputs(traces, places_of_last_build(book))
    cold = replace(book, store=Store(Path(folder)))
    for clip in render(cold, [Wanted(f"attention.{scene}", "sort") for scene in scenes], inputs, print).values():
        if clip.error:
            sys.exit(clip.error)
