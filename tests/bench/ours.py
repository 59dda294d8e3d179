"""Clips of the book from an empty store, all that a build makes: ``python -m tests.bench.ours FOLDER SCENE...``.

With ``--mp4`` before the folder, each also as ``FOLDER/SCENE.mp4``.
"""

import os
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from cutaway import runs
from cutaway.clips.export import render_one
from cutaway.clips.render import Inputs, Wanted, render
from cutaway.settings import Book, places_of_last_build
from cutaway.store import Store

from .programs import ROOT
from .sampled import of_book


def main(arguments: list[str]) -> str | None:
    as_films = "--mp4" in arguments
    folder, *scenes = (argument for argument in arguments if argument != "--mp4")
    book, runs_of = Book.read(ROOT / "docs"), of_book()
    traces = {name: found.trace for name, found in runs.ensure(book, print).items()}
    inputs = Inputs(traces, places_of_last_build(book))
    cold = replace(book, store=Store(Path(folder)))
    clips = render(cold, [Wanted(scene, runs_of[scene]) for scene in scenes], inputs, print)
    errors = [clip.error for clip in clips.values() if clip.error]
    if as_films and not errors:
        for kind in ("trace", "train"):
            (Path(folder) / kind).symlink_to(book.store.root / kind, target_is_directory=True)
        shutil.copytree(book.store.root / "book", Path(folder) / "book", dirs_exist_ok=True)  # where the steps stand
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            paths = [Path(folder, f"{scene}.mp4") for scene in scenes]
            list(pool.map(render_one, [cold] * len(scenes), scenes, paths, ["mp4"] * len(scenes)))
    return errors[0] if errors else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
