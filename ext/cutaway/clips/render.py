"""Draw the clips that the store lacks, all together, in a pool of processes.

``render(book, wanted, ...)`` answers for each wanted clip with an outcome: where its files are, or why there
are none. A scene that raises, hangs or is killed is an outcome like any other. Neither Manim nor torch is
imported here.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..settings import Book
from ..source.find import SourceError
from ..store import Unkept, digest
from ..theme import dimensions
from ..trace.names import Names, Place
from ..trace.reading import TraceError, Traces
from . import keys as clip_keys
from .finished import CAPTIONS, DATA, RECORDING, Clip, clip_of, stored
from .keys import KIND, find_scene
from .known_keys import Seen, SourceKeys
from .lint import lint
from .pool import ForkPool, open_pool
from .pool.job import Job, Parcel, Take
from .pool.results import Lost, takes

Report = Callable[[str], None]
OpenPool = Callable[[Book], Executor]
NAMES = {RECORDING: "recording.js", CAPTIONS: "captions.vtt"}  # as the worker leaves them; others as they end
IMPORTED = "imported"  # kind of the notes that a file of scenes could be imported as it is
LEFT_OUT = "a draft draws no clips"
UNKNOWN_COST_S = 1e6  # a scene never drawn here comes first: it may be the longest


class Wanted(NamedTuple):
    """A scene by dotted path, and the run whose values it shows."""

    scene: str
    run: str | None


@dataclass(frozen=True)
class Inputs:
    """What scenes may read: paths of traces by run, places of steps by id."""

    traces: Mapping[str, str]
    steps: Mapping[str, Place]

    def names(self, run: str | None) -> Names:
        return Names(Traces(self.traces), self.steps, run)

    def digest(self) -> str:
        """Of all that a name can stand for, without reading a trace: another file counts as another trace."""
        return digest({name: [path, _time_of(path)] for name, path in self.traces.items()}, self.plain()["steps"])

    def plain(self) -> dict[str, Any]:
        steps = {id: {"object": place.object, "span": list(place.span)} for id, place in self.steps.items()}
        return {"traces": dict(self.traces), "steps": steps}


def _time_of(path: str) -> int | None:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return None  # who reads it will say so


def render(
    book: Book,
    wanted: Sequence[Wanted],
    inputs: Inputs,
    report: Report,
    draft: bool = False,
    pool: OpenPool = open_pool,
) -> dict[Wanted, Clip]:
    """The clips, from the store where they are there, drawn now where they are not (but for a draft) in the executor
    that ``pool`` opens; PoolError where it can't."""
    dimensions.adopt(book.dimensions)
    clips: dict[Wanted, Clip] = {}
    missing: dict[Wanted, str] = {}
    keys, seen = SourceKeys(book), Seen(book, inputs.digest())
    for want in dict.fromkeys(wanted):
        try:
            key = keys.of(want.scene)
            found = stored(book, seen.look_up(key, inputs.names(want.run)))
        except (SourceError, TraceError, OSError) as error:
            clips[want] = Clip(error=str(error))
            continue
        if found:
            clips[want] = found
        else:
            missing[want] = key
    if not draft:
        missing |= _untried(book, keys, [want for want, clip in clips.items() if clip.key], missing)
    keys.keep()
    seen.keep()
    if draft:
        clips |= dict.fromkeys(missing, Clip(error=LEFT_OUT))
    elif missing:
        drawn = _draw(book, missing, inputs, report, pool)
        _note(book, keys, [want for want, clip in drawn.items() if clip.key])
        clips |= drawn
    return {want: clips[want] for want in dict.fromkeys(wanted)}


def _untried(
    book: Book, keys: SourceKeys, found: Sequence[Wanted], missing: Mapping[Wanted, str]
) -> dict[Wanted, str]:
    """One finished scene of each file that changed since it was last imported, to be drawn again.

    A clip does not depend on what its scene leaves unused; but a file that can't be imported any more gives no clip.
    What a cold build refuses, a warm one must refuse, too.
    """
    tried = {_file_of(want) for want in missing}
    again = {}
    for want in found:
        if _file_of(want) not in tried and book.store.read_json(IMPORTED, keys.of_imports(want.scene)) is None:
            tried.add(_file_of(want))
            again[want] = keys.of(want.scene)
    return again


def _note(book: Book, keys: SourceKeys, drawn: Sequence[Wanted]) -> None:
    """What drew these clips, for builders that can't, and that their files could be imported."""
    for want in drawn:
        keys.note_setup(want.scene)
    for key in {keys.of_imports(want.scene) for want in drawn}:
        with contextlib.suppress(Unkept):  # the next build tries once more
            book.store.write_json(IMPORTED, key, {})


def _file_of(want: Wanted) -> str:
    return want.scene.rpartition(".")[0]


def _draw(
    book: Book, missing: Mapping[Wanted, str], inputs: Inputs, report: Report, pool: OpenPool
) -> dict[Wanted, Clip]:
    """Draw them, longest first; what the pool lost is drawn on this machine, which may lose it once more."""
    order = sorted(missing, key=lambda want: -clip_keys.hint(book.store, want.scene).get("cost", UNKNOWN_COST_S))
    began = time.monotonic()
    clips, lost = _draw_in(pool(book), book, missing, order, inputs, report)
    if lost:
        report(f"{len(lost)} clips were lost ({next(iter(lost.values()))}); they are drawn again, on this machine")
        more, lost = _draw_in(ForkPool(book.workers), book, missing, list(lost), inputs, report)
        clips |= more | {want: Clip(error=f"{why}; build again") for want, why in lost.items()}
    report(f"{len(clips)} clips drawn in {time.monotonic() - began:.0f} s")
    return clips


def _draw_in(
    pool: Executor, book: Book, missing: Mapping[Wanted, str], order: Sequence[Wanted], inputs: Inputs, report: Report
) -> tuple[dict[Wanted, Clip], dict[Wanted, Lost]]:
    """The clips that came out of a pool, kept, and why the others did not."""
    clips: dict[Wanted, Clip] = {}
    lost: dict[Wanted, Lost] = {}
    jobs = [_job(book, want, inputs) for want in order]
    parcel = None if isinstance(pool, ForkPool) else Parcel.pack(book.scenes, inputs.traces)
    with contextlib.closing(takes(pool, jobs, parcel)) as coming:  # an interrupt ends the pool, too
        for number, take in coming:
            want = order[number]
            what = f"clip {number + 1} of {len(order)} {want.scene}"
            if take is None:
                report(f"{what} ...")
            elif isinstance(take, Lost):
                lost[want] = take
            else:
                clips[want] = _keep(book, want, missing[want], take)
                state = "failed" if clips[want].error else "done"
                cost = take.facts.get("cost", 0)
                report(f"{what} {state}, {take.facts.get('peak_mb', 0)} MB in {cost:.0f} s")
                for remark in _remarks(book, want, take.facts):
                    report(remark)
    return clips, lost


def _remarks(book: Book, want: Wanted, facts: Mapping[str, Any]) -> Iterator[str]:
    """What its author may want to know of a scene that worked."""
    scene = find_scene(book, want.scene)
    place = f"{scene.path}:{scene.node.lineno}: {want.scene}"
    if facts.get("why_film"):
        yield f"{place} is a film and no recording: {facts['why_film']}"
    if facts.get("literal"):
        colours = ", ".join(facts["literal"])
        yield f"{place} keeps these colours in every theme, being none of the palette's: {colours}"
    for finding in lint(scene.node, clip_keys.around(book, scene)):
        yield f"{scene.path}:{finding.line}: {finding.message}"


def _job(book: Book, want: Wanted, inputs: Inputs) -> Job:
    return {
        "scene": want.scene,
        "run": want.run,
        "scenes": str(book.scenes),
        "size": list(book.clip_size),
        "fps": book.clip_fps,
        "limit_s": book.clip_limit_s,
        "limit_mb": book.clip_limit_mb,
        "dimensions": dimensions.plain(),
        **inputs.plain(),
    }


def _keep(book: Book, want: Wanted, source_key: str, take: Take) -> Clip:
    """Put a finished scene's files into the store: the films, then the data about them, then what it read."""
    facts = take.facts
    if "error" in facts:
        return Clip(error=facts["error"])
    key = digest(source_key, facts["reads"])
    clip = clip_of(key, facts)
    try:
        for suffix in clip.suffixes:
            book.store.write(KIND, key, suffix, take.files[NAMES.get(suffix, suffix.removeprefix("-"))])
        book.store.vouch(KIND, key, clip.suffixes, **{name: facts[name] for name in DATA})
        clip_keys.note(book.store, source_key, facts["reads"], key)
        learnt = {"cost": facts["cost"], "peak_mb": facts["peak_mb"], "run": want.run}
        book.store.write_json(KIND, clip_keys.hint_key(want.scene), learnt)
    except OSError as error:
        return Clip(error=f"drawn, but not kept: {error}")
    return clip
