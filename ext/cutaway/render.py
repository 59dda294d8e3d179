"""Make the clips that are missing, all together, in child processes; what is in the store costs a look.

``render(book, wanted, ...)`` answers for each wanted clip with an outcome: where its files are, or why there
are none. A scene that raises, hangs or is killed is an outcome like any other. Neither Manim nor torch is
imported here.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from .book import Book
from .filming import recipe
from .filming.lint import lint
from .filming.recipe import KIND, find_scene
from .names import Names, Place
from .source import SourceError
from .store import digest
from .trace import TraceError, load

Report = Callable[[str], None]
RECORDING, CAPTIONS = ".js", ".vtt"  # ends of the names of files
NAMES = {RECORDING: "recording.js", CAPTIONS: "captions.vtt"}  # as the worker leaves them; others as they end
DATA = ("themes", "why_film", "fps", "frames", "sections", "poster", "tags", "size", "notices")
LEFT_OUT = "a draft draws no clips"
UNKNOWN_COST_S = 1e6  # a scene never drawn here comes first: it may be the longest


class Wanted(NamedTuple):
    """A scene by dotted path, and the run whose values it shows."""

    scene: str
    run: str | None


class Section(NamedTuple):
    """A stretch of a clip: its name, the end of its address, its first frame, and what is said meanwhile."""

    name: str
    slug: str
    start: int
    captions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clip:
    """What came of a wanted clip. ``key`` names its files in the store; without one, ``error`` says why."""

    key: str = ""
    error: str = ""
    themes: tuple[str, ...] = ()
    why_film: str = ""  # empty: it is a recording
    fps: int = 0
    frames: int = 0
    sections: tuple[Section, ...] = ()
    poster: int = 0  # number of the section whose last frame stands for the clip
    tags: Mapping[str, int] = field(default_factory=dict)  # the section in which each tag is first seen
    size: tuple[int, int] = (0, 0)
    notices: tuple[tuple[str, str], ...] = ()  # (file:line, message)

    @property
    def suffixes(self) -> list[str]:
        """The ends of its files' names."""
        stills = [self.still(number, theme) for number in range(len(self.sections)) for theme in self.themes]
        if not self.why_film:
            return [RECORDING, *stills]
        films = [f"-{theme}.mp4" for theme in self.themes]
        return [*films, *stills, *([CAPTIONS] if any(s.captions for s in self.sections) else [])]

    def file(self, suffix: str) -> str:
        """The name of a file in the output."""
        return f"clip-{self.key}{suffix}"

    def still(self, number: int, theme: str) -> str:
        """The last frame of a section, in a theme or, where the clip has colours of its own, in these."""
        return f"-{number}-{theme if theme in self.themes else self.themes[0]}.png"


@dataclass(frozen=True)
class Inputs:
    """What scenes may read: paths of traces by run, places of steps by id."""

    traces: Mapping[str, str]
    steps: Mapping[str, Place]

    def names(self, run: str | None) -> Names:
        return Names({name: load(Path(path)) for name, path in self.traces.items()}, self.steps, run)

    def plain(self) -> dict[str, Any]:
        steps = {id: {"object": place.object, "span": list(place.span)} for id, place in self.steps.items()}
        return {"traces": dict(self.traces), "steps": steps}


def render(
    book: Book, wanted: Sequence[Wanted], inputs: Inputs, report: Report, draft: bool = False
) -> dict[Wanted, Clip]:
    """The clips, from the store where they are there, drawn now where they are not (but for a draft)."""
    clips: dict[Wanted, Clip] = {}
    missing: dict[Wanted, str] = {}
    for want in dict.fromkeys(wanted):
        try:
            key = recipe.source_key(book, want.scene)
            found = stored(book, recipe.look_up(book.store, key, inputs.names(want.run)))
        except (SourceError, TraceError, OSError) as error:
            clips[want] = Clip(error=str(error))
            continue
        if found:
            clips[want] = found
        else:
            missing[want] = key
    if draft:
        clips |= dict.fromkeys(missing, Clip(error=LEFT_OUT))
    elif missing:
        clips |= _draw(book, missing, inputs, report)
    return clips


def stored(book: Book, key: str | None) -> Clip | None:
    """The clip of an artifact key, if all its files are there."""
    data = book.store.whole(KIND, key) if key else None
    return _clip(str(key), data) if data else None


def _clip(key: str, data: Mapping[str, Any]) -> Clip:
    return Clip(
        key=key,
        themes=tuple(data["themes"]),
        why_film=data["why_film"],
        fps=data["fps"],
        frames=data["frames"],
        sections=tuple(Section(s["name"], s["slug"], s["start"], tuple(s["captions"])) for s in data["sections"]),
        poster=data["poster"],
        tags=data["tags"],
        size=(data["size"][0], data["size"][1]),
        notices=tuple(sorted(data["notices"].items())),
    )


def _draw(book: Book, missing: Mapping[Wanted, str], inputs: Inputs, report: Report) -> dict[Wanted, Clip]:
    """Draw them, longest first, in a child that forks for each."""
    order = sorted(missing, key=lambda want: -recipe.hint(book.store, want.scene).get("cost", UNKNOWN_COST_S))
    clips: dict[Wanted, Clip] = {}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cutaway-clips-") as folder:
        jobs = [_job(book, want, inputs, Path(folder, str(number))) for number, want in enumerate(order)]
        for message in _messages(book, jobs):
            if "fatal" in message:
                return {want: clips.get(want, Clip(error=message["fatal"])) for want in order}
            if "started" in message:
                number = message["started"]
                report(f"clip {number + 1} of {len(order)} {order[number].scene} ...")
                continue
            number = message["done"] if "done" in message else message["failed"]
            want = order[number]
            clips[want] = _keep(book, want, missing[want], inputs, message, Path(jobs[number]["folder"]))
            state = "failed" if clips[want].error else "done"
            report(f"clip {number + 1} of {len(order)} {want.scene} {state}, {message['cost']:.0f} s")
            for remark in _remarks(book, want, message):
                report(remark)
    lost = Clip(error="the process that draws the clips ended before its time; build again")
    report(f"{len(clips)} clips drawn in {time.monotonic() - began:.0f} s")
    return {want: clips.get(want, lost) for want in order}


def _remarks(book: Book, want: Wanted, message: Mapping[str, Any]) -> Iterator[str]:
    """What its author may want to know of a scene that worked."""
    scene = find_scene(book, want.scene)
    place = f"{scene.path}:{scene.node.lineno}: {want.scene}"
    if message.get("why_film"):
        yield f"{place} is a film and no recording: {message['why_film']}"
    if message.get("literal"):
        colours = ", ".join(message["literal"])
        yield f"{place} keeps these colours in every theme, being none of the palette's: {colours}"
    for finding in lint(scene.node):
        yield f"{scene.path}:{finding.line}: {finding.message}"


def _job(book: Book, want: Wanted, inputs: Inputs, folder: Path) -> dict[str, Any]:
    folder.mkdir()
    return {
        "scene": want.scene,
        "run": want.run,
        "scenes": str(book.scenes),
        "folder": str(folder),
        "size": list(book.clip_size),
        "fps": book.clip_fps,
        "limit_s": book.clip_limit_s,
        "limit_mb": book.clip_limit_mb,
        **inputs.plain(),
    }


def _keep(
    book: Book, want: Wanted, source_key: str, inputs: Inputs, message: Mapping[str, Any], folder: Path
) -> Clip:
    """Move a finished scene's files to the store: the films, then the data about them, then the manifest."""
    if "error" in message:
        return Clip(error=message["error"])
    key = digest(source_key, message["reads"])
    clip = _clip(key, message)
    try:
        for suffix in clip.suffixes:
            source = folder / NAMES.get(suffix, suffix.removeprefix("-"))
            book.store.write(KIND, key, suffix, source.read_bytes())
        book.store.vouch(KIND, key, clip.suffixes, **{name: message[name] for name in DATA})
        recipe.note(book.store, source_key, message["reads"], key)
        learnt = {"cost": message["cost"], "run": want.run}
        book.store.write_json(KIND, recipe.hint_key(want.scene), learnt)
    except OSError as error:
        return Clip(error=f"drawn, but not kept: {error}")
    return clip


def _messages(book: Book, jobs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Start the child, hand it the jobs, and pass on what it says; it ends with us, whatever happens."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    single["PYTHONHASHSEED"] = "0"  # Manim goes through sets here and there: the same scene, the same bytes
    child = subprocess.Popen(
        [sys.executable, "-m", "cutaway.filming.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **single, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        start_new_session=True,  # so that Ctrl-C reaches us alone, and ending the group ends every fork
    )
    try:
        yield from _lines(
            child, {"jobs": jobs, "workers": book.workers or os.cpu_count() or 1, "scenes": str(book.scenes)}
        )
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                pipe.close()


def _lines(child: subprocess.Popen[bytes], request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    assert child.stdin and child.stdout
    child.stdin.write(json.dumps(request).encode() + b"\n")
    child.stdin.flush()  # and it stays open: its end tells the child that we are gone
    for line in child.stdout:
        yield json.loads(line)
