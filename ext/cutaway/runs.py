"""Runs: named recipes that train a model, feed it an input and leave a trace.

A book declares them in ``docs/runs.py``; the class is only read (``ast``) here and runs in a child process::

    class Sort(Run):
        "Sorts six letters."
        name = "sort"
        sources = ("nanogpt",)         # packages of cutaway_sources that it imports
        limit_s = 600                  # the child is stopped after that

        def train(self, log):          # optional: weights by name; log(step, loss=...), log.fact(...)
        def build(self, weights):      # optional: the model, for cells: load("sort").model()
        def trace(self, weights, record):   # see cutaway.tracing.record

Training is keyed by its code without comments and docstrings, the trace by the text and the weights: a comment edit
traces again and never trains again. Both are kept in the store.
"""

from __future__ import annotations

import ast
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from .book import Book
from .source import Module, Source, SourceError, parse
from .store import Store, digest
from .tracing.closure import closure, without_docstrings

THREADS = 1  # in children: the bits of a sum depend on the number of threads
Report = Callable[[str], None]


class Run:
    """Base class of a declared run; see the module's text."""

    name: str
    sources: tuple[str, ...] = ()
    limit_s: float = 600.0

    def train(self, log: Any) -> Mapping[str, Any]:
        """Weights by name (arrays or tensors); nothing to train by default."""
        return {}

    def build(self, weights: Mapping[str, Any]) -> Any:
        """The model that the weights make."""
        raise NotImplementedError(f"the run {self.name!r} has no build method")

    def trace(self, weights: Mapping[str, Any], record: Any) -> None:
        """Record at least one pass."""
        raise NotImplementedError(f"the run {self.name!r} has no trace method")


class RunError(Exception):
    """A declared run is wrong, failed or took too long."""


@dataclass(frozen=True)
class Declared:
    """A run as read from the file: nothing of it is executed."""

    name: str
    cls: str
    line: int
    sources: tuple[str, ...]
    limit_s: float


@dataclass(frozen=True)
class Outcome:
    """What came of a run: where its trace and weights are, or why there are none."""

    name: str
    line: int
    trace: str = ""  # path of the trace's .json
    weights: str = ""  # path of the weights' .npz
    error: str = ""


def declared(path: Path) -> list[Declared]:
    """The runs that a file declares, in its order."""
    if not path.is_file():
        return []
    try:
        module = parse("runs", path)
    except SourceError as error:
        raise RunError(str(error)) from error
    found = [
        _declared(module, node)
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and _is_run(node)
    ]
    names = [run.name for run in found]
    for run in found:
        if names.count(run.name) > 1:
            raise RunError(
                f"{path}:{run.line}: the run {run.name!r} is declared twice; give each its own name"
            )
    return found


def _is_run(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).split(".")[-1] == "Run" for base in node.bases)


def _declared(module: Module, node: ast.ClassDef) -> Declared:
    settings: dict[str, Any] = {"name": node.name.lower(), "sources": (), "limit_s": Run.limit_s}
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if name in settings:
                settings[name] = _literal(module, statement.value, name)
    return Declared(settings["name"], node.name, node.lineno, tuple(settings["sources"]), settings["limit_s"])


def _literal(module: Module, node: ast.expr, name: str) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        place = f"{module.path}:{node.lineno}"
        raise RunError(
            f"{place}: {name} = {ast.unparse(node)}: write the value itself, the file is not executed"
        ) from None


def ensure(book: Book, report: Report, names: Iterable[str] | None = None) -> dict[str, Outcome]:
    """Make what is missing of the declared runs, one after the other. Failures are outcomes, not exceptions."""
    outcomes = {}
    for run in declared(book.runs):
        if names is None or run.name in names:
            outcomes[run.name] = _ensure_one(book, run, report)
    return outcomes


def _ensure_one(book: Book, run: Declared, report: Report) -> Outcome:
    try:
        missing = [name for name in run.sources if name not in book.sources]
        if missing:
            known = ", ".join(book.sources) or "none"
            raise RunError(
                f"sources = {run.sources}: no package {missing[0]!r} in cutaway_sources; known: {known}"
            )
        keys = _Keys(book, run)
        weights = _trained(book, run, keys, report)
        trace = _traced(book, run, keys, weights, report)
        return Outcome(run.name, run.line, str(trace), str(weights))
    except (RunError, SourceError, OSError) as error:
        return Outcome(run.name, run.line, error=str(error))


def _trained(book: Book, run: Declared, keys: _Keys, report: Report) -> Path:
    key = keys.training()
    if not _whole(book.store, "train", key):
        report(f"run {run.name}: training")
        _execute(book, run, "train", book.store.path("train", key, ".json"), {}, report)
    return book.store.path("train", key, ".npz")


def _traced(book: Book, run: Declared, keys: _Keys, weights: Path, report: Report) -> Path:
    trained = json.loads(weights.with_suffix(".json").read_text("utf-8"))
    key = keys.tracing(trained["digest"])
    if not _whole(book.store, "trace", key):
        report(f"run {run.name}: tracing")
        _execute(
            book, run, "trace", book.store.path("trace", key, ".json"), {"weights": str(weights)}, report
        )
    return book.store.path("trace", key, ".json")


def _whole(store: Store, kind: str, key: str) -> bool:
    """Whether both files are there and the arrays have the size that was written."""
    data = store.read_json(kind, key)
    arrays = store.path(kind, key, ".npz")
    return data is not None and arrays.is_file() and arrays.stat().st_size == data.get("bytes")


class _Keys:
    """The two keys of a run: what it imports of the source, its own code, the versions that compute."""

    def __init__(self, book: Book, run: Declared) -> None:
        self.file = parse("runs", book.runs)
        self.run = run
        self.node = next(n for n in self.file.tree.body if isinstance(n, ast.ClassDef) and n.name == run.cls)
        own = [n for n in self.file.tree.body if not (isinstance(n, ast.ClassDef) and _is_run(n))]
        self.rest = ast.Module([*own, self.node], [])
        self.modules = closure(Source({name: book.sources[name] for name in run.sources}), self.rest)
        self.versions = {name: _version(name) for name in ("torch", "numpy")}

    def training(self) -> str:
        train = [
            n for n in self.node.body if not (isinstance(n, ast.FunctionDef) and n.name in ("trace", "build"))
        ]
        own = [n for n in self.rest.body if n is not self.node]
        code = [without_docstrings(ast.Module([*own, *train], []))]
        code += [f"{module.name}:{without_docstrings(module.tree)}" for module in self.modules]
        return digest("train", self.run.name, code, self.versions, THREADS)

    def tracing(self, weights: str) -> str:
        own = [ast.unparse(n) for n in self.rest.body]
        texts = {module.name: [str(module.path), module.text] for module in self.modules}
        return digest("trace", self.run.name, own, texts, weights, self.versions, THREADS, _tracer())


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _tracer() -> list[str]:
    """The text of the modules that record: another tracer makes another trace."""
    names = ("axes", "child", "instrument", "loading", "record")
    return [(Path(__file__).parent / "tracing" / f"{name}.py").read_text("utf-8") for name in names]


def _execute(book: Book, run: Declared, stage: str, out: Path, more: dict[str, str], report: Report) -> None:
    """Run a stage in a child with a time limit; its progress is reported, its error raised as RunError."""
    request = {
        "stage": stage,
        "cls": run.cls,
        "run": run.name,
        "file": str(book.runs),
        "sources": {name: [str(folder) for folder in book.sources[name]] for name in run.sources},
        "out": str(out),
        **more,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    threads = {name: str(THREADS) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    child = subprocess.Popen(
        [sys.executable, "-m", "cutaway.tracing.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **threads, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        start_new_session=True,
    )
    try:
        error = _follow(child, json.dumps(request).encode(), run, stage, report)
    finally:
        _stop(child)
    if error:
        raise RunError(
            f"the run {run.name!r} failed while {stage[:-1] if stage == 'trace' else stage}ing:\n{error}"
        )


def _follow(child: subprocess.Popen[bytes], request: bytes, run: Declared, stage: str, report: Report) -> str:
    """Pass the request on, report each line of progress until the child ends; the error's text, or nothing."""
    assert child.stdin and child.stdout
    child.stdin.write(request)
    child.stdin.close()
    deadline, pending, error = time.monotonic() + run.limit_s, b"", ""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return f"it took longer than its limit_s = {run.limit_s:g} s and was stopped"
            if not selector.select(min(left, 1.0)):
                continue
            chunk = os.read(child.stdout.fileno(), 65536)
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                message = json.loads(line)
                error = message.get("error", error)
                if "progress" in message:
                    report(f"run {run.name}: {message['progress']}")
            if not chunk:
                break
    code = child.wait()
    return error or (f"its process ended with {_ending(code)}" if code else "")


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _stop(child: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it started: Ctrl-C and time limits leave no process behind."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    if child.stdout:
        child.stdout.close()
