"""A build of the book beside the same book for Sphinx and myst-nb alone, its clips being films made beforehand."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

from cutaway.cells.execution import KIND, SUFFIX

from .measure import Case, Options, seconds
from .plain import write_plain
from .programs import ENV, ROOT, emptied, film, python

PAGE, SCENE = "model/projection.md", "projection.Parts"
_CONSTRUCT = re.compile(r"(class Parts\(.*?def construct\(self\):\n)(        self\.wait\([\d.]+\)\n)?", re.DOTALL)


def cases(options: Options) -> Iterator[Case]:
    book, plain, media = (options.folder / name for name in ("book", "plain", "scene"))

    def prepare() -> None:
        """Both books, built twice: a first build writes all pages, and runs the cells that no build ran before."""
        ready = options.folder / "books"
        if not ready.exists():
            _copy_book(emptied(book))
            write_plain(book / "docs", emptied(plain) / "docs")
            _hand_over_cells(book / ".cutaway", plain / "cells")
            for _ in range(2):
                _build(book)
                _build(plain)
            ready.touch()

    def built(which: Path) -> float:
        return seconds(partial(_build, which))

    def with_sentence(which: Path) -> float:
        with open(which / "docs" / PAGE, "a", encoding="utf-8") as page:
            page.write(f"\nOne sentence more, at {time.time_ns()}.\n")
        return built(which)

    def with_scene() -> float:
        path = book / "docs/scenes/projection.py"
        pause = f"        self.wait({1 + time.time_ns() % 1000 / 1000})\n"  # never as it was before
        path.write_text(_CONSTRUCT.sub(lambda found: found[1] + pause, path.read_text("utf-8")), "utf-8")
        return built(book)

    def film_and_page() -> float:
        return seconds(partial(film, SCENE, "1080p30", emptied(media))) + with_sentence(plain)

    yield Case("no-change", 1.15, partial(built, book), partial(built, plain), prepare)
    yield Case("prose-edit", 1.1, partial(with_sentence, book), partial(with_sentence, plain), prepare)
    told = f"{SCENE}; theirs: Manim's command and the page"
    yield Case("scene-edit", 1.0, with_scene, film_and_page, prepare, lambda: told)


def _copy_book(folder: Path) -> None:
    """The book with a store of its own, whose files are those of the repository's until they are replaced."""
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "model_src", folder / "model_src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "permalinks.json", folder)
    table = folder / "tests/faults/survived.csv"  # of `nox -s faults`; a page without it is read again by every build
    table.parent.mkdir(parents=True)
    table.write_text("fault,1,1\n", "utf-8")
    shutil.copytree(ROOT / ".cutaway", folder / ".cutaway", copy_function=_link)


def _hand_over_cells(store: Path, cache: Path) -> None:
    """Give myst-nb's own cache what the cells gave when the site was built; without, they run again."""
    kept = get_cache(cache)
    for path in sorted((store / KIND).glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime):  # the newest stays
        notebook = nbformat.read(path, as_version=4)
        kept.cache_notebook_bundle(CacheBundleIn(notebook, str(path)), check_validity=False, overwrite=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another disk
        shutil.copy2(source, target)


def _build(folder: Path, *more: str) -> None:
    paths = [folder / name for name in ("model_src", "docs")] + [ROOT / "ext", ROOT]
    env = {**ENV, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    env["CUTAWAY_BOOK"] = str(folder / "docs")
    python("sphinx", "-q", *more, "-d", folder / "doctrees", folder / "docs", folder / "html", env=env)
