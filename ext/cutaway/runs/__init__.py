"""Runs: named recipes that train a model, feed it an input and leave a trace.

A book declares them in the files of ``cutaway_runs``; the classes are only read (``ast``) here and run in children::

    class Sort(Run):
        "Sorts six letters."
        name = "sort"
        sources = ("nanogpt",)         # packages of cutaway_sources that it imports, or modules: "big.models.small.*"
        after = ("base",)              # runs whose weights it begins with: train(self, log, base)
        limit_s = 600                  # the child is stopped after that
        budget_s = 60                  # what it takes on an idle core, for the sum of all; 0: not said
        pinned = True                  # what training leaves may be committed: see cutaway.runs.pinned
        inputs = ("../data/*.bin",)    # files that it reads, where Python does not open them: see cutaway.runs.reads

        def train(self, log):          # optional: weights by name; log(step, loss=...), log.fact(...)
        def build(self, weights):      # optional: the model, for cells: load("sort").model()
        def trace(self, weights, record):   # see cutaway.runs.recorder

Training is keyed by the definitions that it reaches, without comments, docstrings and times, and by the weights it
begins with, the trace by the text and the weights: a comment edit traces again and never trains again. Both are kept
in the store; what training left may also be pinned, committed beside the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from ..settings import Book
from ..source.find import SourceError
from . import pinned
from .declared import LIMIT_S, Declared, RunError, declared
from .keys import KnownKeys, Texts
from .pinned import PinError
from .process import THREADS, Report, execute
from .reads import key_with_reads, note, warnings_of

__all__ = ["THREADS", "Declared", "Outcome", "Run", "RunError", "declared", "ensure"]


LEFT_OUT = "a draft makes the first run alone"


class Run:
    """Base class of a declared run; see the module's text."""

    name: str
    sources: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    limit_s: float = LIMIT_S
    budget_s: float = 0.0
    pinned: bool = True
    inputs: tuple[str, ...] = ()

    def train(self, log: Any, **given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Weights by name (arrays or tensors); nothing to train by default. ``given``: the weights of runs before."""
        return {}

    def build(self, weights: Mapping[str, Any]) -> Any:
        """The model that the weights make."""
        raise NotImplementedError(f"the run {self.name!r} has no build method")

    def trace(self, weights: Mapping[str, Any], record: Any) -> None:
        """Record at least one pass."""
        raise NotImplementedError(f"the run {self.name!r} has no trace method")


@dataclass(frozen=True)
class Outcome:
    """What came of a run: where its trace and weights are, or why there are none."""

    name: str
    file: Path
    line: int
    trace: str = ""  # path of the trace's .json
    weights: str = ""  # path of the weights' .npz
    error: str = ""
    warnings: tuple[str, ...] = ()  # a pinned file that could not be used, sizes that collide


def ensure(
    book: Book, report: Report, names: Iterable[str] | None = None, draft: bool = False
) -> dict[str, Outcome]:
    """Make what is missing of the declared runs, as many at once as there are workers; of a draft, the first alone.

    Runs that others wait for begin first, the longest of them before. Failures are outcomes, not exceptions.
    """
    all, stop = declared(book.runs), Event()
    wanted = _with_those_before(all, names)
    waiting = urgent_first(wanted)
    found: dict[str, Outcome] = {}
    texts = Texts()

    def outcome(run: Declared) -> Outcome:
        before = {name: found[name] for name in run.after}
        stored = _stored(book, run, before, texts) if draft and run is not all[0] else None
        return stored or _ensure_one(book, run, before, texts, report, stop)

    workers = max(1, book.workers)
    running: dict[Future[Outcome], str] = {}
    with ThreadPoolExecutor(workers) as pool:
        try:
            while waiting or running:
                for run in [run for run in waiting if found.keys() >= set(run.after)][: workers - len(running)]:
                    waiting.remove(run)
                    running[pool.submit(outcome, run)] = run.name
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    found[running.pop(done)] = done.result()
        except BaseException:  # Ctrl-C comes to this thread alone
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return {run.name: found[run.name] for run in wanted}


def _with_those_before(all: Sequence[Declared], names: Iterable[str] | None) -> list[Declared]:
    """The runs of these names and those they begin with, in the order of their declaration; None: all."""
    if names is None:
        return list(all)
    wanted = set(names)
    for run in reversed(all):  # what a run comes after is declared before it
        if run.name in wanted:
            wanted |= set(run.after)
    return [run for run in all if run.name in wanted]


def urgent_first(runs: Sequence[Declared]) -> list[Declared]:
    """By how long a run and what waits for it take, so that nothing long is left over at the end."""
    left: dict[str, float] = {}
    for run in reversed(runs):
        left[run.name] = run.budget_s + max([left[other.name] for other in runs if run.name in other.after], default=0)
    return sorted(runs, key=lambda run: -left[run.name])


def _stored(book: Book, run: Declared, before: Mapping[str, Outcome], texts: Texts) -> Outcome | None:
    """What the store has of a run; None where its own mistake keeps us from looking."""
    try:
        keys = KnownKeys(book, run, texts)
        weights = _pinned(book, run, keys, _digests(before), _silent)
        weights = weights or _place(book, run, "train", keys.training(_digests(before))).with_suffix(".npz")
        if book.store.is_whole("train", weights.stem):
            trace = _place(book, run, "trace", keys.tracing(_content(weights)["digest"]))
            if book.store.is_whole("trace", trace.stem):
                return Outcome(run.name, run.file, run.line, str(trace), str(weights))
    except (RunError, SourceError, PinError):
        return None
    return Outcome(run.name, run.file, run.line, error=LEFT_OUT)


def _ensure_one(
    book: Book, run: Declared, before: Mapping[str, Outcome], texts: Texts, report: Report, stop: Event
) -> Outcome:
    try:
        missing = [name for name in run.packages if name not in book.sources]
        if missing:
            known = ", ".join(book.sources) or "none"
            raise RunError(f"sources = {run.sources}: no package {missing[0]!r} in cutaway_sources; known: {known}")
        keys, warning = KnownKeys(book, run, texts), ""
        try:
            weights = _pinned(book, run, keys, _digests(before), report)
        except PinError as error:
            weights, warning = None, str(error)
        weights = weights or _trained(book, run, before, keys, report, stop)
        trace = _traced(book, run, keys, weights, report, stop)
        told = warnings_of(book.store, keys.tracing(_content(weights)["digest"]))
        warnings = tuple(filter(None, [warning, *told]))
        return Outcome(run.name, run.file, run.line, str(trace), str(weights), warnings=warnings)
    except (RunError, SourceError) as error:
        return Outcome(run.name, run.file, run.line, error=str(error))
    except OSError as error:
        return Outcome(run.name, run.file, run.line, error=error.strerror or str(error))


def _digests(before: Mapping[str, Outcome]) -> dict[str, str]:
    """The digests of the weights of runs; RunError where one has none."""
    failed = [name for name, outcome in before.items() if outcome.error]
    if failed:
        raise RunError(f"it needs the weights of the run {failed[0]!r}, which failed; its error is reported above")
    return {name: _content(Path(outcome.weights))["digest"] for name, outcome in before.items()}


def _content(weights: Path) -> Any:
    return json.loads(weights.with_suffix(".json").read_text("utf-8"))


def _pinned(book: Book, run: Declared, keys: KnownKeys, given: Mapping[str, str], report: Report) -> Path | None:
    """The weights that are committed for this very code; None where there are none."""
    kept = pinned.read(run)
    if kept is None:
        return None
    if kept["code"] != keys.code(given):
        report(f"run {run.name}: its pinned weights are of other code than this; it is trained")
        return None
    return pinned.take_over(run, kept, book.store)


def _silent(line: str) -> None:
    pass


def _trained(
    book: Book, run: Declared, before: Mapping[str, Outcome], keys: KnownKeys, report: Report, stop: Event
) -> Path:
    key = keys.training(_digests(before))
    path = _place(book, run, "train", key)
    if not book.store.is_whole("train", path.stem):
        report(f"run {run.name}: training")
        given = {name: outcome.weights for name, outcome in before.items()}
        path = _make(book, run, "train", key, {"given": given}, report, stop)
        keys.note_trained(_digests(before))
    return path.with_suffix(".npz")


def _traced(book: Book, run: Declared, keys: KnownKeys, weights: Path, report: Report, stop: Event) -> Path:
    content = _content(weights)["digest"]
    path = _place(book, run, "trace", keys.tracing(content))
    if not book.store.is_whole("trace", path.stem):
        report(f"run {run.name}: tracing")
        path = _make(book, run, "trace", keys.tracing(content), {"weights": str(weights)}, report, stop)
        keys.note_traced(content)
    return path


def _place(book: Book, run: Declared, stage: str, key: str) -> Path:
    """Where what a stage makes is kept: by its key, and by what the files hold that it reads."""
    return book.store.path(stage, key_with_reads(book.store, run, key), ".json")


def _make(
    book: Book, run: Declared, stage: str, key: str, more: Mapping[str, Any], report: Report, stop: Event
) -> Path:
    told = execute(book, run, stage, book.store.path(stage, key, ".json"), more, report, stop)
    final = note(book.store, run, stage, key, told)
    if not book.store.is_whole(stage, final):
        raise RunError(f"the run {run.name!r} ended without a result: does it call os._exit or end its own process?")
    book.store.offer(stage, final)
    return book.store.path(stage, final, ".json")
