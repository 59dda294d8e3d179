"""Executed cells that know the book's runs, and are executed again when the explained source changes.

In a cell::

    from cutaway.cells import load, note
    sort = load("sort")                  # what the run ``sort`` recorded; now `import nanogpt` works too
    model = sort.model()                 # with its trained weights
    sort.value("h.0.attn/att")           # a recorded value, by the grammar of names
    note(share=0.3)                      # for the page's sentences: {fact}`cell.share`

myst-nb keeps the outputs of cells by their text alone. Here its cache stands in a folder of the digest of everything
that the cells import and load, reached by one constant path (another path would make every page outdated), and pages
with cells are read again when that digest changes.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import runs
from .book import Book, BookError
from .kernels import failed, survive
from .names import Names
from .noting import note as note  # a cell's, like load and table
from .store import digest
from .trace import Scalar
from .trace import load as load_trace
from .tracing.loading import author_s_class, install

if TYPE_CHECKING:
    import numpy as np
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

# Ours that a cell calls.
TOOL = ("cells.py", "names.py", "noting.py", "trace.py", "plots.py", "series.py", "interactive.py", "palette.py")
VARIABLE = "CUTAWAY_BOOK"  # the folder of conf.py, for kernels


class Recorded:
    """A run as cells see it: ``facts``, ``log``, ``trace``, ``weights`` (arrays by name)."""

    def __init__(self, book: Book, outcome: runs.Outcome) -> None:
        self._book = book
        self.name = outcome.name
        self.trace = load_trace(Path(outcome.trace))
        self.facts = self.trace.facts
        self._weights = outcome.weights
        self.log = self.trace.log
        import numpy as np  # the builder, which loads this module too, needs no number

        with np.load(outcome.weights, allow_pickle=False) as arrays:
            self.weights = {name: arrays[name] for name in arrays.files}

    @property
    def made(self) -> dict[str, str]:
        """Which machine made the pinned weights, and when; nothing of a run that was trained here."""
        return dict(json.loads(Path(self._weights).with_suffix(".json").read_text("utf-8")).get("made", {}))

    def model(self) -> Any:
        """The model with its trained weights, made by the run's ``build`` method."""
        declared = next(run for run in runs.declared(self._book.runs) if run.name == self.name)
        install({**declared.beside, **self._book.sources})
        return author_s_class(declared.file, declared.cls)().build(self.weights)

    def value(self, name: str) -> np.ndarray | Scalar:
        """A recorded value: an array, or the number of a fact or of an index."""
        import numpy as np

        found = Names({self.name: self.trace}, {}, self.name).resolve(name)
        if found.scalar is not None or found.value is None:
            return found.scalar
        if found.is_shape:
            return np.array(found.value.shape)
        return found.value.array() if found.value.type == "tensor" else found.value.scalar


def load(name: str) -> Recorded:
    """What a run recorded; it is made first where the store lacks it.

    The explained packages become importable, and what stands beside the runs: ``from runs.handbook import topics``.
    """
    book = find_book()
    beside = {name: folders for run in runs.declared(book.runs) for name, folders in run.beside.items()}
    install({**beside, **book.sources})
    outcomes = runs.ensure(book, lambda line: print(line, file=sys.stderr), [name])
    if name not in outcomes:
        known = ", ".join(run.name for run in runs.declared(book.runs)) or "none"
        raise LookupError(f"no run {name!r} in {book.declared_in}; there is {known}")
    if outcomes[name].error:
        raise RuntimeError(outcomes[name].error)
    return Recorded(book, outcomes[name])


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Any:
    """A table as Markdown, for the last line of a cell; words may use the page's roles, such as {dim}`T`."""
    from IPython.display import Markdown

    lines = [head, ["---"] * len(head), *rows]
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines]
    return Markdown("\n".join("| " + " | ".join(line) + " |" for line in cells))


def find_book() -> Book:
    """The book of CUTAWAY_BOOK, else the first ``conf.py`` or ``docs/conf.py`` from here upwards."""
    if os.environ.get(VARIABLE):
        return Book.read(Path(os.environ[VARIABLE]))
    for folder in (Path.cwd(), *Path.cwd().parents):
        for confdir in (folder, folder / "docs"):
            if (confdir / "conf.py").is_file():
                return Book.read(confdir)
    raise BookError(f"no conf.py from {Path.cwd()} upwards; set {VARIABLE} to the book's folder")


# The build's side


def _configure(app: Sphinx, config: Config) -> None:
    """Give myst-nb its constant path, and the kernels the book and one thread."""
    os.environ[VARIABLE] = str(app.confdir)
    os.environ.setdefault("OMP_NUM_THREADS", str(runs.THREADS))
    if "nb_execution_cache_path" in config.values and not config.nb_execution_cache_path:
        config.nb_execution_cache_path = str(_folder(app) / "current")


def _folder(app: Sphinx) -> Path:
    return Path(app.doctreedir).parent / "cells"


def _point(app: Sphinx) -> None:
    """Lead the constant path to the digest's folder; the cache there is made now, before processes race for it."""
    if "nb_execution_cache_path" not in app.config.values:
        return
    survive()
    current = Path(app.config.nb_execution_cache_path)
    if current != _folder(app) / "current":
        return
    target = _folder(app) / _digest(app.env)
    target.mkdir(parents=True, exist_ok=True)
    if not current.is_symlink() or current.resolve() != target.resolve():
        temporary = current.with_name(f".current-{os.getpid()}")
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target.name, target_is_directory=True)
        os.replace(temporary, current)
    if app.config.nb_execution_mode == "cache":
        from jupyter_cache import get_cache

        try:
            get_cache(current).list_cache_records()
        except Exception:  # a builder that was killed here has left half a database
            shutil.rmtree(target)
            target.mkdir()
            get_cache(current).list_cache_records()


def _digest(env: BuildEnvironment) -> str:
    """Everything that a cell may import or load: the source's files, what the runs left, and our own part in it."""
    from .build import build_of

    build = build_of(env)
    files = sorted(
        {
            path
            for folders in build.book.sources.values()
            for folder in folders
            for path in folder.rglob("*.py")
        }
    )
    texts = {str(path): path.read_bytes() for path in files}
    tool = [Path(__file__).with_name(name).read_bytes() for name in TOOL]
    return digest(tool, texts, {name: outcome.trace for name, outcome in build.outcomes.items()})


def _outdated(
    app: Sphinx, env: BuildEnvironment, added: Set[str], changed: Set[str], removed: Set[str]
) -> list[str]:
    """Pages with cells, when what cells import has changed."""
    from .domain import cutaway_domain

    data = cutaway_domain(env).data
    now = _digest(env)
    if data.get("cells") == now:
        return [name for name in failed(env) if name not in added]
    data["cells"] = now
    return [name for name in env.found_docs if name not in added and _has_cells(Path(env.doc2path(name)))]


def _has_cells(path: Path) -> bool:
    return path.suffix == ".ipynb" or (path.is_file() and "{code-cell}" in path.read_text("utf-8", "replace"))


def setup(app: Sphinx) -> None:
    app.connect("config-inited", _configure, priority=100)
    app.connect("builder-inited", _point, priority=600)  # after the runs
    app.connect("env-get-outdated", _outdated)
