"""Clips: the book's scenes, cold, as recordings and as films, beside Manim's command and its Sphinx directive."""

from __future__ import annotations

import gzip
import shutil
import statistics
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from .measure import Case, Options, seconds
from .pictures import likeness
from .programs import ROOT, emptied, film, films, python, sphinx
from .sampled import of_book, sample

FILM = "720p30"  # the size and rate of the book's clips, and Manim's default is this size


def cases(options: Options) -> Iterator[Case]:
    scenes = sample(options.every)
    told = f"{len(scenes)} of {len(of_book())} clips"
    mine, cli, directive = (options.folder / name for name in ("ours", "manim", "directive"))

    def recorded() -> float:
        emptied(mine)
        return seconds(partial(python, "tests.bench.ours", mine, *scenes))

    def filmed() -> float:
        emptied(mine)
        return seconds(partial(python, "tests.bench.ours", "--mp4", mine, *scenes))

    def by_command(quality: str) -> float:
        return seconds(partial(films, scenes, quality, cli))

    def by_directive(processes: int, options: str = "") -> float:
        emptied(directive)
        _manim_pages(directive, scenes, options)
        return seconds(partial(sphinx, directive, directive / "html", "-j", processes))

    def with_pages() -> float:
        """The clips, and a plain build of as many pages."""
        emptied(directive)
        _plain_pages(directive, scenes)
        return recorded() + seconds(partial(sphinx, directive, directive / "html"))

    def trained() -> None:
        """The runs that the scenes read: else the first who asks for them would pay for them."""
        python("tests.bench.stock")

    first = scenes[0]
    yield Case("clip", 0.25, partial(_one, mine, first), partial(_film_alone, first, cli), trained, lambda: first)
    yield Case("clips", 0.15, recorded, partial(by_command, "1080p30"), trained, lambda: told)
    for processes in (1, 2):
        name = f"clips-directive-j{processes}"
        yield Case(
            name, 0.25, with_pages, partial(by_directive, processes), trained, lambda: f"{told}; theirs at 480p30"
        )
    yield Case("films", 0.35, filmed, partial(by_command, FILM), trained, lambda: told)
    yield Case(
        "films-directive", 0.35, filmed, partial(by_directive, 1, "    :quality: medium\n"), trained, lambda: told
    )
    yield from _bytes(options.folder / "bytes", scenes)


def _one(folder: Path, scene: str) -> float:
    emptied(folder)
    return seconds(partial(python, "tests.bench.ours", folder, scene))


def _film_alone(scene: str, folder: Path) -> float:
    emptied(folder)
    return seconds(partial(film, scene, "1080p30", folder))


def _manim_pages(folder: Path, scenes: Sequence[str], options: str) -> None:
    """A page for each clip, with the directive as its documentation shows it, at its own size (480p30) or another."""
    conf = f"import sys\nsys.path[:0] = [{str(ROOT)!r}]\nextensions = ['manim.utils.docbuild.manim_directive']\n"
    (folder / "conf.py").write_text(conf, "utf-8")
    for scene in scenes:
        name = scene.replace(".", "_")
        code = f"    from tests.bench.stock import {name}\n"
        page = f"{scene}\n{'=' * 60}\n\n.. manim:: {name}\n    :hide_source:\n{options}\n{code}"
        (folder / f"{name}.rst").write_text(page, "utf-8")
    _write_index(folder, scenes)


def _plain_pages(folder: Path, scenes: Sequence[str]) -> None:
    (folder / "conf.py").write_text("", "utf-8")
    for scene in scenes:
        page = f"{scene}\n{'=' * 60}\n\n.. raw:: html\n\n    <video controls src='{scene}.mp4'></video>\n"
        (folder / f"{scene.replace('.', '_')}.rst").write_text(page, "utf-8")
    _write_index(folder, scenes)


def _write_index(folder: Path, scenes: Sequence[str]) -> None:
    listed = "".join(f"    {scene.replace('.', '_')}\n" for scene in scenes)
    (folder / "index.rst").write_text(f"Clips\n=====\n\n.. toctree::\n\n{listed}", "utf-8")


def _bytes(folder: Path, scenes: Sequence[str]) -> Iterator[Case]:
    """What a reader loads: a recording, compressed, and our film, each beside Manim's film of the same scene."""
    mine, cli = folder / "ours", folder / "manim"

    def prepare() -> None:
        if not (cli / f"{scenes[-1]}.mp4").exists():  # the last that is made
            emptied(cli)
            python("tests.bench.ours", "--mp4", emptied(mine), *scenes)
            for scene in scenes:
                shutil.move(film(scene, FILM, folder / "media"), cli / f"{scene}.mp4")

    def whole(place: Path) -> float:
        return float(sum((place / f"{scene}.mp4").stat().st_size for scene in scenes))

    def recordings() -> float:
        return float(sum(len(gzip.compress(path.read_bytes(), 9)) for path in (mine / "clip").glob("*.js")))

    def alike() -> str:
        ours, theirs = (statistics.mean(likeness(mine, place, scenes)) for place in (mine, cli))
        return f"SSIM to what was drawn: ours {ours:.4f}, theirs {theirs:.4f}"

    yield Case("bytes-recording", 0.25, recordings, partial(whole, cli), prepare)
    yield Case("bytes-film", 0.6, partial(whole, mine), partial(whole, cli), prepare, alike)
