"""``cutaway.cells``: executed cells that know the book's runs. What they give is kept, see ``outputs.py``.

In a cell::

    from cutaway import load, note
    sort = load("sort")                  # what the run ``sort`` recorded; now `import nanogpt` works too
    model = sort.model()                 # with its trained weights
    sort.value("h.0.attn/att")           # a recorded value, by the grammar of names
    note(share=0.3)                      # for the page's sentences: {fact}`cell.share`
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import runs
from ..runs import pinned
from ..runs.importer import author_s_class, install
from ..settings import Book, BookError, places_of_last_build
from ..trace.names import Names
from ..trace.reading import Scalar
from ..trace.reading import load as load_trace
from .notes import note as note  # a cell's, like load and table

if TYPE_CHECKING:
    import numpy as np
    from sphinx.application import Sphinx

VARIABLE = "CUTAWAY_BOOK"  # the folder of conf.py, for kernels


def setup(app: Sphinx) -> dict[str, Any]:
    from sphinx.errors import ExtensionError

    from ..parts import begin

    if "myst_nb" not in app.extensions:
        raise ExtensionError('cutaway.cells runs the cells of myst-nb: write extensions = ["myst_nb", "cutaway.cells"]')
    return begin(app)


class Recorded:
    """A run as cells see it: ``facts``, ``log``, ``trace``, ``weights`` (arrays by name)."""

    def __init__(self, book: Book, outcome: runs.Outcome) -> None:
        self._book = book
        self.name = outcome.name
        self.trace = load_trace(Path(outcome.trace))
        self.facts = self.trace.facts
        self.log = self.trace.log
        import numpy as np  # the builder, which loads this module too, needs no number

        with np.load(outcome.weights, allow_pickle=False) as arrays:
            self.weights = {name: arrays[name] for name in arrays.files}

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

    def why(self, name: str) -> Reasons:
        """What a number was made of: ``sort.why("h.0.attn/att[0,0,5,2]")``."""
        from ..computing import asking

        is_whole = asking.run_of(name) == self.name
        # The steps of some build would decide what is shown, and no key knows them.
        return Reasons(asking.reasons(self.trace, {}, self._book.source, name if is_whole else f"{self.name}/{name}"))


class Reasons(str):
    """What a number was made of, in lines; a cell shows it as it is."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return f"```text\n{self}\n```"


def reasons(book: Book, name: str) -> Reasons:
    """What a number was made of, by its name ``sort.forward/h.0.attn/att[0,0,5,2]``; its run is made if need be."""
    from ..computing import asking

    run = asking.run_of(name)
    outcomes = runs.ensure(book, lambda line: print(line, file=sys.stderr), [run])
    if run not in outcomes:
        known = [found.name for found in runs.declared(book.runs)]
        raise LookupError(f"no run {run!r} in '{name}'; there is {', '.join(known) or 'none'}")
    if outcomes[run].error:
        raise RuntimeError(outcomes[run].error)
    trace = load_trace(Path(outcomes[run].trace))
    return Reasons(asking.reasons(trace, places_of_last_build(book), book.source, name))


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


def pinned_runs() -> dict[str, dict[str, str]]:
    """Which machine made what is pinned of each run, and when: processor, arithmetic, system, versions, date."""
    kept = {run.name: pinned.read(run) for run in runs.declared(find_book().runs)}
    return {name: dict(content["made"]) for name, content in kept.items() if content}


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
