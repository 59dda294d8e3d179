"""One clip outside the book, as a file: ``python -m cutaway clip attention.CausalMask --gif mask.gif``.

The steps that a scene may name are those of the book's last build; values by variable name need no build.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from PIL import Image

from .. import runs
from ..settings import Book, places_of_last_build
from ..store import replacing
from ..theme.palette import BY_NAME
from . import keys as clip_keys
from .finished import RECORDING, Clip
from .format.script import read_script
from .keys import KIND, find_scene
from .raster.film import frame_of, write
from .raster.painter import Painter
from .raster.webm import write_webm
from .render import Inputs, Wanted, render

_DIRECTIVE = re.compile(r"^[:`]{3,}\{clip\} +(?P<scene>\S+) *\n(?P<options>(?::[\w-]+:.*\n)*)", re.MULTILINE)
_QUALITY = re.compile(r"(?P<height>\d{2,4})p(?P<fps>\d{1,3})")
_RUN = re.compile(r"^:run: +(\S+)", re.MULTILINE)
MOST_LINES, MOST_FPS = 2160, 120


class ClipError(LookupError):
    """The clip could not be drawn."""


def in_quality(book: Book, quality: str) -> Book:
    """The book with clips of another height and frame rate, ``"1080p60"``; the width keeps its ratio to the height."""
    found = _QUALITY.fullmatch(quality)
    height, fps = (int(found[name]) for name in ("height", "fps")) if found else (0, 0)
    if not (MOST_LINES >= height >= 90 and height % 2 == 0 and MOST_FPS >= fps > 0):
        raise ClipError(
            f"'{quality}' is no quality; write the height in pixels, an even number from 90 to {MOST_LINES}, and the "
            f"frames a second, up to {MOST_FPS}: 1080p60"
        )
    width = round(height * book.clip_size[0] / book.clip_size[1] / 2) * 2  # encoders want even numbers
    return replace(book, clip_size=(width, height), clip_fps=fps)


def render_one(
    book: Book, scene: str, path: Path, kind: str, run: str | None = None, theme: str = "dark"
) -> Path:
    """Record a scene, or take it from the store, and write it as ``mp4``, ``webm``, ``gif``, ``webp`` or ``png``
    (its poster)."""
    clip = one_clip(book, scene, run)
    with replacing(path) as temporary:
        if kind == "png":
            shutil.copyfile(book.store.path(KIND, clip.key, clip.still(clip.poster, theme)), temporary)
        elif kind == "webm":
            write_webm(_source(book, clip, theme), temporary, book.clip_size, theme)
        else:
            write(_source(book, clip, theme), temporary, kind, book.clip_size, theme)
    return path


def frame_at(
    book: Book, scene: str, when: str, path: Path | None = None, run: str | None = None, theme: str = "dark"
) -> Path:
    """Write one frame as a PNG; ``when`` is a time, ``"2.5s"``, or the number of a frame, ``"75"``."""
    clip = one_clip(book, scene, run)
    number = _frame_number(clip, when)
    if clip.why_film:
        pixels = frame_of(_source(book, clip, theme), number / clip.fps)
    else:
        recording = read_script(_source(book, clip, theme).read_text("utf-8"))
        pixels = Painter(recording, BY_NAME[theme]).pixels(number, book.clip_size)
    path = path or Path(f"{scene}-{when}.png")
    with replacing(path) as temporary:
        Image.fromarray(pixels[..., :3]).save(temporary, "png")
    return path


def _frame_number(clip: Clip, when: str) -> int:
    try:
        number = int(float(when[:-1]) * clip.fps) if when.endswith("s") else int(when)
    except (ValueError, OverflowError):
        raise ClipError(f"'{when}' is no moment of a clip; write a time as 2.5s, or the number of a frame") from None
    if not 0 <= number < clip.frames:
        last = clip.frames - 1
        raise ClipError(f"'{when}' is outside the clip: it has the frames 0 to {last}, 0s to {last / clip.fps:.2f}s")
    return number


def one_clip(book: Book, scene: str, run: str | None) -> Clip:
    """A scene's clip, from the store or recorded now; ClipError says why there is none."""
    found = find_scene(book, scene)  # says what there is instead, before anything runs
    declared = [one.name for one in runs.declared(book.runs)]
    run = run or clip_keys.hint(book.store, scene).get("run") or _run_on_page(book, scene) or next(iter(declared), None)
    if run and run not in declared:
        raise ClipError(f"no run '{run}' in {book.declared_in}; there is {', '.join(declared) or 'none'}")
    outcomes = runs.ensure(book, _say, [run, *_runs_named(found.module.text, declared)] if run else [])
    failed = [outcome.error for outcome in outcomes.values() if outcome.error]
    if failed:
        raise ClipError(failed[0])
    wanted = Wanted(scene, run)
    inputs = Inputs({name: outcome.trace for name, outcome in outcomes.items()}, places_of_last_build(book))
    clip = render(book, [wanted], inputs, _say)[wanted]
    if clip.error:
        raise ClipError(clip.error)
    return clip


def _runs_named(text: str, declared: Iterable[str]) -> list[str]:
    """The other runs whose values the file of a scene names, as in ``self.fact("shards.tokens")``."""
    return [name for name in declared if re.search(rf"""["']{re.escape(name)}[./]""", text)]


def _run_on_page(book: Book, scene: str) -> str | None:
    """The run with which a page shows a scene: before the first build nothing else knows it."""
    for page in sorted(book.confdir.rglob("*.md")):
        for found in _DIRECTIVE.finditer(page.read_text("utf-8", "replace")):
            if found["scene"] == scene:
                named = _RUN.search(found["options"])
                return named[1] if named else None
    return None


def _source(book: Book, clip: Clip, theme: str) -> Path:
    """The clip's recording, or its film in a theme if it has it."""
    film = f"-{theme if theme in clip.themes else clip.themes[0]}.mp4"
    return book.store.path(KIND, clip.key, film if clip.why_film else RECORDING)


def _say(line: str) -> None:
    print(line, file=sys.stderr)
